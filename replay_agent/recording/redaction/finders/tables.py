"""Finds credentials in the columns of tables: the name of a column stands above the values, once.

Tables are lines of cells (CSV, tabs, Markdown, what `psql` prints), rows of HTML, and lists of lists of JSON.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from heapq import merge
from typing import NamedTuple

from replay_agent.recording.redaction.finders.by_name import is_secret
from replay_agent.recording.redaction.finders.clues import Clues, Rule, ends_of_names
from replay_agent.recording.redaction.finders.sieve import anchored
from replay_agent.recording.redaction.finders.telling import marks_of_cells
from replay_agent.recording.redaction.layers.escapes import plain
from replay_agent.recording.redaction.names import Naming, field_naming
from replay_agent.recording.redaction.spans import Span

__all__ = "TABLES", "find_in_tables"

_TELLING = (b"key", b"token", b"secret", b"pass", b"credential", b"pwd", b"pin", b"otp")
"""Pieces of the names of columns that tell."""
_LONGEST_HEAD, _LONGEST_LINE = 2000, 16_000
_MOST_COLUMNS = 200
_CELL = {
    mark: re.compile(rb"[ ]{0,200}+(\"(?:[^\"\r\n]|\"\")*+\"|[^" + re.escape(mark) + rb"\r\n]*+)[ ]{0,200}+")
    for mark in (b"\t", b"|", b";", b",")
}
_CELL_END = {mark: marks_of_cells(mark.decode()) for mark in (*_CELL, b"\n")}
_NAME = re.compile(r"[A-Za-z_][\w .,\-/()#]{0,60}")
_BEFORE_NAME = re.compile(r"[=&>:{\[\"']")
"""What may stand before the first name: that of the field of a form that the table is in."""
_OPENS = re.compile(rb"""[:\[(=>][ \t]{0,4}+["'`]{1,3}+""")
"""What may stand before the head of a table in its line: the beginning of a text of JSON, or of a program."""
_CLOSES = re.compile(rb"""["'`][ \t]{0,4}+(?:[}\])]|,[ \t]{0,4}+["'])""")
_RULE = re.compile(rb"[ \t|+:\-=]++")
"""The line below the head of a table in Markdown."""
_NO_CELL = re.compile(rb"[{}<>]")


class _Column(NamedTuple):
    place: int
    name: str
    naming: Naming


def find_in_tables(text: bytes, clues: Clues | None = None) -> Iterator[Span]:
    """Find the credentials in columns that are called as such."""
    yield from _in_lines(text, clues)
    if b"<t" in text if clues is None else clues.may(_ROWS):
        yield from _in_html(text)
    quoted = None if clues is None else clues.behind(b'"')
    if b"[" in text and (quoted is None or quoted):
        yield from _in_lists(text)


_ROWS = anchored((b"<t", b""), needs=b"<")
TABLES = Rule(find_in_tables, (ends_of_names, _ROWS))


def _columns(names: Sequence[bytes]) -> list[_Column]:
    """Return the columns that are called as a credential; none if these are no names of columns."""
    found: list[_Column] = []
    if not 2 <= len(names) <= _MOST_COLUMNS or sum(map(bool, map(bytes.strip, names))) < 2:
        return found
    for place, spelled in enumerate(names):
        name = spelled.decode("utf-8", "replace").strip().strip("\"'`*_\ufeff").strip()
        name = name if place else _BEFORE_NAME.split(name)[-1].strip()
        if name and (_NAME.fullmatch(name) is None or name.count(" ") > 4):
            return []
        naming = field_naming(name)
        if naming is not Naming.NOTHING:
            found.append(_Column(place, name, naming))
    return found


def _is_value(naming: Naming, value: bytes) -> bool:
    """Tell whether a cell is a secret. What seems a table may be a sentence with commas: a word alone is none."""
    said = plain(value).decode("utf-8", "replace")
    if naming >= Naming.PASSWORD:
        return is_secret(naming, said) and len(said) >= 6 and (not said.isalpha() or said != said.lower())
    return is_secret(naming, said)


# Lines


def _in_lines(text: bytes, clues: Clues | None) -> Iterator[Span]:
    if b"\n" not in text:
        return
    done = 0
    for telling in _telling_places(text, clues):
        if telling < done:
            continue
        end = text.find(b"\n", telling, telling + _LONGEST_HEAD)
        start = max(text.rfind(b"\n", max(done, telling - _LONGEST_HEAD), telling) + 1, done)
        done = end + 1 if end >= 0 else telling + _LONGEST_HEAD
        head = text[start:end].lower()
        if end < 0 or not any(word in head for word in _TELLING) or not _has_cell(text, start, end + 1):
            continue
        for mark in _CELL:
            if text.find(mark, start, end) >= 0:
                spans, last = _table(text, start, end, mark)
                yield from spans
                if last > done:
                    done = last
                    break


def _telling_places(text: bytes, clues: Clues | None) -> Iterator[int]:
    """Yield where cells end that may be names that tell, in order."""
    marks = [mark for mark in (*_CELL, b"\n") if mark in text]
    places = [None if clues is None else clues.behind(mark) for mark in marks]
    if any(each is None for each in places):
        yield from merge(*(map(re.Match.start, _CELL_END[mark].finditer(text)) for mark in marks))
    else:
        yield from merge(*(filter(None, places)))


def _has_cell(text: bytes, start: int, end: int) -> bool:
    """Tell whether a line has a cell that may be a name that tells, and no word of prose."""
    return any(cells.is_within(text, start, end) for cells in _CELL_END.values())


def _line_end(text: bytes, start: int) -> int:
    end = text.find(b"\n", start, start + _LONGEST_LINE)
    return end if end >= 0 else min(len(text), start + _LONGEST_LINE)


def _table(text: bytes, start: int, end: int, mark: bytes) -> tuple[list[Span], int]:
    """Return the secrets of the table whose head is this line, and where it ends: at 0 if this is none."""
    for opens in _OPENS.finditer(text, start, end):
        start = opens.end()
    if mark == b"|" and text[start:end].rstrip().endswith(b"|"):
        start = text.find(b"|", start, end)
    head = [text[first:last] for first, last in _cells(text, start, end, mark)]
    columns = _columns(head)
    if not columns:
        return [], 0
    spans: list[Span] = []
    position = end + 1
    rows = 0
    while position < len(text):
        last = _line_end(text, position)
        if not (_RULE.fullmatch(text, position, last) and not rows):
            cells = _row(text, position, last, mark, len(head))
            if cells is None:
                break
            rows += 1
            for column in columns:
                spans += _of_cell(text, *cells[column.place], column)
        position = last + 1
    return spans, position if rows else 0


def _row(text: bytes, start: int, end: int, mark: bytes, count: int) -> list[tuple[int, int]] | None:
    """Return the cells of a line that has so many; of the last one the text may end within the line."""
    cells = _cells(text, start, end, mark)
    if len(cells) != count:
        closes = _CLOSES.search(text, start, end)
        cells = [] if closes is None else _cells(text, start, closes.start(), mark)
    elif text[end - 1 : end] in b"]}" and (closes := _CLOSES.search(text, cells[-1][0], end)) is not None:
        cells[-1] = (cells[-1][0], closes.start())
    return cells if len(cells) == count else None


def _cells(text: bytes, start: int, end: int, mark: bytes) -> list[tuple[int, int]]:
    """Return where the cells of a line stand, without the quotation marks around them."""
    while end > start and text[end - 1] in b"\r ":
        end -= 1
    if mark == b"|":
        while start < end and text[start] in b" |":
            start += 1
        end -= end > start and text[end - 1] == 0x7C
    cells: list[tuple[int, int]] = []
    while len(cells) <= _MOST_COLUMNS:
        found = _CELL[mark].match(text, start, end)
        assert found is not None
        first, last = found.span(1)
        while last > first and text[last - 1] in b" \r":
            last -= 1
        if last - first >= 2 and text[first] == text[last - 1] and text[first] in b"\"'`":
            first, last = first + 1, last - 1
        cells.append((first, last))
        if found.end() >= end or text[found.end() : found.end() + 1] != mark:
            break
        start = found.end() + 1
    return cells


def _of_cell(text: bytes, start: int, end: int, column: _Column) -> Iterator[Span]:
    value = text[start:end]
    if value and not _NO_CELL.search(value) and _is_value(column.naming, value):
        yield Span(start, end, column.name, value)


# HTML

_HTML_CELL = re.compile(
    rb"<(?:tr|(t[hd]))\b[^<>]{0,400}+>(?:\s{0,40}+<(?:code|b|pre|span|p)>)?\s{0,40}+([^<>]{0,2000}+)", re.IGNORECASE
)


def _in_html(text: bytes) -> Iterator[Span]:
    columns: list[_Column] = []
    head: list[bytes] = []
    place = row = 0
    for found in _HTML_CELL.finditer(text):
        if found[1] is None:
            columns = columns or _columns(head)
            row, place = row + 1, 0
            continue
        if found[1].lower() == b"th" or row <= 1:
            if place == 0:
                head, columns = [], []
            if len(head) <= _MOST_COLUMNS:
                head.append(found[2].strip())
        for column in columns:
            if column.place == place:
                value = found[2].rstrip()
                yield from _of_cell(text, found.start(2), found.start(2) + len(value), column)
        place += 1


# Lists of JSON

_TEXT = rb'"(?:[^"\\]|\\.){0,4000}+"'
_HEAD = re.compile(rb'\[\s{0,40}+(?:"[^"\\\[\]{}]{1,60}+"\s{0,40}+,\s{0,40}+){1,200}+"[^"\\\[\]{}]{1,60}+"\s{0,40}+\]')
_HEAD_NAME = re.compile(rb'"([^"]*+)"')
_LIST = re.compile(
    rb"\[\s{0,40}+(?:(?:"
    + _TEXT
    + rb"|[\w.+\-]{1,60}+)\s{0,40}+,\s{0,40}+){1,200}+(?:"
    + _TEXT
    + rb"|[\w.+\-]{1,60}+)\s{0,40}+\]",
    re.DOTALL,
)
_ITEM = re.compile(rb'"((?:[^"\\]|\\.)*+)"|[\w.+\-]++', re.DOTALL)
_BETWEEN = re.compile(
    rb'\s{0,40}+,?+\s{0,40}+(?:"index"\s{0,9}+:\s{0,9}+\[[^\[\]]{0,4000}+\]\s{0,9}+,\s{0,9}+)?+(?:"\w{1,40}+"\s{0,9}+:\s{0,9}+\[\s{0,40}+)?+'
)
"""Between the list of names and the first row, and between rows: ``, "data": [``"""


def _in_lists(text: bytes) -> Iterator[Span]:
    done = 0
    for head in _HEAD.finditer(text):
        if head.start() < done:
            continue
        names = _HEAD_NAME.findall(head[0])
        columns = _columns(names)
        done = head.end()
        while columns:
            between = _BETWEEN.match(text, done)
            row = None if between is None else _LIST.match(text, between.end())
            items = [] if row is None else list(_ITEM.finditer(text, row.start() + 1, row.end() - 1))
            if row is None or len(items) != len(names):
                break
            for column in columns:
                item = items[column.place]
                if item[1] is not None:
                    yield from _of_cell(text, *item.span(1), column)
            done = row.end()
