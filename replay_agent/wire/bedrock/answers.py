"""What Bedrock's answers say of themselves: why they ended, what they cost, how they failed."""

from __future__ import annotations

from replay_agent.calls import AnswerError
from replay_agent.framing.aws_frames import Frame
from replay_agent.messages import FinishReason
from replay_agent.usage import Usage
from replay_agent.wire.shapes.refusals import refusal
from replay_agent.wire.shapes.scalars import count_of, counter, total_of

__all__ = "ERRORS", "FINISH_REASONS", "read_usage", "stream_error"

FINISH_REASONS: dict[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_call",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
    "malformed_model_output": "error",
    "malformed_tool_use": "error",
}
ERRORS = {
    400: "ValidationException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    408: "ModelTimeoutException",
    424: "ModelErrorException",
    429: "ThrottlingException",
    500: "InternalServerException",
    503: "ServiceUnavailableException",
}
"""Names of the exceptions of the AWS SDKs by the status that comes with them."""
_STREAM_ERRORS = {
    # A stream names them in a header, beginning in lower case: throttlingException.
    **{name.lower(): status for status, name in ERRORS.items()},
    "modelstreamerrorexception": 424,
    "modelnotreadyexception": 429,
    "servicequotaexceededexception": 400,
}


def stream_error(frame: Frame) -> AnswerError:
    """Return the error that a frame of the type ``exception`` or ``error`` tells of."""
    name = frame.text(":exception-type") or frame.text(":error-code") or ""
    status = _STREAM_ERRORS.get(name.lower())
    if frame.text(":message-type") == "error":
        return AnswerError(status, frame.text(":error-message") or name)
    told = refusal(status, frame.payload)
    return AnswerError(told.status, told.message if frame.payload else name)


def read_usage(usage: object) -> Usage | None:
    """Read the counters of an answer; None where there are none. Input tokens are all of them, cached ones included."""
    if not isinstance(usage, dict):
        return None
    counts = {key: counter(value) for key, value in usage.items()}
    # Amazon Nova adds "Count" to both names where it is invoked directly.
    cache_read = counts.get("cacheReadInputTokens", counts.get("cacheReadInputTokenCount", 0))
    cache_write = counts.get("cacheWriteInputTokens", counts.get("cacheWriteInputTokenCount", 0))
    plain, response_tokens = count_of(usage.get("inputTokens")), count_of(usage.get("outputTokens"))
    request_tokens = None if plain is None else plain + cache_read + cache_write
    total = count_of(usage.get("totalTokens"))
    server_tools = usage.get("serverToolUsage")
    details = {
        "cache_read_tokens": cache_read,
        "cache_write_tokens": cache_write,
        **({key: counter(value) for key, value in server_tools.items()} if isinstance(server_tools, dict) else {}),
    }
    return Usage(
        request_tokens=request_tokens,
        response_tokens=response_tokens,
        total_tokens=total_of(request_tokens, response_tokens) if total is None else total,
        details={key: value for key, value in details.items() if value} or None,
    )
