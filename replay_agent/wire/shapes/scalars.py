"""Numbers, texts and times as they stand in a body, where anything else may stand too."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

__all__ = (
    "count_of",
    "counter",
    "is_number",
    "read_timestamp",
    "sum_of",
    "text_of",
    "total_of",
    "write_timestamp",
)

_BEYOND_MICROSECONDS = re.compile(r"(\.\d{6})\d+")
"""What Python does not keep of ``2026-05-27T16:53:45.443719123Z``."""


def is_number(value: object) -> bool:
    """Tell whether a value is a number; ``true`` is none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def text_of(fields: Mapping[str, Any], key: str) -> str | None:
    """Return the text under a key, None where there is none or something else."""
    value = fields.get(key)
    return value if isinstance(value, str) else None


def count_of(value: object) -> int | None:
    """Return a counter of tokens, also one written as a whole float; None for anything else: not counted is not 0."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def counter(value: object) -> int:
    """Return a counter, 0 for anything else."""
    return count_of(value) or 0


def sum_of(*counts: int | None) -> int | None:
    """Return the sum of what was counted, None where nothing was."""
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def total_of(request_tokens: int | None, response_tokens: int | None) -> int | None:
    """Return the sum of both, None where one is not known."""
    return None if request_tokens is None or response_tokens is None else request_tokens + response_tokens


def read_timestamp(text: object) -> datetime | None:
    """Return the time that ISO 8601 tells, cut to microseconds; None for anything else, times without a zone included."""
    try:
        time = datetime.fromisoformat(_BEYOND_MICROSECONDS.sub(r"\1", text)) if isinstance(text, str) else None
    except ValueError:
        return None
    return None if time is None or time.tzinfo is None else time


def write_timestamp(time: datetime) -> str:
    """Return the time in UTC, with microseconds."""
    return time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
