"""Models that Groq serves."""

from __future__ import annotations

from typing import ClassVar

import httpx

from replay_agent.models.access import HasAccess, refuse_client
from replay_agent.models.http import HTTPModel
from replay_agent.models.names import GroqModelName, LatestGroqModelNames
from replay_agent.models.providers import Provider
from replay_agent.settings import ModelSettings

__all__ = (
    "GroqModel",
    "GroqModelName",
    "GroqModelSettings",
    "LatestGroqModelNames",
)


class GroqModelSettings(ModelSettings, total=False):
    """The shared settings; Groq has none of its own."""


class GroqModel(HTTPModel):
    """A model that Groq serves."""

    default_provider: ClassVar[str] = "groq"

    def __init__(
        self,
        model_name: GroqModelName,
        *,
        provider: str | Provider | HasAccess | None = None,
        api_key: str | None = None,
        groq_client: object = None,
        base_url: str | None = None,
        http_client: httpx.AsyncClient | None = None,
        system: str | None = None,
    ) -> None:
        refuse_client("groq_client", groq_client)
        super().__init__(
            model_name, provider=provider, api_key=api_key, base_url=base_url, http_client=http_client, system=system
        )
