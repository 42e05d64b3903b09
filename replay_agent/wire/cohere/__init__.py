"""Cohere's chat, version 2 (``/v2/chat``), with its stream of server-sent events.

Source of the format: https://docs.cohere.com/v2/reference/chat and ``chat-stream``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast
from urllib.parse import urlsplit

from replay_agent.calls import Answer, ModelCall, OutputSchema, ToolChoice
from replay_agent.exceptions import WireError
from replay_agent.framing.sse import encode_event
from replay_agent.messages import (
    FinishReason,
    ModelResponse,
    ToolCallPart,
)
from replay_agent.settings import ModelSettings
from replay_agent.traffic import Headers, Request
from replay_agent.usage import Usage
from replay_agent.wire.codec import EncodedAnswer, EncodedCall
from replay_agent.wire.cohere.content import read_messages, write_message, write_messages
from replay_agent.wire.cohere.stream import BILLED, CohereStream
from replay_agent.wire.shapes.call_ids import CallIds
from replay_agent.wire.shapes.function_tools import read_function_tools, write_function_tools
from replay_agent.wire.shapes.json_text import Fields, read_object, write_json
from replay_agent.wire.shapes.made_up import made_up_id, pieces
from replay_agent.wire.shapes.refusals import refusal

__all__ = "Cohere", "codec"

_FORMAT = "cohere"
_BODY_FIELDS = {"model", "messages", "tools", "tool_choice", "stream", "response_format"}
_SETTINGS = {
    "max_tokens": "max_tokens",
    "temperature": "temperature",
    "p": "top_p",
    "seed": "seed",
    "presence_penalty": "presence_penalty",
    "frequency_penalty": "frequency_penalty",
}
_TOOL_CHOICES: dict[str, ToolChoice] = {"REQUIRED": "required", "NONE": "none"}
_WIRE_REASONS: dict[FinishReason, str] = {
    "stop": "COMPLETE",
    "length": "MAX_TOKENS",
    "tool_call": "TOOL_CALL",
    "content_filter": "ERROR",
    "error": "ERROR",
}


class Cohere:
    """Version 2 of Cohere's chat. Extras are the fields of the body.

    What the wire does not tell reads as follows: messages between two answers are one request; a retry without a tool
    is a prompt; the texts of an answer in the history are one text; a tool choice of ``auto`` is not written.
    """

    name = _FORMAT

    def claims(self, request: Request) -> bool:
        """Tell whether this is a call of ``/v2/chat``."""
        return (
            request.method.upper() == "POST"
            and urlsplit(request.url).path.rstrip("/").endswith("/v2/chat")
            and request.body.lstrip()[:1] == b"{"
            and b'"messages"' in request.body
        )

    def encode_call(self, call: ModelCall) -> EncodedCall:
        """Write a call. Raises `RuntimeError` for a prompt that is not all text."""
        source = call.source
        if source is None or _read_call(source) != call:
            source = write_json(_write_call(call))
        return EncodedCall("/v2/chat", source)

    def decode_call(self, request: Request) -> ModelCall:
        """Read a call."""
        return _read_call(request.body).read_from(request.body)

    def decode_answer(self, call: ModelCall | None, status: int, headers: Headers, body: bytes) -> Answer:
        """Read an answer: JSON, server-sent events, or an error."""
        if status >= 400:
            return Answer(error=refusal(status, body))
        if not body.strip() and not (call and call.stream):
            raise WireError("the answer is empty", _FORMAT)
        decoder = self.stream_decoder(call, headers)
        decoder.feed(body)
        decoder.close()
        return decoder.answer

    def stream_decoder(self, call: ModelCall | None, headers: Headers) -> CohereStream:  # noqa: ARG002
        """Return a decoder for one answer; it also reads JSON that comes in the place of events."""
        return CohereStream(call.model if call else None)

    def encode_answer(self, call: ModelCall, answer: ModelResponse) -> EncodedAnswer:
        """Write an answer. The model's name and the signatures of thoughts have no place in it."""
        message = write_message(answer.parts, CallIds.after(call.messages))
        response_id = answer.provider_response_id or made_up_id("", message, len(call.messages))
        if call.stream:
            events = (*_write_events(response_id, message, answer), b"data: [DONE]\n\n")
            return EncodedAnswer(200, (("content-type", "text/event-stream"),), events)
        body = {"id": response_id, "message": message, **_write_end(answer)}
        return EncodedAnswer(200, (("content-type", "application/json"),), (write_json(body),))

    def encode_error(self, call: ModelCall | None, status: int, message: str) -> EncodedAnswer:  # noqa: ARG002
        """Write a refusal."""
        body = {"id": made_up_id("", status, message), "message": message}
        return EncodedAnswer(status, (("content-type", "application/json"),), (write_json(body),))


codec = Cohere()

# --- reading calls ----------------------------------------------------------------------------------------------------


