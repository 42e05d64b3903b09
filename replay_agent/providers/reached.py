"""`ReachedProvider`: what all providers of the table share."""

from __future__ import annotations

from typing import Any, ClassVar

import httpx

from replay_agent.models.access import Access
from replay_agent.models.own_client import own_client
from replay_agent.models.providers import provider_named
from replay_agent.providers import Provider

__all__ = ("ReachedProvider",)


class ReachedProvider(Provider[httpx.AsyncClient]):
    """A provider of the table; `CredentialMissing` (a ``ValueError``) where it needs a key and none is there."""

    row: ClassVar[str]
    """The name of its row."""

    def _reach(self, **given: Any) -> None:
        self._set_access(Access(provider_named(self.row), **given))

    def _set_access(self, access: Access) -> None:
        self._access = access
        self._client = access.http_client or own_client(access)

    @property
    def access(self) -> Access:
        """How the provider is reached."""
        return self._access

    @property
    def name(self) -> str:
        return self._access.row.name

    @property
    def base_url(self) -> str:
        return self._access.address.partition("?")[0].replace("{project}", str(self._access.project))

    @property
    def client(self) -> httpx.AsyncClient:
        """The client that was given, or one that knows address and credential and sends through the shared one."""
        return self._client
