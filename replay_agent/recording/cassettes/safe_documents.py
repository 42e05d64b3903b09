"""Reads documents that anybody may have written: YAML, JSON and TOML as plain data, within limits.

Nothing here builds objects. YAML comes through libyaml's events (PyYAML's own parser where libyaml is missing) and a
loop, not recursion: deep nesting, aliases that multiply and tags that ask for Python objects end in an error with a line.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from typing import Any

from replay_agent.recording.cassettes.json_spelling import NUMBER, Number

__all__ = "BadDocument", "read_json_document", "read_toml", "read_yaml"

# Far beyond any provider's JSON, and far from where Python's own recursion ends for those who walk the value later.
MAX_DEPTH = 200
_TOO_DEEP = f"it is nested more than {MAX_DEPTH} levels deep"
# Quoted texts and comments: what they hold opens nothing.
_QUOTED = re.compile(r""" "[^"]*" | '[^']*' | \#.* """, re.VERBOSE)
# ``- `` (several may stand on one line: ``- - - x``) and ``key:`` at the end of a line.
_BLOCK_OPENER = re.compile(r"(?:^|(?<=[ \t]))-(?=[ \t])|:[ \t]*$", re.MULTILINE)
# Ten aliases of ten aliases of ten ... are a few hundred bytes in the file ("billion laughs").
_MAX_ALIASED = 1 << 23
"""What aliases may stand for, in all: values and the characters of texts."""

MAX_VALUES = 500_000
"""Values in a document, keys not counted: the two bytes of one in the file become a hundred in memory."""

_MAX_TOML = 1 << 23
"""Characters of a TOML document: its reader is slow, being of Python."""

_LONGEST_NUMBER = 400
"""Characters that are read as one number; more are text. The largest float has 309 digits."""

