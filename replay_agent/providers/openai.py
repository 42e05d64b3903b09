"""OpenAI, and whoever else speaks as it does."""

from __future__ import annotations

from typing import ClassVar

import httpx

from replay_agent.models.access import refuse_client
from replay_agent.providers.reached import ReachedProvider

__all__ = ("OpenAIProvider",)


class OpenAIProvider(ReachedProvider):
    """OpenAI, or at ``base_url`` a server of the same tongue; such a server may want no key.

    ``api_key`` and ``base_url`` win over the environment, ``http_client`` over the client that all models share.
    """

    row: ClassVar[str] = "openai"

    def __init__(
        self,
        base_url: str | None = None,
        api_key: str | None = None,
        openai_client: object = None,
        http_client: httpx.AsyncClient | None = None,
    ) -> None:
        refuse_client("openai_client", openai_client)
        self._reach(api_key=api_key, base_url=base_url, http_client=http_client)

    @property
    def base_url(self) -> str:
        return str(self.client.base_url)
