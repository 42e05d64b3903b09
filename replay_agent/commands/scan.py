"""Secrets in files that are about to be committed, or were."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from replay_agent.exceptions import UserError
from replay_agent.recording.redaction.scanning import Finding, scan
from replay_agent.visible import visible

__all__ = "Leak", "scan_files"

_SUFFIXES = frozenset({".yaml", ".yml", ".json", ".jsonl", ".toml", ".txt", ".journal", ".ambr", ".snap", ".har"})


@dataclass(frozen=True)
class Leak:
    """A secret, and the file that it is in."""

    path: Path
    finding: Finding

    def __str__(self) -> str:
        return visible(f"{self.path}:{self.finding.line}: {self.finding.rule}: {self.finding.excerpt}")


def scan_files(paths: Iterable[Path]) -> Iterator[Leak]:
    """Yield the secrets in files, and in the cassettes, journals and snapshots of folders.

    Raises `UserError` for a path that is not there.
    """
    for path in paths:
        if not path.exists():
            raise UserError(f"{path} is not there")
        for file in _files(path):
            yield from (Leak(file, finding) for finding in scan(file.read_bytes()))


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(file for file in path.rglob("*") if file.suffix in _SUFFIXES and file.is_file())
    return [path] if path.is_file() else []
