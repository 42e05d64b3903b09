"""Reads YAML as PyYAML's dumper writes it, several times faster than PyYAML does, and says so of any other text.

That is the layout of vcrpy's cassettes: block style, lists in the column of their key, long texts folded at blanks. What
is read is what ``yaml.safe_load`` reads, value for value. Anything that the dumper does not write, or that could be
something else to YAML (anchors, tags, flow style, dates, odd numbers), raises `NotDumped`, and is left to a whole reader.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from replay_agent.recording.cassettes.yaml_blocks import block_end

__all__ = "NotDumped", "read_dumped"


class NotDumped(ValueError):
    """The text is not, as far as can be told, what PyYAML's dumper writes."""


_NOT_PRINTED = re.compile("[^\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_PRINTED = bytes([ord("\n"), *range(0x20, 0x7F)])
_LINE = re.compile(r"([A-Za-z_$][A-Za-z0-9_$./-]*|'[^'\n]+'):(?: ([^\n]+))?\n( *)(-?)")
"""A key with what stands behind it, and how the next line begins: ``status: 200\\n  -``."""
_NEXT = re.compile("( *)(-?)")
_SINGLE = re.compile(r"'([^']*(?:''[^']*)*)'\n")
_DOUBLE = re.compile(r'"([^"\\]*(?:\\.[^"\\]*)*)"\n', re.DOTALL)
_BREAKS = re.compile("\n(\n*)")
_ESCAPED_FOLD = re.compile(r"\\(?:\n *(\\(?= ))?|(.))|( *\n[ \n]*)", re.DOTALL)
_NO_LINE_JOINED = re.compile(r"\\\n *\n")
_ESCAPE = re.compile(r"\\(?:(x)([0-9A-Fa-f]{2})|(U)([0-9A-Fa-f]{8})|(.))", re.DOTALL)
_ONLY_YAML = re.compile(r"\\[^\"\\/bfnrtu]")
_SURROGATE = re.compile(r"\\(?:u|U0000)[dD][89A-Fa-f]")
_NAMED = {
    "0": "\0",
    "a": "\a",
    "v": "\v",
    "e": "\x1b",
    " ": " ",
    "_": "\xa0",
    "N": "\x85",
    "L": "\u2028",
    "P": "\u2029",
}
_NO_PLAIN = frozenset(" '\"|>&*!%@`?:-,[]{}#")
_INTEGER = re.compile("0|[1-9][0-9]{0,14}")
_CONSTANTS = {"null": None, "true": True, "false": False}
_USUAL_BEGIN = "request:\n    body: "
_USUAL_MIDDLE = re.compile(
    r"headers:\n((?: {6}[^\n]+\n)+)    method: (GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS)\n"
    r"    uri: (https?://[A-Za-z0-9._~:/?&=%+@-]*[A-Za-z0-9/=_-])\n  response:\n    body:\n      string: (?=[^\n])"
)
_USUAL_END = re.compile(
    r"headers:\n((?: {6}[^\n]+\n)+)    status:\n      code: ([1-9][0-9]{2})\n      message: ([A-Za-z]+(?: [A-Za-z]+)*)\n"
    r"(?=- |[A-Za-z_])"
)
"""What stands around the two bodies of an interaction in a cassette of vcrpy, whose keys are sorted."""
_TYPED = frozenset("0123456789+-.~<=yYnNtTfFoO")
"""How a plain text begins that may be more than a text to YAML 1.1: a number, a date, a truth value, nothing."""


def read_dumped(text: str) -> Any:
    """Read a document whose top is a mapping in block style.

    Raises `NotDumped`, or RecursionError for what is nested too deep.
    """
    if not text.endswith("\n"):
        raise NotDumped("the last line has no end")
    if not text.isascii() or text.encode("ascii").translate(None, _PRINTED):
        found = _NOT_PRINTED.search(text)
        if found is not None:
            raise NotDumped(f"{found[0]!r} is not written as it is")
    return _Reader(text).document()


class _Reader:
    """Walks through the lines. ``begin`` is where the next line's text begins, ``margin`` the column of that."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.begin = self.margin = 0
        self._dash = ""

    def document(self) -> dict[str, Any]:
        value = self.mapping(0, 0)
        if self.begin < len(self._text):
            raise self._odd(self.begin)
        return value

    def _odd(self, place: int) -> NotDumped:
        return NotDumped(f"not as PyYAML writes: {self._text[place : place + 60]!r}")

    def mapping(self, begin: int, margin: int, line: re.Match[str] | None = None) -> dict[str, Any]:
        """Read the keys in one column, the first of which is at ``begin``, its ``line`` being known or not."""
        text, match = self._text, _LINE.match
        found: dict[str, Any] = {}
        if line is None:
            begin = self._single_lists(begin, margin, found)
            line = match(text, begin)
        while line is not None:
            key, rest, blank, self._dash = line.groups()
            self.begin, self.margin = line.end(3), len(blank)
            value = self._below(margin) if rest is None else self._value(rest, line.start(2), line.end(2), margin)
            found[key[1:-1] if key[0] == "'" else _text_key(key)] = value
            if self.margin != margin or self._dash:
                break
            line = match(text, self.begin)
        else:
            if not found or self.begin < len(text):
                raise self._odd(self.begin)
        return found

    def _single_lists(self, begin: int, margin: int, found: dict[str, Any]) -> int:
        """Read as many keys as there are with a list of one text below, as headers are; return where the next begins."""
        match = _single_list(margin)
        pair = match(self._text, begin)
        while pair is not None:
            key, quoted, plain = pair.groups()
            if quoted is None:
                found[_text_key(key)] = [_typed(plain) if plain[0] in _TYPED else plain]
            else:
                found[_text_key(key)] = [quoted]
            begin = pair.end()
            pair = match(self._text, begin)
        return begin

    def _value(self, rest: str, start: int, end: int, margin: int) -> Any:
        """Read what begins in the rest of a line; further lines of it stand right of ``margin``."""
        first = rest[0]
        if first == "'":
            return self._single(rest, start, margin)
        if first == '"':
            return self._double(start, margin)
        if first == "|" or rest == "!!binary |":
            block = self._literal(rest if first == "|" else "|", end, margin)
            return block if first == "|" else _binary(block)
        if first in _NO_PLAIN and not (first in "-?:" and len(rest) > 1 and rest[1] != " "):
            if rest in ("[]", "{}"):
                return [] if rest == "[]" else {}
            raise self._odd(start)
        return self._plain(rest, end, margin)

    def _step_to(self, position: int) -> None:
        """Look at the line that begins at a position: how far it is indented, and whether there is a dash."""
        found = _NEXT.match(self._text, position)
        assert found is not None
        blank, self._dash = found.groups()
        self.begin, self.margin = found.end(1), len(blank)

    def _below(self, margin: int) -> Any:
        """Read what stands in the lines below a key: a list in the key's column or right of it, or a mapping."""
        if self._dash and self.margin >= margin:
            return self._sequence(self.begin, self.margin)
        if self.margin <= margin:
            raise self._odd(self.begin)
        return self.mapping(self.begin, self.margin)

    def _sequence(self, begin: int, margin: int) -> list[Any]:
        """Read the entries whose dashes stand in one column, the first of which is at ``begin``."""
        found = []
        while True:
            if not self._text.startswith("- ", begin):
                raise self._odd(begin)
            found.append(self._entry(begin + 2, margin))
            if self.margin != margin or not self._dash:
                return found
            begin = self.begin

    def _entry(self, begin: int, margin: int) -> Any:
        text = self._text
        if not margin and text.startswith(_USUAL_BEGIN, begin):
            found = self._interaction(begin + len(_USUAL_BEGIN))
            if found is not None:
                return found
        if text.startswith("- ", begin):
            return self._sequence(begin, margin + 2)
        line = _LINE.match(text, begin)
        if line is not None:
            return self.mapping(begin, margin + 2, line)
        end = text.index("\n", begin)
        if end == begin:
            raise self._odd(begin)
        self._step_to(end + 1)
        return self._value(text[begin:end], begin, end, margin)

    def _interaction(self, begin: int) -> dict[str, Any] | None:
        """Read an interaction as vcrpy writes most, from the value of its body on; None for what has another shape."""
        text = self._text
        body = self._value_at(begin, 4)
        middle = _USUAL_MIDDLE.match(text, self.begin) if self.margin == 4 else None
        if middle is None or (headers := _usual_headers(middle[1])) is None:
            return None
        string = self._value_at(middle.end(), 6)
        end = _USUAL_END.match(text, self.begin) if self.margin == 4 else None
        if end is None or (answered := _usual_headers(end[1])) is None:
            return None
        self._step_to(end.end())
        message = end[3]
        return {
            "request": {"body": body, "headers": headers, "method": middle[2], "uri": middle[3]},
            "response": {
                "body": {"string": string},
                "headers": answered,
                "status": {"code": int(end[2]), "message": _phrase(message) if message[0] in _TYPED else message},
            },
        }

    def _value_at(self, begin: int, margin: int) -> Any:
        """Read the value that begins behind a key in the column ``margin``."""
        end = self._text.index("\n", begin)
        if end == begin:
            raise self._odd(begin)
        self._step_to(end + 1)
        return self._value(self._text[begin:end], begin, end, margin)

    def _single(self, rest: str, start: int, margin: int) -> str:
        if "'" not in rest[1:-1] and len(rest) > 1 and rest[-1] == "'":
            return rest[1:-1]
        found = _SINGLE.match(self._text, start)
        if found is None:
            raise self._odd(start)
        value = found[1]
        if "\n" in value:
            self._step_to(found.end())
            value = _joined(value, margin) or _folded(_lines(value, margin), "\n")
        return value.replace("''", "'")

    def _double(self, start: int, margin: int) -> str:
        found = _DOUBLE.match(self._text, start)
        if found is None:
            raise self._odd(start)
        value = found[1]
        if "\n" in value:
            self._step_to(found.end())
            if _NO_LINE_JOINED.search(value):
                raise self._odd(start)
            lines = _lines(value, margin)
            is_plain = not any(line[:2] == "\\ " or line[-1:] == "\\" for line in lines)
            value = _folded(lines, "\\n") if is_plain else _ESCAPED_FOLD.sub(_unfolded, value)
        if "\\" not in value:
            return value
        if _SURROGATE.search(value):
            raise self._odd(start)
        try:
            if _ONLY_YAML.search(value):
                value = _ESCAPE.sub(_as_json, value)
            read: str = json.loads(f'"{value}"', strict=False)
        except (ValueError, OverflowError):
            raise self._odd(start) from None
        return read

    def _literal(self, head: str, end: int, margin: int) -> str:
        """Read a block whose lines are kept, as it stands under a bar."""
        text = self._text
        self._step_to(end + 1)
        if head not in ("|", "|-", "|+") or self.margin <= margin or text[self.begin] == "\n":
            raise self._odd(end)
        stop = block_end(self.margin).search(text, end)
        after = stop.start() + 1 if stop else len(text)
        lines = text[end + 1 : after].replace("\n" + " " * self.margin, "\n")[self.margin :]
        self._step_to(after)
        if head == "|+":
            return lines
        return lines.rstrip("\n") + ("" if head == "|-" else "\n")

    def _plain(self, rest: str, end: int, margin: int) -> Any:
        text, pieces = self._text, [rest]
        while self.margin > margin and self.begin < len(text):
            start, end = self.begin, text.index("\n", self.begin)
            pieces.append(text[start:end])
            self._step_to(end + 1)
        value = " ".join(piece.rstrip(" ") for piece in pieces) if len(pieces) > 1 else rest.rstrip(" ")
        if ": " in value or " #" in value or value[-1] == ":" or any(piece[0] in "#-" for piece in pieces[1:] if piece):
            raise self._odd(end)
        if not all(pieces):
            raise self._odd(end)
        return _typed(value) if value[0] in _TYPED else value


def _text_key(key: str) -> str:
    if key[0] in _TYPED and _typed(key) is not key:
        raise NotDumped(f"the key {key} may be no text")
    return key


def _typed(value: str) -> Any:
    if _INTEGER.fullmatch(value):
        return int(value)
    if value in _CONSTANTS:
        return _CONSTANTS[value]
    from yaml.resolver import Resolver

    if any(pattern.match(value) for _, pattern in Resolver.yaml_implicit_resolvers.get(value[0], ())):
        raise NotDumped(f"{value[:60]!r} may be no text")
    return value


_phrase = lru_cache(maxsize=64)(_typed)
"""What stands beside a status, read: few say anything but OK."""


def _lines(value: str, margin: int) -> list[str]:
    """Return the lines of a quoted text without what folding put around them; each is right of what holds the text."""
    first, *lines, last = value.split("\n")
    least = " " * (margin + 1)
    if not last.startswith(least) or any(line and not line.startswith(least) for line in lines):
        raise NotDumped("a text goes on left of its key")
    return [first.rstrip(" "), *[line.strip(" ") for line in lines], last.lstrip(" ")]


def _joined(value: str, margin: int) -> str | None:
    """Join lines that are all indented alike, as the dumper folds a text without breaks; None for any other."""
    first = value.index("\n")
    column = first + 1
    while value[column : column + 1] == " ":
        column += 1
    fold = value[first:column]
    if len(fold) < margin + 2 or " \n" in value or f"{fold} " in value or value.count(fold) != value.count("\n"):
        return None
    return value.replace(fold, " ")


def _folded(lines: list[str], newline: str) -> str:
    """Join lines as YAML does: a break is a blank, one with empty lines after it as many line breaks as those."""
    if all(lines[1:-1]):
        return " ".join(lines)
    parts = _BREAKS.split("\n".join(lines))
    parts[1::2] = [newline * len(more) or " " for more in parts[1::2]]
    return "".join(parts)


def _unfolded(found: re.Match[str]) -> str:
    """Join the lines of a text in double quotes, its escapes being left as they are."""
    if found[3] is not None:
        return " " if (breaks := found[0].count("\n")) == 1 else "\\n" * (breaks - 1)
    return "" if found[2] is None else found[0]


def _as_json(found: re.Match[str]) -> str:
    """Return an escape of YAML as JSON spells it."""
    short, two, long, eight, other = found.groups()
    if short:
        return f"\\u00{two}"
    if long:
        return json.dumps(chr(int(eight, 16)))[1:-1]
    if other in _NAMED:
        return json.dumps(_NAMED[other])[1:-1]
    return found[0]


def _binary(block: str) -> bytes:
    try:
        return base64.decodebytes(block.encode("ascii"))
    except (binascii.Error, UnicodeEncodeError):
        raise NotDumped("binary data that is not base64") from None


_HEADER_NAME = re.compile(r" {6}([A-Za-z_][A-Za-z0-9_-]*):")
_HEADER_VALUE = re.compile(r" {6}- (?:'([^'\n]*)'|([A-Za-z0-9](?:[^\n:# ]|:(?=[^ \n])| (?=[^ #\n]))*))")
_names: dict[str, str] = {}
_values: dict[str, str] = {}
"""What lines of headers say that were read before: most cassettes of a suite have them in common."""
_MOST_KNOWN = 4096
_LONGEST_KNOWN = 200


def _usual_headers(block: str) -> dict[str, list[Any]] | None:
    """Read the headers of an interaction, each a line with one value in the next; None for what is left to the long way.

    Raises `NotDumped` as that does.
    """
    *lines, _ = block.split("\n")
    if len(lines) % 2:
        return None
    found: dict[str, list[Any]] = {}
    for name, value in zip(lines[::2], lines[1::2], strict=True):
        key = _names.get(name)
        text = _values.get(value)
        if key is None or text is None:
            if not (_HEADER_NAME.fullmatch(name) and _HEADER_VALUE.fullmatch(value)):
                return None
            key, text = _read_header(name, value)
        found[key] = [text]
    return found


def _read_header(name: str, value: str) -> tuple[str, Any]:
    key = _text_key(name[6:-1])
    said = value[9:-1] if value[8] == "'" else value[8:]
    text = _typed(said) if value[8] in _TYPED else said
    _remember(_names, name, key)
    if type(text) is str:
        _remember(_values, value, text)
    return key, text


def _remember(known: dict[str, str], line: str, text: str) -> None:
    if len(line) <= _LONGEST_KNOWN:
        if len(known) >= _MOST_KNOWN:
            known.clear()
        known[line] = text


_SINGLE_LISTS: dict[int, Callable[[str, int], re.Match[str] | None]] = {}


def _single_list(margin: int) -> Callable[[str, int], re.Match[str] | None]:
    """Return what matches a key and its list of one text, before another key in the same column."""
    found = _SINGLE_LISTS.get(margin)
    if found is None:
        blank = " " * margin
        found = _SINGLE_LISTS[margin] = re.compile(
            rf"([A-Za-z_][A-Za-z0-9_-]*):\n{blank}- "
            r"(?:'([^'\n]*)'|([A-Za-z](?:[^\n:# ]|:(?=[^ \n])| (?=[^ #\n]))*))"
            rf"\n{blank}(?=[A-Za-z_'])"
        ).match
    return found
