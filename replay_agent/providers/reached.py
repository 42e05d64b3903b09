"""`ReachedProvider`: what all providers of the table share."""

from __future__ import annotations

from typing import Any, ClassVar

import httpx

from replay_agent.exceptions import CredentialMissing
from replay_agent.models.access import Access
from replay_agent.models.own_client import own_client
from replay_agent.models.providers import provider_named
from replay_agent.providers import Provider

__all__ = ("ReachedProvider",)


class ReachedProvider(Provider[httpx.AsyncClient]):
    """A provider of the table."""

    row: ClassVar[str]
    """The name of its row."""
    asks_for_key: ClassVar[str | None] = None
    """What an object that is made without a key calls the provider in its error; None puts the error off to a call."""

    def _reach(self, *, api_key: str | None = None, **given: Any) -> None:
        row = provider_named(self.row)
        if self.asks_for_key and not api_key and not row.has_credential():
            variable = row.credential_variables[0]
            raise CredentialMissing(
                f"Set the `{variable}` environment variable or pass it via `{type(self).__name__}(api_key=...)`"
                f"to use the {self.asks_for_key} provider.",  # the missing blank is the seed's
                variable,
            )
        self._set_access(Access(row, api_key=api_key, **given))

    def _set_access(self, access: Access) -> None:
        self._access = access

    @property
    def access(self) -> Access:
        """How the provider is reached."""
        return self._access

    @property
    def name(self) -> str:
        return self._access.row.name

    @property
    def base_url(self) -> str:
        return self._access.shown_address()

    @property
    def client(self) -> httpx.AsyncClient:
        """A client that knows address and credential; what it sends goes through the ``http_client`` that was given."""
        return own_client(self._access)
