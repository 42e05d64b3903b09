"""Models that Groq serves."""

from __future__ import annotations

from typing import ClassVar

from replay_agent.models.http import HTTPModel
from replay_agent.settings import ModelSettings

__all__ = "GroqModel", "GroqModelSettings"


class GroqModelSettings(ModelSettings, total=False):
    """The shared settings; Groq has none of its own."""


class GroqModel(HTTPModel):
    """A model that Groq serves."""

    default_provider: ClassVar[str] = "groq"
