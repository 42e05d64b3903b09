"""Where long runs of some characters stand in a text, found at the speed of a search for a literal, and which were seen."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator

__all__ = "Runs", "Seen"

_SLOTS = 1 << 12
_BLOCK = 1 << 14
"""Bytes that are looked at together."""


class Runs:
    """Runs of so many of these characters or more: of ordinary text none, which takes a millisecond a megabyte to see."""

    def __init__(self, characters: bytes, least: int) -> None:
        self._table = bytes(each in characters for each in range(256))
        self._run = b"\1" * least
        self._rest = re.compile(b"[%b]*+" % re.escape(characters))

    def end(self, text: bytes, start: int) -> int:
        """Return where a run ends that begins at a place."""
        found = self._rest.match(text, start)
        return start if found is None else found.end()

    def of(self, text: bytes) -> Iterator[tuple[int, int]]:
        """Yield where each run begins and ends."""
        least, begin = len(self._run), -1
        for start in range(0, len(text), _BLOCK):
            marks = text[start : start + _BLOCK].translate(self._table)
            end = 0
            if begin >= 0:  # it began in a block before
                end = marks.find(b"\0")
                if end < 0:
                    continue
                if start + end - begin >= least:
                    yield begin, start + end
            place = marks.find(self._run, end)
            while place >= 0 and (end := marks.find(b"\0", place)) >= 0:
                yield start + place, start + end
                place = marks.find(self._run, end)
            open_at = len(marks.rstrip(b"\1"))
            begin = start + open_at if open_at < len(marks) else -1
        if begin >= 0 and len(text) - begin >= least:
            yield begin, len(text)


class Seen:
    """Texts that were looked at, in a table that does not grow: of two that share a place the later one is known.

    Texts are told apart by their hashes, of 64 bits and another key in each process. ``slots`` is a power of two. May be
    shared by threads.
    """

    def __init__(self, slots: int = _SLOTS) -> None:
        self._hashes = array("q", bytes(8 * slots))
        self._last = slots - 1

    def __contains__(self, text: bytes) -> bool:
        digest = hash(text)
        return self._hashes[digest & self._last] == digest

    def others(self, texts: Iterable[bytes]) -> list[bytes]:
        """Return of texts those that were not seen."""
        hashes, last = self._hashes, self._last
        return [text for text in texts if hashes[(digest := hash(text)) & last] != digest]

    def add(self, text: bytes) -> None:
        """Know a text, which is not empty, from now on."""
        digest = hash(text)
        self._hashes[digest & self._last] = digest

    def update(self, texts: Iterable[bytes]) -> None:
        """Know these texts from now on."""
        hashes, last = self._hashes, self._last
        for text in texts:
            digest = hash(text)
            hashes[digest & last] = digest
