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
from collections.abc import Callable, Iterable, Iterator, Mapping
from json.encoder import encode_basestring
from typing import Any

from replay_agent.recording.spelling import NUMBER, Number

__all__ = "Unwritable", "read_block", "write_block"

_UNPRINTABLE = re.compile("[^\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_PLAIN = re.compile(r"(?:[^\W\d_]|[/_$])(?:[^\t\n:#]|:(?=[^ ])|(?<! )#)*(?<! )")
_PLAIN_KEY = re.compile(r"[A-Za-z_$][A-Za-z0-9_$./-]*")
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
_LONGEST_KEY = 200
_STEP = "  "


class Unwritable(ValueError):
    """A value that YAML cannot hold: a lone surrogate, a key too long, no plain type."""


def write_block(value: Mapping[str, Any], margin: str = "") -> str:
    """Write a mapping of plain values as lines that begin with ``margin``, the last one ended.

    Values are text, `Number`, int, bool, None, and lists and mappings (with text as keys) of them. Raises
    `Unwritable`.
    """
    return "".join(_mapping(value, margin))


def _mapping(value: Mapping[str, Any], margin: str) -> Iterator[str]:
    for key, each in value.items():
        yield f"{margin}{_key(key)}:"
        yield from _value(each, margin)


def _sequence(values: Iterable[Any], margin: str) -> Iterator[str]:
    for each in values:
        yield f"{margin}-"
        if each and isinstance(each, dict | list):
            yield from _behind_dash(each, margin + _STEP)
        else:
            yield from _value(each, margin)


def _behind_dash(value: Any, margin: str) -> Iterator[str]:
    """Write a collection whose first line stands behind the dash of its place in a list."""
    if _is_row(value):
        yield f" {_row(value)}\n"
        return
    lines = _mapping(value, margin) if isinstance(value, dict) else _sequence(value, margin)
    yield " " + next(lines).removeprefix(margin)
    yield from lines


def _value(value: Any, margin: str) -> Iterator[str]:
    """Write what stands behind a key's colon, or behind a dash if it is no collection."""
    if isinstance(value, dict):
        yield "\n" if value else " {}\n"
        yield from _mapping(value, margin + _STEP)
    elif isinstance(value, list):
        if not value or _is_row(value):
            yield f" {_row(value)}\n"
        else:
            yield "\n"
            yield from _sequence(value, margin)
    else:
        yield f" {_scalar(value, margin + _STEP)}\n"


def _is_row(value: Any) -> bool:
    """Tell whether a value is a list of several numbers, which stands on one line."""
    return isinstance(value, list) and len(value) > 1 and all(isinstance(each, Number) for each in value)


def _row(values: Iterable[Any]) -> str:
    return f"[{', '.join(values)}]"


def _key(key: str) -> str:
    if _PLAIN_KEY.fullmatch(key) and key.lower() not in _WORDS and len(key) <= _LONGEST_KEY:
        return key
    if len(key) > _LONGEST_KEY:
        raise Unwritable("a key is too long for YAML")
    return _quoted_line(key)


def _scalar(value: Any, margin: str) -> str:
    if isinstance(value, Number):
        return value
    if isinstance(value, str):
        return _text(value, margin)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    raise Unwritable(f"{type(value).__name__} is no plain value")


def _text(text: str, margin: str) -> str:
    raw = not _UNPRINTABLE.search(text)
    if "\n" in text:
        return _literal(text, margin) if raw else _quoted_lines(text, margin)
    if raw and _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    if raw and "\t" not in text and not ("'" in text and '"' not in text):
        return "'" + text.replace("'", "''") + "'"
    return _quoted_line(text)


def _literal(text: str, margin: str) -> str:
    body = text.rstrip("\n")
    ends = len(text) - len(body)
    keep = "-" if ends == 0 else "" if ends == 1 and body else "+"
    first = text.lstrip("\n")
    hint = "2" if not body or first[0] in " \t" else ""
    lines = (margin + line if line else "" for line in (text if ends == 0 else text[:-1]).split("\n"))
    return f"|{hint}{keep}\n" + "\n".join(lines)


def _quoted_lines(text: str, margin: str) -> str:
    *lines, rest = text.split("\n")
    written = [_quoted_line(line + "\n")[1:-1] for line in lines]
    if rest:
        written.append(_quoted_line(rest)[1:-1])
    shielded = (f"\\{line}" if line.startswith(" ") else line for line in written[1:])
    return '"' + f"\\\n{margin}".join((written[0], *shielded)) + '"'


def _quoted_line(text: str) -> str:
    if _SURROGATE.search(text):
        raise Unwritable("a lone surrogate has no place in YAML")
    return _UNPRINTABLE.sub(_escape, encode_basestring(text))


def _escape(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


_CONSTANTS: dict[str, Callable[[], Any]] = {
    "null": lambda: None,
    "true": lambda: True,
    "false": lambda: False,
    "{}": dict,
    "[]": list,
}


def read_block(text: str) -> dict[str, Any]:
    """Read a mapping that `write_block` wrote. Numbers come as `Number`. Raises ValueError for other text."""
    reader = _Reader(text)
    margin = len(text) - len(text.lstrip(" "))
    value = reader.mapping(margin, margin)
    if reader.position < len(text):
        raise ValueError(f"a line is not as it was written: {text[reader.position : reader.position + 60]!r}")
    return value


_KEY = re.compile(r'([A-Za-z_$][A-Za-z0-9_$./-]*|"(?:[^"\\\n]|\\.)*"):')
_ROW_START = re.compile(r"\[-?[0-9]")


class _Reader:
    """Walks through the lines; ``position`` is the start of the next line to be read."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.position = 0

    def mapping(self, margin: int, start: int) -> dict[str, Any]:
        """Read the keys in one column; the first one stands at ``start`` of the current line."""
        text, found = self._text, {}
        begin = self.position + start
        while True:
            key = _KEY.match(text, begin)
            if key is None:
                raise ValueError(f"no key in {text[begin : begin + 60]!r}")
            name = key[1]
            found[json.loads(name) if name[0] == '"' else name] = self._behind(key.end(), margin)
            begin = self.position + margin
            if not self._at(margin) or text.startswith("-", begin):
                return found

    def sequence(self, margin: int, start: int) -> list[Any]:
        """Read the list in one column; its first dash stands at ``start`` of the current line."""
        found = []
        begin = self.position + start
        while True:
            found.append(self._entry(begin, margin))
            begin = self.position + margin
            if not (self._at(margin) and self._text.startswith("-", begin)):
                return found

    def _at(self, margin: int) -> bool:
        """Tell whether the next line is indented by just this much."""
        text, begin = self._text, self.position + margin
        return begin < len(text) and text[begin] not in " \n" and text.startswith(" " * margin, self.position)

    def _entry(self, dash: int, margin: int) -> Any:
        text, begin = self._text, dash + 2
        inner = margin + 2
        if text.startswith("- ", begin):
            return self.sequence(inner, begin - self.position)
        if text[begin] not in "'|[{" and _KEY.match(text, begin) and self._is_key(begin):
            return self.mapping(inner, begin - self.position)
        return self._behind(dash + 1, margin)

    def _is_key(self, begin: int) -> bool:
        """Tell a key from a plain text that begins like one (``https://...``): what follows the colon decides."""
        key = _KEY.match(self._text, begin)
        return key is not None and self._text[key.end()] in " \n"

    def _behind(self, begin: int, margin: int) -> Any:
        """Read the value behind a colon or a dash at ``begin``."""
        text = self._text
        end = text.index("\n", begin)
        if end == begin:
            return self._below(end + 1, margin)
        first = text[begin + 1]
        if first == "|":
            return self._literal(begin + 1, end, margin + 2)
        if first == '"':
            return self._quoted(begin + 1, end, margin + 2)
        self.position = end + 1
        rest = text[begin + 1 : end]
        if first == "'":
            return rest[1:-1].replace("''", "'")
        return _plain(rest)

    def _below(self, position: int, margin: int) -> Any:
        self.position = position
        if self._at(margin) and self._text.startswith("-", position + margin):
            return self.sequence(margin, margin)
        return self.mapping(margin + 2, margin + 2)

    def _literal(self, begin: int, end: int, margin: int) -> str:
        text, header = self._text, self._text[begin:end]
        stop = _block_end(margin).search(text, end)
        self.position = stop.start() + 1 if stop else len(text)
        body = text[end : self.position - 1].replace("\n" + " " * margin, "\n")[1:]
        return body if header.endswith("-") else body + "\n"

    def _quoted(self, begin: int, end: int, margin: int) -> str:
        text, pieces = self._text, []
        while text[end - 1] == "\\":
            pieces.append(text[begin : end - 1])
            begin = end + 1 + margin
            if text.startswith("\\ ", begin):
                begin += 1
            end = text.index("\n", begin)
        pieces.append(text[begin:end])
        self.position = end + 1
        value = json.loads("".join(pieces))
        assert isinstance(value, str)
        return value


def _plain(text: str) -> Any:
    make = _CONSTANTS.get(text)
    if make is not None:
        return make()
    if _ROW_START.match(text):
        return [Number(each) for each in text[1:-1].split(", ")]
    return Number(text) if text[0] in "-0123456789" and NUMBER.fullmatch(text) else text


_BLOCK_ENDS: dict[int, re.Pattern[str]] = {}


def _block_end(margin: int) -> re.Pattern[str]:
    """Return what finds the break before the first line that does not belong to a literal block."""
    found = _BLOCK_ENDS.get(margin)
    if found is None:
        found = _BLOCK_ENDS[margin] = re.compile(rf"\n(?! {{{margin}}}|\n|\Z)")
    return found
