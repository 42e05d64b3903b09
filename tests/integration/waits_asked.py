"""Counts the waits that code asks for: sleeps, events, and event loops that have nothing to do until a timer goes off."""

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


@contextmanager
def counted():
    """Yield the list of what this thread asks to wait for, in seconds; nobody waits for a sleep meanwhile."""
    waits: list[tuple[str, Any]] = []
    here = threading.get_ident()

    def note(what, seconds):
        if threading.get_ident() == here and (seconds is None or seconds > LEAST):
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
    """Return what makes event loops of asyncio that note for how long they have nothing to do."""

    class Counting(selectors.DefaultSelector):
        def select(self, timeout=None):
            if timeout is None or timeout > LEAST:
                waits.append(("loop", timeout))
            return super().select(timeout)

    return {"loop_factory": lambda: asyncio.SelectorEventLoop(Counting())}


def counting_trio(waits):
    """Return what has trio note for how long it has nothing to do."""

    class Counting:
        def before_io_wait(self, timeout):
            if timeout > LEAST:
                waits.append(("loop", timeout))

    return {"instruments": [Counting()]}


COUNTING = {"asyncio": counting_asyncio, "trio": counting_trio}
