"""Where rules may find something in a text, told by its different pieces and not by its places.

A text is cut at its lines and commas. The same pieces stand there again and again, from message to message, from level to
level of escapes and from file to file: each different one is looked at once, by the anchor of every rule, and one without
any is known again. Rules look at the few places that are left.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, islice
from typing import TypeAlias

from replay_agent.recording.redaction.layers.runs import Seen

__all__ = "Anchor", "Sieve", "anchored"

Anchor: TypeAlias = Callable[[bytes], Iterable[int]]
"""Finds the places where its rule may find something, in pieces of which each is on a line of its own.

It sees one piece without those around it: of all that the rule finds, some part must show in one piece. What it finds too
often costs time, what it does not find is not looked at.
"""
_Marks: TypeAlias = list[tuple[int, int]]
"""Numbers of anchors, and where in a piece they are."""

_CUT = bytes.maketrans(b",", b"\n")
_CUTS = re.compile(rb"[\n,]")
_BLOCK = 1 << 16
"""Bytes whose pieces are told apart at once: as objects, pieces take several times their bytes."""
_SLOTS = 1 << 14
_ROOMY = 256
"""Bytes of a text for each place of an anchor; where there are more, the rule looks at all of the text."""


def anchored(*patterns: bytes) -> Anchor:
    """Return an anchor for what begins as one of these patterns does; each begins with a literal, which is fast to find."""
    compiled = [re.compile(pattern) for pattern in patterns]
    return lambda pieces: (found.start() for pattern in compiled for found in pattern.finditer(pieces))


def _most(size: int) -> int:
    return size // _ROOMY + 64


class Sieve:
    """The anchors of a set of rules, and the pieces that have none of them. May be shared by threads."""

    def __init__(self, anchors: Iterable[Anchor]) -> None:
        self._anchors = tuple(dict.fromkeys(anchors))
        self._dull = Seen(_SLOTS)

    def places(self, text: bytes) -> dict[Anchor, array[int] | None]:
        """Return where in a text each anchor is; None of one that has too many places to look at them alone."""
        found = [array("Q") for _ in self._anchors]
        many: set[int] = set()
        most = _most(len(text))
        for start, pieces in _pieces(text):
            for place, number in _placed(start, pieces, self._marked(pieces, many)):
                if len(found[number]) < most:
                    found[number].append(place)
                else:
                    many.add(number)
        return {anchor: None if number in many else found[number] for number, anchor in enumerate(self._anchors)}

    def _marked(self, pieces: Iterable[bytes], many: set[int]) -> Mapping[bytes, _Marks]:
        """Return the pieces that have anchors, and know those that have none; of some anchors there may be too ``many``."""
        fresh = self._dull.others(set(pieces))
        marked: dict[bytes, _Marks] = {}
        if not fresh:
            return marked
        lines = b"\n%b\n" % b"\n".join(fresh)
        most, is_whole = _most(len(lines)), True
        for number, anchor in enumerate(self._anchors):
            begin, end, marks = 0, -1, []
            for count, place in enumerate(islice(anchor(lines), most)):
                if not begin <= place <= end:
                    begin, end = lines.rfind(b"\n", 0, place) + 1, lines.find(b"\n", place)
                    marks = marked.setdefault(fresh[0] if len(fresh) == 1 else lines[begin:end], [])
                marks.append((number, place - begin))
                if count + 1 == most:
                    many.add(number)
                    is_whole = False
        if is_whole:
            self._dull.update(piece for piece in fresh if piece not in marked)
        return marked


def _placed(start: int, pieces: Sequence[bytes], marked: Mapping[bytes, _Marks]) -> Iterator[tuple[int, int]]:
    """Yield where anchors are in a text whose pieces begin at a place of it, and the numbers of the anchors."""
    if marked:
        begins = accumulate(map(len, pieces), initial=start)  # but for the cuts between them
        for count, (marks, begin) in enumerate(zip(map(marked.get, pieces), begins, strict=False)):
            if marks is not None:
                for number, at in marks:
                    yield begin + count + at, number


def _pieces(text: bytes) -> Iterator[tuple[int, Sequence[bytes]]]:
    """Yield pieces that follow each other, and where in the text the first of them begins."""
    start = 0
    while start < len(text):
        end = len(text)
        if start + _BLOCK < end:
            end = max(text.rfind(cut, start, start + _BLOCK) for cut in (b"\n", b","))
            if end < 0:  # one long piece
                cut = _CUTS.search(text, start + _BLOCK)
                end = len(text) if cut is None else cut.start()
                yield start, (text[start:end],)
                start = end + 1
                continue
        yield start, text[start:end].translate(_CUT).split(b"\n")
        start = end + 1
