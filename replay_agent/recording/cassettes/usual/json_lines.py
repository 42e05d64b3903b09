"""From the lines of a JSON body to its bytes without the values between: keys and texts go over as they are read.

Reading the lines into values and spelling those took half of what a replayed answer costs (54 of 110 microseconds for an
answer of 300 bytes); this takes 28, and `one_line` ten for the short bodies that it knows.
"""

from __future__ import annotations

import json
import re
from typing import Any

from replay_agent.recording.cassettes.json_spelling import Spelling, Transcription
from replay_agent.recording.cassettes.yaml_blocks import LINE, BlockReader, block_end

__all__ = "LONG", "JSONLines"

_CONSTANTS = frozenset({"null", "true", "false"})
_NUMERIC = frozenset("-0123456789")
_ODD = frozenset("|\"'[{")
"""What values begin with that are neither numbers nor plain texts."""
LONG = 20_000
"""Characters of a body from which on it is likely to repeat what the one before it said: a history."""
_MOST_KNOWN = 2_000_000
"""Characters of entries that are remembered: of two conversations of 200 long turns, one after the other."""


class _Memory(dict[tuple[str, int, Spelling], str]):
    """Forgets everything when it is full: what is asked for again comes soon after."""

    def __init__(self) -> None:
        self._room = _MOST_KNOWN

    def keep(self, key: tuple[str, int, Spelling], entry: str) -> None:
        """Remember an entry, unless there is room for it nowhere."""
        cost = len(key[0]) + len(entry)
        if cost > self._room:
            self.clear()
        if cost <= self._room:
            self._room -= cost
            self[key] = entry

    def clear(self) -> None:
        """Forget everything."""
        super().clear()
        self._room = _MOST_KNOWN


_KNOWN = _Memory()
"""Entries of lists as they were transcribed, by their lines: 200 turns repeat 40,000 messages, of which 400 are new.

A quarter of the time that a comparison of two such conversations takes went into those.
"""


class JSONLines(BlockReader):
    """Reads a block as `BlockReader` does, but what its methods return is JSON text, spelled as was said.

    Brackets are closed at ``outer``, the break and indentation of the line that a value stands in.
    """

    def __init__(self, text: str, spelling: Spelling) -> None:
        super().__init__(text)
        self._spelled = Transcription(spelling)
        self._outer = "\n"
        self._spelling = spelling
        # Where every line is indented, what an entry becomes depends on where it stands.
        self._remembers = len(text) >= LONG and self._spelled.inner(self._outer) == self._outer

    def below(self, column: int) -> str:
        """Transcribe the whole text, the lines below a key in this column. Raises ValueError for what is none.

        As the other methods do, where they notice; also IndexError and RecursionError.
        """
        self._step_to(0)
        found: str = self._below(column)
        if self.begin < len(self._text):
            raise ValueError("something else follows")
        return found

    def mapping(self, begin: int, margin: int, line: re.Match[str] | None = None) -> Any:
        """Transcribe the keys in one column."""
        text, match, spelled = self._text, LINE.match, self._spelled
        string, colon, outer = spelled.string, spelled.colon, self._outer
        self._outer = spelled.inner(outer)
        pairs: list[str] = []
        line = line or match(text, begin)
        while line is not None:
            key, rest, blank, dash = line.groups()
            begin, next_margin = line.end(3), len(blank)
            key = string(json.loads(key)) if key[0] == '"' else f'"{key}"'
            # Nearly every value ends on its line: these cost no call.
            if rest is not None and (first := rest[0]) not in _ODD:
                value = rest if first in _NUMERIC or rest in _CONSTANTS else string(rest)
            elif rest is not None and first not in '|"':
                value = self._scalar(rest, first)
            else:
                self.begin, self.margin, self._dash = begin, next_margin, dash
                value = self._longer(line, rest, margin)
                begin, next_margin, dash = self.begin, self.margin, self._dash
            pairs.append(f"{key}{colon}{value}")
            if next_margin != margin or dash:
                break
            line = match(text, begin)
        else:
            if not pairs or begin < len(text):
                raise ValueError("a line is not as it was written")
        self.begin, self.margin, self._dash = begin, next_margin, dash
        self._outer = outer
        return spelled.wrapped("{", pairs, "}", outer)

    def sequence(self, begin: int, margin: int) -> Any:
        """Transcribe the entries whose dashes stand in one column."""
        outer = self._outer
        self._outer = self._spelled.inner(outer)
        entries = self._entries(begin, margin)
        self._outer = outer
        return self._spelled.wrapped("[", entries, "]", outer)

    def _entry(self, begin: int, margin: int) -> Any:
        if not self._remembers:
            return super()._entry(begin, margin)
        stop = block_end(margin + 1).search(self._text, begin)
        end = stop.start() + 1 if stop else len(self._text)
        key = (self._text[begin:end], margin, self._spelling)
        known = _KNOWN.get(key)
        if known is not None:
            self._step_to(end)
            return known
        self._remembers = False  # what is within it is not asked for by itself
        entry = super()._entry(begin, margin)
        self._remembers = True
        if self.begin - self.margin == end:
            _KNOWN.keep(key, entry)
        return entry

    def _scalar(self, text: str, first: str) -> str:
        if first == "'":
            return self._spelled.string(text[1:-1].replace("''", "'"))
        if first in "-0123456789":
            return text
        if first == "[":
            return self._row(text)
        return text if first == "{" or text in _CONSTANTS else self._spelled.string(text)

    def _row(self, text: str) -> str:
        spelled = self._spelled
        numbers = text[1:-1].split(", ") if len(text) > 2 else []
        return spelled.wrapped("[", numbers, "]", self._outer) if numbers else "[]"

    def _literal(self, end: int, margin: int) -> str:
        return self._spelled.string(super()._literal(end, margin))

    def _quoted(self, begin: int, end: int, margin: int) -> str:
        return self._spelled.string(super()._quoted(begin, end, margin))
