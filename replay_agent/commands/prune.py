"""Cassettes and interactions that no test is left for."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from replay_agent.exceptions import CassetteError
from replay_agent.recording.cassettes import store
from replay_agent.recording.cassettes.document import Cassette
from replay_agent.visible import visible

__all__ = "Orphan", "find_orphans", "remove"

_SUFFIXES = frozenset({".yaml", ".yml"})


@dataclass(frozen=True)
class Orphan:
    """A cassette that no test plays, or the interactions in one whose tests are gone."""

    path: Path
    tests: tuple[str, ...]
    """The tests that recorded it, as far as it says."""
    interactions: tuple[int, ...] | None = None
    """None for the whole file."""

    def __str__(self) -> str:
        by = f", recorded by {', '.join(self.tests)}" if self.tests else ""
        if self.interactions is None:
            return visible(f"{self.path}: no test plays it{by}")
        count = len(self.interactions)
        return visible(f"{self.path}: {count} interaction{'s' if count > 1 else ''} of tests that are gone{by}")


def find_orphans(
    folder: Path, used: Mapping[Path, Collection[str]], unknown: Mapping[str, Path] | None = None
) -> list[Orphan]:
    """Return what is in the folder and not used, by path.

    ``used`` has the cassettes of all tests and the tests of each. ``unknown`` are the modules whose tests nobody knows, and
    the folders of their cassettes: what is there, or was recorded by them, is not judged. A file that is no cassette is
    nobody's orphan.
    """
    unknown = unknown or {}
    apart = [path.resolve() for path in unknown.values()]
    playing = {path.resolve(): tests for path, tests in used.items()}
    found = []
    for path in sorted(path for path in folder.rglob("*") if path.suffix in _SUFFIXES and path.is_file()):
        where = path.resolve()
        if not any(where.is_relative_to(place) for place in apart):
            found.append(_orphan(path, playing.get(where)))
    return [orphan for orphan in found if orphan and not any(_module(test) in unknown for test in orphan.tests)]


def _orphan(path: Path, tests: Collection[str] | None) -> Orphan | None:
    try:
        cassette = store.load(path)
    except CassetteError:
        return None
    if tests is None:
        return Orphan(path, _recorders(cassette, range(len(cassette))))
    gone = [index for index in range(len(cassette)) if cassette.test(index) not in (None, *tests)]
    return Orphan(path, _recorders(cassette, gone), tuple(gone)) if gone else None


def _module(test: str) -> str:
    return test.partition("::")[0]


def _recorders(cassette: Cassette, indexes: Sequence[int]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(test for index in indexes if (test := cassette.test(index))))


def remove(orphan: Orphan) -> None:
    """Delete the file, or take the interactions out of it. Raises `CassetteError` and `OSError`; the file is then as it was."""
    if orphan.interactions is None:
        orphan.path.unlink()
        return
    cassette = store.load(orphan.path)
    kept = [cassette.item(index) for index in range(len(cassette)) if index not in orphan.interactions]
    store.save(orphan.path, cassette.header, kept, base=cassette)
