"""Placeholder keys between two replayed tests: still in place, but gone as soon as anybody looks for one.

To set and remove four dozen variables takes a tenth of a replayed test. Whoever asks `os.environ` for one of them, goes
through all of it or changes one, and whoever starts a process, finds them taken back; only what is compiled and asks the
system by itself does not.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from copy import copy
from typing import Any

from replay_agent.surroundings import audit_events, credentials

__all__ = "claim", "leave", "take_back"

_left: list[dict[str, str]] = []
"""What was left in place: one at most."""
_plain: list[tuple[Any, type, type]] = []
"""The environments of the process, as text and as bytes, with their own class and with the one that watches."""
_STARTING = frozenset(
    {
        "_winapi.CreateProcess",
        "os.exec",
        "os.fork",
        "os.forkpty",
        "os.posix_spawn",
        "os.spawn",
        "os.system",
        "subprocess.Popen",
    }
)
"""The audit events (PEP 578) of what hands the environment on."""


def leave(placed: dict[str, str]) -> None:
    """Leave in place what `credentials.place` returned, for `claim`, as long as nobody looks.

    What a test has changed meanwhile is taken back at once.
    """
    take_back()
    if not placed:
        return
    if not credentials.is_in_place(placed) or not _watching():
        credentials.remove(placed)
        return
    _left.append(placed)
    for environ, _, watching in _plain:
        environ.__class__ = watching


def claim() -> dict[str, str]:
    """Return what was left, and is just what would be placed now; nothing where somebody has looked."""
    placed = _no_longer_left()
    _look_away()
    return placed


def take_back() -> None:
    """Remove what was left, if it is still there."""
    placed = _no_longer_left()
    if placed:
        _look_away()
        credentials.remove(placed)


def _no_longer_left() -> dict[str, str]:
    try:
        return _left.pop()
    except IndexError:  # also where another thread has looked at the same moment
        return {}


def _look_away() -> None:
    for environ, plain, watching in _plain:
        if type(environ) is watching:
            environ.__class__ = plain


def _watching() -> bool:
    """Make ready to see who looks, and tell whether that can be seen."""
    if _plain and _plain[0][0] is os.environ and _plain[-1][0] is getattr(os, "environb", os.environ):
        return True
    present = [os.environ, *([os.environb] if os.supports_bytes_environ else [])]
    if not all(isinstance(vars(each).get("_data"), dict) for each in present):
        return False  # somebody has put something else in the place of the environment
    audit_events.listen(_STARTING, _audited)
    _plain[:] = [(each, type(each), _class_that_watches(each)) for each in present]
    return True


def _audited(_event: str, _args: tuple[Any, ...]) -> None:
    take_back()


def _class_that_watches(environ: Any) -> type:
    """Return a class for an environment whose methods take back what was left where that makes a difference."""
    plain: Any = type(environ)
    same = copy(environ)  # the same variables, watched by nobody
    concerned = _concerned(environ)

    class Watched(plain):  # type: ignore[misc]
        """Every other method goes by these."""

        __slots__ = ()

        def __getitem__(self, key: Any) -> Any:
            return _through(key)[key]

        def __setitem__(self, key: Any, value: Any) -> None:
            _through(key)[key] = value

        def __delitem__(self, key: Any) -> None:
            del _through(key)[key]

        def __reduce_ex__(self, protocol: Any) -> Any:
            take_back()
            return same.__reduce_ex__(protocol)

        @property
        def _data(self) -> Any:
            take_back()
            return vars(self)["_data"]

    def _through(key: Any) -> Any:
        if concerned(key):
            take_back()
        return same

    return Watched


def _concerned(environ: Any) -> Callable[[Any], bool]:
    """Return what tells whether a key is one of those that decide what is placed, whatever its case is."""
    deciding = credentials.deciding_variables()
    kind, names = (str, deciding) if environ is os.environ else (bytes, frozenset(map(os.fsencode, deciding)))

    def concerned(key: Any) -> bool:
        return isinstance(key, kind) and key.upper() in names

    return concerned
