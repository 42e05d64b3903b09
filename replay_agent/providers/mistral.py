"""Mistral."""

from __future__ import annotations

from typing import ClassVar

import httpx

from replay_agent.models.access import refuse_client
from replay_agent.providers.reached import ReachedProvider

__all__ = ("MistralProvider",)


class MistralProvider(ReachedProvider):
    """Mistral.

    ``api_key`` wins over the environment, ``http_client`` over the client that all models share.
    """

    row: ClassVar[str] = "mistral"

    def __init__(
        self,
        *,
        api_key: str | None = None,
        mistral_client: object = None,
        base_url: str | None = None,
        http_client: httpx.AsyncClient | None = None,
    ) -> None:
        refuse_client("mistral_client", mistral_client)
        self._reach(api_key=api_key, base_url=base_url, http_client=http_client)
