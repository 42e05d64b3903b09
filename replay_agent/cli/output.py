"""What every command tells the terminal: findings, complaints, how far it is; and what it asks there."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from replay_agent.surroundings.visible import visible

if TYPE_CHECKING:
    from pathlib import Path

__all__ = (
    "CLEAN",
    "FINDINGS",
    "INTERRUPTED",
    "MISUSE",
    "agreed",
    "complain",
    "hand_over",
    "has_colour",
    "is_asked",
    "progress_of",
    "say",
)

CLEAN, FINDINGS, MISUSE = 0, 1, 2
_SOON = 50
"""So many files are done before anybody asks how far it is."""
INTERRUPTED = 130
"""What a shell returns for a program that ctrl-C has ended."""


def say(what: object, file: TextIO | None = None) -> None:
    """Print what a terminal may be trusted with."""
    print(visible(str(what)), file=file, flush=True)


def hand_over(page: str, path: Path | None) -> None:
    """Write a page to a file and say so, or print it as it is: it goes into a file then, not to a terminal."""
    if path is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(f"{page}\n".encode())  # which says of itself that it is UTF-8, whatever a terminal is
        sys.stdout.buffer.flush()
        return
    from replay_agent.report.page.writing import write_whole

    write_whole(path, page)
    say(f"written: {path}")


def complain(what: object) -> None:
    """Print a complaint where it is no part of the result."""
    say(f"replay-agent: {what}", file=sys.stderr)


def has_colour(stream: TextIO) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


@contextmanager
def progress_of(done: str, soon: int = _SOON) -> Iterator[Callable[[int, int], None] | None]:
    """Say on a terminal how far long work has come, on one line that goes away again; nowhere else.

    Of no more than ``soon`` steps nothing is said.
    """
    if not _is_watched():
        yield None
        return

    def show(number: int, of: int) -> None:
        if of > soon and (number % (1 + of // 100) == 0 or number == of):
            _show(f"{number:,} of {of:,} {done}")

    try:
        yield show
    finally:
        clear_line()


@contextmanager
def busy(doing: str) -> Iterator[None]:
    """Say on a terminal what takes its time, on a line that goes away again; nowhere else."""
    if _is_watched():
        _show(f"{doing} ...")
    try:
        yield
    finally:
        clear_line()


def clear_line() -> None:
    """Take away what says how far it is, where a result is to stand."""
    if _is_watched():
        _show("")


def _is_watched() -> bool:
    return sys.stderr.isatty() and sys.stdout.isatty()


def _show(line: str) -> None:
    print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)


def is_asked() -> bool:
    """Tell whether somebody sits at a terminal who can be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def agreed(question: str) -> bool:
    """Ask where somebody sits at a terminal; a script has said what it wants."""
    if not is_asked():
        return True
    try:
        return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False
