"""Anthropic's messages."""

from __future__ import annotations

from typing import ClassVar, TypedDict

from replay_agent.models.http import HTTPModel
from replay_agent.settings import ModelSettings

__all__ = "AnthropicMetadata", "AnthropicModel", "AnthropicModelSettings"


class AnthropicMetadata(TypedDict, total=False):
    """What Anthropic may be told of a request."""

    user_id: str | None
    """An opaque name of the user on whose behalf the request is made."""


class AnthropicModelSettings(ModelSettings, total=False):
    """Settings that only these models know."""

    anthropic_metadata: AnthropicMetadata


class AnthropicModel(HTTPModel):
    """A model of Anthropic."""

    default_provider: ClassVar[str] = "anthropic"
