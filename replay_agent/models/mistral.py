"""Mistral's chat completions."""

from __future__ import annotations

from typing import ClassVar

from replay_agent.models.http import HTTPModel
from replay_agent.settings import ModelSettings

__all__ = "MistralModel", "MistralModelSettings"


class MistralModelSettings(ModelSettings, total=False):
    """The shared settings; Mistral has none of its own."""


class MistralModel(HTTPModel):
    """A model of Mistral."""

    default_provider: ClassVar[str] = "mistral"
