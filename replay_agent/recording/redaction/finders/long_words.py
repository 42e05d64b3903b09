"""The long words of a text, the only ones in which a token can be, and what is found in them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

from replay_agent.recording.redaction.layers.runs import Runs
from replay_agent.recording.redaction.spans import Span

__all__ = "CHARACTERS", "LONG_WORDS", "SHORTEST", "find_in_words", "words_at"

CHARACTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./+=%@~"
"""Those of tokens and of their marks. Whatever is beside a run of them is no part of a token."""
SHORTEST = 15
"""Characters of the shortest token with its mark: ``xoxb-0123456789``."""
LONG_WORDS = Runs(CHARACTERS, SHORTEST)
_BATCH = 1 << 13
"""Bytes of words that are looked at together, so that a short one costs no call of each rule."""

Ordered: TypeAlias = tuple[int, Span]
"""A secret, and the place of its rule among the rules."""
Bounds: TypeAlias = tuple[int, int]


def words_at(text: bytes, starts: Sequence[int] | None) -> Iterator[Bounds]:
    """Yield where the long words of a text begin and end: those that begin at some places, or all."""
    if starts is None:
        yield from LONG_WORDS.of(text)
        return
    for start in starts:
        yield start, LONG_WORDS.end(text, start)


def find_in_words(
    text: bytes, words: Iterable[Bounds], find: Callable[[bytes], Iterable[Ordered]]
) -> Iterator[Ordered]:
    """Yield what is found in words, of which ``find`` sees each in a line of its own, at its place in the text."""
    batch: list[Bounds] = []
    size = 0
    for start, end in words:
        batch.append((start, end))
        size += end - start
        if size > _BATCH:
            yield from _in_batch(text, batch, find)
            batch, size = [], 0
    if batch:
        yield from _in_batch(text, batch, find)


def _in_batch(text: bytes, words: Sequence[Bounds], find: Callable[[bytes], Iterable[Ordered]]) -> Iterator[Ordered]:
    ends: list[int] = []
    end = -1
    for first, last in words:
        end += last - first + 1
        ends.append(end)
    for order, span in find(b"\n".join(text[first:last] for first, last in words)):
        number = bisect_right(ends, span.start)
        shift = words[number][1] - ends[number]
        yield order, span._replace(start=span.start + shift, end=span.end + shift)
