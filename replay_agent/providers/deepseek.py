"""DeepSeek, which speaks as OpenAI does."""

from __future__ import annotations

from typing import ClassVar

import httpx

from replay_agent.models.access import refuse_client
from replay_agent.providers.reached import ReachedProvider

__all__ = ("DeepSeekProvider",)


class DeepSeekProvider(ReachedProvider):
    """DeepSeek, which speaks as OpenAI does.

    ``api_key`` wins over the environment, ``http_client`` over the client that all models share. `CredentialMissing` (a
    ``ValueError``) where there is no key.
    """

    row: ClassVar[str] = "deepseek"
    asks_for_key: ClassVar[str | None] = "DeepSeek"

    def __init__(
        self,
        *,
        api_key: str | None = None,
        openai_client: object = None,
        base_url: str | None = None,
        http_client: httpx.AsyncClient | None = None,
    ) -> None:
        refuse_client("openai_client", openai_client)
        self._reach(api_key=api_key, base_url=base_url, http_client=http_client)
