"""Time that passes without anybody waiting: the clock of an event loop put forward, so that its timers go off.

A stalled answer of thirty seconds is over at once for a client with a timeout of its own making (``asyncio.timeout``,
``anyio.fail_after``): what it set for within that time comes due, as it would have.
"""

from __future__ import annotations

import sys
from typing import Any

__all__ = ("pass_time",)

MOST = 24 * 3600.0
"""Seconds that are passed at the most: longer than any timeout that somebody means."""

_TURNS = 3
"""How often other tasks get their turn then: a timer cancels, the cancelled task is told, and what awaits it hears of it."""


async def pass_time(milliseconds: float) -> None:
    """Let this much time pass on the clock of the running event loop, and let what comes due by then happen."""
    if milliseconds <= 0:
        return
    seconds = min(milliseconds / 1000, MOST)
    loop = _running_loop()
    if loop is not None:
        _put_forward(loop, seconds)
    else:
        _put_trio_forward(seconds)
    from anyio.lowlevel import checkpoint

    for _ in range(_TURNS):
        await checkpoint()


def _running_loop() -> Any:
    asyncio = sys.modules.get("asyncio")
    try:
        return asyncio.get_running_loop() if asyncio is not None else None
    except RuntimeError:
        return None


def _put_forward(loop: Any, seconds: float) -> None:
    """Have a loop of asyncio tell a later time; one in C (uvloop) keeps its own, and its timers go off when they do."""
    before = loop.time
    try:
        loop.time = lambda: before() + seconds
    except AttributeError:
        return


def _put_trio_forward(seconds: float) -> None:
    """Have trio's clock tell a later time; a clock of the test's own is left alone."""
    trio: Any = sys.modules["trio"]  # whose loop it must be, since it is not asyncio's
    clock = trio.lowlevel.current_clock()
    if hasattr(clock, "offset"):
        object.__setattr__(clock, "offset", clock.offset + seconds)  # frozen, for it has no other use of being set
