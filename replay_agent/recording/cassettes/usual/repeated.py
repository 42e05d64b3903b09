"""A JSON body on one line, whose lists of objects an earlier body had too: turns of a conversation, descriptions of tools.

Each such object is read, spelled again and written as lines once: of a history of 20 KB that took most of the time. No text of
an object begins with that of another, so that what begins with known ones is those.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from replay_agent.recording.cassettes.json_spelling import Spelling, dumped_as, escapes_in, is_shallow, read_plain
from replay_agent.recording.cassettes.usual.memory import Memory
from replay_agent.recording.cassettes.yaml_blocks import LONGEST_KEY, Lines

__all__ = ("read_repeated",)

# A member of the whole, and whether it is a list of objects: ``"model": ``, ``"messages":[``.
_MEMBER = re.compile(rf'"([^"\\\0-\x1f]{{0,{LONGEST_KEY}}})":( ?)(\[(?=\{{))?')
_LAYOUTS = {"": ("compact", ","), " ": ("spaced", ", ")}
"""By what stands behind a colon."""
_SHORTEST, _LONGEST = 2_000, 400_000
"""Characters. What is shorter takes no longer to read as a whole; what is longer may hold more values than is written as lines."""


def read_repeated(text: str, margin: str) -> tuple[dict[str, Any], Spelling] | None:
    """Read an object as `read_json` does, but for its lists of objects: they come as `Lines` at a margin.

    None for what is left to the long way: any but the usual spellings, and what has no place in YAML.
    """
    head = _MEMBER.match(text, 1) if _SHORTEST <= len(text) <= _LONGEST and text[0] == "{" else None
    if head is None:
        return None
    layout, comma = _LAYOUTS[head[2]]
    spelling = Spelling(layout, *escapes_in(text))
    if spelling.upper or spelling.escapes:
        return None
    try:
        members = _Members(text, comma, layout, _memory(layout, margin), margin).read()
    except (ValueError, IndexError, RecursionError):
        return None
    return (members, spelling) if is_shallow(members) else None


@lru_cache(maxsize=4)
def _memory(_layout: str, _margin: str) -> Memory:
    return Memory()


class _Members:
    """Reads the members. Its methods raise ValueError and IndexError for another spelling, and for no JSON."""

    def __init__(self, text: str, comma: str, layout: str, memory: Memory, margin: str) -> None:
        self._text, self._comma, self._layout = text, comma, layout
        self._memory, self._margin = memory, margin

    def read(self) -> dict[str, Any]:
        text, begin, found = self._text, 1, dict[str, Any]()
        while (head := _MEMBER.match(text, begin)) is not None:
            name, blank, is_list = head.groups()
            if name in found or blank != self._comma[1:]:
                break
            found[name], end = (self._list if is_list else self._value)(head.end())
            if text[end] == "}" and end + 1 == len(text):
                return found
            begin = self._next(end)
        raise ValueError("no member stands there")

    def _next(self, end: int) -> int:
        if not self._text.startswith(self._comma, end):
            raise ValueError("no comma stands there")
        return end + len(self._comma)

    def _next_object(self, end: int) -> int | None:
        return None if self._text[end] == "]" else self._next(end)

    def _value(self, begin: int) -> tuple[Any, int]:
        value, end = read_plain(self._text, begin)
        self._check(value, self._text[begin:end])
        return value, end

    def _list(self, begin: int) -> tuple[Lines, int]:
        """Read a list from its first object on."""
        lines, end = self._memory.entries(self._text, begin, self._object, self._next_object)
        return Lines("".join(lines)), end + 1

    def _object(self, begin: int) -> tuple[str, str]:
        """Read an object: its text, and its lines."""
        value, end = read_plain(self._text, begin)
        text = self._text[begin:end]
        lines = self._memory.get(text)
        if lines is None:
            self._check(value, text)
            if type(value) is not dict or not is_shallow([[value]]):
                raise ValueError("no such object is written as lines")
            lines = Lines.of_entry(value, self._margin)
            self._memory.keep(text, lines)
        return text, lines

    def _check(self, value: Any, text: str) -> None:
        if dumped_as(value, self._layout, ascii=text.isascii()) != text:
            raise ValueError("it is spelled otherwise")
