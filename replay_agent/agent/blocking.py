"""`run_to_end`: runs a coroutine to its end from code that is not asynchronous."""

from __future__ import annotations

import asyncio
import threading
import warnings
import weakref
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from replay_agent.exceptions import UserError

__all__ = ("run_to_end",)

T = TypeVar("T")


class _Kept:
    """An event loop that is closed when its thread ends or the interpreter exits.

    Nobody else would close it, and once another one is current nobody else would hold it either.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        weakref.finalize(self, loop.close)


_of_thread = threading.local()


def run_to_end(start: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run what ``start`` returns on the thread's current event loop, making one where there is none.

    Raises `UserError` where an event loop is running.
    """
    if _is_running():
        raise UserError("This event loop is already running: await `Agent.run` instead of calling `run_sync`.")
    return _loop().run_until_complete(start())


def _is_running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _loop() -> asyncio.AbstractEventLoop:
    kept: _Kept | None = getattr(_of_thread, "kept", None)
    loop = _current_loop()
    if loop is None or loop.is_closed():
        loop = asyncio.new_event_loop() if kept is None or kept.loop.is_closed() else kept.loop
        asyncio.set_event_loop(loop)
    if kept is None or kept.loop.is_closed():
        _of_thread.kept = _Kept(loop)
    return loop


def _current_loop() -> asyncio.AbstractEventLoop | None:
    with warnings.catch_warnings():
        # Where no loop is set, Python 3.11 may make one, 3.12 and 3.13 warn before they do, 3.14 raises.
        warnings.simplefilter("error", DeprecationWarning)
        try:
            return asyncio.get_event_loop()
        except (RuntimeError, DeprecationWarning):
            return None
