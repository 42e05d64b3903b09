"""Messages that Anthropic answers with: their counters, their stop reasons, their errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from replay_agent.calls import AnswerError
from replay_agent.messages import NO_TIMESTAMP, FinishReason, ModelResponse, ModelResponsePart
from replay_agent.usage import Usage
from replay_agent.wire.shapes.json_text import Fields
from replay_agent.wire.shapes.refusals import error_in
from replay_agent.wire.shapes.scalars import count_of, counter, sum_of, total_of

__all__ = "CACHE_READ", "CACHE_WRITE", "ERRORS", "INPUT", "OUTPUT", "read_error", "read_message"

_FINISH_REASONS: dict[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "compaction": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_call",
    "refusal": "content_filter",
}
ERRORS = {
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
    **{name: status for status, name in ERRORS.items()},
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


# --- usage ------------------------------------------------------------------------------------------------------------

INPUT = "input_tokens"
OUTPUT = "output_tokens"
CACHE_READ = "cache_read_input_tokens"
CACHE_WRITE = "cache_creation_input_tokens"
_COUNTERS = (INPUT, OUTPUT, CACHE_READ, CACHE_WRITE)
_GROUPS = ("cache_creation", "server_tool_use", "output_tokens_details")


def read_usage(raw: object) -> Usage | None:
    """Read the counters of a message; None where there are none.

    Input tokens are all of them, cached ones included, and those of compactions, which the provider counts apart. A
    counter at zero is left out of the details.
    """
    if not isinstance(raw, dict):
        return None
    counts = {key: count_of(raw.get(key)) for key in _COUNTERS}
    iterations = raw.get("iterations")
    own, details = _iterations(iterations if isinstance(iterations, list) else [])
    if "compaction_iterations" in details:
        counts |= own
    named = {
        "cache_read_tokens": counts[CACHE_READ],
        "cache_write_tokens": counts[CACHE_WRITE],
        "reasoning_tokens": counter(_group(raw, "output_tokens_details").get("thinking_tokens")),
    }
    details = {key: value for key, value in {**named, **_extras(raw), **details}.items() if value}
    request_tokens = None if counts[INPUT] is None else sum_of(counts[INPUT], counts[CACHE_READ], counts[CACHE_WRITE])
    return Usage(0, request_tokens, counts[OUTPUT], total_of(request_tokens, counts[OUTPUT]), details or None)


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
            if kind != "advisor" and key in iteration:  # another model that is asked in between, counted apart
                own[key] = own.get(key, 0) + counter(iteration[key])
            if kind != "message":
                details[f"{kind}_{key}"] = details.get(f"{kind}_{key}", 0) + counter(iteration.get(key))
    return own, details if details.keys() - {"message_iterations"} else {}


# --- errors -----------------------------------------------------------------------------------------------------------


def read_error(said: Mapping[str, Any]) -> AnswerError:
    """Read an error that came inside an answer which began well; its type tells the status it would have had."""
    error = error_in(dict(said))
    inner = said.get("error")
    kind = inner.get("type") if isinstance(inner, dict) else None
    status = _STATUSES.get(kind) if isinstance(kind, str) else None
    return AnswerError(status or error.status, error.message)
