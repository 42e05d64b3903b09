"""Times in bodies: ISO 8601, with more digits than Python keeps."""

from __future__ import annotations

import re
from datetime import UTC, datetime

__all__ = "read_timestamp", "write_timestamp"

_BEYOND_MICROSECONDS = re.compile(r"(\.\d{6})\d+")


def read_timestamp(text: object) -> datetime | None:
    """Return the time that a text tells, cut to microseconds; None for anything else, times without a zone included."""
    try:
        time = datetime.fromisoformat(_BEYOND_MICROSECONDS.sub(r"\1", text)) if isinstance(text, str) else None
    except ValueError:
        return None
    return None if time is None or time.tzinfo is None else time


def write_timestamp(time: datetime) -> str:
    """Return the time in UTC, with microseconds."""
    return time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
