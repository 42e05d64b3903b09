"""Clients that know nothing of models, each asking for a chat completion: what they get is the status and the body."""

from __future__ import annotations

import asyncio
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


def _async_httpx(module: Any, backend: str) -> Any:
    async def asked(url: str, body: bytes, timeout: float) -> Any:
        async with (
            module.AsyncClient(timeout=timeout) as client,
            client.stream("POST", url, content=body, headers=HEADERS) as response,
        ):
            return response.status_code, b"".join([piece async for piece in response.aiter_raw()])

    return lambda url, body, timeout: anyio.run(asked, url, body, timeout, backend=backend)


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


def _aiohttp(url: str, body: bytes, timeout: float) -> Any:
    async def asked() -> Any:
        limits = aiohttp.ClientTimeout(sock_read=timeout, sock_connect=timeout)
        async with (
            aiohttp.ClientSession(timeout=limits) as session,
            session.post(url, data=body, headers=HEADERS) as response,
        ):
            return response.status, b"".join([piece async for piece in response.content.iter_any()])

    return asyncio.run(asked())


def _aiohttp_in_all(url: str, body: bytes, timeout: float) -> Any:
    """Gives the whole request so many seconds."""

    async def asked() -> Any:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=timeout)) as session,
            session.post(url, data=body, headers=HEADERS) as response,
        ):
            return response.status, await response.read()

    return asyncio.run(asked())


def _tornado(url: str, body: bytes, timeout: float) -> Any:
    async def asked() -> Any:
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

    return asyncio.run(asked())


def _lm15(url: str, body: bytes, timeout: float) -> Any:
    request = transports.TransportRequest("POST", url, headers=list(HEADERS.items()), body=body)
    with (
        transports.StdlibTransport(connect_timeout=timeout, read_timeout=timeout) as transport,
        transport.stream(request) as response,
    ):
        return response.status, response.read()


def _async_lm15(url: str, body: bytes, timeout: float) -> Any:
    async def asked() -> Any:
        request = transports.TransportRequest("POST", url, headers=list(HEADERS.items()), body=body)
        async with (
            transports.StdlibAsyncTransport(connect_timeout=timeout, read_timeout=timeout) as transport,
            transport.stream(request) as response,
        ):
            return response.status, await response.read()

    return asyncio.run(asked())


def _ask(post: Any, *, stream: bool) -> Any:
    def ask(*, tools: bool = False, base: str | None = None, timeout: float = 5) -> Any:
        return post(f"{base or 'https://api.openai.com'}{PATH}", _body(tools, stream), timeout)

    return ask


_POSTS = {
    "httpx": _httpx(httpx),
    "httpx2": _httpx(httpx2),
    "httpx on asyncio": _async_httpx(httpx, "asyncio"),
    "httpx2 on asyncio": _async_httpx(httpx2, "asyncio"),
    "httpx on trio": _async_httpx(httpx, "trio"),
    "httpx2 on trio": _async_httpx(httpx2, "trio"),
    "requests": _requests,
    "urllib3": _urllib3,
    "urllib": _urllib,
    "httplib2": _httplib2,
    "aiohttp": _aiohttp,
    "aiohttp, all in": _aiohttp_in_all,
    "tornado": _tornado,
    "lm15": _lm15,
    "lm15 on asyncio": _async_lm15,
}
PLAIN = {name: {"ask": _ask(post, stream=False), "stream": _ask(post, stream=True)} for name, post in _POSTS.items()}
