"""Streamed answers of OpenAI's Responses API, written: the events in which the provider would send a finished one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from replay_agent.calls import ModelCall
from replay_agent.framing.sse import encode_event
from replay_agent.messages import ModelResponse, UnknownPart
from replay_agent.usage import Usage
from replay_agent.wire.openai_responses.answers import NAMED
from replay_agent.wire.openai_responses.content import ItemReader, write_items
from replay_agent.wire.shapes.call_ids import CallIds
from replay_agent.wire.shapes.json_text import Fields, write_text
from replay_agent.wire.shapes.made_up import made_up_id, pieces

__all__ = "stream_of", "write_error", "write_response"


def stream_of(response: Fields) -> tuple[bytes, ...]:
    """Return the events of a response, a chunk each."""
    events = ({**event, "sequence_number": number} for number, event in enumerate(_events_of(response)))
    return tuple(encode_event(write_text(event), event["type"]) for event in events)


def _events_of(response: Fields) -> Iterator[Fields]:
    begun = {**response, "status": "in_progress", "incomplete_details": None, "output": [], "usage": None}
    yield {"type": "response.created", "response": begun}
    yield {"type": "response.in_progress", "response": begun}
    for index, item in enumerate(response["output"]):
        for event in _item_events(item):
            yield {**event, "output_index": index}
    yield {"type": f"response.{response['status']}", "response": response}


def _item_events(item: Any) -> Iterator[Fields]:
    is_unknown = any(isinstance(part, UnknownPart) and part.raw is item for _, part in ItemReader().read(item))
    opened, between = _whole(item) if is_unknown else _BETWEEN.get(item.get("type"), _whole)(item)
    yield {"type": "response.output_item.added", "item": opened}
    for event in between:
        yield {**event, "item_id": item.get("id")}
    yield {"type": "response.output_item.done", "item": item}


def _whole(item: Fields) -> tuple[Fields, Iterator[Fields]]:
    return item, iter(())


def _message(item: Fields) -> tuple[Fields, Iterator[Fields]]:
    content = item["content"] if isinstance(item["content"], list) else []
    events = (
        {**event, "content_index": index} for index, piece in enumerate(content) for event in _content_events(piece)
    )
    return item | {"status": "in_progress", "content": []}, events


def _content_events(piece: Any) -> Iterator[Fields]:
    kind = piece.get("type") if isinstance(piece, dict) else None
    name = {"output_text": "text", "refusal": "refusal"}.get(kind) if isinstance(kind, str) else None
    if name is None or not isinstance(piece.get(name), str):
        yield {"type": "response.content_part.added", "part": piece}
        yield {"type": "response.content_part.done", "part": piece}
        return
    more: Fields = {"logprobs": []} if kind == "output_text" else {}
    yield {"type": "response.content_part.added", "part": piece | {name: ""}}
    for text in pieces(piece[name]):
        yield {"type": f"response.{kind}.delta", "delta": text, **more}
    yield {"type": f"response.{kind}.done", name: piece[name], **more}
    yield {"type": "response.content_part.done", "part": piece}


def _reasoning(item: Fields) -> tuple[Fields, Iterator[Fields]]:
    return item | {"summary": []}, _summary_events(item.get("summary"))


def _summary_events(summary: object) -> Iterator[Fields]:
    for index, part in enumerate(summary if isinstance(summary, list) else ()):
        if not isinstance(part, dict) or not isinstance(part.get("text"), str):
            continue
        place = {"summary_index": index}
        yield {"type": "response.reasoning_summary_part.added", "part": part | {"text": ""}, **place}
        for text in pieces(part["text"]):
            yield {"type": "response.reasoning_summary_text.delta", "delta": text, **place}
        yield {"type": "response.reasoning_summary_text.done", "text": part["text"], **place}
        yield {"type": "response.reasoning_summary_part.done", "part": part, **place}


def _function_call(item: Fields) -> tuple[Fields, Iterator[Fields]]:
    args = item["arguments"]
    deltas = [{"type": "response.function_call_arguments.delta", "delta": piece} for piece in pieces(args)]
    done = {"type": "response.function_call_arguments.done", "name": item["name"], "arguments": args}
    return item | {"status": "in_progress", "arguments": ""}, iter([*deltas, done])


def _native(*states: str) -> Callable[[Fields], tuple[Fields, Iterator[Fields]]]:
    def events(item: Fields) -> tuple[Fields, Iterator[Fields]]:
        kind = item["type"]
        return item, ({"type": f"response.{kind}.{state}"} for state in states)

    return events


_BETWEEN: dict[object, Callable[[Fields], tuple[Fields, Iterator[Fields]]]] = {
    "message": _message,
    "reasoning": _reasoning,
    "function_call": _function_call,
    "web_search_call": _native("in_progress", "searching", "completed"),
    "file_search_call": _native("in_progress", "searching", "completed"),
    "code_interpreter_call": _native("in_progress", "interpreting", "completed"),
    "image_generation_call": _native("in_progress", "generating", "completed"),
    "mcp_call": _native("in_progress", "completed"),
    "mcp_list_tools": _native("in_progress", "completed"),
}

_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}


def write_response(call: ModelCall, answer: ModelResponse) -> Fields:
    """Return the finished object that stands for a response."""
    output = write_items(answer.parts, CallIds.after(call.messages), answering=True)
    reason = _INCOMPLETE.get(answer.finish_reason or "")
    status = "failed" if answer.finish_reason == "error" else "incomplete" if reason else "completed"
    created = answer.timestamp.timestamp()
    return {
        "id": answer.provider_response_id or made_up_id("resp_", output),
        "object": "response",
        "created_at": int(created) if created.is_integer() else created,
        "status": status,
        "background": False,
        "error": None,
        "incomplete_details": {"reason": reason} if reason else None,
        "instructions": None,
        "max_output_tokens": call.settings.get("max_tokens"),
        "metadata": {},
        "model": answer.model_name or call.model or "",
        "output": output,
        "parallel_tool_calls": call.settings.get("parallel_tool_calls", True),
        "previous_response_id": call.previous_response_id,
        "temperature": call.settings.get("temperature", 1.0),
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": call.settings.get("top_p", 1.0),
        "truncation": "disabled",
        "usage": _write_usage(answer.usage or Usage()),
    }


def _write_usage(usage: Usage) -> Fields:
    details = dict(usage.details or {})
    request_tokens, response_tokens = usage.request_tokens or 0, usage.response_tokens or 0
    written: Fields = {
        "input_tokens": request_tokens,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": response_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": usage.total_tokens or request_tokens + response_tokens,
    }
    for name, (group, key) in NAMED.items():
        if name in details:
            written[group][key] = details.pop(name)
    return written | details


def write_error(status: int, message: str) -> Fields:
    """Return the body of a refusal."""
    kind = "invalid_request_error" if status < 500 else "server_error"
    return {"error": {"message": message, "type": kind, "param": None, "code": None}}
