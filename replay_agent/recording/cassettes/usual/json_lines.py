"""From the lines of a JSON body to its bytes without the values between: keys and texts go over as they are read.

Reading the lines into values and spelling those took half of what a replayed answer costs (54 of 110 microseconds for an
answer of 300 bytes); this takes 28, and `one_line` ten for the short bodies that it knows.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any

from replay_agent.recording.cassettes.json_spelling import Spelling, Transcription
from replay_agent.recording.cassettes.usual.memory import Memory
from replay_agent.recording.cassettes.yaml_blocks import LINE, BlockReader, block_end

__all__ = "LONG", "JSONLines"

_CONSTANTS = frozenset({"null", "true", "false"})
_NUMERIC = frozenset("-0123456789")
_ODD = frozenset("|\"'[{")
"""What values begin with that are neither numbers nor plain texts."""
LONG = 20_000
"""Characters of a body from which on it is likely to repeat what the one before it said: a history."""


@lru_cache(maxsize=4)
def _memory(_margin: int, _spelling: Spelling) -> Memory:
    """Return what is known of entries whose dashes stand in this column: 200 turns repeat 40,000 messages, of which 400 are new.

    A quarter of the time that a comparison of two such conversations takes went into those.
    """
    return Memory()


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

    def _entries(self, begin: int, margin: int) -> list[Any]:
        if not self._remembers:
            return super()._entries(begin, margin)
        self._remembers = False  # what is within them is not asked for by itself
        memory, ends = _memory(margin, self._spelling), block_end(margin + 1)

        def read(begin: int) -> tuple[str, str]:
            stop = ends.search(self._text, begin)
            lines = self._text[begin : stop.start() + 1 if stop else len(self._text)]
            known = memory.get(lines)
            if known is not None:
                self._step_to(begin + len(lines))
                return lines, known
            entry = self._entry(begin, margin)
            if self.begin - self.margin == begin + len(lines):
                memory.keep(lines, entry)
            return lines, entry

        def next_to(_end: int) -> int | None:
            return self.begin + 2 if self._dash and self.margin == margin else None

        found, _ = memory.entries(self._text, begin + 2, read, next_to)
        self._remembers = True
        return found

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
