"""Answers of OpenAI's Responses API as objects: their counters, their states, their errors."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from replay_agent.calls import AnswerError, ModelCall
from replay_agent.messages import NO_TIMESTAMP, FinishReason, ModelResponse, ModelResponsePart, UnknownPart
from replay_agent.usage import Usage
from replay_agent.wire.openai_responses.content import write_items
from replay_agent.wire.shapes.call_ids import CallIds
from replay_agent.wire.shapes.counters import counter
from replay_agent.wire.shapes.json_text import Fields
from replay_agent.wire.shapes.made_up import made_up_id
from replay_agent.wire.shapes.refusals import error_in

__all__ = "read_error", "read_response", "write_error", "write_response"

_FINISH_REASONS: dict[str, FinishReason] = {
    "completed": "stop",
    "max_output_tokens": "length",
    "content_filter": "content_filter",
    "cancelled": "error",
    "failed": "error",
}
_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}
_STATUSES = {
    "invalid_api_key": 401,
    "model_not_found": 404,
    "context_length_exceeded": 400,
    "invalid_prompt": 400,
    "invalid_request_error": 400,
    "rate_limit_exceeded": 429,
    "rate_limit_error": 429,
    "too_many_requests": 429,
    "insufficient_quota": 429,
    "server_error": 500,
    "service_unavailable": 503,
    "server_is_overloaded": 503,
}
"""The status that an error has when it comes before a stream has begun."""


def read_response(response: Fields, parts: list[ModelResponsePart]) -> ModelResponse:
    """Return the response that an object is, its parts read already."""
    model, response_id = response.get("model"), response.get("id")
    return ModelResponse(
        parts,
        model_name=model if isinstance(model, str) else None,
        timestamp=_timestamp(response.get("created_at")),
        finish_reason="content_filter" if any(map(_is_refusal, parts)) else _finish_reason(response),
        usage=_read_usage(response.get("usage")),
        provider_response_id=response_id if isinstance(response_id, str) else None,
    )


def _is_refusal(part: ModelResponsePart) -> bool:
    return isinstance(part, UnknownPart) and isinstance(part.raw, dict) and part.raw.get("type") == "refusal"


def _finish_reason(response: Fields) -> FinishReason | None:
    details = response.get("incomplete_details")
    reason = details.get("reason") if isinstance(details, dict) else response.get("status")
    return _FINISH_REASONS.get(reason) if isinstance(reason, str) else None


def _timestamp(created: object) -> datetime:
    if not isinstance(created, int | float) or isinstance(created, bool):
        return NO_TIMESTAMP
    try:
        return datetime.fromtimestamp(created, UTC)
    except (ValueError, OverflowError, OSError):
        return NO_TIMESTAMP


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


# --- usage ------------------------------------------------------------------------------------------------------------

_NAMED = {
    "cache_read_tokens": ("input_tokens_details", "cached_tokens"),
    "cache_write_tokens": ("input_tokens_details", "cache_write_tokens"),
    "reasoning_tokens": ("output_tokens_details", "reasoning_tokens"),
    "input_audio_tokens": ("input_tokens_details", "audio_tokens"),
    "output_audio_tokens": ("output_tokens_details", "audio_tokens"),
}
_GROUPS = ("input_tokens_details", "output_tokens_details")
_TOTALS = ("input_tokens", "output_tokens", "total_tokens")


def _read_usage(raw: object) -> Usage | None:
    if not isinstance(raw, dict):
        return None
    groups = {group: raw[group] for group in _GROUPS if isinstance(raw.get(group), dict)}
    details = {
        name: counter(groups[group][key])
        for name, (group, key) in _NAMED.items()
        if group in groups and _is_count(groups[group].get(key))
    }
    known = set(_NAMED.values())
    others = {key: raw[key] for key in raw if key not in _TOTALS}
    others |= {key: group[key] for name, group in groups.items() for key in group if (name, key) not in known}
    details |= {key: counter(value) for key, value in others.items() if _is_count(value)}
    request_tokens, response_tokens = counter(raw.get("input_tokens")), counter(raw.get("output_tokens"))
    total = counter(raw.get("total_tokens")) or request_tokens + response_tokens
    return Usage(0, request_tokens, response_tokens, total, details or None)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


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
    for name, (group, key) in _NAMED.items():
        if name in details:
            written[group][key] = details.pop(name)
    return written | details


# --- errors -----------------------------------------------------------------------------------------------------------


def read_error(said: Any) -> AnswerError:
    """Read an error that came inside an answer which began well; its code tells the status it would have had."""
    error = error_in(said)
    inner = said.get("error", said) if isinstance(said, dict) else None
    words = [inner.get("code"), inner.get("type")] if isinstance(inner, dict) else []
    status = next((_STATUSES[word] for word in words if isinstance(word, str) and word in _STATUSES), None)
    return AnswerError(status or error.status, error.message)


def write_error(status: int, message: str) -> Fields:
    """Return the body of a refusal."""
    kind = "invalid_request_error" if status < 500 else "server_error"
    return {"error": {"message": message, "type": kind, "param": None, "code": None}}
