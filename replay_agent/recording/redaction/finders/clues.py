"""Which places of a text stand behind a name that tells, and which rules may find something there at all."""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import IntEnum
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple, TypeAlias

from replay_agent.recording.redaction.finders.sieve import Anchor, Beside, Sieve
from replay_agent.recording.redaction.layers.runs import Seen
from replay_agent.recording.redaction.names import (
    ALL_NAMES,
    BROKEN_ENDINGS,
    ENDINGS,
    SEPARATORS,
    Naming,
    field_naming,
    letters_of,
)
from replay_agent.recording.redaction.spans import Span

__all__ = "Clues", "Looker", "Rule", "ends_of_names"

_MARKS = b"\"':=,;|\t\n"
"""What stands behind a name somewhere: the end of its quotation, what is before its value, the end of its cell."""
_WITHIN_NAMES = b":\t"
"""Marks that a name may hold, too."""
_KELVIN = 0xAA
"""The last byte of a sign that is a k in small letters."""
_DIVIDED = bytes(
    10 if each in _MARKS else ord("k") if each == _KELVIN else ord(bytes((each,)).lower()) for each in range(256)
)
_AROUND = re.compile(rb"[ \t'\"`\]*_.\-$@\r:?]{0,64}+[=,;|\n]?+")
"""What may stand between a name and those marks, other marks among it."""
_FILLING = b"-_. $@*]`\r?"
_BLOCK, _LAP = 1 << 15, 96
"""Bytes that are divided at once, and those of a piece, from its end, that are judged: no name that tells is longer."""


def _one_of(characters: Iterable[str]) -> str:
    return f"[{re.escape(''.join(sorted(set(characters))))}]"


def _named() -> re.Pattern[bytes]:
    """Return a pattern for a mark behind what ends as a name that tells, in small letters, or in what may follow one.

    Three sets of characters are tried first, which is fast and leaves a few.
    """
    endings = sorted({*ENDINGS, "\xc3\xb1a", "\xc3\x91a"})  # contraseña
    groups = [
        f"{first}(?:{'|'.join(tail[1:] for tail in tails)})" for first, tails in groupby(endings, lambda tail: tail[0])
    ]
    broken = {tail[1:] for tail in BROKEN_ENDINGS}
    groups.append(f"{_one_of(SEPARATORS + chr(10))}(?:{'|'.join(broken)})")
    places = [
        _one_of(letters)
        for letters in zip(
            *endings, *(f"{separator}{tail}" for tail in broken for separator in SEPARATORS + "\n"), strict=True
        )
    ]
    telling, filling = "".join(places), _one_of(_FILLING.decode())
    return re.compile(
        (
            f"\n(?<=[^\n][^\n]\n)(?:(?<={telling}\n)(?<=(?:{'|'.join(groups)})\n)"
            f"|(?<=[{filling[1:-1]}\x80-\xff]\n)"
            f"(?:(?<=[\x80-\xff]\n)|(?<={telling}{filling}\n)|(?<=[\x80-\xff]{filling}\n)"
            f"|(?<={places[-1][:-1]}\x80-\xff]{filling * 2}\n)|(?<={filling * 3}\n)))"
        ).encode("latin-1")
    )


_NAMED = _named()
_NEAR = 12
"""Bytes of a piece, from its end, that most are told by."""
_TELLING = 5
"""Letters of a name, from its end, that most are told by."""
_SEPARATING = SEPARATORS.encode()
_OF_HEADER = b"-key"


def _by_ending() -> dict[bytes, tuple[bytes, ...]]:
    """Return how names end, and those that have one their plurals, by their last three letters."""
    ends: dict[bytes, set[bytes]] = {}
    for name in ALL_NAMES:
        for each in (name.encode(), f"{name}s".encode()):
            ends.setdefault(each[-3:], set()).add(each[-_TELLING:])
    return {ending: tuple(each) for ending, each in ends.items()}


_ENDS = _by_ending()


class _Telling(IntEnum):
    """What a piece tells that stands before a mark."""

    NOTHING = 0
    BEHIND = 1
    """It is the end of a name that tells, if the rest stands before it and a mark that may be within a name."""
    ALONE = 2


class Clues:
    """Where in a text the anchors of rules are; what it knows is found out when it is first asked."""

    def __init__(self, text: bytes, sieve: Sieve | None = None) -> None:
        self.text = text
        self._sieve = _NAMES_ALONE if sieve is None else sieve
        self._places: Mapping[Anchor | Beside, Sequence[int] | None] | None = None
        self._behind: Mapping[int, Sequence[int]] | None = None

    def of(self, start: int, end: int) -> Clues:
        """Return the clues of a part of the text."""
        return self if not start and end >= len(self.text) else Clues(self.text[start:end], self._sieve)

    def at(self, anchor: Anchor | Beside) -> Sequence[int] | None:
        """Return where an anchor is, None if its rule is to look at all of the text."""
        if self._places is None:
            self._places = self._sieve.places(self.text)
        return self._places.get(anchor)

    def may(self, anchor: Anchor | Beside) -> bool:
        """Tell whether the rule of an anchor may find anything."""
        places = self.at(anchor)
        return places is None or len(places) > 0

    def behind(self, mark: bytes) -> Sequence[int] | None:
        """Return where this mark stands behind a name that tells, in order; None if each is to be looked at."""
        ends = self.at(ends_of_names)
        if ends is None:
            return None
        if self._behind is None:
            self._behind = _behind(self.text, ends)
        return self._behind[mark[0]]


