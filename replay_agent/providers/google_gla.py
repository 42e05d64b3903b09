"""Google's Generative Language API."""

from __future__ import annotations

from typing import ClassVar

import httpx

from replay_agent.providers.reached import ReachedProvider

__all__ = ("GoogleGLAProvider",)


class GoogleGLAProvider(ReachedProvider):
    """Google's Generative Language API.

    ``api_key`` wins over the environment, ``http_client`` over the client that all models share. `CredentialMissing` (a
    ``ValueError``) where there is no key.
    """

    row: ClassVar[str] = "google-gla"
    asks_for_key: ClassVar[str | None] = "Google GLA"

    def __init__(self, api_key: str | None = None, http_client: httpx.AsyncClient | None = None) -> None:
        self._reach(api_key=api_key, http_client=http_client)
