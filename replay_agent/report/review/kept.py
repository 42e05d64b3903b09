"""Kept: files as they were before something was accepted, until nobody can want them back any more.

They are in pytest's cache folder, so that they outlive a review that is killed.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from replay_agent.exceptions import UserError
from replay_agent.recording.cassettes.journal import HOME
from replay_agent.report.review.change import Change
from replay_agent.report.review.queue import Queue, digest_of, updating

__all__ = "KEPT", "Altered", "Kept"

_MANIFEST = "manifest.json"
KEPT = "kept"
"""The folder beside the queue; a run of pytest that is no part of a review removes it."""


@dataclass(frozen=True)
class Altered:
    """A file that is another one than before; None for no file."""

    path: Path
    old: bytes | None
    new: bytes | None


@dataclass
class Kept:
    """The files that one step may touch, as they were, and what was open then."""

    folder: Path
    """Where they are kept."""
    label: str
    """What the step was."""
    files: dict[str, str | None]
    """By path, the copy; None for a file that was not there."""
    tests: dict[str, list[dict[str, Any]]]
    places: list[tuple[str, str]] = field(default_factory=list)
    """Folders, and patterns of what is kept in them: whatever is new there is part of the step, until it is `settled`."""
    outcome: dict[str, str] = field(default_factory=dict)
    """The digests of the altered files as the step has left them, once it is settled."""

    @classmethod
    def take(
        cls,
        state: Path,
        label: str,
        changes: Sequence[Change],
        queue: Queue,
        *,
        files: Iterable[Path] | None = None,
    ) -> Kept:
        """Copy these files, None for all that accepting the changes may touch. ``state`` is the queue's folder."""
        root = state / KEPT
        root.mkdir(exist_ok=True)
        number = 1 + max((int(each.name[:6]) for each in root.iterdir() if each.name[:6].isdecimal()), default=0)
        folder = root / f"{number:06}-{secrets.token_hex(3)}"
        folder.mkdir()
        touched = changes if files is None else ()
        places = list(dict.fromkeys(place for change in touched for place in _places(change)))
        kept = cls(folder, label, {}, _dumped(queue, {change.run for change in changes}), places)
        for path in dict.fromkeys([*(files or ()), *kept._found()]):
            kept._keep(path)
        kept._write()
        return kept

    @classmethod
    def left(cls, state: Path) -> list[Kept]:
        """Return what an interrupted review has kept, in its order. Raises `UserError` for what cannot be read."""
        folders = sorted((state / KEPT).glob("*/")) if (state / KEPT).is_dir() else []
        return [cls._read(folder) for folder in folders if (folder / _MANIFEST).is_file()]

    @classmethod
    def _read(cls, folder: Path) -> Kept:
        try:
            values = json.loads((folder / _MANIFEST).read_text("utf-8"))
            places = [(str(place), str(pattern)) for place, pattern in values["places"]]
            label, outcome = str(values["label"]), dict(values.get("outcome", {}))
            return cls(folder, label, dict(values["files"]), dict(values["tests"]), places, outcome)
        except (OSError, ValueError, KeyError, TypeError) as exc:
            raise UserError(f"{folder} holds nothing that could be put back ({exc}). Delete it.") from exc

    def _write(self) -> None:
        values = {
            "label": self.label,
            "files": self.files,
            "tests": self.tests,
            "places": self.places,
            "outcome": self.outcome,
        }
        written = self.folder / f".{_MANIFEST}"
        written.write_text(json.dumps(values), "utf-8")
        written.replace(self.folder / _MANIFEST)

    def _found(self) -> Iterable[Path]:
        found = (path for place, pattern in self.places for path in Path(place).glob(pattern))
        return [path for path in found if path.is_file() and HOME not in path.parts]

    def _keep(self, path: Path) -> None:
        copy = f"{len(self.files)}"
        try:
            shutil.copy2(path, self.folder / copy)
        except FileNotFoundError:
            self.files[str(path)] = None
        else:
            self.files[str(path)] = copy

    def _old(self, path: str) -> bytes | None:
        copy = self.files.get(path)
        return (self.folder / copy).read_bytes() if copy is not None else None

    def settle(self) -> list[Altered]:
        """Return what the step has altered, and let everything else be: what comes now is not of this step."""
        for new in self._found():
            self.files.setdefault(str(new), None)
        self.places = []
        altered = self.altered()
        for path in self.files.keys() - {str(each.path) for each in altered}:
            del self.files[path]
        self.outcome = self.outcome or {str(each.path): digest_of(each.path) for each in altered}
        self._write()
        return altered

    def touched_since(self) -> list[Path]:
        """Return the files that somebody else has changed after the step: an editor, git, another run."""
        changed = (path for path, digest in self.outcome.items() if digest_of(Path(path)) != digest)
        return [Path(path) for path in changed if _content(Path(path)) != self._old(path)]

    def altered(self) -> list[Altered]:
        """Return the known files that are other ones by now, and the new ones."""
        paths = dict.fromkeys([*self.files, *map(str, self._found())])
        found = [Altered(Path(path), self._old(path), _content(Path(path))) for path in paths]
        return [each for each in found if each.old != each.new]

    def restore(self, state: Path, *, sparing: Collection[Path] = ()) -> list[Path]:
        """Put every altered file back, byte for byte, but for these, and open again what was open. Return the files."""
        altered = [each for each in self.settle() if each.path not in sparing]
        for each in altered:
            _put(each.path, self.folder / copy if (copy := self.files[str(each.path)]) is not None else None)
        with updating(state) as queue:
            for test, found in self.tests.items():
                queue.tests[test] = [Change.load(each) for each in found]
        self.discard()
        return [each.path for each in altered]

    def discard(self) -> None:
        """Give up what was kept."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _put(path: Path, copy: Path | None) -> None:
    if copy is None:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    target = Path(os.path.realpath(path))
    beside = target.with_name(f".{secrets.token_hex(8)}.tmp")
    shutil.copy2(copy, beside)
    beside.replace(target)


def _places(change: Change) -> Iterable[tuple[str, str]]:
    """Yield where a run of a test may write: its cassettes, those of fixtures that it shares, its snapshots."""
    module = Path(change.run.partition("::")[0])
    yield str(module.parent / "__snapshots__" / module.stem), "**/*"
    yield str(module.parent / "__snapshots__"), f"{module.stem}.*"
    if change.file:
        file = Path(change.file)
        yield str(file.parent), "*"
        yield from ((str(folder), "*fixture-*") for folder in file.parents[1:4])


def _dumped(queue: Queue, runs: set[str]) -> dict[str, list[dict[str, Any]]]:
    tests = {test: found for test, found in queue.tests.items() if any(each.run in runs for each in found)}
    return {test: [each.dump() for each in found] for test, found in tests.items()}
