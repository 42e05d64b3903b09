"""The HTTP client that models share: one for each event loop, closed with it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass, field

import httpx
from anyio.lowlevel import RunVar

from replay_agent.surroundings.version import __version__

__all__ = "CONNECT_TIMEOUT", "TIMEOUT", "shared_client", "user_agent"

TIMEOUT = 600
"""Seconds that an answer may take; reasoning models use them."""
CONNECT_TIMEOUT = 5
"""Seconds that a connection may take."""


def user_agent() -> str:
    """Return what the shared client calls itself."""
    return f"replay-agent/{__version__}"


@dataclass
class _Clients:
    """The clients of one event loop, by their timeouts."""

    by_timeouts: dict[tuple[float, float], httpx.AsyncClient] = field(default_factory=dict)
    closing: AsyncGenerator[None] | None = None

    def client(self, timeout: float, connect: float) -> httpx.AsyncClient:
        known = self.by_timeouts.get((timeout, connect))
        if known is None or known.is_closed:
            known = self.by_timeouts[timeout, connect] = _new_client(timeout, connect)
        return known

    def close_with_loop(self) -> None:
        # An event loop that ends closes the asynchronous generators that were started in it: asyncio in
        # `shutdown_asyncgens`, trio at the end of a run. That is the one moment to close connections in time.
        # The generator's first step does not wait for anything, so it can be taken outside a coroutine.
        self.closing = self._closed_at_end()
        with suppress(StopIteration):
            self.closing.__anext__().__await__().__next__()

    async def _closed_at_end(self) -> AsyncGenerator[None]:
        try:
            yield
        finally:
            for client in self.by_timeouts.values():
                await client.aclose()


_of_loop: RunVar[_Clients] = RunVar("replay_agent_http_clients")
_without_loop = _Clients()


def _new_client(timeout: float, connect: float) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        timeout=httpx.Timeout(timeout=timeout, connect=connect), headers={"User-Agent": user_agent()}
    )


def _clients() -> _Clients:
    try:
        clients = _of_loop.get(None)
    except RuntimeError:  # no event loop is running; anyio's releases differ in the exact class
        return _without_loop
    if clients is None:
        clients = _Clients()
        clients.close_with_loop()
        _of_loop.set(clients)
    return clients


def shared_client(timeout: float = TIMEOUT, connect: float = CONNECT_TIMEOUT) -> httpx.AsyncClient:
    """Return the client of the running event loop (or of no loop at all), a new one if it was closed.

    It is closed when its loop ends. ``timeout`` and ``connect`` are seconds.
    """
    return _clients().client(timeout, connect)
