"""Ways to make the same requests with different clients; what they give is plain values that can be compared."""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import aiohttp
import httpx
import httpx2
import requests
import trio
import urllib3

TIMEOUT = 1.0


@dataclass(frozen=True)
class Call:
    """What is to be asked for: a path below the provider's address, or a whole address."""

    target: str
    method: str = "POST"
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)

    def url(self, base: str) -> str:
        return self.target if "://" in self.target else base + self.target


@dataclass(frozen=True)
class Got:
    """What came back: the head, and the pieces of the body as the client sees them; or the error's class."""

    status: int = 0
    reason: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    pieces: int = 0
    error: str = ""


Client: TypeAlias = Callable[[str, Sequence[Call]], list[Got]]


def _got(status: int, reason: Any, headers: Any, pieces: list[bytes]) -> Got:
    return Got(status, reason, tuple((str(name), str(value)) for name, value in headers), b"".join(pieces), len(pieces))


def _text(raw: Sequence[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in raw]


def _error(error: BaseException) -> Got:
    return Got(error=type(error).__name__)


def sync_httpx(module: Any) -> Client:
    def run(base: str, calls: Sequence[Call]) -> list[Got]:
        with module.Client(timeout=TIMEOUT) as client:
            return [one(client, call, base) for call in calls]

    def one(client: Any, call: Call, base: str) -> Got:
        try:
            with client.stream(call.method, call.url(base), content=call.body, headers=call.headers) as response:
                pieces = list(response.iter_raw())
                return _got(response.status_code, response.reason_phrase, _text(response.headers.raw), pieces)
        except module.HTTPError as error:
            return _error(error)

    return run


def async_httpx(module: Any, loop: Callable[[Any], Any]) -> Client:
    def run(base: str, calls: Sequence[Call]) -> list[Got]:
        async def main() -> list[Got]:
            async with module.AsyncClient(timeout=TIMEOUT) as client:
                return [await one(client, call, base) for call in calls]

        return loop(main)

    async def one(client: Any, call: Call, base: str) -> Got:
        try:
            async with client.stream(call.method, call.url(base), content=call.body, headers=call.headers) as response:
                pieces = [piece async for piece in response.aiter_raw()]
                return _got(response.status_code, response.reason_phrase, _text(response.headers.raw), pieces)
        except module.HTTPError as error:
            return _error(error)

    return run


def with_requests(base: str, calls: Sequence[Call]) -> list[Got]:
    def one(session: requests.Session, call: Call) -> Got:
        try:
            response = session.request(
                call.method, call.url(base), data=call.body, headers=call.headers, timeout=TIMEOUT, stream=True,
                allow_redirects=False,
            )  # fmt: skip
            pieces = list(response.iter_content(None))
            return _got(response.status_code, response.reason, response.raw.headers.items(), pieces)
        except requests.RequestException as error:
            return _error(error)

    with requests.Session() as session:
        return [one(session, call) for call in calls]


def with_urllib3(base: str, calls: Sequence[Call]) -> list[Got]:
    def one(pool: urllib3.PoolManager, call: Call) -> Got:
        try:
            response = pool.request(
                call.method, call.url(base), body=call.body, headers=call.headers, timeout=TIMEOUT, retries=False,
                preload_content=False,
            )  # fmt: skip
            pieces = list(response.stream(65536))
            return _got(response.status, response.reason, response.headers.items(), pieces)
        except urllib3.exceptions.HTTPError as error:
            return _error(error)

    with urllib3.PoolManager() as pool:
        return [one(pool, call) for call in calls]


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


def with_urllib(base: str, calls: Sequence[Call]) -> list[Got]:
    opener = urllib.request.build_opener(_NoRedirect)

    def one(call: Call) -> Got:
        request = urllib.request.Request(call.url(base), call.body, call.headers, method=call.method)
        try:
            with opener.open(request, timeout=TIMEOUT) as response:
                return _got(response.status, response.reason, response.headers.items(), [response.read()])
        except urllib.error.HTTPError as error:
            with error:
                return _got(error.code, error.reason, error.headers.items(), [error.read()])
        except Exception as error:
            return _error(error)

    return [one(call) for call in calls]


def with_aiohttp(base: str, calls: Sequence[Call]) -> list[Got]:
    async def one(session: aiohttp.ClientSession, call: Call) -> Got:
        try:
            async with session.request(
                call.method, call.url(base), data=call.body, headers=call.headers, allow_redirects=False
            ) as response:
                pieces = [piece async for piece in response.content.iter_any()]
                return _got(response.status, response.reason, _text(response.raw_headers), pieces)
        except aiohttp.ClientError as error:
            return _error(error)

    async def main() -> list[Got]:
        timeout = aiohttp.ClientTimeout(sock_read=TIMEOUT, sock_connect=TIMEOUT)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            return [await one(session, call) for call in calls]

    return asyncio.run(main())


def _on_asyncio(main: Any) -> Any:
    return asyncio.run(main())


CLIENTS: dict[str, Client] = {
    "httpx": sync_httpx(httpx),
    "httpx2": sync_httpx(httpx2),
    "httpx on asyncio": async_httpx(httpx, _on_asyncio),
    "httpx2 on asyncio": async_httpx(httpx2, _on_asyncio),
    "httpx on trio": async_httpx(httpx, trio.run),
    "httpx2 on trio": async_httpx(httpx2, trio.run),
    "requests": with_requests,
    "urllib3": with_urllib3,
    "urllib": with_urllib,
    "aiohttp": with_aiohttp,
}
HTTPX = tuple(name for name in CLIENTS if name.startswith("httpx"))
