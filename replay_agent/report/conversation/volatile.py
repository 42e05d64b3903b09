"""Values that differ from run to run: ids, times, uuids; recognised in text and made stable by order of appearance."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

__all__ = "CLOCK", "EVERYTHING", "IDS", "Placeholders", "kind_by_origin", "kind_of"

_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}"
_TIME = r"(?:[01]\d|2[0-3]):[0-5]\d(?::[0-6]\d(?:[.,]\d{1,9})?)?"
_ISO_DATE = r"(?:19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
# "2026-11-27" is _ISO_DATE; "27 November 2026", "27th Nov, 2026" and "Nov 27th, 2026" are _WORDY_DATE
_WORDY_DATE = (
    rf"(?:\d{{1,2}}(?:st|nd|rd|th)?\s{_MONTH},?\s(?:19|20)\d\d|{_MONTH}\s\d{{1,2}}(?:st|nd|rd|th)?,?\s(?:19|20)\d\d)"
)

# In the order in which they are tried: a uuid holds digits that look like a time, an id may hold a uuid's.
# Examples: 3f2504e0-4f89-11d3-9a0c-0305e82c3301; 2026-11-27T10:00:01.5Z, Nov 27, 2026 at 10:00 UTC; 2026-11-27;
# 10:00:01; /tmp/pytest-1/a.txt; 0x7f0011223344; call_9fQzK1aB, pyd_ai_0b1c2d3e; 9f86d081884c7d65; 1732270000.123
_KINDS = {
    "uuid": r"(?<![0-9A-Za-z])[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}(?![0-9A-Za-z])",
    "time": rf"(?<!\d)(?:{_ISO_DATE}[T ]{_TIME}(?:\s?(?:Z|UTC|[+-]\d\d:?\d\d))?|{_WORDY_DATE},?\s(?:at\s)?{_TIME}(?:\s(?:GMT|UTC|[+-]\d{{4}}))?)(?!\d)",
    "date": rf"(?<![\d-])(?:{_ISO_DATE}|\b{_WORDY_DATE})(?![\d-])",
    "time of day": rf"(?<![\d:]){_TIME}(?![\d:])",
    "temporary path": r"(?:/tmp|/var/folders|/private/var|[A-Z]:\\Users\\[^\\\s]+\\AppData\\Local\\Temp)[/\\][\w./\\+-]+",
    "memory address": r"\b0x[0-9a-fA-F]{6,16}\b",
    "id": r"(?<![\w-])(?:[a-z]{2,10}_ai|call|chatcmpl|cmpl|conv|fc|file|gen|item|mcp|msg|req|resp|rs|run|toolu|tooluse|ws)(?:[_-][0-9A-Za-z]+)*[_-](?=[A-Za-z]*\d)[0-9A-Za-z]{8,}(?![\w-])",
    "hex id": r"(?<![0-9A-Za-z])(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{12,64}(?![0-9A-Za-z])",
    "Unix time": r"(?<![\d.])1[4-9]\d{8}(?:\d{3}|\d{6}|\.\d{1,9})?(?![\d.])",
}

IDS = ("uuid", "time", "memory address")
"""What no two runs share even if nothing changed: made up by the client or read off the clock to the second."""
EVERYTHING = ("uuid", "time", "date", "id", "memory address", "temporary path")
"""What two recordings of one run may differ in."""
CLOCK = frozenset({"time", "date", "time of day", "Unix time"})
"""The kinds that a frozen clock makes stable."""

_DIGIT = re.compile(r"[0-9]")
"""Every volatile value holds one, most lines of a prompt do not."""
# "0b1c2d3e4f5a4b6c8d7e0f1a2b3c4d5e": the 13th digit is the version, the 17th the variant
_UUID_HEX = re.compile(r"[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}")

# "20261127T100001Z", as signatures of requests have it: X-Amz-Date
_BASIC_TIME = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3])[0-5]\d[0-6]\dZ?")


def kind_of(text: str) -> str | None:
    """Tell what kind of volatile value a text is as a whole: ``"uuid"``, ``"date"``, ...; None for anything else."""
    text = text.strip(" \t\r\n.,;:!?\"'()[]<>`")
    return next((name for name, pattern in _patterns().items() if pattern.fullmatch(text)), None)


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    """The kinds, each compiled: when the first value is asked about, which shows no transcript."""
    return {name: re.compile(pattern) for name, pattern in _KINDS.items()}


def kind_by_origin(text: str) -> str | None:
    """Tell the kind as `kind_of` does, but by what makes the value: ``uuid4().hex`` is a uuid, which frozen uuids keep the same.

    So is the date of a signature a time. Names of placeholders go by `kind_of`, as they stand in snapshots that are written.
    """
    text = text.strip()
    if _BASIC_TIME.fullmatch(text):
        return "time"
    return "uuid" if _UUID_HEX.fullmatch(text) else kind_of(text)


class Placeholders:
    """Gives every volatile value a name by its order of appearance: ``<uuid 1>``; the same value, the same name."""

    def __init__(self, kinds: Iterable[str] = IDS) -> None:
        """``kinds`` are those to be replaced inside text; ids that are known as such are named in any case."""
        self._numbers: dict[str, dict[str, int]] = {}
        self._known: dict[str, str] = {}
        self._known_pattern: re.Pattern[str] | None = None
        self._kinds = tuple(kinds)
        groups = "|".join(f"(?P<k{place}>{_KINDS[kind]})" for place, kind in enumerate(self._kinds))
        self._pattern = re.compile(groups) if groups else None

    def number(self, kind: str, value: str) -> int:
        """Return the place of a value among those of its kind, from 1 on."""
        numbers = self._numbers.setdefault(kind, {})
        return numbers.setdefault(value, len(numbers) + 1)

    def name(self, kind: str, value: str) -> str:
        """Return the name of a value, by which it will also be replaced inside text."""
        name = f"<{kind} {self.number(kind, value)}>"
        # A shorter id may be a word of the text by chance: "call_1" or "1".
        if len(value) > 7 and value not in self._known:
            self._known[value] = name
            self._known_pattern = None
        return name

    def text(self, text: str) -> str:
        """Return a text with its volatile values named."""
        if self._known:
            if self._known_pattern is None:
                # A longer id may begin with a shorter one.
                self._known_pattern = re.compile("|".join(map(re.escape, sorted(self._known, key=len, reverse=True))))
            text = self._known_pattern.sub(lambda found: self._known[found[0]], text)
        pattern = self._pattern
        if pattern is None or not _DIGIT.search(text):
            return text
        # By line, since no value spans two: most lines have no digit, and searching them for every kind is dear.
        lines = text.split("\n")
        return "\n".join([pattern.sub(self._named, line) if _DIGIT.search(line) else line for line in lines])

    def _named(self, found: re.Match[str]) -> str:
        kind = self._kinds[int((found.lastgroup or "k0")[1:])]
        return f"<{kind} {self.number(kind, found[0])}>"

    def value(self, value: Any) -> Any:
        """Return a JSON-like value with the volatile values in its strings named; names of members stay."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {name: self.value(item) for name, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(item) for item in value]
        return value
