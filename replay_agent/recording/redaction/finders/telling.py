"""Where names that tell of a credential may end: what is looked at by rules, found at the speed of a search for one byte.

A text has a colon or a quotation mark in each line, and few of them stand behind such a name. Each pattern begins with
that byte, which is searched for fast, and looks back for the last letters of the names; what it finds is judged by a
rule, what it does not find no rule would take.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from replay_agent.recording.redaction.finders.clues import Clues
from replay_agent.recording.redaction.names import BROKEN_ENDINGS, ENDINGS, SEPARATORS

__all__ = "NAME_END", "Marks", "behind_cells", "behind_names", "ending", "marks_of_cells", "marks_of_names"


def ending(tails: Iterable[str]) -> str:
    """Return a pattern for these endings, all of three letters, in capitals or not, as bytes of Latin-1."""
    groups = groupby(sorted(tails), key=lambda tail: tail[0])
    return "|".join(f"{_either(first)}(?:{'|'.join(_spelled(tail[1:]) for tail in group)})" for first, group in groups)


def _spelled(letters: str) -> str:
    return "".join(map(_either, letters))


def _either(letter: str) -> str:
    sign = "\xaa" if letter == "k" else ""  # the last byte of the Kelvin sign, which is a k in small letters
    return f"[{letter}{letter.upper()}{sign}]" if letter.isalpha() else re.escape(letter)


_ENDING = ending(ENDINGS)
"""The last three letters of all names that tell."""
_SEPARATOR = f"[{re.escape(SEPARATORS)}]"
_BROKEN = "|".join(f"{_either(tail[0])}{_SEPARATOR}{_spelled(tail[1:])}" for tail in sorted(BROKEN_ENDINGS))
_ENDS = (f"(?:{_ENDING})", f"(?:{_BROKEN})", "[\x91\xb1][aA]", "[\x80-\xff]")
"""How a name may end: the last two behind or in a letter that is not of ASCII (``contraseña``)."""
_OF_PROSE = frozenset({"ion", "ing", "ess", "ure", "ary", "ier", "rer"})
"""Endings that many words have. Of a table whose one telling column ends so, nothing is found."""
_ENDS_OF_CELLS = (f"(?:{ending(ENDINGS - _OF_PROSE)})", *_ENDS[1:])


_LETTERS = re.escape("".join({letter for tail in ENDINGS for letter in (tail[-1], tail[-1].upper())}))


def _behind(mark: str, around: str, most: int, ends: Sequence[str] = _ENDS) -> str:
    """Return a pattern that looks back from a mark for the end of a name, and up to so many bytes between the two."""
    near = "|".join(f"(?<={end}{mark})" for end in ends[:-1])
    far = [f"(?<={end}{around * count}{mark})" for end in ends for count in range(1, most + 1)]
    return f"(?:(?<=[{_LETTERS}]{mark})(?:{near})|(?<={ends[-1]}{mark})|(?<={around}{mark})(?:{'|'.join(far)}))"


def behind_names(closing: str, before: str = "", after: str = "") -> re.Pattern[bytes]:
    """Return a pattern for a byte behind the end of a name that may tell, and at most one separator.

    ``before`` is a pattern of fixed width for how a name may end besides. ``after`` is looked at behind the byte.
    """
    mark = re.escape(closing)
    telling = _behind(mark, _SEPARATOR, 1)
    telling = f"(?:{telling}|(?<={before}{mark}))" if before else telling
    return re.compile(f"{mark}{after}{telling}".encode("latin-1"))


NAME_END = _behind("", "[_.]", 1).encode("latin-1")
"""Matches, of no width, where a name of letters, digits, underscores and dots ends that may tell."""


def behind_cells(mark: str) -> re.Pattern[bytes]:
    """Return a pattern for a byte behind a cell of a table that may be a name that tells, quoted or emphasised or not."""
    mark = re.escape(mark)
    around, filling = "[\"'`*\\r_. \\-]", "[\"'`*_ \\r]{3}"
    return re.compile(f"{mark}(?:{_behind(mark, around, 2, _ENDS_OF_CELLS)}|(?<={filling}{mark}))".encode("latin-1"))


class Marks:
    """A mark behind what may tell; ``pattern`` begins with the mark, of one byte, which is all that it consumes."""

    def __init__(self, mark: bytes, pattern: re.Pattern[bytes]) -> None:
        self._mark, self._pattern = mark, pattern

    def finditer(self, text: bytes, clues: Clues | None = None) -> Iterator[re.Match[bytes]]:
        """Yield what the pattern finds, in order; with ``clues`` those alone that stand behind names that tell."""
        places = None if clues is None else clues.behind(self._mark)
        if places is None:
            return self._pattern.finditer(text)
        found = (self._pattern.match(text, place) for place in places)
        return (each for each in found if each is not None)

    def is_within(self, text: bytes, start: int, end: int) -> bool:
        """Tell whether the pattern finds anything from one place to another."""
        return self._pattern.search(text, start, end) is not None


def marks_of_names(closing: str, after: str = "") -> Marks:
    """Return what finds the places of `behind_names`."""
    return Marks(closing.encode(), behind_names(closing, after=after))


def marks_of_cells(mark: str) -> Marks:
    """Return what finds the places of `behind_cells`."""
    return Marks(mark.encode(), behind_cells(mark))
