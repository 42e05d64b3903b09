"""Finds secrets that a stream brings piece by piece: a model that repeats a key does so in several events.

Texts under one path follow each other from event to event (``content``, ``partial_json``, ``delta``, ...), those of each
choice, output and block for themselves. Joined, they are looked through as any text; of a secret that spans several
pieces, the first piece keeps the placeholder and the others lose their share.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeAlias

from replay_agent.recording.redaction.spans import Span

__all__ = "find_split", "stream_events"

_ON_LINE = rb"(?=[0-9a-z{\[\"])(?:data:[ \t]?+|[0-9a-z]{1,2}:)?+([{\[\"][^\r\n]*+)"
_FIRST_EVENT, _EVENT, _EVENT_OF_OLD = (re.compile(end + _ON_LINE) for end in (b"", rb"\n", rb"[\r\n]"))
"""JSON on a line of its own: of NDJSON, behind the head of an event, behind the type code of a data stream.

Each begins with the end of the line before: a line feed is looked for fast.
"""
_PLAIN_EVENT = re.compile(rb"data:(?<![^\r\n]data:)[ \t]?+([^\r\n{\[\"][^\r\n]*+)")
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
"""Different paths of texts in a stream. What is said piece by piece has some dozens; tools have theirs before it."""
_MOST_WAITING = 1000
"""Texts that wait for what is around them to be read."""
_MOST_PLACES = 64
_TELL_APART = frozenset(
    {
        *(b"item_id", b"itemId", b"tool_call_id", b"toolCallId"),
        *(b"message_id", b"messageId", b"artifact_id", b"artifactId"),
    }
)
"""Ids that all events of a text have in common, where no index tells texts apart."""
_LONGEST_ID, _LONGEST_INDEX = 100, 1000
_BYTES = re.compile(rb'[^{}\[\]]{0,100}?"bytes"\s{0,9}+:\s{0,9}+\[([0-9,\s]{1,200}+)\]')
"""Behind a token of a list of log probabilities: the same once more, as numbers."""

Find: TypeAlias = Callable[[bytes], Iterable[Span]]


def stream_events(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield where the JSON documents of a stream stand: nothing if it is no stream, or has but one."""
    if data[:1] == b"[" or (b'"logprobs"' in data and data[:1] == b"{" and b"\n{" not in data):
        yield 0, len(data)
    elif b"\n" in data or b"\r" in data:
        events = (found.span(1) for found in _on_lines(data))
        first = list(islice(events, 2))
        if len(first) > 1:
            yield from first
            yield from events


def _on_lines(data: bytes) -> Iterator[re.Match[bytes]]:
    first = _FIRST_EVENT.match(data)
    if first is not None:
        yield first
    yield from (_EVENT_OF_OLD if b"\r" in data else _EVENT).finditer(data, 0 if first is None else first.end())


def find_split(data: bytes, events: Iterable[tuple[int, int]], find: Find) -> Iterator[Span]:
    """Find secrets in the joined pieces of a stream. A text that is the same in every event is none in pieces."""
    texts = _Texts()
    for start, end in events:
        texts.read(data, start, end)
    for pieces in texts.in_pieces():
        if not _all_equal(data, pieces):
            yield from (span for spans in _found_across(data, pieces, find) for span in spans)
    if b"data:" not in data:
        return
    plain = _plain_pieces(data)
    if len(plain) > 2 and not _all_equal(data, plain):
        for spans in _found_across(data, plain, find):
            if not _is_glued(data, plain, spans[0]):
                yield from spans
    for lines in _long_events(data):
        yield from (span for spans in _found_across(data, lines, find, alone=True) for span in spans)


def _is_glued(data: bytes, pieces: array[int], span: Span) -> bool:
    """Tell whether what begins with a line follows a word that ends the line before: those are two texts."""
    place = bisect_right(pieces, span.start) - 1
    return place >= 2 and pieces[place] == span.start and data[pieces[place - 1] - 1 : pieces[place - 1]].isalnum()


_LONG_EVENT = re.compile(rb"data:(?<![^\r\n]data:)[^\r\n]*+\r?\n(?:data:[^\r\n]*+\r?\n)++")
_DATA_LINE = re.compile(rb"data:[ \t]?+([^\r\n]*+\r?\n)")


def _long_events(data: bytes) -> Iterator[array[int]]:
    """Yield the lines of events that have several: together they are one text, the ends of lines between them its own."""
    for event in _LONG_EVENT.finditer(data) if b"\ndata:" in data else ():
        pieces = array("I")
        for line in _DATA_LINE.finditer(data, *event.span()):
            pieces.extend(line.span(1))
        yield pieces


