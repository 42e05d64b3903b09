"""What entries of long lists became when they were last read or written: a history repeats those before."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from typing import NamedTuple

__all__ = ("Memory",)

_MOST_KNOWN = 2_000_000
"""Characters that are remembered: of two conversations of 200 long turns, one after the other."""
_MOST_RUNS = 4
"""Lists that are remembered as a whole: the last ones of as many agents, told apart by their first entries."""


class _Run(NamedTuple):
    """A list that was gone through: its text from the first entry on, where each begins in it, and what each became."""

    text: str
    starts: list[int]
    made: list[str]

    def shared(self, text: str, begin: int) -> int:
        """Tell how many entries another list begins with too, and what stands before the next; both are at least one."""
        own = self.text
        return bisect_left(self.starts, True, key=lambda end: not text.startswith(own[:end], begin)) - 1


class Memory:
    """Entries by their text. Forgets everything when it is full: what is asked for again comes soon after."""

    def __init__(self) -> None:
        self._made: dict[str, str] = {}
        self._runs: dict[str, _Run] = {}
        self._room = _MOST_KNOWN

    @property
    def size(self) -> int:
        """How many characters of entries are remembered."""
        return _MOST_KNOWN - self._room

    def get(self, entry: str) -> str | None:
        """Return what an entry became."""
        return self._made.get(entry)

    def keep(self, entry: str, made: str) -> None:
        """Remember an entry, unless there is room for it nowhere."""
        cost = len(entry) + len(made)
        if cost > self._room:
            self.clear()
        if cost <= self._room:
            self._room -= cost
            self._made[entry] = made

    def clear(self) -> None:
        """Forget everything."""
        self._made.clear()
        self._runs.clear()
        self._room = _MOST_KNOWN

    def entries(
        self, text: str, begin: int, read: Callable[[int], tuple[str, str]], next_to: Callable[[int], int | None]
    ) -> tuple[list[str], int]:
        """Return what the entries of a list become, the first of which is at ``begin``, and where the last one ends.

        ``read`` returns the text of the entry that is at a place, and what it becomes; ``next_to`` where the one behind it
        is, of which that entry is no part. What the list begins with as one before did is not gone through.
        """
        starts, made, at = list[int](), list[str](), begin
        while True:
            starts.append(at - begin)
            entry, became = read(at)
            made.append(became)
            end = at + len(entry)
            following = next_to(end)
            if len(made) == 1:
                first, run = entry, self._runs.get(entry)
                shared = run.shared(text, begin) if run is not None else 0
                if run is not None and shared > 1:
                    starts, made, following = run.starts[:shared], run.made[:shared], begin + run.starts[shared]
            if following is None:
                self._remember(first, _Run(text[begin:at], starts, made))
                return made, end
            at = following

    def _remember(self, first: str, run: _Run) -> None:
        if first in self._made:
            if len(self._runs) >= _MOST_RUNS and first not in self._runs:
                self._runs.clear()
            self._runs[first] = run
