"""What Ollama's answers say of themselves: why they ended and what they cost."""

from __future__ import annotations

from replay_agent.messages import FinishReason
from replay_agent.usage import Usage
from replay_agent.wire.shapes.json_text import Fields
from replay_agent.wire.shapes.scalars import count_of, total_of

__all__ = "FINISH_REASONS", "read_usage"

FINISH_REASONS: dict[str, FinishReason] = {"stop": "stop", "length": "length"}


def read_usage(value: Fields) -> Usage | None:
    """Read the counters of an answer; None for an object that has none, as all but the last of a stream."""
    if "prompt_eval_count" not in value and "eval_count" not in value:
        return None
    request_tokens, response_tokens = count_of(value.get("prompt_eval_count")), count_of(value.get("eval_count"))
    return Usage(
        request_tokens=request_tokens,
        response_tokens=response_tokens,
        total_tokens=total_of(request_tokens, response_tokens),
    )
