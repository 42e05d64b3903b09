"""The record mode that whoever runs this process has asked for: what is opened without one of its own follows it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = "asked", "asking"

_asked: list[str] = []


@contextmanager
def asking(mode: str) -> Iterator[None]:
    """Ask for a mode, until the block ends."""
    _asked.append(mode)
    try:
        yield
    finally:
        _asked.remove(mode)


def asked() -> str | None:
    """Return the mode that was asked for last, None if none was."""
    return _asked[-1] if _asked else None
