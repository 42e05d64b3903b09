"""Finds secrets that a stream brings piece by piece: a model that repeats a key does so in several events.

Texts under one path follow each other from event to event (``content``, ``partial_json``, ``delta``, ...), those of each
choice, output and block for themselves. Joined, they are looked through as any text; of a secret that spans several
pieces, the first piece keeps the placeholder and the others lose their share.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeAlias

from replay_agent.recording.redaction.spans import Span

__all__ = "find_split", "stream_events"

_EVENT = re.compile(rb"(?<![^\r\n])(?:data:[ \t]?+|[0-9a-z]{1,2}:)?+([{\[\"][^\r\n]*+)")
"""JSON on a line of its own: of NDJSON, behind the head of an event, behind the type code of a data stream."""
_PLAIN_EVENT = re.compile(rb"(?<![^\r\n])data:[ \t]?+([^\r\n{\[\"][^\r\n]*+)")
_TOKEN = re.compile(
    rb'"([^"\\]*+(?:\\.[^"\\]*+)*+)"?+'  # a text or a name
    rb'(?:\s{0,40}+(:)\s{0,40}+(?:"([^"\\]*+(?:\\.[^"\\]*+)*+)"?+|([{\[])|([0-9]{1,9}+)|))?+'  # what is called so
    rb"|[{}\[\]]",
    re.DOTALL,
)
_QUOTE = 0x22
_TEXT, _OTHER_MEMBER, _TEXT_MEMBER, _OPEN_MEMBER, _NUMBER_MEMBER = 1, 2, 3, 4, 5
_DEEPEST = 40
_MOST_TEXTS = 4096
"""Different paths of texts in a stream; no provider's have more than some dozens."""
_MOST_PLACES = 64

Find: TypeAlias = Callable[[bytes], Sequence[Span]]


def stream_events(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield where the JSON documents of a stream stand: nothing if it is no stream, or has but one."""
    if data[:1] == b"[":
        yield 0, len(data)
    elif b"\n" in data or b"\r" in data:
        events = (found.span(1) for found in _EVENT.finditer(data))
        first = list(islice(events, 2))
        if len(first) > 1:
            yield from first
            yield from events


def find_split(data: bytes, events: Iterable[tuple[int, int]], find: Find) -> Iterator[Span]:
    """Find secrets in the joined pieces of a stream. A text that is the same in every event is none in pieces."""
    texts = _Texts()
    for start, end in events:
        texts.read(data, start, end)
    for pieces in (*texts.found.values(), _plain_pieces(data)):
        if len(pieces) > 2 and not _all_equal(data, pieces):
            yield from _found_across(data, pieces, find)


def _plain_pieces(data: bytes) -> array[int]:
    pieces = array("Q")
    if b"data:" in data:
        for found in _PLAIN_EVENT.finditer(data):
            pieces.extend(found.span(1))
    return pieces


def _all_equal(data: bytes, pieces: array[int]) -> bool:
    first = data[pieces[0] : pieces[1]]
    size = len(first)
    return all(
        pieces[place + 1] - pieces[place] == size and data.startswith(first, pieces[place])
        for place in range(2, len(pieces), 2)
    )


class _Node:
    """An object or a list that is being read: what it is called, and the number that tells it from its like."""

    __slots__ = ("count", "index", "is_list", "label", "parent")

    def __init__(self, parent: _Node | None, label: bytes, *, is_list: bool) -> None:
        self.parent = parent
        self.label = label
        self.is_list = is_list
        self.index = b""
        self.count = 0

    def path(self) -> Hashable:
        """Return what this is called from the outside in. An element is called by its index, else by its place."""
        names: list[bytes] = []
        node: _Node | None = self
        while node is not None and node.parent is not None:
            names.append(node.index or b"")
            if not (node.parent.is_list and (node.index or node.parent.parent is None)):
                names.append(node.label)
            node = node.parent
        if node is not None:
            names.append(node.index)
        return tuple(names)


class _Texts:
    """The texts of a stream by their path: starts and ends in turn, in one array each, so that they cost little."""

    def __init__(self) -> None:
        self.found: dict[Hashable, array[int]] = {}

    def read(self, data: bytes, start: int, end: int) -> None:
        """Take in the texts of one document."""
        root = node = _Node(None, b"", is_list=data[start : start + 1] == b"[")
        depth = 0
        waiting: list[tuple[_Node, bytes, int, int]] = []
        for token in _TOKEN.finditer(data, start + (data[start] != _QUOTE), end):
            kind = token.lastindex
            if kind == _TEXT_MEMBER:
                waiting.append((node, token[1], *token.span(_TEXT_MEMBER)))
            elif kind == _OPEN_MEMBER:
                depth += 1
                if depth <= _DEEPEST:
                    node = _Node(node, token[1], is_list=token[_OPEN_MEMBER] == b"[")
            elif kind == _NUMBER_MEMBER:
                if token[1][-5:].lower() == b"index":
                    node.index += b"%b=%b " % (token[1], token[_NUMBER_MEMBER])
            elif kind is None:
                mark = token[0]
                if mark in b"{[":
                    depth += 1
                    if depth <= _DEEPEST:
                        node.count += 1
                        node = _Node(node, b"%d" % min(node.count, _MOST_PLACES), is_list=mark == b"[")
                else:
                    depth -= 1
                    if depth < _DEEPEST and node.parent is not None:
                        node = node.parent
            elif kind == _TEXT:
                waiting.append((node, b"", *token.span(1)))
            if len(waiting) > _MOST_TEXTS or (node is root and len(waiting) > _MOST_PLACES):
                self._take(waiting)
        self._take(waiting)

    def _take(self, waiting: list[tuple[_Node, bytes, int, int]]) -> None:
        """File texts under their paths, which are known when the objects around them have been read."""
        last, last_path = None, None
        for node, name, start, end in waiting:
            if start == end:
                continue
            if node is not last:
                last, last_path = node, node.path()
            path = (last_path, name)
            pieces = self.found.get(path)
            if pieces is None:
                if len(self.found) >= _MOST_TEXTS:
                    continue
                pieces = self.found[path] = array("Q")
            pieces.extend((start, end))
        waiting.clear()


def _found_across(data: bytes, pieces: array[int], find: Find) -> Iterator[Span]:
    joined = bytearray()
    ends = array("Q")
    for place in range(0, len(pieces), 2):
        joined += data[pieces[place] : pieces[place + 1]]
        ends.append(len(joined))
    for span in find(bytes(joined)):
        first, last = bisect_right(ends, span.start), bisect_right(ends, span.end - 1)
        if first < last:  # what one piece holds alone is found without its neighbours
            yield from _shares([(pieces[2 * n], pieces[2 * n + 1]) for n in range(first, last + 1)], ends[first], span)


def _shares(bounds: Sequence[tuple[int, int]], first_end: int, span: Span) -> Iterator[Span]:
    """Cut a place in the joined text into its shares of the pieces; ``first_end`` is where the first piece ends there."""
    left = span.end - first_end
    yield span._replace(start=bounds[0][1] - (first_end - span.start), end=bounds[0][1])
    for start, end in bounds[1:]:
        share = min(left, end - start)
        yield Span(start, start + share, span.rule, text=b"")
        left -= share
