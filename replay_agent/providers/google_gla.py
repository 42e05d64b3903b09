"""Google's Generative Language API."""

from __future__ import annotations

from typing import ClassVar

import httpx

from replay_agent.providers.reached import ReachedProvider

__all__ = ("GoogleGLAProvider",)


class GoogleGLAProvider(ReachedProvider):
    """Google's Generative Language API.

    ``api_key`` wins over the environment, ``http_client`` over the client that all models share.
    """

    row: ClassVar[str] = "google-gla"

    def __init__(self, api_key: str | None = None, http_client: httpx.AsyncClient | None = None) -> None:
        self._reach(api_key=api_key, http_client=http_client)
