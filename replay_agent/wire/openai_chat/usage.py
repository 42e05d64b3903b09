"""Token counts of the chat completions format, read and written."""

from __future__ import annotations

from typing import Any

from replay_agent.usage import Usage
from replay_agent.wire.openai_chat.dialects import Dialect
from replay_agent.wire.shapes.json_text import Fields

__all__ = "RunningUsage", "read_usage", "write_usage"

_TOTALS = ("prompt_tokens", "completion_tokens", "total_tokens")
_INPUT_NAMES = {
    "cached_tokens": "cache_read_tokens",
    "cache_write_tokens": "cache_write_tokens",
    "audio_tokens": "input_audio_tokens",
}
"""Counters of ``prompt_tokens_details``; another one, ``x``, is called ``input_x``."""
_OUTPUT_NAMES = {"audio_tokens": "output_audio_tokens"}
"""Counters of ``completion_tokens_details``; the others keep their names."""
_OF_OUTPUT = (
    "accepted_prediction_tokens",
    "image_tokens",
    "reasoning_tokens",
    "rejected_prediction_tokens",
    "text_tokens",
)


def read_usage(value: object, dialect: Dialect) -> Usage | None:
    """Return the counts of a ``usage`` object, None for anything else.

    ``request_tokens`` holds all input tokens, cached ones included.
    """
    if not isinstance(value, dict):
        return None
    prompt, completion, total = (_count(value.get(name)) for name in _TOTALS)
    details = _details(value, dialect)
    if dialect.reasoning_apart and completion is not None:
        completion += details.get("reasoning_tokens", 0)
    if total is None and prompt is not None and completion is not None:
        total = prompt + completion
    return Usage(request_tokens=prompt, response_tokens=completion, total_tokens=total, details=details or None)


def _count(value: object) -> int | None:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _details(usage: Fields, dialect: Dialect) -> dict[str, int]:
    details: dict[str, int] = {}
    for key, count in _counters(usage.get("prompt_tokens_details")).items():
        if key != "cached_tokens" or dialect.reads_cached:
            details[_INPUT_NAMES.get(key) or f"input_{key}"] = count
    for key, count in _counters(usage.get("completion_tokens_details")).items():
        details[_OUTPUT_NAMES.get(key) or key] = count
    for key, count in _counters(usage).items():
        if key not in _TOTALS:
            details.setdefault(key, count)
    return details


def _counters(value: object) -> dict[str, int]:
    if not isinstance(value, dict):
        return {}
    return {key: count for key, count in value.items() if isinstance(count, int) and not isinstance(count, bool)}


def write_usage(usage: Usage, dialect: Dialect) -> Fields:
    """Write counts as a ``usage`` object."""
    prompt, completion = usage.request_tokens or 0, usage.response_tokens or 0
    details = usage.details or {}
    if dialect.reasoning_apart:
        completion -= details.get("reasoning_tokens", 0)
    total = prompt + completion if usage.total_tokens is None else usage.total_tokens
    written: Fields = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": total}
    for key, count in details.items():
        place, name = _place(key)
        (written.setdefault(place, {}) if place else written)[name] = count
    return written


_INPUT_KEYS = {name: key for key, name in _INPUT_NAMES.items()}


def _place(key: str) -> tuple[str | None, str]:
    if key in _INPUT_KEYS or key.startswith("input_"):
        return "prompt_tokens_details", _INPUT_KEYS.get(key) or key.removeprefix("input_")
    if key == "output_audio_tokens" or key in _OF_OUTPUT:
        return "completion_tokens_details", "audio_tokens" if key == "output_audio_tokens" else key
    return None, key


class RunningUsage:
    """The counts of a stream, which come once, in pieces to be added, or as a total that grows with every chunk."""

    def __init__(self, dialect: Dialect) -> None:
        self.usage: Usage | None = None
        self._dialect = dialect
        self._last: Usage | None = None
        self._grows = False
        self._is_groq = False

    def add(self, chunk: dict[str, Any]) -> None:
        """Take the counts of a chunk, if it has any."""
        groq = chunk.get("x_groq")
        in_groq = read_usage(groq.get("usage"), self._dialect) if isinstance(groq, dict) else None
        if in_groq is not None and not self._is_groq:
            # Groq says the same counts a second time under `usage` where a client asks for them.
            self._is_groq, self.usage, self._last = True, None, None
        new = in_groq if self._is_groq else read_usage(chunk.get("usage"), self._dialect)
        if new is not None:
            self._take(new)

    def _take(self, new: Usage) -> None:
        self._grows = self._grows or (self._last is not None and _is_grown(self._last, new))
        if self.usage is None or self._grows:
            self.usage = new
        else:
            self.usage += new
        self._last = new


def _is_grown(last: Usage, new: Usage) -> bool:
    same_input = last.request_tokens == new.request_tokens and bool(new.request_tokens)
    return same_input and (new.response_tokens or 0) > (last.response_tokens or 0)
