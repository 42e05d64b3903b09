"""Parts: reports as JSON that the jobs of a CI hand on, and several of them as one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from replay_agent.exceptions import UserError
from replay_agent.report.conversation.lines import short
from replay_agent.report.page.report import SCHEMA, Entry, Report

__all__ = "Part", "dumped", "dumped_entry", "entry_from", "merged", "read_part"

_LARGEST = 512_000_000
"""Bytes of a part: a suite of ten thousand tests stays far below."""
_HALF = re.compile("[\ud800-\udfff]")
_WORST = ("error", "failed")


@dataclass(frozen=True)
class Part:
    """A report from a file."""

    name: str
    report: Report


def dumped(report: Report) -> str:
    """Return a report as JSON."""
    return _json(_reports().dump_python(report))


def dumped_entry(entry: Entry) -> str:
    """Return an entry as JSON, which travels between processes."""
    return _json(_entries().dump_python(entry))


def entry_from(text: str) -> Entry:
    """Return the entry that `dumped_entry` made JSON of."""
    return _entries().validate_python(json.loads(text))


def _json(values: object) -> str:
    # Half of a surrogate pair, which JSON can name and UTF-8 cannot hold, becomes what it is shown as.
    return _HALF.sub(lambda half: f"\\\\u{ord(half[0]):04x}", json.dumps(values, ensure_ascii=False))


def read_part(path: Path) -> Report:
    """Read a part. Raises `UserError` with what is wrong of a file that is none, is damaged, or of another release."""
    try:
        if path.stat().st_size > _LARGEST:
            raise UserError(f"{path} is larger than {_LARGEST // 1_000_000:,} MB, which no report is.")
        data = path.read_bytes()
    except OSError as exc:
        raise UserError(f"{path} cannot be read: {exc.strerror or exc}.") from None
    return _read(data, path)


def _read(data: bytes, path: Path) -> Report:
    again = "Write it anew: pytest --replay-report=PART.json."
    if not data.strip():
        raise UserError(f"{path} is empty. {again}")
    try:
        document = from_json(data)
    except ValueError as exc:
        raise UserError(f"{path} is damaged, or is no JSON: {exc}. {again}") from None
    found = document.get("schema") if isinstance(document, dict) else None
    if not isinstance(found, int) or isinstance(found, bool):
        raise UserError(f"{path} is JSON, but no report: it has no schema. {again}")
    if found != SCHEMA:
        raise UserError(
            f"{path} has schema {found}; this release reads {SCHEMA}. Make page and parts with the same release."
        )
    try:
        return _reports().validate_python(document)
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise UserError(f"{path} is damaged at {short(place, 120)}: {first['msg']}. {again}") from None


def merged(parts: Sequence[Part], complaints: Iterable[str] = ()) -> Report:
    """Return several reports as one; ``complaints`` say what could not be read. Needs one part at least.

    A test that several parts have is told once, with the worst of its outcomes: a job that was run again names its part
    anew, so two outcomes are two runs.
    """
    first = parts[0].report
    entries: dict[str, Entry] = {}
    for part in parts:
        for entry in part.report.entries:
            if len(parts) > 1:
                entry.job = part.name
            known = entries.get(entry.test)
            entries[entry.test] = entry if known is None else _worse(known, entry)
    notes = [note for part in parts for note in part.report.notes]
    return Report(
        first.title,
        first.kind,
        max(part.report.made_at for part in parts),
        first.made_by,
        first.headline if len(parts) == 1 else "",
        [*(f"Not in here: {each}" for each in complaints), *dict.fromkeys(notes)],
        list(entries.values()),
        [table for part in parts for table in part.report.tables],
    )


def _worse(one: Entry, other: Entry) -> Entry:
    worse, rest = (one, other) if one.outcome in _WORST or other.outcome not in _WORST else (other, one)
    worse.earlier = [*worse.earlier, f"In {rest.job or 'another part'}: {rest.outcome}."]
    return worse


@cache
def _reports() -> TypeAdapter[Report]:
    return TypeAdapter(Report)


@cache
def _entries() -> TypeAdapter[Entry]:
    return TypeAdapter(Entry)
