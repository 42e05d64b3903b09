"""Requests and tokens: what a run used, and how much it may use."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass

from replay_agent.exceptions import UsageLimitExceeded

__all__ = "Usage", "UsageLimits"


@dataclass
class Usage:
    """Requests made and tokens used; a token count is None until some answer reported it.

    ``request_tokens`` counts all input tokens, cached ones included. ``details`` holds further counters by name:
    ``cache_read_tokens``, ``cache_write_tokens``, ``reasoning_tokens``, ``input_audio_tokens``,
    ``output_audio_tokens``, then whatever else the provider reports.
    """

    requests: int = 0
    request_tokens: int | None = None
    response_tokens: int | None = None
    total_tokens: int | None = None
    details: dict[str, int] | None = None

    def incr(self, incr_usage: Usage, *, requests: int = 0) -> None:
        """Add another usage to this one in place, and ``requests`` on top."""
        self.requests += requests + incr_usage.requests
        self.request_tokens = _sum(self.request_tokens, incr_usage.request_tokens)
        self.response_tokens = _sum(self.response_tokens, incr_usage.response_tokens)
        self.total_tokens = _sum(self.total_tokens, incr_usage.total_tokens)
        if incr_usage.details:
            self.details = _sum_by_key(self.details or {}, incr_usage.details)

    def opentelemetry_attributes(self) -> dict[str, int]:
        """Return the token counts that are known as attributes of an OpenTelemetry span."""
        counts = {"input_tokens": self.request_tokens, "output_tokens": self.response_tokens}
        details = {f"details.{name}": count for name, count in (self.details or {}).items()}
        return {f"gen_ai.usage.{name}": count for name, count in {**counts, **details}.items() if count}

    def __add__(self, other: Usage) -> Usage:
        total = copy(self)
        total.incr(other)
        return total


def _sum(one: int | None, other: int | None) -> int | None:
    if one is None and other is None:
        return None
    return (one or 0) + (other or 0)


def _sum_by_key(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {key: one.get(key, 0) + other.get(key, 0) for key in [*one, *(key for key in other if key not in one)]}


@dataclass
class UsageLimits:
    """What a run may use. None switches a limit off; reaching a token limit exactly is allowed."""

    request_limit: int | None = 50
    request_tokens_limit: int | None = None
    response_tokens_limit: int | None = None
    total_tokens_limit: int | None = None

    def has_token_limits(self) -> bool:
        """Tell whether any token limit is on."""
        return any(
            limit is not None
            for limit in (self.request_tokens_limit, self.response_tokens_limit, self.total_tokens_limit)
        )

    def check_before_request(self, usage: Usage) -> None:
        """Raise `UsageLimitExceeded` if one more request would pass the request limit."""
        if self.request_limit is not None and usage.requests >= self.request_limit:
            raise UsageLimitExceeded(f"The next request would exceed the request_limit of {self.request_limit}")

    def check_tokens(self, usage: Usage) -> None:
        """Raise `UsageLimitExceeded` if a token count has passed its limit."""
        for name in ("request_tokens", "response_tokens", "total_tokens"):
            limit: int | None = getattr(self, f"{name}_limit")
            used: int = getattr(usage, name) or 0
            if limit is not None and used > limit:
                raise UsageLimitExceeded(f"Exceeded the {name}_limit of {limit} ({name}={used})")