def _read_call(source: bytes) -> ModelCall:
    body = read_object(source, _FORMAT)
    settings = {name: body[key] for key, name in _SETTINGS.items() if _is_number(body.get(key))}
    extras = {
        key: value
        for key, value in body.items()
        if key not in _BODY_FIELDS and not (key in _SETTINGS and _is_number(value))
    }
    tools, others = read_function_tools(body.get("tools"))
    if others:
        extras["tools"] = others
    tool_choice = _TOOL_CHOICES.get(str(body.get("tool_choice")))
    if tool_choice is None and body.get("tool_choice") is not None:
        extras["tool_choice"] = body["tool_choice"]
    model = body.get("model")
    return ModelCall(
        read_messages(body.get("messages")),
        model=model if isinstance(model, str) else None,
        tools=tools,
        tool_choice=tool_choice,
        settings=cast("ModelSettings", settings),
        output_schema=_read_output_schema(body.get("response_format"), extras),
        stream=body.get("stream") is True,
        extras=extras,
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _read_output_schema(wanted: Any, extras: Fields) -> OutputSchema | None:
    match wanted:
        case {"type": "json_object", "json_schema": dict(schema)} if len(wanted) == 2:
            return OutputSchema(schema)
        case {"type": "json_object"} if len(wanted) == 1:
            return OutputSchema()
    if wanted is not None:
        extras["response_format"] = wanted
    return None


# --- writing calls ----------------------------------------------------------------------------------------------------


def _write_call(call: ModelCall) -> Fields:
    settings: Fields = dict(call.settings)
    tools = [*write_function_tools(call.tools), *call.extras.get("tools", [])]
    optional = {
        "tools": tools or None,
        "tool_choice": {"required": "REQUIRED", "none": "NONE"}.get(_choice(call)),
        "response_format": _write_output_schema(call.output_schema),
        "stream": call.stream or None,
        **{key: settings.get(name) for key, name in _SETTINGS.items()},
    }
    body: Fields = {"model": call.model, "messages": write_messages(call.messages)}
    body |= {key: value for key, value in optional.items() if value is not None}
    return body | {key: value for key, value in call.extras.items() if key not in body}


def _choice(call: ModelCall) -> str:
    return "required" if isinstance(call.tool_choice, tuple) else call.tool_choice or ""


def _write_output_schema(wanted: OutputSchema | None) -> Fields | None:
    if wanted is None:
        return None
    return {"type": "json_object", **({} if wanted.schema is None else {"json_schema": wanted.schema})}


# --- writing answers --------------------------------------------------------------------------------------------------


def _write_end(answer: ModelResponse) -> Fields:
    reason = answer.finish_reason
    if reason is None:
        reason = "tool_call" if any(isinstance(part, ToolCallPart) for part in answer.parts) else "stop"
    return {"finish_reason": _WIRE_REASONS[reason], "usage": _write_usage(answer.usage or Usage())}


def _write_usage(usage: Usage) -> Fields:
    details = usage.details or {}
    tokens = {"input_tokens": usage.request_tokens or 0, "output_tokens": usage.response_tokens or 0}
    cached = {"cached_tokens": details["cache_read_tokens"]} if "cache_read_tokens" in details else {}
    return {"billed_units": {name: details[name] for name in BILLED if name in details}, "tokens": tokens, **cached}


def _write_events(response_id: str, message: Fields, answer: ModelResponse) -> Iterator[bytes]:
    empty = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
    yield _event("message-start", {"id": response_id, "delta": {"message": empty}})
    for piece in pieces(str(message.get("tool_plan") or "")):
        yield _event("tool-plan-delta", {"delta": {"message": {"tool_plan": piece}}})
    for index, item in enumerate(message.get("content", [])):
        yield from _write_content(index, item)
    for index, call in enumerate(message.get("tool_calls", [])):
        yield from _write_call_events(index, call)
    citations = message.get("citations", [])
    for index, citation in enumerate(citations if isinstance(citations, list) else [citations]):
        yield _event("citation-start", {"index": index, "delta": {"message": {"citations": citation}}})
        yield _event("citation-end", {"index": index})
    yield _event("message-end", {"id": response_id, "delta": _write_end(answer)})


def _write_content(index: int, item: Any) -> Iterator[bytes]:
    match item:
        case {"event": dict(event)}:
            yield _event(str(event.get("type", "unknown")), event)
            return
        case {"type": "text", "text": str(text)}:
            kind, start, texts = "text", {"type": "text", "text": ""}, pieces(text)
        case {"type": "thinking", "thinking": str(text)}:
            kind, start, texts = "thinking", {"type": "thinking", "thinking": ""}, pieces(text)
        case _:
            kind, start, texts = "text", item, []
    yield _event("content-start", {"index": index, "delta": {"message": {"content": start}}})
    for piece in texts:
        yield _event("content-delta", {"index": index, "delta": {"message": {"content": {kind: piece}}}})
    yield _event("content-end", {"index": index})


def _write_call_events(index: int, call: Any) -> Iterator[bytes]:
    match call:
        case {"function": {"name": name, "arguments": str(arguments)}}:
            started = {**call, "function": {"name": name, "arguments": ""}}
        case _:
            started, arguments = call, ""
    yield _event("tool-call-start", {"index": index, "delta": {"message": {"tool_calls": started}}})
    for piece in pieces(arguments):
        delta = {"tool_calls": {"function": {"arguments": piece}}}
        yield _event("tool-call-delta", {"index": index, "delta": {"message": delta}})
    yield _event("tool-call-end", {"index": index})


def _event(kind: str, fields: Fields) -> bytes:
    return encode_event(write_json({"type": kind, **fields}).decode(), kind)
