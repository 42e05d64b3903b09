"""What is known of values without keeping them: two small numbers for each, in a few bytes."""

from __future__ import annotations

import os
from array import array
from hashlib import blake2b

__all__ = ("Digests",)

_FEWEST = 16
_SIZE = 8
"""Bytes of a digest. Two of a million values have the same one in one of forty million runs, and nobody can provoke it:
the digests are keyed anew in each process."""
_KEY = os.urandom(16)


class Digests:
    """A mapping from bytes to two numbers below 2**32, with open addressing: 20 to 40 bytes for each entry.

    A secret can be as short as its placeholder is long: a dictionary would take ten times the body that they are in.
    """

    def __init__(self) -> None:
        self._count = 0
        self._make(_FEWEST)

    def _make(self, size: int) -> None:
        self._digests = array("Q", bytes(8 * size))
        self._firsts = array("I", bytes(4 * size))
        self._seconds = array("I", bytes(4 * size))

    def __len__(self) -> int:
        return self._count

    def __contains__(self, value: bytes) -> bool:
        return bool(self._digests[self._slot(_digest(value))])

    def get(self, value: bytes) -> tuple[int, int] | None:
        """Return what is kept for a value, None if nothing is."""
        slot = self._slot(_digest(value))
        return (self._firsts[slot], self._seconds[slot]) if self._digests[slot] else None

    def put(self, value: bytes, first: int = 0, second: int = 0) -> None:
        """Keep two numbers for a value, in the place of what was kept before."""
        self._put(_digest(value), first, second)
        if 4 * self._count > 3 * len(self._digests):
            self._grow()

    def _put(self, digest: int, first: int, second: int) -> None:
        slot = self._slot(digest)
        self._count += not self._digests[slot]
        self._digests[slot], self._firsts[slot], self._seconds[slot] = digest, first, second

    def _grow(self) -> None:
        kept = self._digests, self._firsts, self._seconds
        self._count = 0
        self._make(len(self._digests) * 3 // 2)
        for digest, first, second in zip(*kept, strict=True):
            if digest:
                self._put(digest, first, second)

    def _slot(self, digest: int) -> int:
        """Return where a digest is, or the free place where it would be."""
        digests = self._digests
        size = len(digests)
        slot = digest % size
        while digests[slot] not in (0, digest):
            slot = (slot + 1) % size
        return slot


def _digest(value: bytes) -> int:
    return int.from_bytes(blake2b(value, digest_size=_SIZE, key=_KEY).digest(), "little") or 1
