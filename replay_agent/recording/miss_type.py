"""Which class a miss is raised as: `CassetteMiss` itself, or the failures of the test runner."""

from __future__ import annotations

import sys
from types import FrameType

from replay_agent.exceptions import CassetteMiss, CassetteMissError

__all__ = "miss_type", "raise_misses_as"

_TAKE_EXCEPTIONS_ONLY = frozenset({"multiprocessing.pool", "socketserver"})
"""Their workers and servers die of any other error, and leave whoever waits for an answer waiting for ever."""

_kind: type[CassetteMiss] = CassetteMiss


def raise_misses_as(kind: type[CassetteMiss]) -> type[CassetteMiss]:
    """Have misses raised as this class, and return what they were raised as before.

    For a test runner whose own failures are a class: it cleans up behind those, and behind no other ``BaseException``.
    """
    global _kind
    before, _kind = _kind, kind
    return before


def miss_type() -> type[CassetteMiss] | type[CassetteMissError]:
    """Return the class to raise a miss as, here: an ordinary exception where another one would leave somebody hanging."""
    return CassetteMissError if _must_survive() else _kind


def _must_survive() -> bool:
    if _TAKE_EXCEPTIONS_ONLY.isdisjoint(sys.modules):
        return False
    frame: FrameType | None = sys._getframe()  # noqa: SLF001 - public but for its name, and a hundred times faster than inspect.stack
    while frame is not None:
        if frame.f_globals.get("__name__") in _TAKE_EXCEPTIONS_ONLY:
            return True
        frame = frame.f_back
    return False