def _plain_pieces(data: bytes) -> array[int]:
    pieces = array("I")
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

    __slots__ = ("count", "follow", "index", "is_list", "label", "parent")

    def __init__(self, parent: _Node | None, label: bytes, *, is_list: bool) -> None:
        self.parent = parent
        self.label = label
        self.is_list = is_list
        self.follow = parent is not None and parent.label == b"logprobs"
        """Whether elements follow each other in one text: those of a list of log probabilities do."""
        self.index = b""
        self.count = 0

    def tell_apart(self, name: bytes, by: bytes) -> None:
        """Take note of a member that says which of its like this is; of many, the first ones tell."""
        if len(self.index) < _LONGEST_INDEX:
            self.index += b"%b=%b " % (name[:_LONGEST_ID], by[:_LONGEST_ID])

    def path(self) -> Hashable:
        """Return what this is called from the inside out. An element is called by its index, else by its place."""
        names: list[bytes] = []
        node: _Node | None = self
        while node is not None and node.parent is not None:
            names.append(node.index or b"")
            follow = node.parent.parent is None or node.parent.follow
            if not (node.parent.is_list and (node.index or follow)):
                names.append(node.label)
            node = node.parent
        if node is not None:
            names.append(node.index)
        return tuple(names)


class _Waiting:
    """Texts whose path is not known before the objects around them have been read. They may be many: each costs little."""

    def __init__(self) -> None:
        self.names: list[bytes] = []
        self._nodes: list[_Node] = []
        self._places = array("I")

    def add(self, node: _Node, name: bytes, place: tuple[int, int]) -> None:
        """Take in a text that is called so in an object, or stands in a list."""
        self._nodes.append(node)
        self.names.append(name)
        self._places.extend(place)

    def spans(self) -> Iterator[tuple[int, int]]:
        """Yield where each stands."""
        return zip(self._places[::2], self._places[1::2], strict=True)

    def paths(self) -> Iterator[_Path]:
        """Yield the path of each."""
        last, last_path = None, None
        for node, name in zip(self._nodes, self.names, strict=True):
            if node is not last:
                last, last_path = node, node.path()
            yield hash((last_path, name))


_MOST_FORMS = 8
_LONGEST_FORM, _MOST_HOLES = 4000, 60
_OFTEN = 6
"""Documents of the same paths that are read before it is worth while to expect further ones."""
_ANY_TEXT = rb'([^"\\]*+(?:\\.[^"\\]*+)*+)'
_ANY_SCALAR = rb"(?:-?[0-9][0-9.eE+\-]*+|true|false|null)"
_SCALAR = re.compile(_ANY_SCALAR)
_Path: TypeAlias = int
"""Where texts stand that follow each other, by its hash: a document can have a path for each few bytes."""
_Hole: TypeAlias = tuple[int, int, bytes]
"""From where to where a document may differ from its like, and the pattern of what may be there."""


class _Form:
    """How documents are spelled that differ in their texts and numbers alone, as most events of a stream do."""

    def __init__(self, pattern: re.Pattern[bytes], paths: Sequence[_Path]) -> None:
        self.match = pattern.fullmatch
        self.paths = paths


