"""Texts of a page: what is said in many places stands once, and all of them are cut so that the page stays in bounds."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

from replay_agent.report.page.report import Entry, Message, Picture, Raw, Report, Shift, Words

__all__ = "BOUNDS", "Bounds", "Shown", "Texts", "bounds_for"

Kind: TypeAlias = Literal["prose", "code", "code body"]

_WORTH_SHARING = 240
"""Characters from which on a link is shorter than the text."""
_LONG = 1_400
"""Characters from which on a text is folded: about a screen."""
_GIST = 320
_GIST_LINES = 5


class Bounds(NamedTuple):
    """How much of a page may be what."""

    text: int
    """Characters of a text."""
    raw: int
    """Characters of a raw body; none shows nothing that is raw."""
    pictures: int
    """Bytes of all pictures of a test."""
    messages: int
    """Of a conversation."""
    paces: bool = True
    """Whether the pace of a stream is drawn."""


BOUNDS = (
    Bounds(40_000, 16_000, 2_000_000, 200),
    Bounds(16_000, 6_000, 600_000, 200),
    Bounds(6_000, 1_500, 200_000, 120),
    Bounds(2_500, 400, 60_000, 60),
    Bounds(1_200, 0, 20_000, 30, paces=False),
    Bounds(500, 0, 0, 16, paces=False),
    Bounds(300, 0, 0, 8, paces=False),
    Bounds(160, 0, 0, 4, paces=False),
)
"""From what one test may have to what ten thousand may."""


class Few(NamedTuple):
    """Messages of a conversation: the first ones, how many are left out, the last ones."""

    first: Sequence[Message]
    left_out: int
    last: Sequence[Message]


_PER_ENTRY, _PER_PIECE, _PER_RAW, _PER_BAR = 900, 160, 700, 10
"""Bytes of the markup around an entry, a piece of it, and what is raw, measured on a page of 2,000 tests."""
_SWELLING = re.compile(r"[&<>\"']")
"""What is five characters or so in HTML."""


@dataclass(slots=True)
class Shown:
    """A text as it stands on the page: itself, or where it stands."""

    text: str
    length: int
    left_out: int = 0
    shared: str = ""
    """The place at which it stands once for all."""
    times: int = 1
    anchor: str = ""

    @property
    def is_long(self) -> bool:
        """Whether it is folded."""
        return len(self.text) > _LONG or self.text.count("\n") > 30

    @property
    def gist(self) -> str:
        """How it begins."""
        lines = self.text[:_GIST].split("\n")
        begun = "\n".join(lines[:_GIST_LINES])
        return f"{begun.rstrip()} ..." if len(begun) < len(self.text) else begun


@dataclass
class Texts:
    """The texts of one page, as its templates ask for them."""

    bounds: Bounds
    times: Counter[str] = field(default_factory=Counter)
    shared: list[Shown] = field(default_factory=list)
    """Those that stand at the end, in the order in which they are first said."""
    _places: dict[str, Shown] = field(default_factory=dict)
    _room: int = 0

    @classmethod
    def of_report(cls, report: Report, bounds: Bounds) -> Texts:
        """Return the texts of a report; only those that templates ask for are shared."""
        return cls(bounds, Counter(words.text for words in _told(report) if len(words.text) >= _WORTH_SHARING))

    @property
    def shows_raw(self) -> bool:
        """Whether there is room for what is raw."""
        return self.bounds.raw > 0

    def of(self, words: Words, kind: Kind = "prose") -> Shown:
        """Return a text as it is to be shown where it is said."""
        most = self.bounds.raw if kind == "code body" else self.bounds.text
        times = self.times[words.text]
        if times < 2:
            return _shown(words, most)
        place = self._places.get(words.text)
        if place is None:
            place = _shown(words, most)
            place.times, place.anchor = times, f"text:{len(self.shared) + 1}"
            self._places[words.text] = place
            self.shared.append(place)
        return Shown(place.text, place.length, place.left_out, place.anchor, times)

    def cut(self, text: str) -> str:
        """Return a text that stands beside another one, its end left out and counted where it is too long."""
        left = len(text) - self.bounds.text
        return text if left <= 0 else f"{text[: self.bounds.text]} ... {left:,} more characters"

    def few(self, messages: Sequence[Message]) -> Few:
        """Return as many messages as there is room for, from both ends."""
        left = len(messages) - self.bounds.messages
        if left <= 0:
            return Few(messages, 0, ())
        head = (self.bounds.messages + 1) // 2
        return Few(messages[:head], left, messages[head + left :])

    def begin(self) -> str:
        """Begin a test: it may have as many pictures as any other."""
        self._room = self.bounds.pictures
        return ""

    def fitting(self, pictures: Sequence[Picture]) -> list[Picture]:
        """Return the pictures that there is room for."""
        fits = []
        for picture in pictures:
            if len(picture.data) <= self._room:
                self._room -= len(picture.data)
                fits.append(picture)
        return fits


def _shown(words: Words, most: int) -> Shown:
    whole = len(words.text) + words.left_out
    return Shown(words.text[:most], whole, whole - min(most, len(words.text)))


def bounds_for(report: Report, most: int, beginning: int = 0) -> int:
    """Return the place among `BOUNDS` of the first with which a page is about ``most`` bytes at most, else the last."""
    told = [_measured(text) for text in dict.fromkeys(words.text for words in _told(report))]
    failures = (entry.failure for entry in report.entries if entry.failure is not None)
    told += [_measured(failure.text) for failure in failures if _is_told_in_place(failure)]
    sides = [_measured(text) for entry in report.entries for text in _side_texts(entry)]
    bodies = [
        _measured(words.text) for each in _raws(report) for words in (each.asked_body, each.answered_body) if words
    ]
    raws = sum(1 for _ in _raws(report))
    for place, bounds in enumerate(BOUNDS[beginning:], beginning):
        size = sum(_fixed(entry, bounds) for entry in report.entries)
        size += sum(_cut(length, swollen, bounds.text) for length, swollen in (*told, *sides))
        if bounds.raw:
            size += raws * _PER_RAW + sum(_cut(length, swollen, bounds.raw) for length, swollen in bodies)
        size += sum(min(_picture_bytes(entry), bounds.pictures) for entry in report.entries)
        if size <= most:
            return place
    return len(BOUNDS) - 1


def _measured(text: str) -> tuple[int, int]:
    return len(text), len(text.encode("utf-8", "replace")) + 4 * len(_SWELLING.findall(text))


def _cut(length: int, swollen: int, most: int) -> int:
    return swollen if length <= most else swollen * most // length


def _fixed(entry: Entry, bounds: Bounds) -> int:
    """Return how many bytes the markup of an entry takes."""
    messages = [message for talk in entry.conversations for message in talk.messages[: bounds.messages]]
    pieces = sum(len(message.pieces) + 1 for message in messages)
    shifts = sum(len(drift.shifts) + 1 for drift in entry.drifts)
    bars = sum(len(message.turn.pace) for message in messages if message.turn) if bounds.paces else 0
    return _PER_ENTRY + 5 * len(entry.test) + (pieces + shifts) * _PER_PIECE + bars * _PER_BAR


def _side_texts(entry: Entry) -> Iterator[str]:
    shifts: Iterator[Shift] = (shift for drift in entry.drifts for shift in drift.shifts)
    for shift in shifts:
        yield from (stretch.text for side in (shift.old, shift.new) for stretch in side or ())


def _picture_bytes(entry: Entry) -> int:
    return sum(
        len(picture.data)
        for talk in entry.conversations
        for message in talk.messages
        for piece in message.pieces
        for picture in piece.pictures
    )


def _is_told_in_place(failure: Words) -> bool:
    """Tell whether a failure stands where it happened, though other tests say the same: what failed is read first."""
    return len(failure.text) <= _LONG


def _told(report: Report) -> Iterator[Words]:
    """Yield the texts of a report that are read, in its order, and may stand elsewhere."""
    for entry in report.entries:
        if entry.failure is not None and not _is_told_in_place(entry.failure):
            yield entry.failure
        for talk in entry.conversations:
            for message in talk.messages:
                for piece in message.pieces:
                    yield from (words for words in (piece.words, piece.answer) if words is not None)


def _raws(report: Report) -> Iterator[Raw]:
    for entry in report.entries:
        turns: Sequence[Raw | None] = [
            message.turn.raw for talk in entry.conversations for message in talk.messages if message.turn is not None
        ]
        yield from (raw for raw in (*turns, *(raw for _, raw in entry.other)) if raw is not None)