_MOST_BITS = 4 * _LONGEST_NUMBER
_SHOWN = 60
_ENDLESS = f"it holds a number of more than {_LONGEST_NUMBER} digits"
_TOO_MANY = f"it holds more than {MAX_VALUES} values"
_ENDLESS_NUMBER = re.compile(r"[=,\[][ \t]*[-+]?(?:0[xob])?[0-9a-fA-F_]{100000}")
"""As in ``status = 0xfff...``: the pattern with which ``tomllib`` reads a number takes a hundred bytes for each digit."""
_MOST_TABLES = 150_000
"""Heads of tables in a TOML document: each takes its reader ten microseconds."""
_DOTTED = re.compile(
    r"""(?:^|[{,\[])[ \t]*+(?:(?:[\w\-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){200}""", re.MULTILINE
)
"""``a.a.a = 1``: each point is a level, and its reader keeps every way to there."""
_JSON_TEXT = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_TAG = "tag:yaml.org,2002:"
_TEXT_TAGS = frozenset({f"{_TAG}str", f"{_TAG}timestamp", f"{_TAG}python/str", f"{_TAG}python/unicode"})
_LIST_TAGS = frozenset({None, "!", f"{_TAG}seq", f"{_TAG}python/tuple"})
_MAP_TAGS = frozenset({None, "!", f"{_TAG}map"})
# vcrpy hands PyYAML whatever a client gave as its body, and that writes objects with their class.
_BUFFER_TAG = f"{_TAG}python/object/new:_io.BytesIO"
_ITERATOR_TAG = f"{_TAG}python/object/apply:builtins.iter"
_ISTR_TAG = re.compile(rf"{_TAG}python/object/(?:apply|new):multidict\.(?:\w+\.)?istr")
"""A header's name as aiohttp holds it, a text that knows no case: ``? !!python/object/apply:multidict._multidict.istr``."""
_HELD_TAG = re.compile(rf"{_TAG}python/object/(?:apply|new):http\.HTTPStatus")
_DATA_TAG = re.compile(rf"{_TAG}python/object/(?:apply|new):(?:yarl\.(?:_url\.)?URL|urllib\.parse\.SplitResult)")
"""What else vcrpy keeps of aiohttp's answers; the address of an answer is data that nobody reads."""
_SCALAR_TAGS = frozenset({f"{_TAG}int", f"{_TAG}float", f"{_TAG}bool", f"{_TAG}null"})
# How numbers and the words below begin. Most scalars begin otherwise, and are text without further tests.
_STARTS = frozenset("-+.~0123456789nNtTfFyYoO")
_WORDS = {
    **dict.fromkeys(("~", "null", "Null", "NULL", ""), None),
    **dict.fromkeys(("true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"), False),
}
# By YAML 1.1, as PyYAML reads it: ``1.5``, ``1_000.5``, ``.5``, ``-.inf``, ``.nan``, and ``1.5e+3`` but not ``1e3``,
# which is text.
_FLOAT = re.compile(
    r"[-+]?(?:[0-9][0-9_]*)\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
_INT = re.compile(r"[-+]?(?:0b[01_]+|0[0-7_]+|0x[0-9a-fA-F_]+|0|[1-9][0-9_]*)")


class BadDocument(ValueError):
    """What is wrong with a document, and in which line (counted from 1; None where no line is to blame)."""

    def __init__(self, cause: str, line: int | None = None) -> None:
        self.cause = cause
        self.line = line
        super().__init__(cause)


def read_json_document(text: str) -> object:
    """Read JSON. Raises `BadDocument`."""
    # Marks within texts are no values; they are taken out only where that could make a difference.
    if _marks(text) > MAX_VALUES and _marks(_JSON_TEXT.sub("", text)) > MAX_VALUES:
        raise BadDocument(_TOO_MANY)
    try:
        return json.loads(text)
    except json.JSONDecodeError as exc:
        raise BadDocument(f"it is not valid JSON: {exc.msg}", exc.lineno) from exc
    except RecursionError as exc:
        raise BadDocument("it is nested too deeply") from exc
    except ValueError as exc:
        raise BadDocument(f"it is not valid JSON: {exc}") from exc


def read_toml(text: str) -> object:
    """Read TOML. Raises `BadDocument`."""
    import tomllib

    if len(text) > _MAX_TOML:
        raise BadDocument(f"it has {len(text)} characters; as TOML it may have {_MAX_TOML}")
    if _marks(text) + text.count("=") > MAX_VALUES or text.count("\n[") > _MOST_TABLES:
        raise BadDocument(_TOO_MANY)
    if _DOTTED.search(text):
        raise BadDocument("it is nested more than 200 levels deep")
    if _ENDLESS_NUMBER.search(text):
        raise BadDocument(_ENDLESS)
    try:
        return _checked(tomllib.loads(text))
    except BadDocument:
        raise
    except RecursionError as exc:
        raise BadDocument("it is nested too deeply") from exc
    except ValueError as exc:
        raise BadDocument(f"it is not valid TOML: {exc}") from exc


def _marks(text: str) -> int:
    """Count what begins a value: no document holds more than one value beyond these."""
    return text.count(",") + text.count("[") + text.count("{")


def _checked(document: object) -> object:
    """Return a document without numbers of endless digits, which Python can hold and cannot print."""
    rest = [document]
    while rest:
        value = rest.pop()
        if isinstance(value, dict):
            rest.extend(value.values())
        elif isinstance(value, list):
            rest.extend(value)
        elif isinstance(value, int) and value.bit_length() > _MOST_BITS:
            raise BadDocument(_ENDLESS)
    return document


def read_yaml(source: str | bytes, *, first_line: int = 1, exact: bool = False) -> object:
    """Read one YAML 1.1 document; ``source`` begins in line ``first_line`` of its file.

    Keys are the text that stands there, timestamps stay text, repeated keys keep the last value. With ``exact``, for what
    we have written, JSON numbers come as `Number`, else as int and float, and a repeated key is an error: a merge that
    went wrong, of which nobody knows which half is meant. Raises `BadDocument`.
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    composer = _Composer(first_line, exact=exact)
    takers = {
        yaml.ScalarEvent: composer.scalar,
        yaml.MappingStartEvent: composer.begin_mapping,
        yaml.SequenceStartEvent: composer.begin_list,
        yaml.MappingEndEvent: composer.end,
        yaml.SequenceEndEvent: composer.end,
        yaml.AliasEvent: composer.alias,
        yaml.DocumentStartEvent: composer.begin_document,
    }
    seen = None
    try:
        for event in yaml.parse(source, Loader=loader):
            take = takers.get(type(event))
            if take is not None:
                take(event)
            seen = event.end_mark
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        line = None if mark is None else mark.line + first_line
        # A parser reads ahead of its events, and may have a limit of its own: the cause is then still the depth.
        if (
            mark is not None
            and composer.depth + _opened(_text(source)[seen.index if seen else 0 : mark.index]) > MAX_DEPTH
        ):
            raise BadDocument(_TOO_DEEP, line) from exc
        raise BadDocument(f"it is not valid YAML: {exc.problem or exc.context}", line) from exc
    except yaml.reader.ReaderError as exc:
        line = first_line + _bytes(source)[: exc.position].count(b"\n")
        raise BadDocument(f"it holds a character that YAML does not allow: {exc.reason}", line) from exc
    except UnicodeError as exc:
        raise BadDocument(f"it holds text that is not Unicode: {exc}") from exc
    return composer.document


def _opened(text: str) -> int:
    """Count the collections that a piece of YAML opens and leaves open: ``[``, ``{``, ``- `` and keys on lines of their own."""
    bare = _QUOTED.sub("", text)
    closed = bare.count("]") + bare.count("}")
    return bare.count("[") + bare.count("{") - closed + len(_BLOCK_OPENER.findall(bare))


def _text(source: str | bytes) -> str:
    return source if isinstance(source, str) else source.decode("utf-8", "replace")


def _bytes(source: str | bytes) -> bytes:
    return source if isinstance(source, bytes) else source.encode("utf-8", "surrogatepass")


@dataclass(slots=True)
class _Open:
    """A collection under way; ``size`` counts its values and characters, those behind aliases as often as they stand there."""

    value: Any
    tag: str | None
    anchor: str | None
    key: str | None = None
    size: int = 1


class _Composer:
    """Builds plain values from events, one call for each."""

    def __init__(self, first_line: int, *, exact: bool) -> None:
        self.document: Any = None
        self._first_line = first_line
        self._exact = exact
        self._stack: list[_Open] = []
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._documents = 0
        self._aliased = 0
        self._values = 0

    @property
    def depth(self) -> int:
        return len(self._stack)

    def begin_document(self, event: Any) -> None:
        self._documents += 1
        if self._documents > 1:
            raise self._bad("a second document begins; a cassette is one document", event)

    def begin_mapping(self, event: Any) -> None:
        if event.tag not in _MAP_TAGS and event.tag not in (_BUFFER_TAG, _ITERATOR_TAG) and not _is_held(event.tag):
            raise self._forbidden(event.tag, event)
        self._begin({}, event)

    def begin_list(self, event: Any) -> None:
        if event.tag not in _LIST_TAGS and not _is_held(event.tag):
            raise self._forbidden(event.tag, event)
        self._begin([], event)

    def _begin(self, value: Any, event: Any) -> None:
        if len(self._stack) >= MAX_DEPTH:
            raise self._bad(_TOO_DEEP, event)
        self._stack.append(_Open(value, event.tag, event.anchor))

    def end(self, event: Any) -> None:
        done = self._stack.pop()
        value = done.value
        if done.tag in (_BUFFER_TAG, _ITERATOR_TAG):
            value = self._untagged(done, event)
        elif _holds_one(done.tag):
            value = self._held(done, event)
        if done.anchor is not None:
            self._anchors[done.anchor] = value, done.size
        self._put(value, event, done.size)

    def _untagged(self, done: _Open, event: Any) -> Any:
        """Return what vcrpy kept of a body that was a file or an iterator: its bytes, or its list of pieces."""
        held = done.value.get("state" if done.tag == _BUFFER_TAG else "args")
        if not isinstance(held, list) or not held:
            raise self._bad(f"the tag {str(done.tag)[:_SHOWN]} is not used as vcrpy uses it", event)
        return held[0]

    def _held(self, done: _Open, event: Any) -> Any:
        """Return the one value that a name or a status was made from."""
        held = done.value.get("args") if isinstance(done.value, dict) else done.value
        if not isinstance(held, list) or len(held) != 1 or isinstance(held[0], dict | list):
            raise self._bad(f"the tag {str(done.tag)[:_SHOWN]} is not used as vcrpy uses it", event)
        return str(held[0]) if _ISTR_TAG.fullmatch(done.tag or "") else held[0]

    def alias(self, event: Any) -> None:
        if event.anchor not in self._anchors:
            raise self._bad(f"the alias *{event.anchor[:_SHOWN]} stands for nothing", event)
        value, size = self._anchors[event.anchor]
        self._aliased += size
        if self._aliased > _MAX_ALIASED:
            raise self._bad(f"its aliases stand for more than {_MAX_ALIASED} values and characters", event)
        self._put(value, event, size)

    def scalar(self, event: Any) -> None:
        value = self._scalar(event)
        if event.anchor is not None:
            self._anchors[event.anchor] = value, 1 + len(event.value)
        self._put(value, event, 1 + len(event.value))

    def _scalar(self, event: Any) -> Any:
        text, tag = event.value, event.tag
        if self._awaits_key():
            return text
        if tag is None:
            return self._plain(text) if event.implicit[0] and not self._within_name() else text
        if tag in _TEXT_TAGS or tag == "!":
            return text
        if tag == f"{_TAG}binary":
            return self._binary(text, event)
        if tag in _SCALAR_TAGS:
            return self._plain(text)
        raise self._forbidden(tag, event)

    def _plain(self, text: str) -> Any:
        if text and text[0] not in _STARTS:
            return text
        if text in _WORDS:
            return _WORDS[text]
        if self._exact and NUMBER.fullmatch(text):
            return Number(text)
        return _number(text)

    def _binary(self, text: str, event: Any) -> bytes:
        try:
            return base64.b64decode(text)
        except (binascii.Error, ValueError) as exc:
            raise self._bad(f"its binary data is no base64: {exc}", event) from exc

    def _awaits_key(self) -> bool:
        if not self._stack:
            return False
        top = self._stack[-1]
        return top.key is None and isinstance(top.value, dict)

    def _within_name(self) -> bool:
        """Tell whether a scalar stands in the tagged name of a header, where ``on`` and ``1`` are texts."""
        return any(each.tag is not None and _ISTR_TAG.fullmatch(each.tag) for each in self._stack[-2:])

    def _put(self, value: Any, event: Any, size: int) -> None:
        if not self._stack:
            self.document = value
            return
        top = self._stack[-1]
        top.size += size
        if isinstance(top.value, list):
            self._count(event)
            top.value.append(value)
        elif top.key is None:
            if not isinstance(value, str):
                raise self._bad("a key is not a text", event)
            if self._exact and value in top.value:
                raise self._bad(f"the key {value[:_SHOWN]!r} stands there twice", event)
            top.key = value
        else:
            self._count(event)
            top.value[top.key] = value
            top.key = None

    def _count(self, event: Any) -> None:
        self._values += 1
        if self._values > MAX_VALUES:
            raise self._bad(_TOO_MANY, event)

    def _forbidden(self, tag: str, event: Any) -> BadDocument:
        return self._bad(f"the tag {tag[:_SHOWN]} is not allowed, since it asks for an object to be built", event)

    def _bad(self, cause: str, event: Any) -> BadDocument:
        return BadDocument(cause, event.start_mark.line + self._first_line)


def _is_held(tag: str | None) -> bool:
    return tag is not None and (_holds_one(tag) or _DATA_TAG.fullmatch(tag) is not None)


def _holds_one(tag: str | None) -> bool:
    return tag is not None and (_ISTR_TAG.fullmatch(tag) or _HELD_TAG.fullmatch(tag)) is not None


def _number(text: str) -> Any:
    """Read a plain scalar as YAML 1.1 does; what is no number after all is text."""
    if len(text) > _LONGEST_NUMBER:
        return text
    if _INT.fullmatch(text):
        return _integer(text)
    if _FLOAT.fullmatch(text):
        word = text.replace("_", "").lower().replace(".inf", "inf").replace(".nan", "nan")
        return float(word)
    return text


def _integer(text: str) -> Any:
    digits = text.lstrip("+-").replace("_", "")
    base = 2 if digits.startswith("0b") else 16 if digits.startswith("0x") else 8 if digits.startswith("0") else 10
    try:
        return int(text, base)
    except ValueError:  # "0x_" and the like, or more digits than Python converts
        return text
