"""Refusals: a status, and the body in which the provider puts it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from replay_agent.faults.fault import Answered, Lay, response_of
from replay_agent.traffic import Chunk, Headers, Response

__all__ = "REFUSALS", "STATUSES", "context_overflow", "http_status", "quota", "rate_limited"

STATUSES: Mapping[str, tuple[int, str]] = {
    "bad_request": (400, "The request is not valid"),
    "unauthorized": (401, "The API key is not valid"),
    "forbidden": (403, "This key may not use the model"),
    "not_found": (404, "The model does not exist"),
    "request_timeout": (408, "The request took too long"),
    "server_error": (500, "The server had an error while processing the request"),
    "bad_gateway": (502, "Bad gateway"),
    "unavailable": (503, "The service is not available"),
    "overloaded": (529, "Overloaded"),
}
"""Faults by the name of their status."""

_PAST_DATE = "Wed, 21 Oct 2015 07:28:00 GMT"
"""A date of the other spelling of Retry-After (RFC 9110, section 10.2.3), the same on every run."""

_CODES: Mapping[int, str] = {401: "invalid_api_key", 404: "model_not_found", 429: "rate_limit_exceeded"}
"""Codes that OpenAI, and who speaks its formats, put beside the message."""
_OPENAI = "openai_chat", "openai_responses"


def http_status(status: int, message: str = "", *, retry_after: float | str | None = None) -> Lay:
    """Refuse with a status, in the provider's own shape."""
    return partial(_refused, status, message or f"Refused with status {status}", retry_after, _CODES.get(status))


def rate_limited(retry_after: float | str = 2) -> Lay:
    """Refuse with 429 and the header Retry-After: seconds, or a date."""
    return partial(_refused, 429, "Rate limit reached for requests", retry_after, "rate_limit_exceeded")


def quota() -> Lay:
    """Refuse with 429 for a quota that is used up: no waiting helps."""
    return partial(
        _refused, 429, "You exceeded your current quota, please check your plan and billing", None, "insufficient_quota"
    )


_TOO_LONG: Mapping[str, str] = {
    "anthropic": "prompt is too long: 218849 tokens > 200000 maximum",
    "bedrock": "Input is too long for requested model.",
    "cohere": "too many tokens: the total number of tokens in the prompt cannot exceed 256000",
    "gemini": "The input token count (1196000) exceeds the maximum number of tokens allowed (1048575).",
    "mistral": "Prompt contains 150000 tokens, too large for model with 131072 maximum context length",
    "ollama": "the input length exceeds the context length",
}


def context_overflow() -> Lay:
    """Refuse a prompt as longer than the model can take."""

    def lay(answered: Answered) -> Response:
        default = (
            "This model's maximum context length is 128000 tokens. However, your messages resulted in 150000 tokens."
        )
        message = _TOO_LONG.get(answered.codec.name, default)
        return _refused(400, message, None, "context_length_exceeded", answered)

    return lay


def _refused(
    status: int, message: str, retry_after: float | str | None, code: str | None, answered: Answered
) -> Response:
    response = response_of(answered.codec.encode_error(answered.call, status, message))
    if code is not None and answered.codec.name in _OPENAI:
        response = _with_code(response, code)
    if retry_after is None:
        return response
    return replace(response, headers=(*response.headers, ("retry-after", str(retry_after))))


def _with_code(response: Response, code: str) -> Response:
    """Put a code into the error of a body, and the type that goes with it."""
    body: dict[str, Any] = json.loads(response.body)
    error = body.get("error")
    if not isinstance(error, dict):
        return response
    kind = code if code == "insufficient_quota" else error.get("type")
    data = json.dumps({**body, "error": {**error, "type": kind, "code": code}}).encode()
    headers: Headers = tuple(pair for pair in response.headers if pair[0] != "content-length")
    return replace(response, headers=(*headers, ("content-length", str(len(data)))), chunks=(Chunk(data),))


REFUSALS: dict[str, Callable[[], Lay]] = {
    **{name: partial(http_status, status, message) for name, (status, message) in STATUSES.items()},
    "rate_limited_until": partial(rate_limited, _PAST_DATE),
    "quota": quota,
    "context_overflow": context_overflow,
}
