"""Ctrl-C where it must not be lost, and where it has to wait."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = "heeded", "postponed"


@contextmanager
def heeded() -> Iterator[None]:
    """Raise ``KeyboardInterrupt`` at the end of the block if somebody has pressed ctrl-C in it and foreign code went on.

    pytest makes an exit status of it, an import that is tried may take it for a module that is not there, and what is
    raised while a generator is closed by its last owner is printed and forgotten.
    """
    presses = _Presses(waits=False)
    with presses.counted(), _not_printed():
        yield
    if presses.times:
        raise KeyboardInterrupt


@contextmanager
def postponed() -> Iterator[None]:
    """Let ctrl-C wait until the end of the block: for a few steps of which all are done, or none."""
    presses = _Presses(waits=True)
    try:
        with presses.counted():
            yield
    finally:
        if presses.times:
            raise KeyboardInterrupt


@contextmanager
def _not_printed() -> Iterator[None]:
    """Leave ctrl-C out of what Python prints when it has nobody to raise it to."""
    before = sys.unraisablehook

    def tell(unraisable: sys.UnraisableHookArgs) -> None:
        if not issubclass(unraisable.exc_type, KeyboardInterrupt):
            before(unraisable)

    sys.unraisablehook = tell
    try:
        yield
    finally:
        sys.unraisablehook = before


class _Presses:
    """Counts how often ctrl-C was pressed, and passes it on unless it is to wait."""

    def __init__(self, *, waits: bool) -> None:
        self.times = 0
        self._waits = waits
        self._before: Callable[[int, FrameType | None], object] = signal.default_int_handler

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self.times += 1
        if not self._waits:
            self._before(number, frame)

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count, where ctrl-C is handled as usual: not in a thread, nor where somebody has a way of his own."""
        before = signal.getsignal(signal.SIGINT)
        is_usual = before is signal.default_int_handler or isinstance(before, _Presses)
        if not (is_usual and callable(before)) or threading.current_thread() is not threading.main_thread():
            yield
            return
        self._before = before
        signal.signal(signal.SIGINT, self)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)
