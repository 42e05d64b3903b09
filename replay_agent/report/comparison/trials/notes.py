"""Note: what a process that runs a test once more tells of it, one line of JSON in a scratch folder."""

from __future__ import annotations

import base64
import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias, overload

from replay_agent.traffic import Request

__all__ = "Note", "NoteCount", "Outcome", "Sent", "is_silent", "read_notes", "write_note"

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
    sent: Sequence[Sent] = ()
    """In the order of the requests; one that was read is read anew each time that somebody goes through it."""
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
    """Return the notes of all processes, the last of each test: it may have been run again because it failed.

    What was sent stays on the disk until it is asked for: ten thousand tests may have sent more than fits into memory.
    """
    notes = (_note(path, place, json.loads(line)) for path, place, line in _lines(folder))
    return list({note.test: note for note in notes}.values())


class NoteCount:
    """How many notes there are by now; every line is looked at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: Counter[Path] = Counter()
        self._notes = 0

    def now(self) -> int:
        """Return the number."""
        for path in _files(self._folder):
            with path.open("rb") as file:
                file.seek(self._read[path])
                while block := file.read(1 << 20):
                    self._read[path] += len(block)
                    self._notes += block.count(b"\n")
        return self._notes


def is_silent(note: Note) -> bool:
    """Tell whether a test failed before it had asked anything: its cassette cannot be read, a fixture of it fails."""
    return note.outcome == "failed" and not note.sent


class _OnDisk(Sequence[Sent]):
    """What a note says was sent: read from its line whenever it is asked for."""

    def __init__(self, path: Path, place: int, length: int) -> None:
        self._path = path
        self._place = place
        self._length = length

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> Sent: ...
    @overload
    def __getitem__(self, index: slice) -> list[Sent]: ...
    def __getitem__(self, index: int | slice) -> Sent | list[Sent]:
        return list(self)[index]

    def __iter__(self) -> Iterator[Sent]:
        with self._path.open("rb") as file:
            file.seek(self._place)
            line = file.readline()
        return map(_read_sent, json.loads(line)["sent"])


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"{_BEGINNING}*.jsonl"))


def _lines(folder: Path) -> Iterator[tuple[Path, int, bytes]]:
    """Yield the lines, and where they begin in which file."""
    for path in _files(folder):
        place = 0
        with path.open("rb") as file:
            for line in file:
                if line.endswith(b"\n"):  # the last one may be half written
                    yield path, place, line
                place += len(line)


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


def _note(path: Path, place: int, value: dict[str, Any]) -> Note:
    length = len(value.pop("sent"))
    return Note(**value, sent=_OnDisk(path, place, length) if length else ())


def _read_sent(value: dict[str, Any]) -> Sent:
    return Sent(_read_request(value["request"]), value["digest"], _read_request(value["recorded"]), value["same"])


def _read_request(value: list[Any] | None) -> Request | None:
    if value is None:
        return None
    method, url, headers, body = value
    return Request(method, url, tuple((name, text) for name, text in headers), base64.b64decode(body))
