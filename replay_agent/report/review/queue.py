"""Queue: what is open in a project, kept in pytest's cache folder from one run to the next."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from replay_agent.exceptions import UserError
from replay_agent.report.review.change import Change
from replay_agent.surroundings.naming import by_number

__all__ = "FOLDER", "STATE", "Queue", "Tests", "digest_of", "plain_options", "updating"

FOLDER = "replay_agent"
"""The folder in pytest's cache."""
STATE = "pending.json"
_VERSION = 1
_PATIENCE = 30.0
"""Seconds to wait for another session that writes its state just now, which takes it milliseconds."""

Tests = dict[str, list[Change]]
"""What is open, by the tests as pytest knows them."""


@dataclass
class Queue:
    """What is open, and how pytest was run when it was found."""

    tests: Tests = field(default_factory=dict)
    cwd: str = ""
    """Where pytest was run."""
    options: list[str] = field(default_factory=list)
    """The options that say where the project is."""

    @classmethod
    def load(cls, folder: Path) -> Queue:
        """Return what a folder holds; nothing is open where nothing is kept. Raises `UserError` for what is no state."""
        path = folder / STATE
        try:
            document = json.loads(path.read_text("utf-8"))
            if document["version"] != _VERSION:
                raise ValueError(f"version {document['version']}")
            tests = {str(test): [Change.load(each) for each in found] for test, found in document["tests"].items()}
            return cls(tests, str(document["cwd"]), [str(each) for each in document["options"]])
        except FileNotFoundError:
            return cls()
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as exc:
            raise UserError(
                f"{path} is not what a run of pytest has left there ({exc}). Delete it, and run pytest again."
            ) from exc

    @staticmethod
    def mark(folder: Path) -> tuple[int, int]:
        """Return what is another one once somebody has saved the queue of a folder."""
        try:
            found = (folder / STATE).stat()
        except OSError:
            return 0, 0
        return found.st_mtime_ns, found.st_size

    def save(self, folder: Path) -> None:
        """Write it down, by renaming."""
        document = {
            "version": _VERSION,
            "cwd": self.cwd,
            "options": self.options,
            "tests": {test: [each.dump() for each in found] for test, found in self.tests.items() if found},
        }
        written = folder / f".{secrets.token_hex(8)}.tmp"
        written.write_text(json.dumps(document, ensure_ascii=True), "utf-8")
        written.replace(folder / STATE)

    @property
    def changes(self) -> list[Change]:
        """All that is open, each id once, by test, what has one cause together."""
        found = {each.id: each for test in sorted(self.tests, key=by_number) for each in self.tests[test]}
        groups: dict[tuple[str, str], list[Change]] = {}
        for each in found.values():
            groups.setdefault(each.group, []).append(each)
        return [each for group in groups.values() for each in group]

    def twins(self, ids: Iterable[str]) -> list[Change]:
        """Return what has these ids: more than one where a test runs on several event loops."""
        wanted = set(ids)
        return [each for changes in self.tests.values() for each in changes if each.id in wanted]

    def without(self, ids: Iterable[str]) -> None:
        """Take out what has these ids."""
        gone = set(ids)
        self.tests = {test: [each for each in found if each.id not in gone] for test, found in self.tests.items()}

    def update(self, ran: Mapping[str, Sequence[Change]]) -> None:
        """Take over what tests have left that ran just now; the others stay as they are known, but for what is gone.

        A recording that nobody has looked at stays open as long as its file is what was recorded.
        """
        for test, found in ran.items():
            recorded = {each.file for each in found if each.kind == "recording"}
            kept = [each for each in self.tests.get(test, ()) if each.kind == "recording" and each.file not in recorded]
            self.tests[test] = [*kept, *found]
        self.tests = {test: left for test, found in self.tests.items() if (left := [*filter(_is_open, found)])}


def _is_open(change: Change) -> bool:
    """Tell whether a change can still be judged: its test is there, and its recording."""
    if change.kind == "recording":
        return digest_of(Path(change.file)) == change.digest
    return Path(change.run.partition("::")[0]).is_file()


def digest_of(path: Path) -> str:
    """Return what tells the bytes of a file from others; empty for none."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    except OSError:
        return ""


@contextmanager
def updating(folder: Path) -> Iterator[Queue]:
    """Yield the queue of a folder and save it at the end; sessions that do so at the same time wait for each other.

    What cannot be read is begun anew.
    """
    from filelock import FileLock

    with FileLock(folder / ".state.lock", timeout=_PATIENCE):
        try:
            queue = Queue.load(folder)
        except UserError:
            queue = Queue()
        yield queue
        queue.save(folder)


def plain_options(config_file: Path | None, root: Path) -> list[str]:
    """Return the options by which pytest finds the same project again."""
    named = ["-c", os.fspath(config_file)] if config_file is not None else []
    return [*named, f"--rootdir={root}"]
