"""Note: what a process that runs a test once more tells of it, one line of JSON in a scratch folder."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from replay_agent.traffic import Request

__all__ = "Note", "Outcome", "Sent", "count_notes", "is_silent", "read_notes", "write_note"

Outcome: TypeAlias = Literal["collected", "passed", "failed", "skipped", "xfailed", "unmarked", "broken"]
"""How the test went; or that it is none of ours, or its module could not be imported."""

_BEGINNING = "notes-"


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as a test sent it, secrets taken out, and the recorded one that stood for it; either may be missing."""

    request: Request | None
    digest: str = ""
    """Equal for requests that mean the same, by the options of the test."""
    recorded: Request | None = None
    same: bool = False
    """Whether the two mean the same."""


@dataclass(slots=True)
class Note:
    """One test, or fixture that tests share, in one process."""

    test: str
    outcome: Outcome
    reason: str = ""
    """Why it failed or was skipped, in one line."""
    cassettes: list[str] = field(default_factory=list)
    """The files of the project that hold what it recorded, as far as that is known."""
    before: str | None = None
    """The scratch file that holds what it had recorded, where the project's own file is not for us to read."""
    after: str | None = None
    """The scratch file that holds what it has recorded now."""
    sent: list[Sent] = field(default_factory=list)
    is_fixture: bool = False
    uses: list[str] = field(default_factory=list)
    """The fixtures of a test that it shares with others and that have recorded something."""
    ignored: list[str] = field(default_factory=list)
    """JSON paths of bodies that do not count."""


def write_note(folder: Path, note: Note) -> None:
    """Add a note; every process has a file of its own."""
    line = json.dumps({**_fields(note), "sent": [_sent(each) for each in note.sent]})
    with (folder / f"{_BEGINNING}{os.getpid()}.jsonl").open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")


def read_notes(folder: Path) -> list[Note]:
    """Return the notes of all processes, the last of each test: it may have been run again because it failed."""
    notes = [_note(json.loads(line)) for line in _lines(folder)]
    return list({note.test: note for note in notes}.values())


def count_notes(folder: Path) -> int:
    """Return how many notes there are by now."""
    return sum(1 for _ in _lines(folder))


def is_silent(note: Note) -> bool:
    """Tell whether a test failed before it had asked anything: its cassette cannot be read, a fixture of it fails."""
    return note.outcome == "failed" and not note.sent


def _lines(folder: Path) -> Iterator[str]:
    for path in sorted(folder.glob(f"{_BEGINNING}*.jsonl")):
        with path.open(encoding="utf-8") as file:
            yield from (line for line in file if line.endswith("\n"))  # the last one may be half written


def _fields(note: Note) -> dict[str, Any]:
    return {name: getattr(note, name) for name in Note.__slots__}


def _sent(sent: Sent) -> dict[str, Any]:
    return {
        "request": _request(sent.request),
        "digest": sent.digest,
        "recorded": _request(sent.recorded),
        "same": sent.same,
    }


def _request(request: Request | None) -> list[Any] | None:
    if request is None:
        return None
    return [request.method, request.url, request.headers, base64.b64encode(request.body).decode("ascii")]


def _note(value: dict[str, Any]) -> Note:
    sent = [
        Sent(_read_request(each["request"]), each["digest"], _read_request(each["recorded"]), each["same"])
        for each in value.pop("sent")
    ]
    return Note(**value, sent=sent)


def _read_request(value: list[Any] | None) -> Request | None:
    if value is None:
        return None
    method, url, headers, body = value
    return Request(method, url, tuple((name, text) for name, text in headers), base64.b64decode(body))
