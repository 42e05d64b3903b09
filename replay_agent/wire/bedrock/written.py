"""Answers of Bedrock's Converse, written: one JSON object, or the frames of a stream."""

from __future__ import annotations

from replay_agent.framing.aws_frames import encode_frame
from replay_agent.messages import FinishReason, ModelResponse, ToolCallPart
from replay_agent.usage import Usage
from replay_agent.wire.bedrock.content import RESPONSE_FIELDS, joined_citations
from replay_agent.wire.shapes.json_text import Fields, write_json, write_text
from replay_agent.wire.shapes.made_up import pieces

__all__ = "write_answer", "write_events", "write_frame"

_STOP_REASONS: dict[FinishReason, str] = {
    "stop": "end_turn",
    "tool_call": "tool_use",
    "length": "max_tokens",
    "content_filter": "content_filtered",
    "error": "malformed_model_output",
}


def write_answer(blocks: list[Fields], answer: ModelResponse) -> Fields:
    """Return the object of an answer whose blocks are written already."""
    content = [block for block in joined_citations(blocks) if block.keys().isdisjoint(RESPONSE_FIELDS)]
    beside = {key: value for block in blocks for key, value in block.items() if key in RESPONSE_FIELDS}
    return {
        "metrics": {"latencyMs": 0},
        "output": {"message": {"content": content, "role": "assistant"}},
        "stopReason": _stop_reason(answer),
        "usage": _write_usage(answer.usage or Usage()),
        **beside,
    }


def _stop_reason(answer: ModelResponse) -> str:
    if answer.finish_reason is not None:
        return _STOP_REASONS[answer.finish_reason]
    return "tool_use" if any(isinstance(part, ToolCallPart) for part in answer.parts) else "end_turn"


def _write_usage(usage: Usage) -> Fields:
    details = dict(usage.details or {})
    cache_read, cache_write = details.pop("cache_read_tokens", 0), details.pop("cache_write_tokens", 0)
    request_tokens, response_tokens = usage.request_tokens or 0, usage.response_tokens or 0
    written: Fields = {
        "inputTokens": max(0, request_tokens - cache_read - cache_write),
        "outputTokens": response_tokens,
        "totalTokens": request_tokens + response_tokens if usage.total_tokens is None else usage.total_tokens,
    }
    if cache_read or cache_write:
        written |= {"cacheReadInputTokens": cache_read, "cacheWriteInputTokens": cache_write}
    return written | ({"serverToolUsage": details} if details else {})


def write_events(blocks: list[Fields], answer: ModelResponse) -> list[tuple[str, Fields]]:
    """Return the events of a stream, by their names."""
    beside = {key: value for block in blocks for key, value in block.items() if key in RESPONSE_FIELDS}
    content = [block for block in joined_citations(blocks) if block.keys().isdisjoint(RESPONSE_FIELDS)]
    additional = {key: value for key, value in beside.items() if key == "additionalModelResponseFields"}
    metadata = {key: value for key, value in beside.items() if key != "additionalModelResponseFields"}
    events: list[tuple[str, Fields]] = [("messageStart", {"role": "assistant"})]
    for index, block in enumerate(content):
        events += _write_block_events(index, block)
    events.append(("messageStop", {"stopReason": _stop_reason(answer), **additional}))
    usage = _write_usage(answer.usage or Usage())
    events.append(("metadata", {"metrics": {"latencyMs": 0}, "usage": usage, **metadata}))
    return events


def write_frame(name: str, payload: Fields) -> bytes:
    """Write an event as a frame."""
    headers = {":event-type": name, ":content-type": "application/json", ":message-type": "event"}
    return encode_frame(headers, write_json(payload))


def _write_block_events(index: int, block: Fields) -> list[tuple[str, Fields]]:
    match block:
        case {"event": str(name), "payload": dict(payload)}:
            return [(name, payload)]
    start, deltas = _start_and_deltas(block)
    at = {"contentBlockIndex": index}
    return [
        *([("contentBlockStart", {"start": start, **at})] if start else []),
        *(("contentBlockDelta", {"delta": delta, **at}) for delta in deltas),
        ("contentBlockStop", at),
    ]


def _start_and_deltas(block: Fields) -> tuple[Fields | None, list[Fields]]:
    match block:
        case {"text": str(text)}:
            return None, [{"text": piece} for piece in pieces(text)]
        case {"toolUse": {"input": given, **use}}:
            text = given if isinstance(given, str) else write_text(given)
            return {"toolUse": use}, [{"toolUse": {"input": piece}} for piece in pieces(text)]
        case {"reasoningContent": {"reasoningText": dict(shown)}}:
            signature = [{"reasoningContent": {"signature": shown["signature"]}}] if "signature" in shown else []
            return None, [
                *({"reasoningContent": {"text": piece}} for piece in pieces(shown.get("text", ""))),
                *signature,
            ]
        case {"toolResult": {"content": content, **result}}:
            return {"toolResult": result}, [{"toolResult": content}]
        case {"image": {"format": name, "source": source}}:
            return {"image": {"format": name}}, [{"image": {"source": source}}]
        case {"citationsContent": {"content": list(content), "citations": list(citations)}}:
            texts = [item["text"] for item in content if isinstance(item, dict) and isinstance(item.get("text"), str)]
            return None, [
                *({"text": piece} for piece in pieces("".join(texts))),
                *({"citation": citation} for citation in citations),
            ]
    return None, [block]
