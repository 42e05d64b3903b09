"""Answers of Cohere's chat, written: one JSON object, or the events of a stream."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from replay_agent.framing.sse import encode_event
from replay_agent.messages import FinishReason, ModelResponse, ToolCallPart
from replay_agent.usage import Usage
from replay_agent.wire.cohere.answers import BILLED
from replay_agent.wire.shapes.json_text import Fields, write_json
from replay_agent.wire.shapes.made_up import pieces

__all__ = "write_end", "write_events"

_WIRE_REASONS: dict[FinishReason, str] = {
    "stop": "COMPLETE",
    "length": "MAX_TOKENS",
    "tool_call": "TOOL_CALL",
    "content_filter": "ERROR",
    "error": "ERROR",
}


def write_end(answer: ModelResponse) -> Fields:
    """Return why an answer ended and what it cost, as its last fields."""
    reason = answer.finish_reason
    if reason is None:
        reason = "tool_call" if any(isinstance(part, ToolCallPart) for part in answer.parts) else "stop"
    return {"finish_reason": _WIRE_REASONS[reason], "usage": _write_usage(answer.usage or Usage())}


def _write_usage(usage: Usage) -> Fields:
    details = usage.details or {}
    tokens = {"input_tokens": usage.request_tokens or 0, "output_tokens": usage.response_tokens or 0}
    cached = {"cached_tokens": details["cache_read_tokens"]} if "cache_read_tokens" in details else {}
    return {"billed_units": {name: details[name] for name in BILLED if name in details}, "tokens": tokens, **cached}


def write_events(response_id: str, message: Fields, answer: ModelResponse) -> Iterator[bytes]:
    """Yield the events of a streamed answer, a chunk each."""
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
    yield _event("message-end", {"id": response_id, "delta": write_end(answer)})


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
