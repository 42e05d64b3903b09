"""Answers of OpenAI's Responses API as objects: their counters, their states, their errors."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from replay_agent.calls import AnswerError
from replay_agent.messages import NO_TIMESTAMP, FinishReason, ModelResponse, ModelResponsePart, UnknownPart
from replay_agent.usage import Usage
from replay_agent.wire.shapes.json_text import Fields
from replay_agent.wire.shapes.refusals import error_in
from replay_agent.wire.shapes.scalars import count_of, counter, total_of

__all__ = "NAMED", "read_error", "read_response"

_FINISH_REASONS: dict[str, FinishReason] = {
    "completed": "stop",
    "max_output_tokens": "length",
    "content_filter": "content_filter",
    "cancelled": "error",
    "failed": "error",
}
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
        # The state says completed all the same.
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


# --- usage ------------------------------------------------------------------------------------------------------------

NAMED = {
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
        for name, (group, key) in NAMED.items()
        if group in groups and _is_count(groups[group].get(key))
    }
    known = set(NAMED.values())
    others = {key: raw[key] for key in raw if key not in _TOTALS}
    others |= {key: group[key] for name, group in groups.items() for key in group if (name, key) not in known}
    details |= {key: counter(value) for key, value in others.items() if _is_count(value)}
    request_tokens, response_tokens = count_of(raw.get("input_tokens")), count_of(raw.get("output_tokens"))
    total = count_of(raw.get("total_tokens")) or total_of(request_tokens, response_tokens)
    return Usage(0, request_tokens, response_tokens, total, details or None)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


# --- errors -----------------------------------------------------------------------------------------------------------


def read_error(said: Any) -> AnswerError:
    """Read an error that came inside an answer which began well; its code tells the status it would have had."""
    error = error_in(said)
    inner = said.get("error", said) if isinstance(said, dict) else None
    words = [inner.get("code"), inner.get("type")] if isinstance(inner, dict) else []
    status = next((_STATUSES[word] for word in words if isinstance(word, str) and word in _STATUSES), None)
    return AnswerError(status or error.status, error.message)
