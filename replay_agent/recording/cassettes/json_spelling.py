"""JSON and the way it was spelled: separators, indentation, escapes and numbers, so that the same bytes come back."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from json.encoder import encode_basestring, encode_basestring_ascii
from typing import Any

__all__ = (
    "LAYOUTS",
    "MAX_INDENT",
    "NUMBER",
    "Number",
    "Spelling",
    "Transcription",
    "dumped_as",
    "escapes_in",
    "is_shallow",
    "read_json",
    "read_plain",
    "spell",
)

NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
"""A number by the grammar of RFC 8259."""

LAYOUTS = "compact", "spaced", "colon", "comma"
"""The spellings on one line, by name."""

MAX_INDENT = 64
"""Blanks in one step of indentation."""

MAX_MARGINS = 1 << 26
"""White space that indentation may add to a text, in characters: what is deep and wide takes more than its values do."""

# What is deeper stays text: each level moves its lines two columns to the right, where nobody reads them.
_MAX_DEPTH = 64
_COLLECTIONS = frozenset({dict, list})
_SPACE = " \t\r\n"
# The white space behind the first bracket, and around the first colon: ``{``, ``{"a": ``, ``[\n ``.
_BLANK_START = re.compile(r'[\[{]([ \t\r\n]*)(?:"(?:[^"\\]|\\.)*"([ \t\r\n]*:[ \t\r\n]*))?', re.DOTALL)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_LAYOUTS = dict(zip(LAYOUTS, ((",", ":"), (", ", ": "), (",", ": "), (", ", ":")), strict=True))


class Number(str):
    """A number as the document spells it: ``1.10`` is not ``1.1``, and ``1e999`` is no infinity."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Spelling:
    """What a JSON value does not say of its text.

    ``layout`` is compact, spaced (after comma and colon), colon, comma (after that one alone), or the white space of
    one indentation step. ``ascii`` escapes all that is not ASCII; ``escapes`` are further characters written as
    escapes; ``upper`` writes their digits in capitals. ``before`` and ``after`` are the white space around.
    """

    layout: str = "compact"
    ascii: bool = False
    upper: bool = False
    escapes: str = ""
    before: str = ""
    after: str = ""


def read_json(text: str) -> tuple[Any, Spelling] | None:
    """Read a JSON object or array such that `spell` gives the very same text; None where that cannot be.

    Numbers come as Python's where it spells them so, else as `Number`. What cannot be is repeated keys, NaN, deep nesting,
    uneven white space and the like.
    """
    inner = text.strip(_SPACE)
    if not inner.startswith(("{", "[")):
        return None
    start = text.index(inner[0])
    escapes, around = escapes_in(inner), (text[:start], text[start + len(inner) :])
    spellings = [Spelling(layout, *escapes, *around) for layout in _likely_layouts(inner)]
    try:
        found = _as_dumped(inner, spellings) or _as_spelled(text, inner, spellings)
    except (ValueError, RecursionError):
        return None
    return found if found is not None and is_shallow(found[0]) else None


def _as_dumped(inner: str, spellings: list[Spelling]) -> tuple[Any, Spelling] | None:
    """Read what `json.dumps` makes of its value, in a spelling on one line: then so does `spell`, numbers included.

    That takes a third of the time of `spell`, and is true of most bodies.
    """
    dumped = [each for each in spellings if each.layout in _LAYOUTS and not (each.upper or each.escapes)]
    try:
        value = _PLAIN.decode(inner) if dumped else None
    except ValueError:  # a number of more digits than Python converts
        return None
    spelling = next((each for each in dumped if dumped_as(value, each.layout, ascii=each.ascii) == inner), None)
    return None if spelling is None else (value, spelling)


def _as_spelled(text: str, inner: str, spellings: list[Spelling]) -> tuple[Any, Spelling] | None:
    value = _EXACT.decode(inner) if spellings else None
    # The proof is in the writing: a layout that is only nearly right gives another text and is not taken.
    spelling = next((each for each in spellings if spell(value, each) == text), None)
    return None if spelling is None else (value, spelling)


def dumped_as(value: Any, layout: str, *, ascii: bool) -> str:
    """Return the text that `json.dumps` makes of a value in a layout on one line."""
    return _encoder(layout, ascii).encode(value)


@lru_cache(maxsize=8)
def _encoder(layout: str, ascii: bool) -> json.JSONEncoder:
    return json.JSONEncoder(ensure_ascii=ascii, separators=_LAYOUTS[layout], check_circular=False)


def read_plain(text: str, begin: int) -> tuple[Any, int]:
    """Read the value that begins at a place in a text, numbers as Python's; return where it ends. Raises ValueError."""
    return _PLAIN.raw_decode(text, begin)


def _refuse(_constant: str) -> Any:
    raise ValueError


_PLAIN = json.JSONDecoder(parse_constant=_refuse)
_EXACT = json.JSONDecoder(parse_int=Number, parse_float=Number, parse_constant=_refuse)
"""A Number is a str: Python's float would lose digits, its int refuses more than 4,300."""


