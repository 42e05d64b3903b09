"""Snapshots of runs whose tests are gone, as far as that can be known."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from replay_agent.report.recorded.project import Project
from replay_agent.surroundings import naming
from replay_agent.surroundings.visible import visible

__all__ = "OrphanSnapshot", "find_unused_snapshots"

_SUFFIX = ".run.snap"
_NOT_OURS = frozenset({"__pycache__", "node_modules", "site-packages", "venv"})


@dataclass(frozen=True)
class OrphanSnapshot:
    """A snapshot of a run that no test is left for."""

    path: Path
    module: str
    kept: str = ""
    """Why it may be in use all the same; nothing if it is known not to be."""

    def __str__(self) -> str:
        kept = f": left alone, {self.kept}" if self.kept else ""
        return visible(f"{naming.seen_from_here(self.path)}: no test of {self.module} is called so{kept}")


def find_unused_snapshots(project: Project) -> list[OrphanSnapshot]:
    """Return the snapshots of runs without a test, by path; of other kinds syrupy knows more, and tells it.

    A further snapshot of a test that is there may be asked for under any name, and is nobody's orphan. One of a module that
    pytest did not collect as a whole says so.
    """
    names = {folder.resolve(): tests for folder, tests in project.snapshots.items()}
    found = (
        orphan
        for path in _snapshots(project)
        if (orphan := _orphan(path, project, names.get(path.parent.resolve(), ()))) is not None
    )
    return sorted(found, key=lambda orphan: orphan.path)


def _orphan(path: Path, project: Project, names: Collection[str]) -> OrphanSnapshot | None:
    own = path.name.removesuffix(_SUFFIX)
    if any(own == name or own.startswith(f"{name}.") for name in names):
        return None
    module = _module(path, project.root)
    there = (project.root / module).exists()
    doubt = f"for pytest did not collect {module}" if there and module not in project.modules else ""
    return OrphanSnapshot(path, module, doubt or _other_owner(path))


def _module(path: Path, root: Path) -> str:
    """Return the module that a snapshot stands beside: ``tests/__snapshots__/test_geo/x.run.snap`` is of tests/test_geo.py."""
    return (path.parent.parent.parent / f"{path.parent.name}.py").relative_to(root).as_posix()


def _other_owner(path: Path) -> str:
    """Say which file beside it may have such a snapshot, tests in Markdown say."""
    folder, stem = path.parent.parent.parent, path.parent.name
    others = sorted(
        each.name for each in folder.iterdir() if each.is_file() and each.stem == stem and each.suffix != ".py"
    )
    return f"for {others[0]} may be its test" if others else ""


def _snapshots(project: Project) -> Iterator[Path]:
    for folder, folders, files in os.walk(project.root):
        folders[:] = sorted(
            name
            for name in folders
            if name == project.snapshot_folders or (not name.startswith(".") and name not in _NOT_OURS)
        )
        if Path(folder).parent.name == project.snapshot_folders:
            yield from (Path(folder, name) for name in sorted(files) if name.endswith(_SUFFIX))
