"""Audit events (PEP 578) of the process: one hook for all who listen, as each hook costs every event a call.

Light, as the plugin reads it at start.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

__all__ = ("listen",)

Listener: TypeAlias = Callable[[str, tuple[Any, ...]], None]

_listeners: dict[str, tuple[Listener, ...]] = {}
"""By event. A hook cannot be taken back, and is in place once there is one."""


def listen(events: Iterable[str], listener: Listener) -> None:
    """Have a function called with each of these events from now on, with name and arguments; asked twice, it is once."""
    hooked = bool(_listeners)
    for event in events:
        known = _listeners.get(event, ())
        if listener not in known:
            _listeners[event] = (*known, listener)
    if not hooked:
        sys.addaudithook(_heard)


def _heard(event: str, args: tuple[Any, ...]) -> None:
    if event in _listeners:
        for listener in _listeners[event]:
            listener(event, args)