def is_shallow(value: Any) -> bool:
    """Tell whether a value is not deeper than what is written as lines."""
    level = [value]
    for _ in range(_MAX_DEPTH):
        level = [
            child
            for each in level
            for child in (each.values() if type(each) is dict else each)
            if type(child) in _COLLECTIONS
        ]
        if not level:
            return True
    return False


def _likely_layouts(text: str) -> list[str]:
    found = _BLANK_START.match(text)
    assert found is not None
    blank, colon = found.groups()
    if blank.startswith("\n"):
        return [blank[1:]] if len(blank) <= MAX_INDENT else []
    if colon is None:
        return ["compact", "spaced"]  # a list tells nothing of colons; the likelier first
    return [name for name, (_, written) in _LAYOUTS.items() if written == colon]


def escapes_in(text: str) -> tuple[bool, bool, str]:
    """Tell from a JSON text: whether all but ASCII is escaped, in capitals, and what else is escaped needlessly."""
    if "\\" not in text or ("\\u" not in text and "\\/" not in text):  # one character is found much faster
        return False, False, ""
    found = _ESCAPE.findall(text)
    codes = [code for code, _ in found if code]
    upper = any(code != code.lower() for code in codes)
    only_ascii = text.isascii()
    needless = {chr(int(code, 16)) for code in codes if not _left_to_ascii(int(code, 16), only_ascii)}
    if any(char == "/" for _, char in found):
        needless.add("/")
    return only_ascii and any(int(code, 16) > 0x7F for code in codes), upper, "".join(sorted(needless))


def _left_to_ascii(code: int, only_ascii: bool) -> bool:
    # Controls and lone surrogates must be escaped in any case, and what is not ASCII where ``ascii`` says so.
    return code < 0x20 or (code > 0x7F and only_ascii) or 0xD800 <= code < 0xE000


def spell(value: Any, spelling: Spelling) -> str:
    """Write a value as `read_json` read it. Its leaves are text, `Number`, int, float, bool and None.

    Raises ValueError for indentation that takes more than `MAX_MARGINS`.
    """
    return spelling.before + _Writer(spelling).write(value, "\n") + spelling.after


class Transcription:
    """How to spell what a JSON text consists of."""

    def __init__(self, spelling: Spelling) -> None:
        self.comma, self.colon = _LAYOUTS.get(spelling.layout, (",", ": "))
        self._step = None if spelling.layout in _LAYOUTS else spelling.layout
        self._plain = encode_basestring_ascii if spelling.ascii else encode_basestring
        self._escapes = {ord(char): _escape(char, spelling.upper) for char in spelling.escapes}
        self._upper = spelling.upper
        self._room = MAX_MARGINS
        self.string: Callable[[str], str] = self._respelled if spelling.escapes or spelling.upper else self._plain
        """Spells a text, with its quotes."""

    @property
    def is_on_one_line(self) -> bool:
        """Whether all of a text stands on one line."""
        return self._step is None

    def inner(self, margin: str) -> str:
        """Return the break and indentation between the items of what stands at ``margin``."""
        return margin if self._step is None else margin + self._step

    def wrapped(self, opening: str, items: list[str], closing: str, margin: str) -> str:
        """Join the items of an object or array that begins at ``margin``. Raises ValueError beyond `MAX_MARGINS`."""
        if self._step is None:
            return opening + self.comma.join(items) + closing
        inner = margin + self._step
        self._room -= (len(items) + 1) * len(inner)
        if self._room < 0:
            raise ValueError(f"its indentation takes more than {MAX_MARGINS} characters")
        return opening + inner + ("," + inner).join(items) + margin + closing

    def _respelled(self, text: str) -> str:
        # On the finished text: it has the characters to be escaped as themselves, outside of escapes.
        written = self._plain(text).translate(self._escapes)
        return _ESCAPE.sub(_capitals, written) if self._upper else written


class _Writer(Transcription):
    def write(self, value: Any, margin: str) -> str:
        kind = type(value)
        if kind is Number:
            return value  # type: ignore[no-any-return]
        if kind is str:
            return self.string(value)
        if kind is dict and value:
            inner, string, colon = self.inner(margin), self.string, self.colon
            pairs = [  # most values are text: they are spared the call
                f"{string(key)}{colon}{string(each) if type(each) is str else self.write(each, inner)}"
                for key, each in value.items()
            ]
            return self.wrapped("{", pairs, "}", margin)
        if kind is list and value:
            inner = self.inner(margin)
            return self.wrapped("[", [self.write(each, inner) for each in value], "]", margin)
        return json.dumps(value)


def _escape(char: str, upper: bool) -> str:
    if char == "/":
        return "\\/"
    return f"\\u{ord(char):04X}" if upper else f"\\u{ord(char):04x}"


def _capitals(found: re.Match[str]) -> str:
    code = found[1]
    return f"\\u{code.upper()}" if code else found[0]
