"""Snapshots of runs whose tests are gone, as far as that can be known."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from replay_agent.report.recorded.orphans import defines
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
    return OrphanSnapshot(path, module, _doubt(own, project, module, names) or _other_owner(path))


def _doubt(own: str, project: Project, module: str, names: Collection[str]) -> str:
    """Say why a snapshot of a module that is there may be in use: where pytest did not see all that is written in it."""
    source = project.root / module
    if not source.exists():
        return ""
    if module not in project.modules:
        return f"for pytest did not collect {module}"
    collected = {word for name in names for word in _words(name)}
    unseen = [word for word in _words(own) if word not in collected]
    text = source.read_text("utf-8", "replace") if unseen else ""
    written = next((word for word in unseen if defines(text, word)), None)
    return f"for {module} has {written}, which pytest did not collect this time" if written else ""


def _words(name: str) -> list[str]:
    """Return the classes and the function of a snapshot's name: ``TestX`` and ``test_a`` of ``TestX.test_a[b.c]``."""
    return name.partition("[")[0].split(".")


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
