"""Places in a body that are to be replaced, and what becomes of the body and of the ends of its pieces."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeAlias

__all__ = "Finder", "Place", "Span", "merged", "moved", "replaced"


class Span(NamedTuple):
    """A secret in a text: bytes from ``start`` to ``end``, the rule that says so, and the secret in plain."""

    start: int
    end: int
    rule: str
    value: bytes = b""
    text: bytes | None = None
    """What comes in its place, where that is no placeholder: base64 written anew around one."""
    quoted: bool = False
    """Whether a placeholder needs quotation marks here: it takes the place of a number, an object or a list of JSON."""
    stands_in: bool = False
    """Whether this is no secret itself, but what a replay or another recorder has in a secret's place."""


Finder: TypeAlias = Callable[[bytes], Iterable[Span]]
"""Finds secrets in a text whose escapes are undone, in time that grows with its size."""


class Place(NamedTuple):
    """Bytes from ``start`` to ``end``, and what comes in their place."""

    start: int
    end: int
    text: bytes


def merged(spans: Iterable[Span]) -> list[Span]:
    """Return spans in order, those that overlap made one; of two for the same place the first one given stays."""
    kept: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start, -span.end, span.text is not None)):
        if kept and span.start < kept[-1].end:
            kept[-1] = _joined(kept[-1], span)
        else:
            kept.append(span)
    return kept


def _joined(first: Span, second: Span) -> Span:
    """Return one span for two that overlap. Where neither holds the other, nothing of either may be left over."""
    if second.end <= first.end:
        covers = first.text is None or second.text is not None
        return first if covers else second._replace(start=first.start, end=first.end)
    longer = first if first.end - first.start >= second.end - second.start else second
    return longer._replace(start=first.start, end=second.end, text=None)


def replaced(data: bytes, places: Sequence[Place]) -> bytes:
    """Return the bytes with these places, which are in order and do not overlap, replaced."""
    pieces: list[bytes] = []
    position = 0
    for place in places:
        pieces += data[position : place.start], place.text
        position = place.end
    return b"".join((*pieces, data[position:]))


def moved(cuts: Sequence[int], places: Sequence[Place]) -> list[int]:
    """Return where pieces end that ended at ``cuts`` before; an end within a place goes to the end of that place."""
    starts = [place.start for place in places]
    shifts = [0]
    for place in places:
        shifts.append(shifts[-1] + len(place.text) - (place.end - place.start))
    return [_moved(cut, places, shifts, bisect_right(starts, cut)) for cut in cuts]


def _moved(cut: int, places: Sequence[Place], shifts: Sequence[int], before: int) -> int:
    """Return an end's new place; ``before`` places begin at it or before it."""
    if before and places[before - 1].start < cut < places[before - 1].end:
        cut = places[before - 1].end
    elif before and places[before - 1].start == cut:
        before -= 1
    return cut + shifts[before]
