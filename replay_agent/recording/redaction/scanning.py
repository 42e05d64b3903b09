"""Looks through files for secrets that should not be in them: cassettes of any layout, and any other text."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

from replay_agent.recording.redaction.finders.by_name import is_secret
from replay_agent.recording.redaction.finders.clues import Clues, Rule
from replay_agent.recording.redaction.finders.telling import NAME_END
from replay_agent.recording.redaction.knowledge import Knowledge
from replay_agent.recording.redaction.layers.containers import narrowed, unpacked
from replay_agent.recording.redaction.looks import is_filler, is_stand_in
from replay_agent.recording.redaction.names import Naming, field_naming, is_credential_header
from replay_agent.recording.redaction.search import Search, sieve
from replay_agent.recording.redaction.spans import Span

__all__ = "Finding", "scan"

_EXCERPT = 60
_SHOWN = 4
_MARGIN = 60
"""Blanks between the lines of a block of base64, at most."""
_LONGEST_NAME = 61
_HEADERS = frozenset({"authorization", "cookie"})
_LOOKED_UP = 2000
"""Lines above a finding that are looked at for the names of its fields."""
_NAMED = (
    rb"""[ \t\-]*+["']?+(?P<name>[A-Za-z][A-Za-z0-9_.]{0,60}+(?:-[A-Za-z0-9_.\-]{0,60}+|(?=["']?+:)%b))["']?+:[ \t]*+"""
) % NAME_END
"""A field whose name may be a header's, or ends as a name that tells."""
_LINE_END = 0x0A
_FIELD_BEGIN = re.compile(rb"\n" + _NAMED)
_FIELD = re.compile(_NAMED + rb"(?:\r?\n[ \t]*+-[ \t]++)?+(?P<value>[^\r\n]*+)")
_KEY = re.compile(r"""^(?P<margin>[ \-]*)["']?(?P<name>[A-Za-z_$][\w.\-]{0,60})["']?:""")
_NO_VALUE = re.compile(rb"[|>{\[&*!#]|$")
_NOTHING = re.compile(rb"[\d.,:+\-eE]+|null|true|false|~|\[\]|\{\}")
_ACCOUNT = re.compile(
    r"(?:openai|anthropic|x|cf|azure|aws|goog)-(?:\w+-)*(?:organization|organisation|project|account|tenant|workspace)(?:-id)?"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """A secret in a file: the rule that saw it, and where (line, from 1; of base64 the line where it begins)."""

    rule: str
    line: int
    excerpt: str
    """The text around it, every secret of the line masked but for the first characters of a long one."""
    place: str = ""
    """The names of the fields that it is in, the outermost first; the same wherever in the file the lines move."""


def scan(data: bytes | str, *, environ: Mapping[str, str] | None = None) -> list[Finding]:
    """Find secrets in a file's content: token shapes, credential fields and headers, values of credential-like variables.

    ``environ`` is the process's by default. What people and recorders write in a secret's place is not reported.
    """
    raw = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data
    raw = unpacked(raw) or raw
    wide = narrowed("", raw)
    raw = raw if wide is None else wide.data
    search = Search(Knowledge(environ), [_FIELDS], _SIEVE)
    spans = list(_told_once(span for span in search.find(raw) if span.text != b"" and not _is_harmless(span)))
    starts = [0, *(found.end() for found in re.finditer(rb"\n", raw))] if spans else [0]
    fields = _Fields(raw, starts)
    return [_finding(raw, span, spans, starts, fields) for span in spans]


def _told_once(spans: Iterable[Span]) -> Iterator[Span]:
    """Yield spans; of base64 over several lines the first line."""
    end = -1
    for span in spans:
        if span.text is None or span.start - end > _MARGIN or end < 0:
            yield span
        end = span.end if span.text is not None else -1


def _is_harmless(span: Span) -> bool:
    """Tell whether a value only stands in for a secret."""
    if span.text is not None:
        return False
    value = span.value.decode("utf-8", "replace").strip()
    return any(is_stand_in(each) or is_filler(each) for each in (value, value.partition(" ")[2]) if each)


def _find_fields(text: bytes, clues: Clues) -> Iterator[Span]:
    """Find credentials in lines of YAML, headers and settings: ``name: value``, or a list of one below the name."""
    for found in _fields(text, clues.at(_telling_fields)):
        name = found["name"].decode("latin-1")
        value = found["value"].rstrip()
        start = found.start("value")
        if _NO_VALUE.match(value):
            continue
        stripped = value.rstrip(b",").strip(b"\"'")
        start += len(value) - len(value.lstrip(b"\"'"))
        if (
            stripped
            and not _NOTHING.fullmatch(stripped)
            and not _is_words(stripped, name)
            and not _is_name(stripped, name)
        ):
            yield Span(start, start + len(stripped), name, stripped)


def _fields(text: bytes, places: Iterable[int] | None) -> Iterator[re.Match[bytes]]:
    """Yield the fields that tell, of which each begins a line; they begin at some of these places, if it is known where."""
    done = 0
    for place in chain((0,), _telling_fields(text)) if places is None else places:
        if place >= done and (not place or text[place - 1] == _LINE_END):
            found = _FIELD.match(text, place)
            if found is not None and _is_telling(found["name"]):
                done = found.end()
                yield found


def _telling_fields(lines: bytes) -> Iterator[int]:
    """Yield where lines begin that are fields with a name that tells."""
    for found in _FIELD_BEGIN.finditer(lines):
        if _is_telling(found["name"]):
            yield found.start() + 1


_FIELDS = Rule(_find_fields, (_telling_fields,))
_SIEVE = sieve([_FIELDS])


@lru_cache(maxsize=2048)
def _is_telling(spelled: bytes) -> bool:
    name = spelled.decode("latin-1")
    if not 2 <= len(name) <= _LONGEST_NAME:
        return False
    if "-" in name and is_credential_header(name.lower()):
        return True
    return (
        name.lower() in _HEADERS
        or field_naming(name) >= Naming.STRONG
        or (_ACCOUNT.fullmatch(name.lower()) is not None)
    )


def _is_words(value: bytes, name: str) -> bool:
    """Tell whether a line is a sentence that only mentions a password, or a header with several words and no secret."""
    if b" " not in value:
        return False
    is_header = "-" in name or name.lower() in _HEADERS
    return not (is_header and is_secret(Naming.WEAK, value.decode("utf-8", "replace")))


def _is_name(value: bytes, name: str) -> bool:
    """Tell whether a field only says its own name, as a variable or the name of an argument: ``api_key: API_KEY``."""
    return value.decode("latin-1").lower() == name.lower()


def _finding(data: bytes, span: Span, spans: Sequence[Span], starts: Sequence[int], fields: _Fields) -> Finding:
    line = bisect_right(starts, span.start)
    place = fields.place(line)
    if span.text is not None:
        return Finding(span.rule, line, "in the base64 that begins here", place)
    end = data.find(b"\n", span.start)
    first, last = starts[line - 1], end if end >= 0 else len(data)
    before = _masked(data, max(first, span.start - _EXCERPT), span.start, spans)
    after = _masked(data, span.end, min(last, span.end + _EXCERPT // 2), spans)
    excerpt = f"{before}{_hint(data, span)}***{after}".strip()
    return Finding(span.rule, line, "".join(each if each.isprintable() else "\ufffd" for each in excerpt), place)


def _hint(data: bytes, span: Span) -> str:
    """Return how a long secret begins, which tells its kind."""
    return data[span.start : span.start + _SHOWN].decode("utf-8", "replace") if span.end - span.start >= 20 else ""


def _masked(data: bytes, start: int, end: int, spans: Sequence[Span]) -> str:
    """Return what stands between two places, the secrets in it masked. ``spans`` are in order."""
    pieces: list[bytes] = []
    for span in spans[max(bisect_right(spans, start, key=lambda span: span.start) - 1, 0) :]:
        if span.start >= end:
            break
        if start < span.end:
            pieces += data[start : max(start, span.start)], b"***"
            start = span.end
    return b"".join((*pieces, data[start : max(start, end)])).decode("utf-8", "replace")


class _Field(NamedTuple):
    """A line that begins with the name of a field."""

    line: int
    margin: int
    name: str


class _Fields:
    """Which fields the lines of a text are in, asked from the first line to the last."""

    def __init__(self, data: bytes, starts: Sequence[int]) -> None:
        self._data = data
        self._starts = starts
        self._line = 0
        self._around: list[_Field] = []
        """The fields around the line that was asked for last, the innermost first."""

    def place(self, line: int) -> str:
        """Return the names of the fields around a line, by its margin and those of the lines above it."""
        if line != self._line:
            last, self._line = self._line, line
            above = [field for field in self._around if field.line > line - _LOOKED_UP]
            self._around = list(_outwards(chain(self._fields(line, max(line - _LOOKED_UP, last)), above)))
        return ".".join(field.name for field in reversed(self._around))

    def _fields(self, line: int, last: int) -> Iterator[_Field]:
        """Yield the fields that begin from a line up to another one, which was looked at before."""
        for number in range(line, last, -1):
            start = self._starts[number - 1]
            found = _KEY.match(self._data[start : start + 200].decode("utf-8", "replace").partition("\n")[0])
            if found is not None:
                yield _Field(number, len(found["margin"]), found["name"])


def _outwards(fields: Iterable[_Field]) -> Iterator[_Field]:
    """Yield of fields, from the last one upwards, each that has less of a margin than all below it."""
    margin = 1 << 30
    for field in fields:
        if field.margin < margin:
            margin = field.margin
            yield field
            if not margin:
                return
