"""What Cohere's answers say of themselves: why they ended and what they cost."""

from __future__ import annotations

from replay_agent.messages import FinishReason
from replay_agent.usage import Usage
from replay_agent.wire.shapes.scalars import count_of, counter, total_of

__all__ = "BILLED", "FINISH_REASONS", "read_usage"

FINISH_REASONS: dict[str, FinishReason] = {
    "COMPLETE": "stop",
    "STOP_SEQUENCE": "stop",
    "MAX_TOKENS": "length",
    "TOOL_CALL": "tool_call",
    "ERROR": "error",
    "TIMEOUT": "error",
}
BILLED = ("input_tokens", "output_tokens", "search_units", "classifications")
"""Counters of what is charged, which are not those of what was read and written."""


def read_usage(usage: object) -> Usage | None:
    """Read the counters of an answer; None where there are none. What is billed stands in the details."""
    if not isinstance(usage, dict):
        return None
    tokens, billed = usage.get("tokens"), usage.get("billed_units")
    tokens = tokens if isinstance(tokens, dict) else {}
    billed = billed if isinstance(billed, dict) else {}
    request_tokens, response_tokens = count_of(tokens.get("input_tokens")), count_of(tokens.get("output_tokens"))
    details = {"cache_read_tokens": counter(usage.get("cached_tokens"))}
    details |= {name: counter(billed.get(name)) for name in BILLED}
    return Usage(
        request_tokens=request_tokens,
        response_tokens=response_tokens,
        total_tokens=total_of(request_tokens, response_tokens),
        details={name: count for name, count in details.items() if count} or None,
    )
