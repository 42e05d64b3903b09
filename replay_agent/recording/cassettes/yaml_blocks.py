"""Writes plain values as YAML that reads well in a diff, and reads just that YAML back, fast.

PyYAML's emitter turns a text with a tab, a trailing blank or an emoji into one quoted line. Here every text of several
lines keeps its lines: as a literal block, or, where it has characters that YAML must not see raw (carriage returns,
controls, U+2028), as a quoted text with one escaped line break a line. Blocks begin two columns right of what holds
them, lists stand in the column of their key, nothing is folded.

What is written is plain YAML 1.1 for any reader. `read_block` reads this subset alone, several times faster than libyaml
with its constructors, and trusts its input: text that a person may have touched goes to `documents.read_yaml`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any

from replay_agent.recording.cassettes.json_spelling import Number

__all__ = (
    "LINE",
    "LONGEST_KEY",
    "BlockReader",
    "Lines",
    "Unwritable",
    "block_end",
    "is_ordinary",
    "read_block",
    "read_literal",
    "write_block",
)

# What YAML 1.1 does not allow raw (its c-printable), and CR, U+0085, U+2028, U+2029, which it reads as line breaks.
_UNPRINTABLE = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
_FORBIDDEN = bytes((*range(0x09), *range(0x0B, 0x20), 0x7F))
"""Those of ASCII."""
_CONTROLS = bytes((*range(0x0A), *range(0x0B, 0x20), 0x7F))
"""Characters of ASCII that cannot be printed, but for the break of a line."""
_SURROGATE = re.compile("[\ud800-\udfff]")
_PLAIN_START = re.compile(r"[^\W\d_]|[/_$]")
_PLAIN_KEY = re.compile(r"[A-Za-z_$][A-Za-z0-9_$./-]*")
# YAML 1.1 takes these for constants, in any case; ``y`` and ``n`` by its text, though few readers do.
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
# A key without ``?`` before it may have 1,024 characters at most, escapes counted.
LONGEST_KEY = 200
"""Characters of a key that `write_block` writes."""
MAX_VALUES = 1_000_000
"""Lines, and further numbers in rows, that `read_block` reads."""
_STEP = "  "
_NUMBERS = frozenset({Number, int, float})


class Unwritable(ValueError):
    """A value that YAML cannot hold: a lone surrogate, a key too long, no plain type."""


def write_block(value: Mapping[str, Any], margin: str = "") -> str:
    """Write a mapping of plain values as lines that begin with ``margin``, the last one ended.

    Values are text, `Number`, int, float, bool, None, lists and mappings (with text as keys) of them, and `Lines`.
    Raises `Unwritable`.
    """
    lines: list[str] = []
    _add_mapping(lines, value, margin)
    return "".join(lines)


class Lines(str):
    """A list that is written already, with the margin of the key that it is to stand below."""

    __slots__ = ()

    @staticmethod
    def of_entry(value: Any, margin: str) -> str:
        """Write one entry of such a list. Raises `Unwritable`."""
        lines: list[str] = []
        _add_sequence(lines, [value], margin)
        return "".join(lines)


# A quoted text, as a value, an entry or a key, in which something is escaped: ``text: "a\tb"``, ``- "\u2028"``.
_ESCAPED = re.compile(r' *(?:- )*(?:(?:[^ "]+|"[^"\\\n]*"): )?"[^"\\\n]*\\')
_MEASURED = re.compile(r"[:-] \|2[-+]?\n")
"""The head of a literal block that says its margin, which a reader cannot measure."""


def is_ordinary(block: str) -> bool:
    """Tell whether every text in a block that `write_block` wrote is of the kinds that no reader of YAML takes otherwise.

    Such are a plain word or sentence, one in quotes without an escape, and lines of which the first is not indented: all
    of characters that can be printed. Nearly all texts are.
    """
    is_printable = _has_none(block, _CONTROLS) if block.isascii() else block.replace("\n", "").isprintable()
    if not is_printable or ("|" in block and "|2" in block and _MEASURED.search(block)):
        return False
    place = block.find("\\")
    while place >= 0:
        if _ESCAPED.match(block, block.rfind("\n", 0, place) + 1):
            return False
        end = block.find("\n", place)
        place = block.find("\\", end) if end >= 0 else -1
    return True


def _add_mapping(lines: list[str], value: Mapping[str, Any], margin: str) -> None:
    below = margin + _STEP
    for key, each in value.items():
        if type(each) is str:  # as most values are: they are spared the call
            lines.append(f"{margin}{_key(key)}: {_text(each, below)}\n")
        else:
            lines.append(f"{margin}{_key(key)}:")
            _add_value(lines, each, margin)


def _add_sequence(lines: list[str], values: Iterable[Any], margin: str) -> None:
    for each in values:
        lines.append(f"{margin}-")
        if each and isinstance(each, dict | list):
            _add_behind_dash(lines, each, margin + _STEP)
        else:
            _add_value(lines, each, margin)


def _add_behind_dash(lines: list[str], value: Any, margin: str) -> None:
    """Write a collection whose first line stands behind the dash of its place in a list."""
    if _is_row(value):
        lines.append(f" {_row(value)}\n")
        return
    # The margin is as wide as dash and blank are, so the lines that follow stand below the first.
    first = len(lines)
    if isinstance(value, dict):
        _add_mapping(lines, value, margin)
    else:
        _add_sequence(lines, value, margin)
    lines[first] = " " + lines[first].removeprefix(margin)


def _add_value(lines: list[str], value: Any, margin: str) -> None:
    """Write what stands behind a key's colon, or behind a dash if it is no collection."""
    if type(value) is Lines:
        lines.append(f"\n{value}")
    elif isinstance(value, str):
        lines.append(f" {value if isinstance(value, Number) else _text(value, margin + _STEP)}\n")
    elif isinstance(value, dict):
        lines.append("\n" if value else " {}\n")
        _add_mapping(lines, value, margin + _STEP)
    elif not isinstance(value, list):
        lines.append(f" {_scalar(value)}\n")
    elif not value or _is_row(value):
        lines.append(f" {_row(value)}\n")
    else:
        lines.append("\n")
        _add_sequence(lines, value, margin)


