"""Secrets in files that are about to be committed, or were."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from replay_agent.recording.redaction.scanning import Finding, scan
from replay_agent.surroundings.visible import visible

__all__ = "Leak", "Unread", "scan_files"

_SUFFIXES = frozenset(
    {".yaml", ".yml", ".json", ".jsonl", ".toml", ".txt", ".journal", ".ambr", ".snap", ".har", ".gz"}
)


@dataclass(frozen=True)
class Leak:
    """A secret, and the file that it is in."""

    path: Path
    finding: Finding

    def __str__(self) -> str:
        return visible(f"{self.path}:{self.finding.line}: {self.finding.rule}: {self.finding.excerpt}")


@dataclass(frozen=True)
class Unread:
    """A file or folder that could not be looked through, and why."""

    path: Path
    cause: str

    def __str__(self) -> str:
        return f"{self.path} was not searched: {self.cause}"


_Result: TypeAlias = Leak | Unread


def scan_files(paths: Iterable[Path], progress: Callable[[int, int], None] | None = None) -> Iterator[_Result]:
    """Yield the secrets in files, and in the cassettes, journals and snapshots of folders.

    What cannot be read is said, and the rest is searched all the same. ``progress`` is told how many files are done, of
    how many.
    """
    wanted = [each for path in paths for each in _files(path)]
    for number, each in enumerate(wanted, 1):
        yield from _found(each) if isinstance(each, Path) else (each,)
        if progress is not None:
            progress(number, len(wanted))


def _found(path: Path) -> Iterator[_Result]:
    try:
        data = path.read_bytes()
    except OSError as exc:
        yield Unread(path, exc.strerror or str(exc))
    else:
        yield from (Leak(path, finding) for finding in scan(data))


def _files(path: Path) -> Iterator[Path | Unread]:
    """Yield the files to search in order, and what cannot be listed."""
    if not path.exists():
        yield Unread(path, "it is not there")
        return
    if not path.is_dir():
        yield path
        return
    unlisted: list[Unread] = []

    def say(error: OSError) -> None:
        unlisted.append(Unread(Path(error.filename or path), error.strerror or str(error)))

    found = [Path(folder, name) for folder, _, names in os.walk(path, onerror=say) for name in names]
    yield from sorted(file for file in found if file.suffix in _SUFFIXES and file.is_file())
    yield from unlisted
