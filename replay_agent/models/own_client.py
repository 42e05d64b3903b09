"""A client for requests of one's own to a provider: it knows address and credential of a model's access."""

from __future__ import annotations

from collections.abc import Generator

import httpx

from replay_agent.models.access import Access

__all__ = ("own_client",)


def own_client(access: Access) -> httpx.AsyncClient:
    """Return a client that knows where to go and as whom; the access's client carries what it sends.

    That client keeps its own headers: a key is no header of a client that others share. All who ask are given the same
    client, until it was closed.
    """
    if access.own_client is None or access.own_client.is_closed:
        access.own_client = _OwnClient(access)
    return access.own_client


class _OwnClient(httpx.AsyncClient):
    """Like the client of an SDK, it has its key as ``api_key`` and sends through another client."""

    def __init__(self, access: Access) -> None:
        super().__init__(base_url=access.shown_address(), auth=access.auth, transport=_Through(access), trust_env=False)
        self.headers.update(access.headers())
        self._access = access

    @property
    def _client(self) -> httpx.AsyncClient:
        return self._access.client()

    @property
    def api_key(self) -> str | None:
        """The key, where one is known before a request."""
        key: str | None = getattr(self._access.auth, "api_key", None)
        return key


class _Through(httpx.AsyncBaseTransport):
    """Hands requests on to the client of an access, with the project filled in."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._unknown = access.address.replace("{project}", "None")

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if str(request.url).startswith(self._unknown):
            request.url = httpx.URL(str(request.url).replace(self._unknown, await self._access.base()))
        response = await self._access.client().send(request, auth=_NoAuth(), stream=True)
        return httpx.Response(
            response.status_code, headers=response.headers, stream=response.stream, extensions=response.extensions
        )


class _NoAuth(httpx.Auth):
    """Leaves a request that carries its credential already as it is."""

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        yield request
