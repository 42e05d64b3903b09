"""Keeps frozen random numbers going through a test, whoever seeds the generator between its phases.

pytest-randomly and its like seed it in their own hooks, before fixtures, test and teardown. What runs within those
phases, fixtures and the test itself, may seed as it likes: that is the same in each session.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

__all__ = ("KeptRandom",)


class KeptRandom:
    """What is kept for one test, from when its recording was opened, that is, seeded, to its last fixture."""

    def __init__(self, item: pytest.Item) -> None:
        self._item = item
        self._state = random.getstate()
        self._phases = {name: vars(item).get(name) for name in ("setup", "runtest")}
        for name in self._phases:
            setattr(item, name, self._keeping(getattr(item, name)))

    def leave(self) -> None:
        """Give the item its own methods back."""
        for name, own in self._phases.items():
            delattr(self._item, name)
            if own is not None:
                setattr(self._item, name, own)

    def _keeping(self, phase: Callable[[], None]) -> Callable[[], None]:
        def keeping() -> None:
            self._take_up()
            try:
                phase()
            finally:
                self._state = random.getstate()
                self._item.addfinalizer(self._take_up)  # the last to be added is the first to be called

        return keeping

    def _take_up(self) -> None:
        random.setstate(self._state)
