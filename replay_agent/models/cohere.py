"""Cohere's chat, version 2."""

from __future__ import annotations

from typing import ClassVar

from replay_agent.models.http import HTTPModel
from replay_agent.settings import ModelSettings

__all__ = "CohereModel", "CohereModelSettings"


class CohereModelSettings(ModelSettings, total=False):
    """The shared settings; Cohere has none of its own."""


class CohereModel(HTTPModel):
    """A model of Cohere. It takes text only and cannot stream."""

    default_provider: ClassVar[str] = "cohere"
