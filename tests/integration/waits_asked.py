"""Counts the waits that code asks for: sleeps, events, and event loops that have nothing to do until a timer goes off.

Who waits without a limit waits for somebody, a thread that begins say, and not for time to pass.
"""

from __future__ import annotations

import asyncio
import functools
import select
import selectors
import threading
import time
from contextlib import contextmanager
from typing import Any

import pytest

LEAST = 0.001
"""Seconds from which on it is a wait."""
_NO_TIMER = 24 * 3600
"""What trio waits when no timer is set."""


def _is_wait(seconds):
    return seconds is not None and LEAST < seconds < _NO_TIMER


@contextmanager
def counted():
    """Yield the list of what this thread asks to wait for, in seconds; nobody waits for a sleep meanwhile."""
    waits: list[tuple[str, Any]] = []
    here = threading.get_ident()

    def note(what, seconds):
        if threading.get_ident() == here and _is_wait(seconds):
            waits.append((what, seconds))

    sleep, wait, polled = time.sleep, threading.Event.wait, select.select

    @functools.wraps(sleep)
    def sleeping(seconds):
        note("sleep", seconds)

    @functools.wraps(wait)
    def waiting(event, timeout=None):
        if not event.is_set():
            note("event", timeout)
        return wait(event, timeout)

    @functools.wraps(polled)
    def polling(readers, writers, broken, timeout=None):
        note("select", timeout)
        return polled(readers, writers, broken, timeout)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "sleep", sleeping)
        patch.setattr(threading.Event, "wait", waiting)
        patch.setattr(select, "select", polling)
        yield waits


def counting_asyncio(waits):
    """Return what makes event loops of asyncio that note for how long nothing has come up but a timer."""

    class Counting(selectors.DefaultSelector):
        def select(self, timeout=None):
            ready = super().select(timeout)
            if not ready and _is_wait(timeout):
                waits.append(("loop", timeout))
            return ready

    return {"loop_factory": lambda: asyncio.SelectorEventLoop(Counting())}


def counting_trio(waits):
    """Return what has trio note for how long it has nothing to do."""

    class Counting:
        def before_io_wait(self, timeout):
            if _is_wait(timeout):
                waits.append(("loop", timeout))

    return {"instruments": [Counting()]}


COUNTING = {"asyncio": counting_asyncio, "trio": counting_trio}
