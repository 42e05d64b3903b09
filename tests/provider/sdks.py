"""The providers' own clients, each asked the same way: what they answer is plain values that can be compared."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import anthropic
import boto3
import botocore.config
import cohere
import google.genai
import groq
import mistralai.client
import ollama
import openai

KEY = "sk-test-not-a-key"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
OPENAI_TOOL = {"type": "function", "function": {"name": "get_weather", "description": "", "parameters": SCHEMA}}
ASKED = "What is the weather in Oslo?"


@dataclass
class Got:
    """An answer as the client shows it."""

    text: str = ""
    calls: list[tuple[str, Any]] = field(default_factory=list)


def said(text: Any, calls: Any = ()) -> Got:
    return Got(text or "", [(name, _read(args)) for name, args in calls])


def _read(args: Any) -> Any:
    """Return arguments as they mean; what is no JSON stays text, for it is not the client that reads it."""
    try:
        return json.loads(args) if isinstance(args, str) else args
    except ValueError:
        return args


Ask = Callable[..., Any]


@dataclass(frozen=True)
class SDK:
    """One client: how it asks, and how it streams; ``timeout`` in seconds, without retries."""

    name: str
    ask: Ask
    stream: Ask
    async_ask: Ask | None = None
    async_stream: Ask | None = None
    trio: bool = True


# --- OpenAI's chat completions, and who speaks them -------------------------------------------------------------------


def _chat(answer: Any) -> Got:
    message = answer.choices[0].message
    return said(message.content, [(c.function.name, c.function.arguments) for c in message.tool_calls or ()])


def _chat_chunks(chunks: list[Any]) -> Got:
    deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
    pieces = [piece for delta in deltas for piece in delta.tool_calls or ()]
    names = [piece.function.name for piece in pieces if piece.function.name]
    args = "".join(piece.function.arguments or "" for piece in pieces)
    return said("".join(delta.content or "" for delta in deltas), [(name, args) for name in names])


def chat_arguments(model: str, prompt: str, tools: bool) -> dict[str, Any]:
    asked = {"model": model, "messages": [{"role": "user", "content": prompt}]}
    return {**asked, "tools": [OPENAI_TOOL]} if tools else asked


def openai_like(name: str, sync: Any, later: Any, model: str, **options: Any) -> SDK:
    def client(kind: Any, base: str | None, timeout: float) -> Any:
        address = {"base_url": base + ("" if name == "groq" else "/v1")} if base else {}
        return kind(api_key=KEY, max_retries=0, timeout=timeout, **address, **options)

    def ask(prompt: str = ASKED, *, tools: bool = False, base: str | None = None, timeout: float = 5) -> Got:
        with client(sync, base, timeout) as sdk:
            return _chat(sdk.chat.completions.create(**chat_arguments(model, prompt, tools)))

    def stream(prompt: str = ASKED, *, tools: bool = False, base: str | None = None, timeout: float = 5) -> Got:
        with client(sync, base, timeout) as sdk:
            return _chat_chunks(list(sdk.chat.completions.create(**chat_arguments(model, prompt, tools), stream=True)))

    async def async_ask(
        prompt: str = ASKED, *, tools: bool = False, base: str | None = None, timeout: float = 5
    ) -> Got:
        async with client(later, base, timeout) as sdk:
            return _chat(await sdk.chat.completions.create(**chat_arguments(model, prompt, tools)))

    async def async_stream(
        prompt: str = ASKED, *, tools: bool = False, base: str | None = None, timeout: float = 5
    ) -> Got:
        async with client(later, base, timeout) as sdk:
            chunks = await sdk.chat.completions.create(**chat_arguments(model, prompt, tools), stream=True)
            return _chat_chunks([chunk async for chunk in chunks])

    return SDK(name, ask, stream, async_ask, async_stream)


# --- OpenAI's responses -----------------------------------------------------------------------------------------------


def _response(answer: Any) -> Got:
    calls = [(item.name, item.arguments) for item in answer.output if item.type == "function_call"]
    return said(answer.output_text, calls)


def _responses_arguments(prompt: str, tools: bool) -> dict[str, Any]:
    tool = {"type": "function", "name": "get_weather", "parameters": SCHEMA, "strict": False}
    return {"model": "gpt-4o", "input": prompt, **({"tools": [tool]} if tools else {})}


def _responses_events(events: list[Any]) -> Got:
    last = [event.response for event in events if event.type == "response.completed"]
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    return Got(text, _response(last[-1]).calls if last else [])


def _openai(kind: Any, base: str | None, timeout: float) -> Any:
    return kind(api_key=KEY, max_retries=0, timeout=timeout, **({"base_url": f"{base}/v1"} if base else {}))


def responses_ask(prompt: str = ASKED, *, tools: bool = False, base: str | None = None, timeout: float = 5) -> Got:
    with _openai(openai.OpenAI, base, timeout) as sdk:
        return _response(sdk.responses.create(**_responses_arguments(prompt, tools)))


def responses_stream(prompt: str = ASKED, *, tools: bool = False, base: str | None = None, timeout: float = 5) -> Got:
    with _openai(openai.OpenAI, base, timeout) as sdk:
        return _responses_events(list(sdk.responses.create(**_responses_arguments(prompt, tools), stream=True)))


async def responses_async_ask(
    prompt: str = ASKED, *, tools: bool = False, base: str | None = None, timeout: float = 5
) -> Got:
    async with _openai(openai.AsyncOpenAI, base, timeout) as sdk:
        return _response(await sdk.responses.create(**_responses_arguments(prompt, tools)))


async def responses_async_stream(
    prompt: str = ASKED, *, tools: bool = False, base: str | None = None, timeout: float = 5
) -> Got:
    async with _openai(openai.AsyncOpenAI, base, timeout) as sdk:
        events = await sdk.responses.create(**_responses_arguments(prompt, tools), stream=True)
        return _responses_events([event async for event in events])


# --- Anthropic --------------------------------------------------------------------------------------------------------


def _message(answer: Any) -> Got:
    text = "".join(block.text for block in answer.content if block.type == "text")
    return said(text, [(block.name, block.input) for block in answer.content if block.type == "tool_use"])


def _claude(kind: Any, base: str | None, timeout: float) -> Any:
    return kind(api_key=KEY, max_retries=0, timeout=timeout, **({"base_url": base} if base else {}))


def _claude_arguments(prompt: str, tools: bool) -> dict[str, Any]:
    asked = {"model": "claude-sonnet-5", "max_tokens": 99, "messages": [{"role": "user", "content": prompt}]}
    return {**asked, "tools": [{"name": "get_weather", "input_schema": SCHEMA}]} if tools else asked


def claude_ask(prompt: str = ASKED, *, tools: bool = False, base: str | None = None, timeout: float = 5) -> Got:
    with _claude(anthropic.Anthropic, base, timeout) as sdk:
        return _message(sdk.messages.create(**_claude_arguments(prompt, tools)))


def claude_stream(prompt: str = ASKED, *, tools: bool = False, base: str | None = None, timeout: float = 5) -> Got:
    with (
        _claude(anthropic.Anthropic, base, timeout) as sdk,
        sdk.messages.stream(**_claude_arguments(prompt, tools)) as stream,
    ):
        return _message(stream.get_final_message())


async def claude_async_ask(
    prompt: str = ASKED, *, tools: bool = False, base: str | None = None, timeout: float = 5
) -> Got:
    async with _claude(anthropic.AsyncAnthropic, base, timeout) as sdk:
        return _message(await sdk.messages.create(**_claude_arguments(prompt, tools)))


async def claude_async_stream(
    prompt: str = ASKED, *, tools: bool = False, base: str | None = None, timeout: float = 5
) -> Got:
    async with (
        _claude(anthropic.AsyncAnthropic, base, timeout) as sdk,
        sdk.messages.stream(**_claude_arguments(prompt, tools)) as stream,
    ):
        return _message(await stream.get_final_message())


# --- Gemini -----------------------------------------------------------------------------------------------------------


def _gemini(base: str | None, timeout: float) -> Any:
    options = google.genai.types.HttpOptions(base_url=base, timeout=round(timeout * 1000))
    return google.genai.Client(api_key=KEY, http_options=options)


def _gemini_config(tools: bool) -> Any:
    if not tools:
        return None
    declaration = {"name": "get_weather", "parameters_json_schema": SCHEMA}
    return {
        "tools": [{"function_declarations": [declaration]}],
        "automatic_function_calling": {"disable": True},
    }


def _gemini_parts(answers: list[Any]) -> Got:
    contents = [answer.candidates[0].content for answer in answers if answer.candidates]
    parts = [part for content in contents if content for part in content.parts or ()]
    calls = [(part.function_call.name, part.function_call.args) for part in parts if part.function_call]
    return said("".join(part.text or "" for part in parts), calls)


def _gemini_arguments(prompt: str, tools: bool) -> dict[str, Any]:
    return {"model": "gemini-2.0-flash", "contents": prompt, "config": _gemini_config(tools)}


def gemini_ask(prompt: str = ASKED, *, tools: bool = False, base: str | None = None, timeout: float = 5) -> Got:
    client = _gemini(base, timeout)  # which closes when nothing holds it
    return _gemini_parts([client.models.generate_content(**_gemini_arguments(prompt, tools))])


def gemini_stream(prompt: str = ASKED, *, tools: bool = False, base: str | None = None, timeout: float = 5) -> Got:
    client = _gemini(base, timeout)
    return _gemini_parts(list(client.models.generate_content_stream(**_gemini_arguments(prompt, tools))))


async def gemini_async_ask(
    prompt: str = ASKED, *, tools: bool = False, base: str | None = None, timeout: float = 5
) -> Got:
    async with _gemini(base, timeout).aio as client:
        return _gemini_parts([await client.models.generate_content(**_gemini_arguments(prompt, tools))])


async def gemini_async_stream(
    prompt: str = ASKED, *, tools: bool = False, base: str | None = None, timeout: float = 5
) -> Got:
    async with _gemini(base, timeout).aio as client:
        chunks = await client.models.generate_content_stream(**_gemini_arguments(prompt, tools))
        return _gemini_parts([chunk async for chunk in chunks])


# --- Mistral ----------------------------------------------------------------------------------------------------------


def _mistral(base: str | None, timeout: float) -> Any:
    return mistralai.client.Mistral(api_key=KEY, server_url=base, timeout_ms=round(timeout * 1000))


def _mistral_events(events: list[Any]) -> Got:
    return _chat_chunks([event.data for event in events])


def mistral_ask(prompt: str = ASKED, *, tools: bool = False, base: str | None = None, timeout: float = 5) -> Got:
    with _mistral(base, timeout) as sdk:
        return _chat(sdk.chat.complete(**chat_arguments("mistral-large-latest", prompt, tools)))


def mistral_stream(prompt: str = ASKED, *, tools: bool = False, base: str | None = None, timeout: float = 5) -> Got:
    with (
        _mistral(base, timeout) as sdk,
        sdk.chat.stream(**chat_arguments("mistral-large-latest", prompt, tools)) as events,
    ):
        return _mistral_events(list(events))


async def mistral_async_ask(
    prompt: str = ASKED, *, tools: bool = False, base: str | None = None, timeout: float = 5
) -> Got:
    async with _mistral(base, timeout) as sdk:
        return _chat(await sdk.chat.complete_async(**chat_arguments("mistral-large-latest", prompt, tools)))


async def mistral_async_stream(
    prompt: str = ASKED, *, tools: bool = False, base: str | None = None, timeout: float = 5
) -> Got:
    async with _mistral(base, timeout) as sdk:
        events = await sdk.chat.stream_async(**chat_arguments("mistral-large-latest", prompt, tools))
        return _mistral_events([event async for event in events])


# --- Cohere -----------------------------------------------------------------------------------------------------------


def _cohere(kind: Any, base: str | None, timeout: float) -> Any:
    return kind(api_key=KEY, base_url=base, timeout=timeout)


def _cohere_message(answer: Any) -> Got:
    message = answer.message
    text = "".join(item.text for item in message.content or () if item.type == "text")
    return said(text, [(c.function.name, c.function.arguments) for c in message.tool_calls or ()])


def _cohere_events(events: list[Any]) -> Got:
    text = "".join(event.delta.message.content.text or "" for event in events if event.type == "content-delta")
    names = [event.delta.message.tool_calls.function.name for event in events if event.type == "tool-call-start"]
    args = "".join(
        event.delta.message.tool_calls.function.arguments for event in events if event.type == "tool-call-delta"
    )
    return said(text, [(name, args) for name in names])


NO_RETRIES: Any = {"max_retries": 0}


def _cohere_arguments(prompt: str, tools: bool) -> dict[str, Any]:
    return {**chat_arguments("command-a-03-2025", prompt, tools), "request_options": NO_RETRIES}


def cohere_ask(prompt: str = ASKED, *, tools: bool = False, base: str | None = None, timeout: float = 5) -> Got:
    return _cohere_message(_cohere(cohere.ClientV2, base, timeout).chat(**_cohere_arguments(prompt, tools)))


def cohere_stream(prompt: str = ASKED, *, tools: bool = False, base: str | None = None, timeout: float = 5) -> Got:
    client = _cohere(cohere.ClientV2, base, timeout)
    return _cohere_events(list(client.chat_stream(**_cohere_arguments(prompt, tools))))


async def cohere_async_ask(
    prompt: str = ASKED, *, tools: bool = False, base: str | None = None, timeout: float = 5
) -> Got:
    client = _cohere(cohere.AsyncClientV2, base, timeout)
    return _cohere_message(await client.chat(**_cohere_arguments(prompt, tools)))


async def cohere_async_stream(
    prompt: str = ASKED, *, tools: bool = False, base: str | None = None, timeout: float = 5
) -> Got:
    client = _cohere(cohere.AsyncClientV2, base, timeout)
    return _cohere_events([event async for event in client.chat_stream(**_cohere_arguments(prompt, tools))])


# --- Ollama -----------------------------------------------------------------------------------------------------------


def _ollama_messages(answers: list[Any]) -> Got:
    calls = [c for answer in answers for c in answer.message.tool_calls or ()]
    text = "".join(answer.message.content or "" for answer in answers)
    return said(text, [(c.function.name, dict(c.function.arguments)) for c in calls])


def ollama_ask(prompt: str = ASKED, *, tools: bool = False, base: str | None = None, timeout: float = 5) -> Got:
    client = ollama.Client(host=base, timeout=timeout)
    return _ollama_messages([client.chat(**chat_arguments("llama3.2", prompt, tools))])


def ollama_stream(prompt: str = ASKED, *, tools: bool = False, base: str | None = None, timeout: float = 5) -> Got:
    client = ollama.Client(host=base, timeout=timeout)
    return _ollama_messages(list(client.chat(**chat_arguments("llama3.2", prompt, tools), stream=True)))


async def ollama_async_ask(
    prompt: str = ASKED, *, tools: bool = False, base: str | None = None, timeout: float = 5
) -> Got:
    return _ollama_messages(
        [await ollama.AsyncClient(host=base, timeout=timeout).chat(**chat_arguments("llama3.2", prompt, tools))]
    )


async def ollama_async_stream(
    prompt: str = ASKED, *, tools: bool = False, base: str | None = None, timeout: float = 5
) -> Got:
    chunks = await ollama.AsyncClient(host=base, timeout=timeout).chat(
        **chat_arguments("llama3.2", prompt, tools), stream=True
    )
    return _ollama_messages([chunk async for chunk in chunks])


# --- Bedrock ----------------------------------------------------------------------------------------------------------


def _bedrock(base: str | None, timeout: float) -> Any:
    config = botocore.config.Config(
        connect_timeout=timeout, read_timeout=timeout, retries={"total_max_attempts": 1, "mode": "standard"}
    )
    keys = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "secret", "region_name": "us-east-1"}
    return boto3.client("bedrock-runtime", endpoint_url=base, config=config, **keys)


def _bedrock_arguments(prompt: str, tools: bool) -> dict[str, Any]:
    asked = {"modelId": "amazon.nova-lite-v1:0", "messages": [{"role": "user", "content": [{"text": prompt}]}]}
    tool = {"toolSpec": {"name": "get_weather", "inputSchema": {"json": SCHEMA}}}
    return {**asked, "toolConfig": {"tools": [tool]}} if tools else asked


def bedrock_ask(prompt: str = ASKED, *, tools: bool = False, base: str | None = None, timeout: float = 5) -> Got:
    answer = _bedrock(base, timeout).converse(**_bedrock_arguments(prompt, tools))
    blocks = answer["output"]["message"]["content"]
    calls = [(block["toolUse"]["name"], block["toolUse"]["input"]) for block in blocks if "toolUse" in block]
    return said("".join(block.get("text", "") for block in blocks), calls)


def bedrock_stream(prompt: str = ASKED, *, tools: bool = False, base: str | None = None, timeout: float = 5) -> Got:
    events = list(_bedrock(base, timeout).converse_stream(**_bedrock_arguments(prompt, tools))["stream"])
    deltas = [event["contentBlockDelta"]["delta"] for event in events if "contentBlockDelta" in event]
    starts = [event["contentBlockStart"]["start"] for event in events if "contentBlockStart" in event]
    args = "".join(delta["toolUse"]["input"] for delta in deltas if "toolUse" in delta)
    calls = [(start["toolUse"]["name"], args) for start in starts if "toolUse" in start]
    return said("".join(delta.get("text", "") for delta in deltas), calls)


SDKS = {
    sdk.name: sdk
    for sdk in (
        openai_like("openai", openai.OpenAI, openai.AsyncOpenAI, "gpt-4o"),
        SDK("openai responses", responses_ask, responses_stream, responses_async_ask, responses_async_stream),
        SDK("anthropic", claude_ask, claude_stream, claude_async_ask, claude_async_stream),
        SDK("google-genai", gemini_ask, gemini_stream, gemini_async_ask, gemini_async_stream, trio=False),
        SDK("mistralai", mistral_ask, mistral_stream, mistral_async_ask, mistral_async_stream, trio=False),
        SDK("cohere", cohere_ask, cohere_stream, cohere_async_ask, cohere_async_stream),
        openai_like("groq", groq.Groq, groq.AsyncGroq, "llama-3.3-70b-versatile"),
        SDK("boto3", bedrock_ask, bedrock_stream),
        SDK("ollama", ollama_ask, ollama_stream, ollama_async_ask, ollama_async_stream),
    )
}
