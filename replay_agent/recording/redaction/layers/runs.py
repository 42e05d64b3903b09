"""Where long runs of some characters stand in a text, found at the speed of a search for a literal, and which were seen."""

from __future__ import annotations

from array import array
from collections.abc import Iterator

__all__ = "Runs", "Seen"

_SLOTS = 1 << 12


class Runs:
    """Runs of so many of these characters or more: of ordinary text none, which takes a millisecond a megabyte to see."""

    def __init__(self, characters: bytes, least: int) -> None:
        self._table = bytes(each in characters for each in range(256))
        self._run = b"\1" * least

    def of(self, text: bytes) -> Iterator[tuple[int, int]]:
        """Yield where each run begins and ends."""
        marks = text.translate(self._table)
        place = marks.find(self._run)
        while place >= 0:
            end = marks.find(b"\0", place)
            end = len(marks) if end < 0 else end
            yield place, end
            place = marks.find(self._run, end)


class Seen:
    """Texts that were looked at, in a table that does not grow: of two that share a place the later one is known.

    Texts are told apart by their hashes, of 64 bits and another key in each process. May be shared by threads.
    """

    def __init__(self) -> None:
        self._hashes = array("q", bytes(8 * _SLOTS))

    def __contains__(self, text: bytes) -> bool:
        digest = hash(text)
        return self._hashes[digest & (_SLOTS - 1)] == digest

    def add(self, text: bytes) -> None:
        """Know a text, which is not empty, from now on."""
        digest = hash(text)
        self._hashes[digest & (_SLOTS - 1)] = digest
