"""Replaced attributes, put back exactly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = "MARK", "Patch"

MARK = "__replay_agent_original__"
"""The attribute of a replacement that holds what it replaces."""


class Patch:
    """One attribute of a class or module, to be replaced by ``make(original)``.

    If somebody else replaces the attribute after us, `undo` leaves theirs in place: what they call then is our
    replacement, which must behave like the original when no recording is open.
    """

    def __init__(self, owner: Any, name: str, make: Callable[[Any], Any]) -> None:
        self._owner = owner
        self._name = name
        self._make = make
        self._applied: Any = None
        self._was_own = True

    def apply(self) -> None:
        """Put the replacement in place."""
        current = getattr(self._owner, self._name)
        original = getattr(current, MARK, current)
        if self._applied is None or getattr(self._applied, MARK) is not original:
            self._applied = self._make(original)
            setattr(self._applied, MARK, original)
        self._was_own = self._name in vars(self._owner)
        setattr(self._owner, self._name, self._applied)

    def undo(self) -> None:
        """Put the original back."""
        if vars(self._owner).get(self._name) is not self._applied:
            return
        if self._was_own:
            setattr(self._owner, self._name, getattr(self._applied, MARK))
        else:
            delattr(self._owner, self._name)
