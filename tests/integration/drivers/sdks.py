"""Drivers of the SDKs that one generator writes: OpenAI's, Groq's, Anthropic's."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.integration.drivers.driver import KEY, Driver, Opening, Reply, Settings, each, now

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
FUNCTION = {"type": "function", "function": {"name": "weather", "description": "The weather.", "parameters": SCHEMA}}


def say(text: str) -> list[Any]:
    return [{"role": "user", "content": text}]


class ChatDriver:
    """OpenAI's chat completions, by OpenAI's or Groq's SDK."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def ask(self, text: str) -> Reply:
        return await self._ask(say(text))

    async def _ask(self, messages: list[Any], **more: Any) -> Reply:
        completions = self._client.chat.completions
        raw = await now(completions.with_raw_response.create(model="m", messages=messages, **more))
        answer = await now(raw.parse())
        message = answer.choices[0].message
        calls = [(call.function.name, json.loads(call.function.arguments)) for call in message.tool_calls or ()]
        return Reply(
            message.content, tuple(calls), answer.usage.model_dump(), raw.status_code, tuple(raw.headers.multi_items()),
            answer.model_dump(exclude_none=True),
        )  # fmt: skip

    async def stream(self, text: str) -> AsyncGenerator[Any]:
        events = await now(self._client.chat.completions.create(model="m", messages=say(text), stream=True))
        async with each(events) as dumped:
            async for event in dumped:
                yield event.model_dump()

    async def use_a_tool(self) -> list[Reply]:
        asked = say("What is the weather in Oslo?")
        first = await self._ask(asked, tools=[FUNCTION])
        message = first.whole["choices"][0]["message"]
        returned = {"role": "tool", "tool_call_id": message["tool_calls"][0]["id"], "content": "rain"}
        return [first, await self._ask([*asked, message, returned], tools=[FUNCTION])]

    async def delete(self) -> Any:
        raw = await now(self._client.files.with_raw_response.delete("f"))
        return raw.status_code, raw.headers.multi_items()

    async def download(self) -> bytes:
        got = await now(self._client.files.content("f"))
        return got.content if hasattr(got, "content") else await now(got.read())


class AnthropicDriver:
    """Anthropic's messages."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def ask(self, text: str) -> Reply:
        return await self._ask(say(text))

    async def _ask(self, messages: list[Any], **more: Any) -> Reply:
        asking = self._client.messages.with_raw_response.create(model="m", max_tokens=9, messages=messages, **more)
        raw = await now(asking)
        answer = await now(raw.parse())
        return Reply(
            "".join(block.text for block in answer.content if block.type == "text"),
            tuple((block.name, block.input) for block in answer.content if block.type == "tool_use"),
            answer.usage.model_dump(), raw.status_code, tuple(raw.headers.multi_items()),
            answer.model_dump(exclude_none=True),
        )  # fmt: skip

    async def stream(self, text: str) -> AsyncGenerator[Any]:
        events = await now(self._client.messages.create(model="m", max_tokens=9, messages=say(text), stream=True))
        async with each(events) as dumped:
            async for event in dumped:
                yield event.model_dump()

    async def use_a_tool(self) -> list[Reply]:
        asked = say("What is the weather in Oslo?")
        tools = [{"name": "weather", "description": "The weather.", "input_schema": SCHEMA}]
        first = await self._ask(asked, tools=tools)
        content = first.whole["content"]
        returned = {"type": "tool_result", "tool_use_id": content[0]["id"], "content": "rain"}
        answered = [{"role": "assistant", "content": content}, {"role": "user", "content": [returned]}]
        return [first, await self._ask(asked + answered, tools=tools)]

    async def delete(self) -> Any:
        raw = await now(self._client.beta.files.with_raw_response.delete("f"))
        return raw.status_code, raw.headers.multi_items()

    async def download(self) -> bytes:
        got = await now(self._client.beta.files.download("f"))
        return await now(got.read())


def sdk(kind: Any, driver: type[ChatDriver | AnthropicDriver], path: str = "") -> Opening:
    """Return how to open an SDK's client of a kind, sync or async, whose base address ends in a path."""

    @asynccontextmanager
    async def opening(base: str, settings: Settings) -> AsyncIterator[Driver]:
        client = kind(base_url=base + path, api_key=KEY, timeout=settings.timeout, max_retries=settings.retries)
        try:
            yield driver(client)
        finally:
            await now(client.close())

    return opening
