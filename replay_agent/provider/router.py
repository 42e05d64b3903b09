"""Scripted answers inside the process: httpx requests to a provider's address never leave, and no server runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager

import httpx
import respx

from replay_agent.traffic import Request
from replay_agent.wire.codec import EncodedAnswer

__all__ = ("routed",)


class _Chunks(httpx.SyncByteStream, httpx.AsyncByteStream):
    """An answer's chunks, each handed on by itself."""

    def __init__(self, chunks: tuple[bytes, ...]) -> None:
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        yield from self._chunks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            yield chunk


@contextmanager
def routed(answer: Callable[[Request], EncodedAnswer], *, host: str | None = None) -> Iterator[None]:
    """Answer httpx requests to ``host`` (to any host if None) with ``answer``; all others pass.

    Works below the recorder, so that what is scripted can be recorded. Clients on httpx2 are not reached: give them the
    address of `replay_agent.provider.server.serve`.
    """

    def respond(request: httpx.Request) -> httpx.Response:
        headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw)
        encoded = answer(Request(request.method, str(request.url), headers, request.content))
        return httpx.Response(encoded.status, headers=list(encoded.headers), stream=_Chunks(encoded.chunks))

    with respx.mock(assert_all_called=False, assert_all_mocked=False) as router:
        router.route(**({} if host is None else {"host": host})).mock(side_effect=respond)
        if host is not None:
            router.route().pass_through()
        yield
