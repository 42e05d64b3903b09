"""Values that stand in for others while a block runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

__all__ = ("Overridable",)

T = TypeVar("T")


@dataclass(eq=False)
class _Override:
    owner: Overridable[Any]
    value: Any
    outer: _Override | None
    active: bool = True


_innermost: ContextVar[_Override | None] = ContextVar("replay_agent_innermost_override", default=None)


class Overridable(Generic[T]):
    """A value that blocks may replace.

    A block's own context sees the innermost replacement around it, so that blocks in concurrent tasks do not disturb
    each other. A context outside all blocks, such as a test's when a fixture has opened the block, sees the
    one opened last.
    """

    def __init__(self) -> None:
        self._open: list[_Override] = []

    def get(self) -> list[T]:
        """Return the replacement in a list, or an empty list where there is none."""
        found = _innermost.get()
        while found is not None and not (found.owner is self and found.active):
            found = found.outer
        found = found or next(reversed(self._open), None)
        return [] if found is None else [found.value]

    @contextmanager
    def replaced_by(self, value: T) -> Iterator[None]:
        """Replace the value inside the block."""
        override = _Override(self, value, _innermost.get())
        _innermost.set(override)
        self._open.append(override)
        try:
            yield
        finally:
            # The block may be left in another context than it was entered in, where resetting by token would fail.
            override.active = False
            self._open.remove(override)
            if _innermost.get() is override:
                _innermost.set(override.outer)
