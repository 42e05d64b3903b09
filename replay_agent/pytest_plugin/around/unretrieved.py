"""Misses that nobody retrieves, and tracebacks that only repeat one: the test fails for them, and that is enough said."""

from __future__ import annotations

import logging
import re
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from replay_agent.exceptions import CassetteMiss, CassetteMissError

__all__ = "left_unsaid", "without_tracebacks"

_MISSES: frozenset[type] = frozenset({CassetteMiss, CassetteMissError})
_TRACEBACK = "Traceback (most recent call last):"
_RAISED = re.compile(r"\b(?:CassetteMiss|CassetteMissError|FailingMiss|MissesInCleanup): (.*)")
_MARGIN = re.compile(r"[\s|+]*")
_CHAINED = re.compile(
    r"[\s|+]*(?:During handling of the above exception, another exception occurred|"
    r"The above exception was the direct cause of the following exception):\s*"
)
_LEFT_OUT = "(a traceback that repeats the miss is left out)"


@contextmanager
def left_unsaid() -> Iterator[None]:
    """Keep threads, finalizers and event loops from telling of a miss what its test tells already.

    pytest would show each as a warning, asyncio as a record in the log, all with a traceback through the client.
    """
    asyncio = logging.getLogger("asyncio")
    former = threading.excepthook, sys.unraisablehook
    threading.excepthook = _unless_missed(former[0])
    sys.unraisablehook = _unless_missed(former[1])
    asyncio.addFilter(_is_no_miss)
    try:
        yield
    finally:
        asyncio.removeFilter(_is_no_miss)
        threading.excepthook, sys.unraisablehook = former


def _unless_missed(hook: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def told(unhandled: Any) -> Any:
        return None if _is_miss(unhandled.exc_type) else hook(unhandled)

    return told


def _is_miss(kind: type[BaseException]) -> bool:
    """Tell whether errors of this class are misses, without asking the class: that would say that this one is expected."""
    return not _MISSES.isdisjoint(kind.__mro__)


def _is_no_miss(record: logging.LogRecord) -> bool:
    return not (record.exc_info and record.exc_info[0] and _is_miss(record.exc_info[0]))


def without_tracebacks(text: str, misses: Sequence[str]) -> str:
    """Return captured output without the tracebacks that end in one of these misses, whose texts are given."""
    told = {line.strip() for miss in misses for line in miss.split("\n")}
    lines: list[str] = []
    rest = iter(text.split("\n"))
    for line in rest:
        raised = _RAISED.search(line)
        if raised is None or raised[1].strip() not in told:
            lines.append(line)
            continue
        _take_back(lines)
        lines += [_LEFT_OUT, *_behind(rest, told)]
    return "\n".join(
        line for place, line in enumerate(lines) if line != _LEFT_OUT or lines[place - 1 : place] != [line]
    )


def _take_back(lines: list[str]) -> None:
    """Remove the traceback at the end, and what says that it comes of the one before, which was left out too."""
    begins = [place for place, line in enumerate(lines) if _TRACEBACK in line]
    if begins:
        del lines[begins[-1] :]
    while lines and (not _MARGIN.sub("", lines[-1]) or _CHAINED.fullmatch(lines[-1])):
        lines.pop()


def _behind(rest: Iterator[str], told: set[str]) -> Iterator[str]:
    """Pass over the further lines of the miss; give what comes behind them."""
    for line in rest:
        if _MARGIN.sub("", line) and line.strip(" |+") not in told:
            yield line
            return
