"""Anthropic's messages."""

from __future__ import annotations

from typing import ClassVar

import httpx
from typing_extensions import TypedDict

from replay_agent.models.access import HasAccess, refuse_client
from replay_agent.models.http import HTTPModel
from replay_agent.models.names import AnthropicModelName, LatestAnthropicModelNames
from replay_agent.models.providers import Provider
from replay_agent.settings import ModelSettings

__all__ = (
    "AnthropicMetadata",
    "AnthropicModel",
    "AnthropicModelName",
    "AnthropicModelSettings",
    "LatestAnthropicModelNames",
)


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

    def __init__(
        self,
        model_name: AnthropicModelName,
        *,
        provider: str | Provider | HasAccess | None = None,
        api_key: str | None = None,
        anthropic_client: object = None,
        base_url: str | None = None,
        http_client: httpx.AsyncClient | None = None,
        system: str | None = None,
    ) -> None:
        refuse_client("anthropic_client", anthropic_client)
        super().__init__(
            model_name, provider=provider, api_key=api_key, base_url=base_url, http_client=http_client, system=system
        )
