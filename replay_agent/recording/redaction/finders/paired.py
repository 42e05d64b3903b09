"""Finds credentials whose names are values themselves: ``{"name": "API_KEY", "value": "..."}``, pairs in a list."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from replay_agent.recording.redaction.finders.by_name import is_secret, naming_of
from replay_agent.recording.redaction.finders.clues import Clues, Rule, ends_of_names
from replay_agent.recording.redaction.finders.sieve import anchored
from replay_agent.recording.redaction.finders.telling import Marks, marks_of_names
from replay_agent.recording.redaction.layers.escapes import plain
from replay_agent.recording.redaction.names import Naming
from replay_agent.recording.redaction.spans import Span

__all__ = "PAIRED", "find_paired"

_NAMES = [
    re.compile(word + rb"""["']?+\s{0,8}+[:=][\s+]{0,8}+["']([A-Za-z0-9_.\-/ ]{1,120}+)["']""")
    for word in (rb"ame", rb"AME", rb"[Kk]ey", rb"KEY", rb"roperty", rb"eader")
]
"""Each but one begins with letters, which are fast to find."""
_VALUE = re.compile(
    rb"""["'\s](?:value|secret_?value|string_?value|content|token)["']?+\s{0,8}+[:=][\s+]{0,8}+["'](?=([^"'\\<>]{4,4000}+)["'])""",
    re.IGNORECASE,
)
"""``"value": "..."``, ``<add key="ApiKey" value="..."/>``, ``<meta name="csrf-token" content="...">``"""
_VALUE_HEAD = re.compile(
    rb"""["'\s](?:value|secret_?value|string_?value|content|token)["']?+\s{0,8}+[:=]""", re.IGNORECASE
)
_EDGE = re.compile(rb"[{}<>]")
_OPENED_VALUE = re.compile(rb'"value"\s{0,8}+:\s{0,8}+\Z')
"""``"value": {"stringValue": "..."}``, as traces have it."""
_AROUND = 400
"""How far a name and its value are apart, with other members of their object between them."""
_NEXT = re.compile(
    rb"""["'](-{0,2}+[A-Za-z][A-Za-z0-9_.\- ]{2,60}+)["'](?=\s{0,8},\s{0,8}[bu]?["']([^"'\\<>]{8,4000})["'])"""
)
"""``["X-Api-Key", "..."]``, ``(b'x-api-key', b'...')``, ``["run", "--api-key", "..."]``. The value may be a name itself, so that it is only looked at."""
_CLOSED = [marks_of_names(quote, after="(?![A-Za-z0-9])") for quote in "\"'"]
_LONGEST_NAME = 122
_BEFORE_NAME = re.compile(rb"""(?:ame|AME|[Kk]ey|KEY|roperty|eader)["']?+\s{0,8}+[:=][\s+]{0,8}+\Z""")
_LONGEST_BEFORE = 30
_PROPERTY = re.compile(rb"<key>([^<>]{1,80}+)</key>\s{0,40}+<(?:string|data)>\s{0,40}+([^<>\s]{4,4000}+)\s{0,40}+</")
"""Property lists of Apple's."""
_CELL = re.compile(
    rb"<(?:t[hd]|dt)\b[^<>]{0,200}+>\s{0,40}+(?:<(?:b|strong|code)>)?+([A-Za-z][A-Za-z0-9_.\- ]{2,60}+)(?::?+\s{0,40}+<|\n)"
)
_NEXT_CELL = re.compile(
    rb"[^<>]{0,60}+(?:</(?:b|strong|code)>\s{0,40}+)?+</(?:t[hd]|dt)>\s{0,40}+<(?:td|dd)\b[^<>]{0,200}+>\s{0,40}+"
    rb"(?:<(?:b|strong|code)>)?+([^<>\s]{8,4000}+)\s{0,40}+<"
)
"""``<th>API key</th><td>...</td>``, ``<dt>API key</dt><dd>...</dd>``"""


def find_paired(text: bytes, clues: Clues | None = None) -> Iterator[Span]:
    """Find credentials whose names are values: in members of objects, attributes of XML, pairs of lists."""
    openings = [opening for closed in _CLOSED for opening in _openings(text, closed, clues)]
    if any(_is_named(text, opening) for opening in openings):
        yield from _members(text)
    for opening in openings:
        yield from _in_list(text, opening)
    if b"<" not in text:  # a byte is looked for fast
        return
    if b"<key>" in text:
        for found in _PROPERTY.finditer(text):
            yield from _secret(found[1], found[2], found.start(2))
    for cell in _telling_cells(text):
        value = _NEXT_CELL.match(text, cell.end(1))
        if value is not None and is_secret(
            min(naming_of(cell[1].rstrip()), Naming.WEAK), plain(value[1]).decode("utf-8", "replace")
        ):
            yield Span(*value.span(1), cell[1].rstrip().decode(), value[1])


def _telling_cells(text: bytes) -> Iterator[re.Match[bytes]]:
    """Yield the cells of HTML that hold a name that tells."""
    for found in _CELL.finditer(text) if b"<t" in text or b"<dt" in text else ():
        if naming_of(found[1].rstrip()) >= Naming.VAGUE:
            yield found


def _cells(lines: bytes) -> Iterable[int]:
    return (found.start() for found in _telling_cells(lines)) if b"<" in lines else ()


PAIRED = Rule(find_paired, (ends_of_names, anchored((b"<key>", b""), needs=b"<"), _cells))


def _members(text: bytes) -> Iterator[Span]:
    for pattern in _NAMES:
        last = 0
        for found in pattern.finditer(text):
            start, last = last, found.end()
            if naming_of(found[1]) is not Naming.NOTHING:
                following = pattern.search(text, last, last + _AROUND)
                value = _value(text, last, last + _AROUND if following is None else following.start())
                value = value or _value_before(text, max(start, found.start() - _AROUND), found.start())
                if value is not None:
                    yield from _secret(found[1], value[1], value.start(1))


def _openings(text: bytes, closed: Marks, clues: Clues | None) -> Iterator[int]:
    """Yield where quotations begin whose end may be that of a name that tells."""
    for closing in closed.finditer(text, clues):
        end = closing.start()
        start = max(end - _LONGEST_NAME, 0)
        opening = max(text.rfind(b'"', start, end), text.rfind(b"'", start, end))
        if opening >= 0:
            yield opening


def _is_named(text: bytes, opening: int) -> bool:
    """Tell whether what is quoted here is the value of a name, or a key."""
    return _BEFORE_NAME.search(text, max(opening - _LONGEST_BEFORE, 0), opening) is not None


def _value(text: bytes, start: int, end: int) -> re.Match[bytes] | None:
    """Return a value that begins between two places, in the same object."""
    edge = _EDGE.search(text, start, end)
    if edge is not None and edge[0] == b"{" and _OPENED_VALUE.search(text, start, edge.start()):
        start = edge.end()
        edge = _EDGE.search(text, start, end)
    head = _VALUE_HEAD.search(text, start - 1, end if edge is None else edge.start())
    return None if head is None else _VALUE.match(text, head.start())


def _value_before(text: bytes, start: int, end: int) -> re.Match[bytes] | None:
    for opens in _EDGE.finditer(text, start, end):
        start = opens.end()
    return _value(text, start, end)


def _in_list(text: bytes, opening: int) -> Iterator[Span]:
    found = _NEXT.match(text, opening)
    naming = Naming.NOTHING if found is None else min(naming_of(found[1]), Naming.WEAK)
    if found is None or naming < Naming.VAGUE or found[1].lower() == b"token":  # a word alone may be any item of a list
        return
    if is_secret(naming, found[2].decode("utf-8", "replace")):
        yield Span(*found.span(2), found[1].decode(), found[2])


def _secret(name: bytes, value: bytes, start: int) -> Iterator[Span]:
    if is_secret(naming_of(name), plain(value).decode("utf-8", "replace")):
        yield Span(start, start + len(value), name.decode("utf-8", "replace"), value)
