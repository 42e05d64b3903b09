"""Driver of Google's Gen AI SDK, whose async side goes over aiohttp where that is installed, else over httpx."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from google import genai
from google.genai import errors, types

from tests.integration.drivers.driver import KEY, Driver, Opening, Reply, Settings, each, now
from tests.integration.drivers.sdks import SCHEMA

TOOLS = types.GenerateContentConfig(
    tools=[
        types.Tool(function_declarations=[types.FunctionDeclaration(name="weather", parameters_json_schema=SCHEMA)])
    ],
    automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
)


class GeminiDriver:
    """Gemini's generateContent; ``side`` is the client itself or its ``aio``."""

    def __init__(self, side: Any) -> None:
        self._side = side

    async def ask(self, text: str) -> Reply:
        return (await self._ask(text))[0]

    async def _ask(self, contents: Any, **more: Any) -> tuple[Reply, Any]:
        answer = await now(self._side.models.generate_content(model="m", contents=contents, **more))
        calls = tuple((call.name, call.args) for call in answer.function_calls or ())
        http = answer.sdk_http_response
        reply = Reply(
            None if calls else answer.text, calls, answer.usage_metadata.model_dump(exclude_none=True), None,
            tuple(http.headers.items()), answer.model_dump(exclude_none=True),
        )  # fmt: skip
        return reply, answer.candidates[0].content

    async def stream(self, text: str) -> AsyncGenerator[Any]:
        events = await now(self._side.models.generate_content_stream(model="m", contents=text))
        async with each(events) as dumped:
            async for event in dumped:
                yield event.model_dump(exclude_none=True)

    async def use_a_tool(self) -> list[Reply]:
        asked = types.UserContent("What is the weather in Oslo?")
        first, content = await self._ask([asked], config=TOOLS)
        returned = types.UserContent(types.Part.from_function_response(name="weather", response={"result": "rain"}))
        second, _ = await self._ask([asked, content, returned], config=TOOLS)
        return [first, second]

    async def delete(self) -> Any:
        """The SDK takes "204 No Content" for an error."""
        try:
            answer = await now(self._side.files.delete(name="files/f"))
        except errors.APIError as error:
            return error.code, error.status, error.details
        return answer.model_dump(exclude_none=True)

    async def download(self) -> bytes:
        return await now(self._side.files.download(file="files/f"))


def gemini(*, asynchronous: bool = False, over: Callable[[], Any] | None = None) -> Opening:
    """Return how to open the client's sync or async side; ``over`` makes the async client to use."""

    @asynccontextmanager
    async def opening(base: str, settings: Settings) -> AsyncIterator[Driver]:
        transport = over() if over else None
        retries = types.HttpRetryOptions(attempts=settings.retries + 1, initial_delay=0.01, max_delay=0.01, jitter=0)
        options = types.HttpOptions(
            base_url=base, timeout=round(settings.timeout * 1000), retry_options=retries,
            httpx_async_client=transport,
        )  # fmt: skip
        client = genai.Client(api_key=KEY, http_options=options)
        try:
            yield GeminiDriver(client.aio if asynchronous else client)
        finally:
            if asynchronous:
                await client.aio.aclose()
            if transport is not None:  # which the SDK leaves to whoever made it
                await transport.aclose()
            client.close()

    return opening
