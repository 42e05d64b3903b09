"""Cohere's chat, version 2."""

from __future__ import annotations

from typing import ClassVar

import httpx

from replay_agent.models.access import HasAccess, refuse_client
from replay_agent.models.http import HTTPModel
from replay_agent.models.names import CohereModelName, LatestCohereModelNames
from replay_agent.models.providers import Provider
from replay_agent.settings import ModelSettings

__all__ = (
    "CohereModel",
    "CohereModelName",
    "CohereModelSettings",
    "LatestCohereModelNames",
)


class CohereModelSettings(ModelSettings, total=False):
    """The shared settings; Cohere has none of its own."""


class CohereModel(HTTPModel):
    """A model of Cohere. It takes text only and cannot stream."""

    default_provider: ClassVar[str] = "cohere"

    def __init__(
        self,
        model_name: CohereModelName,
        *,
        provider: str | Provider | HasAccess | None = None,
        api_key: str | None = None,
        cohere_client: object = None,
        base_url: str | None = None,
        http_client: httpx.AsyncClient | None = None,
        system: str | None = None,
    ) -> None:
        refuse_client("cohere_client", cohere_client)
        super().__init__(
            model_name, provider=provider, api_key=api_key, base_url=base_url, http_client=http_client, system=system
        )
