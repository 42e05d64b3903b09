"""Holders: how many want something of the process to stay in place, so that the last one takes it away."""

from __future__ import annotations

__all__ = ("Holders",)


class Holders:
    """A count that is true as long as anybody holds. Not locked: the caller holds its lock."""

    def __init__(self) -> None:
        self._count = 0

    def __bool__(self) -> bool:
        return self._count > 0

    def join(self) -> None:
        """Hold, until as many calls of `leave`."""
        self._count += 1

    def leave(self) -> None:
        """Take one `join` back."""
        self._count -= 1
