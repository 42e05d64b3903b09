"""Answers of Anthropic's Messages API, written: messages, the events in which they are streamed, refusals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from replay_agent.calls import ModelCall
from replay_agent.framing.sse import encode_event
from replay_agent.messages import ModelResponse, ToolCallPart
from replay_agent.usage import Usage
from replay_agent.wire.anthropic.answers import CACHE_READ, CACHE_WRITE, ERRORS, INPUT, OUTPUT
from replay_agent.wire.anthropic.content import write_response
from replay_agent.wire.shapes.call_ids import CallIds
from replay_agent.wire.shapes.framed_events import write_framed
from replay_agent.wire.shapes.json_text import Fields, write_text
from replay_agent.wire.shapes.made_up import made_up_id, pieces

__all__ = "stream_of", "write_error", "write_message"

_FILLED: dict[str, tuple[str, type]] = {
    "text": ("text", str),
    "thinking": ("thinking", str),
    **dict.fromkeys(("tool_use", "server_tool_use", "mcp_tool_use"), ("input", dict)),
}
"""The blocks that come in pieces, and the field that the pieces fill."""


def stream_of(message: Fields, *, framed: bool = False) -> tuple[bytes, ...]:
    """Return the events in which the provider would send a message, a chunk each; Bedrock puts each in a frame."""
    if framed:
        return write_framed(_events_of(message))
    return tuple(encode_event(write_text(event), event["type"]) for event in _events_of(message))


def _events_of(message: Fields) -> Iterator[Fields]:
    usage = message["usage"]
    begun = {**message, "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 0}}
    yield {"type": "message_start", "message": begun}
    yield {"type": "ping"}
    for index, block in enumerate(message["content"]):
        start, deltas = _opened(block)
        yield {"type": "content_block_start", "index": index, "content_block": start}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    change = {"stop_reason": message["stop_reason"], "stop_sequence": message["stop_sequence"]}
    yield {"type": "message_delta", "delta": change, "usage": usage}
    yield {"type": "message_stop"}


def _opened(block: Any) -> tuple[Any, list[Fields]]:
    """Return a block as it is opened, and the deltas that fill it."""
    kind = block.get("type") if isinstance(block, dict) else None
    filling = _FILLED.get(kind) if isinstance(kind, str) else None
    if filling is None or not isinstance(block.get(filling[0]), filling[1]):
        return block, []
    if kind == "text":
        return {**block, "text": ""}, [{"type": "text_delta", "text": text} for text in pieces(block["text"])]
    if kind == "thinking":
        deltas = [{"type": "thinking_delta", "thinking": text} for text in pieces(block["thinking"])]
        signed = [{"type": "signature_delta", "signature": block["signature"]}] if block.get("signature") else []
        return {**block, "thinking": "", "signature": ""}, [*deltas, *signed]
    texts = ("", *pieces(write_text(block["input"])))  # the API begins arguments with an empty piece
    return {**block, "input": {}}, [{"type": "input_json_delta", "partial_json": text} for text in texts]


_STOP_REASONS = {"stop": "end_turn", "length": "max_tokens", "tool_call": "tool_use", "content_filter": "refusal"}


def write_message(call: ModelCall, answer: ModelResponse) -> Fields:
    """Return the message that stands for a response."""
    content = write_response(answer.parts, CallIds.after(call.messages))
    calls_tools = any(isinstance(part, ToolCallPart) for part in answer.parts)
    stop = _STOP_REASONS.get(answer.finish_reason or ("tool_call" if calls_tools else "stop"))
    return {
        "id": answer.provider_response_id or made_up_id("msg_", content),
        "type": "message",
        "role": "assistant",
        "model": answer.model_name or call.model or "",
        "content": content,
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": write_usage(answer.usage or Usage()),
    }


# --- usage ------------------------------------------------------------------------------------------------------------

_GROUP_OF = {
    "ephemeral_5m_input_tokens": "cache_creation",
    "ephemeral_1h_input_tokens": "cache_creation",
    "web_search_requests": "server_tool_use",
    "web_fetch_requests": "server_tool_use",
    "thinking_tokens": "output_tokens_details",
}


def write_usage(usage: Usage) -> Fields:
    """Write counters as the provider would."""
    details = dict(usage.details or {})
    read, write = details.pop("cache_read_tokens", 0), details.pop("cache_write_tokens", 0)
    written: Fields = {
        INPUT: max((usage.request_tokens or 0) - read - write, 0),
        CACHE_WRITE: write,
        CACHE_READ: read,
        OUTPUT: usage.response_tokens or 0,
    }
    if "reasoning_tokens" in details:
        details["thinking_tokens"] = details.pop("reasoning_tokens")
    for key, count in details.items():
        group = _GROUP_OF.get(key)
        place = written if group is None else written.setdefault(group, _empty_group(group))
        place[key] = count
    return written


def _empty_group(group: str) -> dict[str, int]:
    return {key: 0 for key, owner in _GROUP_OF.items() if owner == group}


# --- errors -----------------------------------------------------------------------------------------------------------


def write_error(status: int, message: str) -> Fields:
    """Return the body of a refusal."""
    return {"type": "error", "error": {"type": ERRORS.get(status, "api_error"), "message": message}}