def _is_row(value: Any) -> bool:
    """Tell whether a value is a list of several numbers, which stands on one line."""
    return isinstance(value, list) and len(value) > 1 and _NUMBERS.issuperset(map(type, value))


def _row(values: Iterable[Any]) -> str:
    return f"[{', '.join(map(str, values))}]"


@lru_cache(maxsize=1024)
def _key(key: str) -> str:
    if _PLAIN_KEY.fullmatch(key) and key.lower() not in _WORDS and len(key) <= LONGEST_KEY:
        return key
    if len(key) > LONGEST_KEY:
        raise Unwritable("a key is too long for YAML")
    return _quoted_line(key)


def _scalar(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    raise Unwritable(f"{type(value).__name__} is no plain value")


_SHORT = 40
"""Characters of texts that come again and again: roles, names, types."""


def _text(text: str, margin: str) -> str:
    return _short(text) if len(text) <= _SHORT and "\n" not in text else _written(text, margin)


@lru_cache(maxsize=1024)
def _short(text: str) -> str:
    return _written(text, "")


def _written(text: str, margin: str) -> str:
    raw = _is_legible(text)
    if "\n" in text:
        return _literal(text, margin) if raw else _quoted_lines(text, margin)
    raw = raw and "\t" not in text
    if raw and _is_plain(text):
        return text
    if raw and not ("'" in text and '"' not in text):
        return "'" + text.replace("'", "''") + "'"  # the more readable of the two where both would do
    return _quoted_line(text)


def _is_legible(text: str) -> bool:
    """Tell whether YAML takes every character as it is. Of ASCII that is told several times as fast as by a pattern."""
    if text.isascii():
        return _has_none(text, _FORBIDDEN)
    return text.isprintable() or not _UNPRINTABLE.search(text)  # what Python calls printable YAML does too


def _has_none(text: str, unwanted: bytes) -> bool:
    return len(text.encode("ascii").translate(None, unwanted)) == len(text)


def _is_plain(text: str) -> bool:
    """Tell whether a line needs no quotes: it cannot be taken for another type, a key, or the head of a comment."""
    return bool(
        _PLAIN_START.match(text)
        and not (":" in text and ": " in text)  # one character is found twenty times as fast as two
        and not ("#" in text and " #" in text)
        and text[-1] not in ": "
        and text[:6].lower() not in _WORDS  # no word is longer than five
    )


def _literal(text: str, margin: str) -> str:
    body = text.rstrip("\n")
    ends = len(text) - len(body)
    keep = "-" if ends == 0 else "" if ends == 1 and body else "+"
    # A reader measures the indentation at the first line that is not empty; where there is none, or it begins with
    # white space of its own, the block must say how far it is indented.
    first = text.lstrip("\n")
    hint = "2" if not body or first[0] in " \t" else ""
    lines = (margin + line if line else "" for line in (text if ends == 0 else text[:-1]).split("\n"))
    return f"|{hint}{keep}\n" + "\n".join(lines)


def _quoted_lines(text: str, margin: str) -> str:
    *lines, rest = text.split("\n")
    written = [_quoted_line(line + "\n")[1:-1] for line in lines]
    if rest:
        written.append(_quoted_line(rest)[1:-1])
    # White space at the beginning of a line is no part of a quoted text unless it is escaped.
    shielded = (f"\\{line}" if line.startswith(" ") else line for line in written[1:])
    return '"' + f"\\\n{margin}".join((written[0], *shielded)) + '"'


def _quoted_line(text: str) -> str:
    if _SURROGATE.search(text):
        raise Unwritable("a lone surrogate has no place in YAML")
    return _UNPRINTABLE.sub(_escape, encode_basestring(text))


def _escape(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


_CONSTANTS = {"null": None, "true": True, "false": False}
LINE = re.compile(r'([A-Za-z_$][A-Za-z0-9_$./-]*|"(?:[^"\\\n]|\\.)*"):(?: ([^\n]+))?\n( *)(-?)')
"""A line with a key, and what begins the next one: `` uri: https://a.b/c``, ``"odd key":``, ``text: |-``."""
_NEXT = re.compile("( *)(-?)")


def read_block(text: str) -> dict[str, Any]:
    """Read a mapping that `write_block` wrote. Numbers come as `Number`.

    Raises ValueError, IndexError or RecursionError for other text, where it notices.
    """
    if text.count("\n") + text.count(", ") > MAX_VALUES:
        raise ValueError(f"it has more than {MAX_VALUES} lines and numbers")
    margin = len(text) - len(text.lstrip(" "))
    reader = BlockReader(text)
    value: dict[str, Any] = reader.mapping(margin, margin)
    if reader.begin < len(text):
        raise ValueError(f"a line is not as it was written: {text[reader.begin : reader.begin + 60]!r}")
    return value


class BlockReader:
    """Walks through the lines. ``begin`` is where the next line's text begins, ``margin`` the column of that."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.begin = self.margin = 0
        self._dash = ""

    def mapping(self, begin: int, margin: int, line: re.Match[str] | None = None) -> Any:
        """Read the keys in one column, the first of which is at ``begin``, its ``line`` being known or not."""
        text, match = self._text, LINE.match
        found: dict[str, Any] = {}
        line = line or match(text, begin)
        while line is not None:
            key, rest, blank, dash = line.groups()
            begin, next_margin = line.end(3), len(blank)
            if key[0] == '"':
                key = json.loads(key)
            # Nearly every value ends on its line: these cost no call.
            if rest is not None and (first := rest[0]) not in '|"':
                found[key] = _read_scalar(rest, first)
            else:
                self.begin, self.margin, self._dash = begin, next_margin, dash
                found[key] = self._longer(line, rest, margin)
                begin, next_margin, dash = self.begin, self.margin, self._dash
            if next_margin != margin or dash:
                break
            line = match(text, begin)
        else:
            if not found or begin < len(text):
                raise ValueError(f"no key in {text[begin : begin + 60]!r}")
        self.begin, self.margin, self._dash = begin, next_margin, dash
        return found

    def _longer(self, line: re.Match[str], rest: str | None, margin: int) -> Any:
        """Read a value that may go beyond the line of its key."""
        if rest is None:
            return self._below(margin)
        if rest[0] == "|":
            return self._literal(line.end(2), margin + 2)
        return self._quoted(line.start(2), line.end(2), margin + 2)

    def sequence(self, begin: int, margin: int) -> Any:
        """Read the entries whose dashes stand in one column, the first of which is at ``begin``."""
        return self._entries(begin, margin)

    def _entries(self, begin: int, margin: int) -> list[Any]:
        found = []
        while True:
            found.append(self._entry(begin + 2, margin))
            if self.margin != margin or not self._dash:
                return found
            begin = self.begin

    def _step_to(self, position: int) -> None:
        """Look at the line that begins at a position: how far it is indented, and whether there is a dash."""
        found = _NEXT.match(self._text, position)
        assert found is not None
        blank, self._dash = found.groups()
        self.begin, self.margin = found.end(1), len(blank)

    def _below(self, margin: int) -> Any:
        """Read what stands in the lines below a key: a list in the key's column, or a mapping further right."""
        if self._dash and self.margin == margin:
            return self.sequence(self.begin, margin)
        return self.mapping(self.begin, margin + 2)

    def _entry(self, begin: int, margin: int) -> Any:
        text = self._text
        first = text[begin]
        if first == "-" and text[begin + 1] == " ":
            return self.sequence(begin, margin + 2)
        # A quoted text may be the first key of a mapping or an entry by itself: the colon behind it tells.
        line = LINE.match(text, begin) if first not in "'|[{" else None
        if line is not None:
            return self.mapping(begin, margin + 2, line)
        end = text.index("\n", begin)
        self._step_to(end + 1)
        if first == "|":
            return self._literal(end, margin + 2)
        if first == '"':
            return self._quoted(begin, end, margin + 2)
        return self._scalar(text[begin:end], first)

    def _scalar(self, text: str, first: str) -> Any:
        return _read_scalar(text, first)

    def _literal(self, end: int, margin: int) -> str:
        found, after = read_literal(self._text, end, margin)
        self._step_to(after)
        return found

    def _quoted(self, begin: int, end: int, margin: int) -> str:
        text, pieces = self._text, []
        while text[end - 1] == "\\":
            pieces.append(text[begin : end - 1])
            begin = end + 1 + margin
            if text.startswith("\\ ", begin):
                begin += 1
            end = text.index("\n", begin)
        pieces.append(text[begin:end])
        if len(pieces) > 1:
            self._step_to(end + 1)
        value = json.loads("".join(pieces))
        if not isinstance(value, str):
            raise ValueError("a quoted text is not as it was written")
        return value


def _read_scalar(text: str, first: str) -> Any:
    if first == "'":
        return text[1:-1].replace("''", "'")
    if first in "-0123456789":
        return Number(text)
    if first == "[":
        return [Number(each) for each in text[1:-1].split(", ")] if len(text) > 2 else []
    if first == "{":
        return {}
    return _CONSTANTS.get(text, text)


_BLOCK_ENDS: dict[int, re.Pattern[str]] = {}


def block_end(margin: int) -> re.Pattern[str]:
    """Return what finds the break before the first line that does not belong to a literal block."""
    found = _BLOCK_ENDS.get(margin)
    if found is None:
        # Empty lines have no margin, wherever they stand, and belong to the block; so does the end of the text.
        found = _BLOCK_ENDS[margin] = re.compile(rf"\n(?! {{{margin}}}|\n|\Z)")
    return found


def read_literal(text: str, end: int, margin: int) -> tuple[str, int]:
    """Return the text of a literal block, and where the next line begins; the line with its ``|`` ends at ``end``."""
    stop = block_end(margin).search(text, end)
    after = stop.start() + 1 if stop else len(text)
    body = text[end : after - 1].replace("\n" + " " * margin, "\n")[1:]
    return body if text[end - 1] == "-" else body + "\n", after
