"""Which class a miss is raised as: `CassetteMiss` itself, or the failures of the test runner."""

from __future__ import annotations

import sys
from types import FrameType

from replay_agent.exceptions import CassetteMiss, CassetteMissError

__all__ = "miss_type", "raise_misses_as"

_TAKES_EXCEPTIONS_ONLY = "multiprocessing.pool"
"""Its workers, threads too, die of any other error and leave whoever waits for their answer waiting for ever."""

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
    return CassetteMissError if _in_pool_worker() else _kind


def _in_pool_worker() -> bool:
    if _TAKES_EXCEPTIONS_ONLY not in sys.modules:
        return False
    frame: FrameType | None = sys._getframe()  # noqa: SLF001 - public but for its name, and a hundred times faster than inspect.stack
    while frame is not None:
        if frame.f_globals.get("__name__") == _TAKES_EXCEPTIONS_ONLY:
            return True
        frame = frame.f_back
    return False
