"""Places in a body that are to be replaced, and a body in pieces that keeps its boundaries while they are."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple, TypeAlias

__all__ = "Draft", "Finder", "Span", "Text", "disjoint"


class Span(NamedTuple):
    """Bytes from ``start`` to ``end``, what comes in their place, and the rule that wants it so."""

    start: int
    end: int
    text: bytes
    rule: str


_BLANKED = bytes(
    byte if byte in b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_.=" else 32
    for byte in range(256)
)
_LONG = 15


class Text:
    """Bytes to look through, and what tells cheaply that there is nothing to be found; worked out once for all finders."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    @cached_property
    def words(self) -> bytes:
        """The runs of letters, digits and ``+/-_.=`` long enough for a token or for base64, one blank between them."""
        return b" ".join([word for word in self.data.translate(_BLANKED).split() if len(word) >= _LONG])

    @cached_property
    def names(self) -> frozenset[bytes]:
        """What stands between a quotation mark and ``":``, which the names of JSON fields do."""
        pieces = self.data.split(b'":')
        spaced = self.data.split(b'" :') if b'" :' in self.data else ()
        return frozenset(piece[piece.rfind(b'"') + 1 :].rstrip(b"\\") for piece in (*pieces[:-1], *spaced[:-1]))


Finder: TypeAlias = Callable[[Text], list[Span]]
"""Finds secrets: places in order that do not overlap. Costs next to nothing where there is none."""


def disjoint(spans: Iterable[Span]) -> list[Span]:
    """Return spans in order, without those that overlap one before them (the longer one of two that begin together)."""
    kept: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        if not kept or span.start >= kept[-1].end:
            kept.append(span)
    return kept


class Draft:
    """A body on its way to the disk: its bytes, and where its pieces end."""

    def __init__(self, data: bytes, cuts: Sequence[int] = ()) -> None:
        self.text = Text(data)
        self.cuts = list(cuts)
        self.rules: list[str] = []
        """The rules that replaced something."""

    @property
    def data(self) -> bytes:
        return self.text.data

    def apply(self, find: Finder) -> None:
        """Replace what a finder finds. A boundary within a replaced place goes to its end."""
        found = find(self.text)
        spans = [span for span in found if self.data[span.start : span.end] != span.text] if found else found
        if spans:
            self.replace(spans)

    def replace(self, spans: Sequence[Span]) -> None:
        """Replace these places, which are in order and do not overlap."""
        self.rules.extend(span.rule for span in spans)
        starts = [span.start for span in spans]
        shifts = [0]
        pieces: list[bytes] = []
        data, position = self.data, 0
        for span in spans:
            pieces += data[position : span.start], span.text
            position = span.end
            shifts.append(shifts[-1] + len(span.text) - (span.end - span.start))
        self.text = Text(b"".join((*pieces, data[position:])))
        self.cuts = [_moved(cut, spans, shifts, bisect_right(starts, cut)) for cut in self.cuts]

    def pieces(self) -> list[bytes]:
        """Return the bytes between the boundaries, as many pieces as there are boundaries."""
        data = self.data
        return [data[start:end] for start, end in pairwise((0, *self.cuts))]


def _moved(cut: int, spans: Sequence[Span], shifts: Sequence[int], before: int) -> int:
    """Return a boundary's new place; ``before`` spans begin at it or before it."""
    if before and spans[before - 1].start < cut < spans[before - 1].end:
        cut = spans[before - 1].end
    elif before and spans[before - 1].start == cut:
        before -= 1
    return cut + shifts[before]