class _Texts:
    """The texts of a stream by their path: starts and ends in turn, in one array each, so that they cost little."""

    def __init__(self) -> None:
        self.found: dict[_Path, array[int] | tuple[int, int]] = {}
        self._forms: list[_Form] = []
        self._seen: Counter[int] = Counter()
        """How often documents of the same paths were read, by the hash of these."""

    def in_pieces(self) -> Iterator[array[int]]:
        """Yield the starts and ends of each text that came in several pieces."""
        return (pieces for pieces in self.found.values() if not isinstance(pieces, tuple))

    def read(self, data: bytes, start: int, end: int) -> None:
        """Take in the texts of one document."""
        for place, form in enumerate(self._forms):
            match = form.match(data, start, end)
            if match is not None:
                for number, path in enumerate(form.paths, 1):
                    self._file(path, *match.span(number))
                if place:
                    self._forms.insert(0, self._forms.pop(place))
                return
        self._read_slowly(data, start, end)

    def _read_slowly(self, data: bytes, start: int, end: int) -> None:
        scalars: list[int] = []
        told_apart: set[int] = set()
        root = node = _Node(None, b"", is_list=data[start : start + 1] == b"[")
        depth = 0
        waiting, is_long = _Waiting(), False
        for token in _TOKEN.finditer(data, start + (data[start] != _QUOTE), end):
            kind = token.lastindex
            if kind == _TEXT_MEMBER:
                place = token.span(_TEXT_MEMBER)
                waiting.add(node, token[1], place)
                if token[1] in _TELL_APART:
                    if len(told_apart) <= _MOST_HOLES:
                        told_apart.add(place[0])
                    node.tell_apart(token[1], token[_TEXT_MEMBER])
            elif kind == _OPEN_MEMBER:
                depth += 1
                if depth <= _DEEPEST:
                    node = _Node(node, token[1], is_list=token[_OPEN_MEMBER] == b"[")
            elif kind == _NUMBER_MEMBER:
                if token[1][-5:].lower() == b"index":
                    node.tell_apart(token[1], token[_NUMBER_MEMBER])
                elif len(scalars) <= _MOST_HOLES:
                    scalars.append(token.start(_NUMBER_MEMBER))
            elif kind == _OTHER_MEMBER and len(scalars) <= _MOST_HOLES:
                scalars.append(token.end())
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
                waiting.add(node, b"", token.span(1))
            count = len(waiting.names)
            if count > _MOST_WAITING or (node is root and count > _MOST_PLACES):
                self._take(waiting)
                waiting, is_long = _Waiting(), True
        paths = self._take(waiting)
        if not is_long and len(waiting.names) + len(scalars) <= _MOST_HOLES and end - start <= _LONGEST_FORM:
            holes = [*((at, at, _ANY_SCALAR) for at in scalars), *_text_holes(data, waiting.spans(), told_apart)]
            self._expect(data[start:end], [(first - start, last - start, what) for first, last, what in holes], paths)

    def _take(self, waiting: _Waiting) -> list[_Path]:
        """File texts under their paths, which are known when the objects around them have been read; return these."""
        paths: list[_Path] = []
        for path, (start, end) in zip(waiting.paths(), waiting.spans(), strict=True):
            self._file(path, start, end)
            if len(paths) <= _MOST_HOLES:
                paths.append(path)
        return paths

    def _file(self, path: _Path, start: int, end: int) -> None:
        if start == end:
            return
        pieces = self.found.get(path)
        if pieces is None:
            if len(self.found) < _MOST_TEXTS:
                self.found[path] = start, end
        elif isinstance(pieces, tuple):
            self.found[path] = array("I", (*pieces, start, end))
        else:
            pieces.extend((start, end))

    def _expect(self, document: bytes, holes: list[_Hole], paths: list[_Path]) -> None:
        """Make a form of a document when some of the same paths have been there."""
        if len(self._forms) < _MOST_FORMS and len(self._seen) < _MOST_TEXTS:
            seen = hash(tuple(paths))
            self._seen[seen] += 1
            if self._seen[seen] % _OFTEN == 0:
                self._forms.append(_Form(_pattern(document, holes), paths))


def _text_holes(data: bytes, spans: Iterable[tuple[int, int]], told_apart: Collection[int]) -> Iterator[_Hole]:
    """Yield the texts of a document as holes; those that tell texts apart, by where they start, stay as they are."""
    for start, end in spans:
        yield start, end, b"(" + re.escape(data[start:end]) + b")" if start in told_apart else _ANY_TEXT


def _pattern(document: bytes, holes: list[_Hole]) -> re.Pattern[bytes]:
    """Return a pattern for a document, with any texts and numbers in the place of its own."""
    spelled: list[bytes] = []
    position = 0
    for start, end, what in sorted(holes):
        scalar = _SCALAR.match(document, start) if what is _ANY_SCALAR else None
        if what is not _ANY_SCALAR or scalar is not None:
            spelled += re.escape(document[position:start]), what
            position = end if scalar is None else scalar.end()
    return re.compile(b"".join((*spelled, re.escape(document[position:]))), re.DOTALL)


def _found_across(data: bytes, pieces: array[int], find: Find, *, alone: bool = False) -> Iterator[Sequence[Span]]:
    """Yield the shares of each secret; with ``alone`` also what lies within one piece, but needs those around it."""
    joined = bytearray()
    ends = array("I")
    for place in range(0, len(pieces), 2):
        joined += data[pieces[place] : pieces[place + 1]]
        ends.append(len(joined))
    for span in find(bytes(joined)):
        first, last = bisect_right(ends, span.start), bisect_right(ends, span.end - 1)
        if first < last or alone:  # what one piece holds alone is found without its neighbours
            yield list(
                _shares(data, [(pieces[2 * n], pieces[2 * n + 1]) for n in range(first, last + 1)], ends[first], span)
            )


def _shares(data: bytes, bounds: Sequence[tuple[int, int]], first_end: int, span: Span) -> Iterator[Span]:
    """Cut a place in the joined text into its shares of the pieces; ``first_end`` is where the first piece ends there."""
    left = span.end - first_end
    end = bounds[0][1]
    yield from _share(data, span._replace(start=end - (first_end - span.start), end=min(end, end + left)))
    for start, end in bounds[1:]:
        share = min(left, end - start)
        yield from _share(data, Span(start, start + share, span.rule, text=b""))
        left -= share


def _share(data: bytes, span: Span) -> Iterator[Span]:
    """Yield a share without the end of its line, and the numbers that say the same."""
    while span.end > span.start and data[span.end - 1] in b"\r\n":
        span = span._replace(end=span.end - 1)
    if span.end > span.start:
        yield span
    numbers = _BYTES.match(data, span.end)
    if numbers is not None:
        yield Span(*numbers.span(1), span.rule, text=b"")
