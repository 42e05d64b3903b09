"""What a forked process knows of its parent's network: a file without a name, in which the parent says who shuts it.

A worker that was forked before the first replayed test (the process pool of a module) has copies of everything as it was
then. The file is shared: it is made at the first fork, written at each change and read at each connect of the child. A
process that never forks pays for nothing but one registered function.
"""

from __future__ import annotations

import os
from collections.abc import Callable

__all__ = "at_fork", "heard", "is_child", "say", "unwatch", "watch"

_MARK = b"replay-agent "
"""What the file begins with: a child may have closed it, and its number may be another file's by now."""
_LONGEST = 1 << 16


class _Board:
    """The file, and who this process is to it."""

    def __init__(self) -> None:
        self.registered = self.watching = self.child = False
        self.file: int | None = None
        self.says: Callable[[], bytes] = bytes
        self.acts: dict[Callable[[], None], None] = {}
        """What a child does when it begins, in this order, each once."""

    def before_fork(self) -> None:
        if self.watching and self.file is None:
            self.file = _nameless()
            self.write()

    def in_child(self) -> None:
        if not self.watching or self.child:
            return
        self.child = True
        for act in self.acts:
            act()

    def write(self) -> None:
        if self.file is not None:
            said = self.says()
            os.pwrite(self.file, _MARK + (said if len(said) < _LONGEST - len(_MARK) else b"") + b"\n", 0)

    def read(self) -> bytes:
        if self.file is None:
            return b""
        try:
            line = os.pread(self.file, _LONGEST, 0).partition(b"\n")[0]
        except OSError:
            return b""
        return line.removeprefix(_MARK) if line.startswith(_MARK) else b""


_board = _Board()


def _nameless() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("replay-agent")
    import tempfile

    number, name = tempfile.mkstemp()
    os.unlink(name)  # noqa: PTH108 - no pathlib where little may be imported
    return number


def watch() -> None:
    """Let processes that are forked from now on know. Does nothing where there is no fork."""
    if _board.watching or not hasattr(os, "register_at_fork"):
        return
    if not _board.registered:
        os.register_at_fork(before=_board.before_fork, after_in_child=_board.in_child)
    _board.registered = _board.watching = True


def at_fork(act: Callable[[], None]) -> None:
    """Have processes that are forked while this one watches call a function when they begin."""
    _board.acts[act] = None


def unwatch() -> None:
    """Leave processes that are forked from now on alone."""
    _board.watching = False


def is_child() -> bool:
    """Tell whether this process was forked from one that says how its network is."""
    return _board.child


def say(who: Callable[[], bytes]) -> None:
    """Tell the children who shuts the network, as one line; nothing for an open one. A child has nobody to tell.

    ``who`` is asked when there are children, and not before.
    """
    if _board.child:
        return
    _board.says = who
    if _board.file is not None:
        _board.write()


def heard() -> bytes:
    """Return what the parent says at this moment; nothing if the network is open, or the file is gone."""
    return _board.read()
