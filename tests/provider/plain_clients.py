"""Clients that know nothing of models, each asking for a chat completion: what they get is the status and the body."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import aiohttp
import anyio
import httplib2
import httpx
import httpx2
import requests
import urllib3
from lm15 import transports
from tornado import httpclient

from tests.provider.sdks import ASKED, chat_arguments

PATH = "/v1/chat/completions"
HEADERS = {"content-type": "application/json"}


def _body(tools: bool, stream: bool) -> bytes:
    return json.dumps({**chat_arguments("gpt-4o", ASKED, tools), **({"stream": True} if stream else {})}).encode()


def _httpx(module: Any) -> Any:
    def ask(url: str, body: bytes, timeout: float) -> Any:
        with (
            module.Client(timeout=timeout) as client,
            client.stream("POST", url, content=body, headers=HEADERS) as response,
        ):
            return response.status_code, b"".join(response.iter_raw())

    return ask


def _async_httpx(module: Any) -> Any:
    async def ask(url: str, body: bytes, timeout: float) -> Any:
        async with (
            module.AsyncClient(timeout=timeout) as client,
            client.stream("POST", url, content=body, headers=HEADERS) as response,
        ):
            return response.status_code, b"".join([piece async for piece in response.aiter_raw()])

    return ask


def _requests(url: str, body: bytes, timeout: float) -> Any:
    with requests.Session() as session:
        response = session.post(url, data=body, headers=HEADERS, timeout=timeout, stream=True)
        return response.status_code, b"".join(response.iter_content(None))


def _urllib3(url: str, body: bytes, timeout: float) -> Any:
    with urllib3.PoolManager() as pool:
        response = pool.request(
            "POST", url, body=body, headers=HEADERS, timeout=timeout, retries=False, preload_content=False
        )
        return response.status, b"".join(response.stream(65536))


def _urllib(url: str, body: bytes, timeout: float) -> Any:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, HEADERS), timeout=timeout) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def _httplib2(url: str, body: bytes, timeout: float) -> Any:
    client = httplib2.Http(timeout=timeout)
    try:
        response, content = client.request(url, "POST", body=body, headers=HEADERS)
        return response.status, content
    finally:
        client.close()


async def _aiohttp(url: str, body: bytes, timeout: float) -> Any:
    limits = aiohttp.ClientTimeout(sock_read=timeout, sock_connect=timeout)
    async with (
        aiohttp.ClientSession(timeout=limits) as session,
        session.post(url, data=body, headers=HEADERS) as response,
    ):
        return response.status, b"".join([piece async for piece in response.content.iter_any()])


async def _aiohttp_in_all(url: str, body: bytes, timeout: float) -> Any:
    """Gives the whole request so many seconds."""
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=timeout)) as session,
        session.post(url, data=body, headers=HEADERS) as response,
    ):
        return response.status, await response.read()


async def _tornado(url: str, body: bytes, timeout: float) -> Any:
    client = httpclient.AsyncHTTPClient(force_instance=True)
    try:
        response = await client.fetch(
            url,
            method="POST",
            body=body,
            headers=HEADERS,
            connect_timeout=timeout,
            request_timeout=timeout,
            raise_error=True,
        )
    except httpclient.HTTPClientError as error:
        if error.response is None:
            raise
        return error.code, error.response.body
    finally:
        client.close()
    return response.code, response.body


def _lm15(url: str, body: bytes, timeout: float) -> Any:
    request = transports.TransportRequest("POST", url, headers=list(HEADERS.items()), body=body)
    with (
        transports.StdlibTransport(connect_timeout=timeout, read_timeout=timeout) as transport,
        transport.stream(request) as response,
    ):
        return response.status, response.read()


async def _async_lm15(url: str, body: bytes, timeout: float) -> Any:
    request = transports.TransportRequest("POST", url, headers=list(HEADERS.items()), body=body)
    async with (
        transports.StdlibAsyncTransport(connect_timeout=timeout, read_timeout=timeout) as transport,
        transport.stream(request) as response,
    ):
        return response.status, await response.read()


def _asking(post: Any, *, stream: bool) -> Any:
    def ask(*, tools: bool = False, base: str | None = None, timeout: float = 5) -> Any:
        return post(f"{base or 'https://api.openai.com'}{PATH}", _body(tools, stream), timeout)

    return ask


def _on_loop(post: Any, backend: str) -> Any:
    return lambda url, body, timeout: anyio.run(post, url, body, timeout, backend=backend)


def _both_ways(posts: Any) -> Any:
    return {
        name: {"ask": _asking(post, stream=False), "stream": _asking(post, stream=True)} for name, post in posts.items()
    }


_POSTS = {
    "httpx": _httpx(httpx),
    "httpx2": _httpx(httpx2),
    "requests": _requests,
    "urllib3": _urllib3,
    "urllib": _urllib,
    "httplib2": _httplib2,
    "lm15": _lm15,
}
_ASYNC_POSTS = {
    "httpx": _async_httpx(httpx),
    "httpx2": _async_httpx(httpx2),
    "aiohttp": _aiohttp,
    "aiohttp, all in": _aiohttp_in_all,
    "tornado": _tornado,
    "lm15": _async_lm15,
}
LOOPS = {name: ("asyncio", "trio") if name in ("httpx", "httpx2") else ("asyncio",) for name in _ASYNC_POSTS}
"""On which event loops an async client runs."""
BLOCKING = _both_ways(_POSTS)
ASYNC = _both_ways(_ASYNC_POSTS)
"""The same as coroutines, for the event loop of who asks."""
PLAIN = {
    **BLOCKING,
    **_both_ways(
        {f"{name} on {loop}": _on_loop(post, loop) for name, post in _ASYNC_POSTS.items() for loop in LOOPS[name]}
    ),
}
"""All, each to be called as a function."""
