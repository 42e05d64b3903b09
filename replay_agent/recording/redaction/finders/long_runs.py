"""The long words of a text, the only ones in which a token can be; each is looked at once, however often it stands there.

Ids, addresses, names of headers and models repeat from message to message and from file to file.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from replay_agent.recording.redaction.layers.runs import Runs, Seen
from replay_agent.recording.redaction.spans import Span

__all__ = "CHARACTERS", "SHORTEST", "LongRuns"

CHARACTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./+=%@~"
"""Those of tokens and of their marks. Whatever is beside a run of them is no part of a token."""
SHORTEST = 15
"""Characters of the shortest token with its mark: ``xoxb-0123456789``."""
_BATCH = 1 << 13
"""Bytes of words that are looked at together, so that a short one costs no call of each rule."""

Ordered: TypeAlias = tuple[int, Span]
"""A secret, and the place of its rule among the rules."""


class LongRuns:
    """Finds what ``find`` does in the long words of a text, of which it sees each in a line of its own.

    May be shared by threads.
    """

    def __init__(self, find: Callable[[bytes], Iterable[Ordered]]) -> None:
        self._find = find
        self._runs = Runs(CHARACTERS, SHORTEST)
        self._clean = Seen()

    def find(self, text: bytes) -> Iterator[Ordered]:
        """Yield what is found, at its place in the text."""
        batch: list[bytes] = []
        starts: list[int] = []
        size = 0
        clean = self._clean
        for start, end in self._runs.of(text):
            run = text[start:end]
            if run not in clean:
                batch.append(run)
                starts.append(start)
                size += end - start
                if size > _BATCH:
                    yield from self._in_batch(batch, starts)
                    batch, starts, size = [], [], 0
        if batch:
            yield from self._in_batch(batch, starts)

    def _in_batch(self, batch: list[bytes], starts: list[int]) -> Iterator[Ordered]:
        ends: list[int] = []
        end = -1
        for run in batch:
            end += len(run) + 1
            ends.append(end)
        touched: set[int] = set()
        for order, span in self._find(b"\n".join(batch)):
            number = bisect_right(ends, span.start)
            touched.add(number)
            shift = starts[number] - (ends[number] - len(batch[number]))
            yield order, span._replace(start=span.start + shift, end=span.end + shift)
        for number, run in enumerate(batch):
            if number not in touched:
                self._clean.add(run)
