"""Finds secrets that a stream brings piece by piece: a model that repeats a key does so in several events.

In events and JSON lines alike, texts under one key follow each other from line to line (``content``, ``partial_json``, ``delta``, ...).
Joined, they are looked through as any body; of a place that spans several pieces, the first piece keeps the placeholder and
the others lose their share.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

from replay_agent.recording.redaction.spans import Finder, Span, Text, disjoint

__all__ = "find_split", "is_stream"

_LINE = re.compile(rb"^(?:data:[ \t]?)?(\{[^\r\n]*\})[ \t]*\r?$", re.MULTILINE)
_MEMBER = re.compile(rb'"([^"\\]{1,64})"\s*:\s*"((?:[^"\\]|\\.)*)"', re.DOTALL)


class _Piece(NamedTuple):
    start: int
    end: int


def is_stream(data: bytes) -> bool:
    """Tell whether a body is several JSON documents, one a line, with or without the head of an event."""
    if b"\n{" not in data and b"data:" not in data:
        return False
    found = _LINE.finditer(data)
    return next(found, None) is not None and next(found, None) is not None


def find_split(data: bytes, finders: Sequence[Finder]) -> list[Span]:
    """Find what the finders find in the joined pieces of a stream. A text that is the same in every line is none in pieces."""
    spans = (
        span
        for pieces in _texts(data).values()
        if len({data[piece.start : piece.end] for piece in pieces}) > 1
        for find in finders
        for span in _found_across(data, pieces, find)
    )
    return disjoint(spans)


def _texts(data: bytes) -> dict[bytes, list[_Piece]]:
    found: dict[bytes, list[_Piece]] = defaultdict(list)
    for line in _LINE.finditer(data):
        for member in _MEMBER.finditer(data, *line.span(1)):
            if member[2]:
                found[member[1]].append(_Piece(*member.span(2)))
    return found


def _found_across(data: bytes, pieces: Sequence[_Piece], find: Finder) -> Iterator[Span]:
    joined = b"".join(data[piece.start : piece.end] for piece in pieces)
    ends = list(accumulate(piece.end - piece.start for piece in pieces))
    for span in find(Text(joined)):
        if joined[span.start : span.end] != span.text:
            first, last = bisect_right(ends, span.start), bisect_right(ends, span.end - 1)
            yield from _shares(pieces[first : last + 1], ends[first], span)


def _shares(pieces: Sequence[_Piece], first_end: int, span: Span) -> Iterator[Span]:
    """Cut a place in the joined text into its shares of the pieces; ``first_end`` is where the first piece ends there."""
    left = span.end - first_end
    yield Span(pieces[0].end - (first_end - span.start), pieces[0].end + min(left, 0), span.text, span.rule)
    for piece in pieces[1:]:
        share = min(left, piece.end - piece.start)
        yield Span(piece.start, piece.start + share, b"", span.rule)
        left -= share
