"""Drivers of HTTP clients: OpenAI's chat completions, written and read by hand."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import requests

from tests.integration.drivers.driver import Driver, Opening, Reply, Settings, each, now
from tests.integration.drivers.sdks import FUNCTION, say

CHAT, FILE = "/v1/chat/completions", "/v1/files/f"


@dataclass(frozen=True)
class Raw:
    """What an HTTP client gives."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class PlainDriver:
    """What clients of HTTP have in common; `send` and `pieces` are their own."""

    async def send(self, method: str, path: str, payload: Any = None) -> Raw:
        raise NotImplementedError

    def pieces(self, payload: Any) -> AsyncGenerator[bytes]:
        raise NotImplementedError

    async def ask(self, text: str) -> Reply:
        return await self._ask(say(text))

    async def _ask(self, messages: list[Any], **more: Any) -> Reply:
        raw = await self.send("POST", CHAT, {"model": "m", "messages": messages, **more})
        answer = json.loads(raw.body)
        message = answer["choices"][0]["message"]
        calls = [call["function"] for call in message.get("tool_calls") or ()]
        return Reply(
            message["content"], tuple((call["name"], json.loads(call["arguments"])) for call in calls),
            answer["usage"], raw.status, raw.headers, raw.body,
        )  # fmt: skip

    def stream(self, text: str) -> AsyncGenerator[bytes]:
        return self.pieces({"model": "m", "messages": say(text), "stream": True})

    async def use_a_tool(self) -> list[Reply]:
        asked = say("What is the weather in Oslo?")
        first = await self._ask(asked, tools=[FUNCTION])
        message = json.loads(first.whole)["choices"][0]["message"]
        returned = {"role": "tool", "tool_call_id": message["tool_calls"][0]["id"], "content": "rain"}
        return [first, await self._ask([*asked, message, returned], tools=[FUNCTION])]

    async def delete(self) -> Raw:
        return await self.send("DELETE", FILE)

    async def download(self) -> bytes:
        return (await self.send("GET", FILE)).body


class HTTPXDriver(PlainDriver):
    """httpx and httpx2, sync and async."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def send(self, method: str, path: str, payload: Any = None) -> Raw:
        response = await now(self._client.request(method, path, json=payload))
        response.raise_for_status()
        return Raw(response.status_code, tuple(response.headers.multi_items()), response.content)

    async def pieces(self, payload: Any) -> AsyncGenerator[bytes]:
        response = await now(self._client.send(self._client.build_request("POST", CHAT, json=payload), stream=True))
        asynchronous = hasattr(self._client, "aclose")
        try:
            response.raise_for_status()
            async with each(response.aiter_raw() if asynchronous else response.iter_raw()) as pieces:
                async for piece in pieces:
                    yield piece
        finally:
            await now(response.aclose() if asynchronous else response.close())


class RequestsDriver(PlainDriver):
    """requests, with its retries."""

    def __init__(self, session: requests.Session, base: str, timeout: float) -> None:
        self._session = session
        self._base = base
        self._timeout = timeout

    async def send(self, method: str, path: str, payload: Any = None) -> Raw:
        response = self._session.request(method, self._base + path, json=payload, timeout=self._timeout)
        response.raise_for_status()
        return Raw(response.status_code, tuple(response.raw.headers.items()), response.content)

    async def pieces(self, payload: Any) -> AsyncGenerator[bytes]:
        with self._session.post(self._base + CHAT, json=payload, timeout=self._timeout, stream=True) as response:
            response.raise_for_status()
            for piece in response.iter_content(None):
                yield piece


class AiohttpDriver(PlainDriver):
    """aiohttp."""

    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        self._session = session
        self._base = base

    async def send(self, method: str, path: str, payload: Any = None) -> Raw:
        async with self._session.request(method, self._base + path, json=payload) as response:
            response.raise_for_status()
            return Raw(response.status, tuple(response.headers.items()), await response.read())

    async def pieces(self, payload: Any) -> AsyncGenerator[bytes]:
        async with self._session.post(self._base + CHAT, json=payload) as response:
            response.raise_for_status()
            async for piece in response.content.iter_any():
                yield piece


def with_httpx(kind: Any) -> Opening:
    """Return how to open a client of httpx or httpx2."""

    @asynccontextmanager
    async def opening(base: str, settings: Settings) -> AsyncIterator[Driver]:
        client = kind(base_url=base, timeout=settings.timeout)
        try:
            yield HTTPXDriver(client)
        finally:
            await now(client.aclose() if hasattr(client, "aclose") else client.close())

    return opening


@asynccontextmanager
async def with_requests(base: str, settings: Settings) -> AsyncIterator[Driver]:
    """Open a session of requests."""
    retries = requests.adapters.Retry(
        settings.retries, read=False, status_forcelist=[429, 500], allowed_methods=None, raise_on_status=False
    )
    with requests.Session() as session:
        session.mount(base, requests.adapters.HTTPAdapter(max_retries=retries, pool_maxsize=64))
        yield RequestsDriver(session, base, settings.timeout)


@asynccontextmanager
async def with_aiohttp(base: str, settings: Settings) -> AsyncIterator[Driver]:
    """Open a session of aiohttp."""
    timeout = aiohttp.ClientTimeout(total=settings.timeout)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        yield AiohttpDriver(session, base)
