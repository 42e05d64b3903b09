"""Moves what a test has recorded to the test that it is called now: cassettes and snapshots."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from replay_agent.cli.upkeep.amber import move_entries
from replay_agent.exceptions import CassetteError, UserError
from replay_agent.recording.cassettes import store
from replay_agent.recording.cassettes.document import Cassette
from replay_agent.recording.cassettes.parts.item import Item, new_item
from replay_agent.report.recorded.project import Project
from replay_agent.surroundings import naming
from replay_agent.surroundings.interrupts import postponed

__all__ = "Moved", "move"


@dataclass(frozen=True)
class Moved:
    """A file that has another place now; the same one if only the name of the test in it changed."""

    before: Path
    after: Path

    def __str__(self) -> str:
        before, after = naming.seen_from_here(self.before), naming.seen_from_here(self.after)
        return f"{before}: what is in it is the new test's" if before == after else f"{before} -> {after}"


def move(project: Project, old: str, new: str) -> list[Moved]:
    """Move what the test, class or module ``old`` recorded to ``new``, which is there now; both are node ids.

    Returns what was moved. Raises `UserError` if nothing of the old one is there, the new one is no test, or it has
    recordings of its own; nothing is changed then.
    """
    tests = {test: path for path, names in project.used.items() for test in names if _is_within(test, new)}
    if not tests:
        raise UserError(
            f"no test that is marked replay is called {new}. Name it as pytest does, seen from {project.root}"
        )
    names = {old + name[len(new) :]: name for name in tests}
    found = {test: cassette for cassette, test in _recorded(project, names)}
    plan = [(cassette, test, names[test], tests[names[test]]) for test, cassette in found.items()]
    if not plan:
        raise UserError(
            f"no cassette in {project.folder} was recorded by {old}. `replay-agent prune` lists those without a test"
        )
    known = set().union(*project.used.values())
    for cassette, before, name, path in plan:
        if before in known:
            raise UserError(f"{before} is still there, and plays {cassette.path}: nothing is moved from it")
        if path != cassette.path and path.exists():
            raise UserError(f"{name} has a cassette of its own already, {path}: delete it first, or keep it")
    with postponed():  # half of it moved, the rest would not be found any more
        moved = [_move_cassette(*each) for each in plan]
        for _, before, after, _ in plan:
            moved += _move_snapshots(project, before, after)
    return moved


def _is_within(test: str, name: str) -> bool:
    return test == name or any(test.startswith(f"{name}{mark}") for mark in ("::", "["))


def _recorded(project: Project, tests: Collection[str]) -> Iterator[tuple[Cassette, str]]:
    """Yield the cassettes that hold anything of the tests, each once for each test; every file is read once."""
    for path in sorted(project.folder.rglob("*.y*ml")):
        try:
            cassette = store.load(path)
        except CassetteError:
            continue  # which somebody else tells
        held = {cassette.test(index) for index in range(len(cassette))}
        yield from ((cassette, test) for test in tests if test in held)


def _move_cassette(cassette: Cassette, before: str, after: str, path: Path) -> Moved:
    """Write the interactions under the name of the new test; those of other tests in the same file stay theirs."""
    whole = [_renamed(cassette, index, before, after) for index in range(len(cassette))]
    own = [index for index in range(len(cassette)) if cassette.test(index) == before]
    if path == cassette.path:
        store.save(path, cassette.header, whole, base=cassette)
        return Moved(path, path)
    store.save(path, cassette.header, [whole[index] for index in own])
    if len(own) == len(cassette):
        cassette.path.unlink()
    else:
        left = [item for index, item in enumerate(whole) if index not in own]
        store.save(cassette.path, cassette.header, left, base=cassette)
    return Moved(cassette.path, path)


def _renamed(cassette: Cassette, index: int, before: str, after: str) -> Item:
    item = cassette.item(index)
    if item.test != before:
        return item
    return new_item(replace(cassette.interaction(index), test=after), item.key)


def _move_snapshots(project: Project, before: str, after: str) -> Iterator[Moved]:
    (old_folder, old_name), (folder, name) = _snapshot_of(project, before), _snapshot_of(project, after)
    for path in sorted(old_folder.glob("*")) if old_folder.is_dir() else ():
        rest = path.name.removeprefix(old_name)
        if path.name.startswith((f"{old_name}.", f"{old_name}[")):
            target = folder / f"{name}{rest}"
            if not target.exists():
                folder.mkdir(parents=True, exist_ok=True)
                path.rename(target)
                yield Moved(path, target)
    if old_folder.is_dir() and not any(old_folder.iterdir()):
        old_folder.rmdir()
    # syrupy's own snapshots stand in one file for each module, beside the folder.
    source, target = old_folder.with_name(f"{old_folder.name}.ambr"), folder.with_name(f"{folder.name}.ambr")
    if move_entries(source, target, _syrupys_name(before), _syrupys_name(after)):
        yield Moved(source, target)


def _syrupys_name(test: str) -> str:
    return ".".join(test.split("::")[1:])


def _snapshot_of(project: Project, test: str) -> tuple[Path, str]:
    """Return the folder of a test's snapshots, and how their names begin."""
    module, *names = test.split("::")
    path = project.root / module
    return path.parent / project.snapshot_folders / path.stem, naming.file_name(".".join(names))
