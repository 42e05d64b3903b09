"""Messages that Anthropic answers with: their counters, their stop reasons, their errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from replay_agent.calls import AnswerError, ModelCall
from replay_agent.messages import NO_TIMESTAMP, FinishReason, ModelResponse, ModelResponsePart, ToolCallPart
from replay_agent.usage import Usage
from replay_agent.wire.anthropic.content import write_response
from replay_agent.wire.shapes.call_ids import CallIds
from replay_agent.wire.shapes.counters import counter
from replay_agent.wire.shapes.json_text import Fields
from replay_agent.wire.shapes.made_up import made_up_id
from replay_agent.wire.shapes.refusals import error_in

__all__ = "read_error", "read_message", "write_error", "write_message"

_FINISH_REASONS: dict[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "compaction": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_call",
    "refusal": "content_filter",
}
_STOP_REASONS = {"stop": "end_turn", "length": "max_tokens", "tool_call": "tool_use", "content_filter": "refusal"}
_ERRORS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_STATUSES = {
    **{name: status for status, name in _ERRORS.items()},
    "throttlingException": 429,
    "validationException": 400,
    "modelTimeoutException": 408,
    "modelStreamErrorException": 424,
    "internalServerException": 500,
    "serviceUnavailableException": 503,
}
"""The status that an error has when it comes before a stream has begun; the last rows are Bedrock's."""


def read_message(message: Fields, parts: list[ModelResponsePart]) -> ModelResponse:
    """Return the response that a message is, its parts read already."""
    stop, model, message_id = message.get("stop_reason"), message.get("model"), message.get("id")
    return ModelResponse(
        parts,
        model_name=model if isinstance(model, str) else None,
        timestamp=NO_TIMESTAMP,
        finish_reason=_FINISH_REASONS.get(stop) if isinstance(stop, str) else None,
        usage=read_usage(message.get("usage")),
        provider_response_id=message_id if isinstance(message_id, str) else None,
    )


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

_INPUT = "input_tokens"
_OUTPUT = "output_tokens"
_CACHE_READ = "cache_read_input_tokens"
_CACHE_WRITE = "cache_creation_input_tokens"
_COUNTERS = (_INPUT, _OUTPUT, _CACHE_READ, _CACHE_WRITE)
_GROUPS = ("cache_creation", "server_tool_use", "output_tokens_details")
_GROUP_OF = {
    "ephemeral_5m_input_tokens": "cache_creation",
    "ephemeral_1h_input_tokens": "cache_creation",
    "web_search_requests": "server_tool_use",
    "web_fetch_requests": "server_tool_use",
    "thinking_tokens": "output_tokens_details",
}


def read_usage(raw: object) -> Usage | None:
    """Read the counters of a message; None where there are none.

    Input tokens are all of them, cached ones included, and those of compactions, which the provider counts apart. A
    counter at zero is left out of the details.
    """
    if not isinstance(raw, dict):
        return None
    counts = {key: counter(raw.get(key)) for key in _COUNTERS}
    iterations = raw.get("iterations")
    own, details = _iterations(iterations if isinstance(iterations, list) else [])
    if "compaction_iterations" in details:
        counts |= own
    named = {
        "cache_read_tokens": counts[_CACHE_READ],
        "cache_write_tokens": counts[_CACHE_WRITE],
        "reasoning_tokens": counter(_group(raw, "output_tokens_details").get("thinking_tokens")),
    }
    details = {key: value for key, value in {**named, **_extras(raw), **details}.items() if value}
    request_tokens = counts[_INPUT] + counts[_CACHE_READ] + counts[_CACHE_WRITE]
    return Usage(0, request_tokens, counts[_OUTPUT], request_tokens + counts[_OUTPUT], details or None)


def _group(raw: Fields, name: str) -> Fields:
    group = raw.get(name)
    return group if isinstance(group, dict) else {}


def _extras(raw: Fields) -> dict[str, int]:
    groups = {key: value for name in _GROUPS for key, value in _group(raw, name).items() if key != "thinking_tokens"}
    top = {key: value for key, value in raw.items() if key not in _COUNTERS}
    return {key: counter(value) for key, value in {**groups, **top}.items()}


def _iterations(iterations: list[Any]) -> tuple[dict[str, int], dict[str, int]]:
    """Sum the passes of one answer: the model's own and its compactions, and as details those of every other kind."""
    own: dict[str, int] = {}
    details: dict[str, int] = {}
    for iteration in iterations:
        if not isinstance(iteration, dict) or not isinstance(iteration.get("type"), str):
            continue
        kind = iteration["type"].removesuffix("_message")
        details[f"{kind}_iterations"] = details.get(f"{kind}_iterations", 0) + 1
        for key in _COUNTERS:
            if kind != "advisor" and key in iteration:
                own[key] = own.get(key, 0) + counter(iteration[key])
            if kind != "message":
                details[f"{kind}_{key}"] = details.get(f"{kind}_{key}", 0) + counter(iteration.get(key))
    return own, details if details.keys() - {"message_iterations"} else {}


def write_usage(usage: Usage) -> Fields:
    """Write counters as the provider would."""
    details = dict(usage.details or {})
    read, write = details.pop("cache_read_tokens", 0), details.pop("cache_write_tokens", 0)
    written: Fields = {
        _INPUT: max((usage.request_tokens or 0) - read - write, 0),
        _CACHE_WRITE: write,
        _CACHE_READ: read,
        _OUTPUT: usage.response_tokens or 0,
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


def read_error(said: Mapping[str, Any]) -> AnswerError:
    """Read an error that came inside an answer which began well; its type tells the status it would have had."""
    error = error_in(dict(said))
    inner = said.get("error")
    kind = inner.get("type") if isinstance(inner, dict) else None
    status = _STATUSES.get(kind) if isinstance(kind, str) else None
    return AnswerError(status or error.status, error.message)


def write_error(status: int, message: str) -> Fields:
    """Return the body of a refusal."""
    return {"type": "error", "error": {"type": _ERRORS.get(status, "api_error"), "message": message}}
