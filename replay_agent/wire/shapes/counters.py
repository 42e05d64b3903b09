"""Token counters as providers write them."""

from __future__ import annotations

__all__ = ("counter",)


def counter(value: object) -> int:
    """Return a counter, also one written as a whole float; 0 for anything else."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
