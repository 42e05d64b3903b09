"""Places in a body that are to be replaced, and what becomes of the body and of the ends of its pieces."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import merge
from io import BytesIO
from itertools import groupby, islice, pairwise, starmap
from typing import NamedTuple, TypeAlias

__all__ = "Finder", "Place", "Places", "Span", "Spans", "merged", "moved", "replaced"


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


_QUOTED, _STANDS_IN = 1, 2
_VALUE_BESIDE, _TEXT_BESIDE, _RULE_BESIDE = 4, 8, 16
"""What is said of a span in one byte: the last three say what of it is kept beside."""
_RULE_BEFORE, _VALUE_SPELLED = 32, 64
"""What is read in the text itself: the name of the rule before the value, as that of a field is, and the value there, spelled."""
_BEFORE = 255
"""How far a name may stand before its value."""
_MOST_RULES = 64
"""Rules that are numbered. A text can have another name before each of its secrets: of more, each is kept beside."""
_MOST_FALLS = 500
"""Places where spans go back in their text: a finder or two for each stretch of it."""
_SIZE = 4
"""Bytes of a length."""


class Spans:
    """The spans of one text, which take some twenty bytes each: a body can be one secret after the other.

    A value that stands in the text as it is takes no more, nor does one that ``read`` makes of what stands there; any
    other is kept beside.
    """

    def __init__(self, text: bytes, spans: Iterable[Span] = (), read: Callable[[bytes], bytes] | None = None) -> None:
        self._text = text
        self._read_value = read
        self._typecode = "I" if len(text) < 1 << 32 else "Q"
        self._starts, self._ends, self._at = array(self._typecode), array(self._typecode), array(self._typecode)
        self._marks = bytearray()
        self._rules = array("H")
        self._names: list[str] = []
        self._numbers: dict[str, int] = {}
        self._beside = bytearray()
        self.extend(spans)

    def __len__(self) -> int:
        return len(self._starts)

    def __iter__(self) -> Iterator[Span]:
        return map(self.__getitem__, range(len(self._starts)))

    def __getitem__(self, number: int) -> Span:
        start, end, marks, at = self._starts[number], self._ends[number], self._marks[number], self._at[number]
        value, text, rule = None, None, None
        if marks & _VALUE_BESIDE:
            value, at = self._read(at)
        elif marks & _VALUE_SPELLED and self._read_value is not None:
            value = self._read_value(self._text[start:end])
        if marks & _TEXT_BESIDE:
            text, at = self._read(at)
        if marks & _RULE_BESIDE:
            rule, at = self._read(at)
        elif marks & _RULE_BEFORE:
            name = start - self._beside[at]
            rule = self._text[name : name + self._beside[at + 1]]
        return Span(
            start,
            end,
            self._names[self._rules[number]] if rule is None else rule.decode("utf-8", "surrogatepass"),
            self._text[start:end] if value is None else value,
            text,
            quoted=bool(marks & _QUOTED),
            stands_in=bool(marks & _STANDS_IN),
        )

    def extend(self, spans: Iterable[Span]) -> None:
        for span in spans:
            self._add(span)

    def merged(self) -> Spans:
        """Return these in order, those that overlap made one."""
        starts, ends = self._starts, self._ends
        if all(ends[number] <= starts[number + 1] for number in range(len(starts) - 1)):
            return self
        return Spans(self._text, _apart(self.in_order()), self._read_value)

    def in_order(self) -> Iterator[Span]:
        """Yield these by where they start, of those that start together the longest first."""
        for _, group in groupby(self._by_start(), self._starts.__getitem__):
            spans = [self[number] for number in group]
            yield from sorted(spans, key=_order) if len(spans) > 1 else spans

    def _by_start(self) -> Iterable[int]:
        """Return the numbers of these by where they start. Each finder yields its own in order: those are put together."""
        starts = self._starts
        falling = (number for number in range(1, len(starts)) if starts[number] < starts[number - 1])
        falls = list(islice(falling, _MOST_FALLS + 1))
        if len(falls) > _MOST_FALLS:
            return sorted(range(len(starts)), key=starts.__getitem__)
        return merge(*starmap(range, pairwise((0, *falls, len(starts)))), key=starts.__getitem__)

    def _add(self, span: Span) -> None:
        start, end = span.start, span.end
        marks = span.quoted * _QUOTED | span.stands_in * _STANDS_IN
        at = len(self._beside)
        if len(span.value) != end - start or not self._text.startswith(span.value, start):
            if self._read_value is not None and self._read_value(self._text[start:end]) == span.value:
                marks |= _VALUE_SPELLED
            else:
                marks |= _VALUE_BESIDE
                self._keep(span.value)
        if span.text is not None:
            marks |= _TEXT_BESIDE
            self._keep(span.text)
        number = self._number(span.rule)
        if number is None:
            name = span.rule.encode("utf-8", "surrogatepass")
            before = self._text.rfind(name, max(start - _BEFORE, 0), start)
            if before >= 0 and len(name) <= _BEFORE:
                marks |= _RULE_BEFORE
                self._beside += bytes((start - before, len(name)))
            else:
                marks |= _RULE_BESIDE
                self._keep(name)
        self._starts.append(start)
        self._ends.append(end)
        self._at.append(at)
        self._rules.append(number or 0)
        self._marks.append(marks)

    def _number(self, rule: str) -> int | None:
        number = self._numbers.get(rule)
        if number is None and len(self._names) < _MOST_RULES:
            number = self._numbers[rule] = len(self._names)
            self._names.append(rule)
        return number

    def _keep(self, data: bytes) -> None:
        self._beside += len(data).to_bytes(_SIZE, "little")
        self._beside += data

    def _read(self, at: int) -> tuple[bytes, int]:
        start = at + _SIZE
        end = start + int.from_bytes(self._beside[at:start], "little")
        return bytes(self._beside[start:end]), end


def _order(span: Span) -> tuple[int, int, bool]:
    return span.start, -span.end, span.text is not None


def merged(spans: Iterable[Span]) -> list[Span]:
    """Return spans in order, those that overlap made one; of two for the same place the first one given stays."""
    return list(_apart(sorted(spans, key=_order)))


def _apart(ordered: Iterable[Span]) -> Iterator[Span]:
    kept: Span | None = None
    for span in ordered:
        if kept is None:
            kept = span
        elif span.start < kept.end:
            kept = _joined(kept, span)
        else:
            yield kept
            kept = span
    if kept is not None:
        yield kept


def _joined(first: Span, second: Span) -> Span:
    """Return one span for two that overlap. Where neither holds the other, nothing of either may be left over."""
    if second.end <= first.end:
        covers = first.text is None or second.text is not None
        return first if covers else second._replace(start=first.start, end=first.end)
    longer = first if first.end - first.start >= second.end - second.start else second
    return longer._replace(start=first.start, end=second.end, text=None)


class Places:
    """The places of spans, of which each is made when it is read: a placeholder takes more than many a secret."""

    def __init__(self, spans: Spans, text: Callable[[Span], bytes]) -> None:
        self._spans = spans
        self._text = text

    def __len__(self) -> int:
        return len(self._spans)

    def __iter__(self) -> Iterator[Place]:
        return (Place(span.start, span.end, self._text(span)) for span in self._spans)


def replaced(data: bytes, places: Iterable[Place]) -> bytes:
    """Return the bytes with these places, which are in order and do not overlap, replaced."""
    made = BytesIO()  # which hands its buffer over, and does not copy it
    position = 0
    with memoryview(data) as whole:
        for place in places:
            made.write(whole[position : place.start])
            made.write(place.text)
            position = place.end
        made.write(whole[position:])
    return made.getvalue()


def moved(cuts: Sequence[int], places: Iterable[Place]) -> list[int]:
    """Return where pieces end that ended at ``cuts`` before; an end within a place goes to the end of that place.

    Both are in order.
    """
    ends: list[int] = []
    following = iter(places)
    place = next(following, None)
    shift = 0
    for cut in cuts:
        while place is not None and place.start < cut and place.end <= cut:
            shift += _growth(place)
            place = next(following, None)
        is_within = place is not None and place.start < cut
        ends.append(place.end + shift + _growth(place) if place is not None and is_within else cut + shift)
    return ends


def _growth(place: Place) -> int:
    return len(place.text) - (place.end - place.start)