Looker: TypeAlias = Callable[[bytes, Clues], Iterable[Span]]
"""Finds secrets in a text whose escapes are undone, with the clues of that text."""


class Rule(NamedTuple):
    """How secrets of a kind are found, and what shows that there may be any."""

    look: Looker
    anchors: tuple[Anchor, ...] = ()
    """At least one of these or of those is in a text where something is found; a rule without any looks at every text."""
    of_words: tuple[Anchor, ...] = ()
    beside_words: tuple[Beside, ...] = ()

    def find(self, text: bytes, clues: Clues) -> Iterable[Span]:
        """Find secrets in a text whose escapes are undone."""
        anchors: tuple[Anchor | Beside, ...] = (*self.anchors, *self.of_words, *self.beside_words)
        return self.look(text, clues) if not anchors or any(map(clues.may, anchors)) else ()


def _behind(text: bytes, ends: Iterable[int]) -> Mapping[int, Sequence[int]]:
    """Return where each mark stands behind names that end at these places."""
    found = {mark: array("Q") for mark in _MARKS}
    for end in ends:
        around = _AROUND.match(text, end)
        assert around is not None
        for place in range(end, around.end()):
            places = found.get(text[place])
            if places is not None and (not places or places[-1] < place):
                places.append(place)
    return found


_NO_ENDS, _NO_NAMES = Seen(), Seen()
"""What was judged and tells nothing: names of several pieces."""


def ends_of_names(pieces: bytes) -> Iterator[int]:
    """Yield where names end that tell."""
    for start in range(0, len(pieces), _BLOCK):
        before = max(start - _LAP, 0)
        yield from (before + end for end in _ends_in(pieces[before : start + _BLOCK], start - before))


def _ends_in(pieces: bytes, start: int) -> Iterator[int]:
    divided = pieces.translate(_DIVIDED)
    for found in _NAMED.finditer(divided, start):
        end = found.start()
        near = pieces[max(end - _NEAR, 0) : end]
        if near in _NO_ENDS:
            continue
        if pieces[end - 1] in _FILLING:
            end -= _filled(pieces[max(end - _LAP, 0) : end])
        begin = divided.rfind(b"\n", max(end - _LAP, 0), end) + 1 or max(end - _LAP, 0)
        name = pieces[begin:end]
        if name in _NO_NAMES:
            continue
        if not _may_tell(near):
            _NO_ENDS.add(near)
            continue
        telling = _judged(name)
        if telling is _Telling.NOTHING:
            _NO_NAMES.add(name)
        elif telling is _Telling.ALONE or (begin and pieces[begin - 1] in _WITHIN_NAMES):
            yield end


_NAMES_ALONE = Sieve((ends_of_names,))


def _filled(piece: bytes) -> int:
    return len(piece) - len(piece.rstrip(_FILLING))


def _may_tell(near: bytes) -> bool:
    """Tell whether to judge a piece that ends so: most that end as names that tell are others."""
    near = near.rstrip(_FILLING)
    if near[-1:].isupper() or not near.isascii() or not near:
        return True
    letters = near.translate(_DIVIDED)
    begin = letters.rfind(b"\n") + 1
    if letters.endswith(_OF_HEADER) or (begin and near[begin - 1] in _WITHIN_NAMES):
        return True
    letters = letters[begin:].translate(None, _SEPARATING)
    if not begin and len(letters) < _TELLING:
        return True
    return letters.endswith(_ENDS.get(letters[-3:], ()))


_OF_SETTINGS = 60
"""Characters of a name that settings are read with, whatever is glued to it."""
_LAST_LETTERS = frozenset(
    each[start:] for name in ALL_NAMES for each in (name, f"{name}s") for start in range(len(each))
)
_NOT_OF_NAMES = re.compile(r"[^\w.\-@$]")
_NOT_OF_NAMES_WITH_BLANKS = re.compile(r"[^\w.\-@$ /#]")
"""Characters of no name."""


@lru_cache(maxsize=128)
def _judged(spelled: bytes) -> _Telling:
    """Judge a piece by what it can be of a name, wherever that begins."""
    name = spelled.decode("utf-8", "replace")
    ends = (others.split(name)[-1] for others in (_NOT_OF_NAMES, _NOT_OF_NAMES_WITH_BLANKS))
    parts = {name, name[-_OF_SETTINGS:], *ends}
    if any(field_naming(part) is not Naming.NOTHING for part in parts | {part.lstrip(".- ") for part in parts}):
        return _Telling.ALONE
    return _Telling.BEHIND if letters_of(name) in _LAST_LETTERS else _Telling.NOTHING
