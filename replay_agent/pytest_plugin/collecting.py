"""Which cassettes the tests of a project play: asked of pytest itself, by collecting them."""

from __future__ import annotations

import contextlib
import io
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from replay_agent.exceptions import CassetteError, UserError
from replay_agent.pytest_plugin.around.fixture_names import fixture_of, name_of
from replay_agent.pytest_plugin.around.siblings import siblings_of
from replay_agent.pytest_plugin.marks import is_replayed
from replay_agent.pytest_plugin.places import (
    cassette_of,
    nodeid,
    snapshot_folder,
    snapshot_folder_name,
    snapshot_name_of,
)
from replay_agent.recording.cassettes import store
from replay_agent.surroundings.interrupts import heeded

__all__ = "QUIETLY", "Collected", "collect", "note_played"

QUIETLY = ("-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning")
"""How pytest is run within a command: it leaves no files, and that it finds us imported already is no warning, which a
project with ``filterwarnings = error`` would not survive."""


@dataclass
class Collected:
    """The tests of a project, by what they play."""

    root: Path = Path()
    """The rootdir."""
    folder: Path = Path()
    """Where the cassettes are."""
    used: dict[Path, set[str]] = field(default_factory=lambda: defaultdict(set))
    """The cassettes of the tests, and the tests of each."""
    modules: set[str] = field(default_factory=set)
    """The modules that were collected as a whole: all their tests are known."""
    broken: list[str] = field(default_factory=list)
    """The modules that could not be collected: what their tests play, nobody knows."""
    unmarked: set[str] = field(default_factory=set)
    """The tests that are not marked."""
    snapshot_folders: str = "__snapshots__"
    """What the folders with snapshots are called."""
    snapshots: dict[Path, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Of all tests: the folders where their snapshots of runs are, and what these are called."""


def collect(place: Path) -> Collected:
    """Collect the tests of the project that a folder belongs to, also those that are deselected; none of them is run.

    Raises `UserError` with what pytest printed if the collection fails.
    """
    collector = _Collector()
    root = _root_of(place)
    _, printed = _run(root, "--collect-only", "-qq", plugin=collector)
    # A module that cannot be collected is not among `modules`. The status tells nothing more: other plugins fail a session
    # for reasons of their own, and syrupy adds its bit to pytest's number.
    if not collector.finished:
        raise UserError(f"the tests could not be collected, so nobody knows what they play:\n{printed}")
    return collector.collected


def _root_of(place: Path) -> Path:
    """Return the rootdir of a folder: pytest finds it, and is stopped before it collects."""
    finder = _RootFinder(place)
    _run(place, plugin=finder)
    return finder.root


def _run(place: Path, *arguments: str, plugin: object) -> tuple[int, str]:
    printed = io.StringIO()
    output = contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed)
    # What was not collected because somebody has pressed ctrl-C is no test that is gone.
    with heeded(), output[0], output[1], contextlib.chdir(place):
        status = pytest.main([*arguments, *QUIETLY], plugins=[plugin])
    return status, printed.getvalue().strip()


class _RootFinder:
    def __init__(self, place: Path) -> None:
        self.root = place

    @pytest.hookimpl(tryfirst=True)
    def pytest_cmdline_main(self, config: pytest.Config) -> int:
        self.root = config.rootpath
        return 0


class _Collector:
    def __init__(self) -> None:
        self.collected = Collected()
        self.finished = False
        self._items: dict[pytest.Item, None] = {}
        """Also those that are deselected, or that a hook takes away without a word."""

    def pytest_configure(self, config: pytest.Config) -> None:
        self.collected.root = config.rootpath
        self.collected.snapshot_folders = snapshot_folder_name(config)
        self.collected.folder = config.rootpath / str(config.getini("replay_cassette_dir"))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.collected.broken.append(report.nodeid)
        if report.passed:
            self.collected.modules.add(report.nodeid)
            self._items.update(dict.fromkeys(node for node in report.result if isinstance(node, pytest.Item)))

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        items = dict.fromkeys([*self._items, *session.items])
        for item in items:
            folder = snapshot_folder(item.config, item.path)
            self.collected.snapshots[folder].add(snapshot_name_of(item, siblings_of(item)))
        note_played(self.collected, items)
        self.finished = True


def note_played(collected: Collected, items: Iterable[pytest.Item]) -> None:
    """Note what tests and their fixtures play. Raises `CassetteError` and `UserError` for one that names no cassette."""
    fixtures: set[str] = set()
    for item in items:
        if is_replayed(item):
            collected.used[cassette_of(item, siblings_of(item))].add(nodeid(item))
            fixtures.update(map(name_of, getattr(item, "fixturenames", ())))
        else:
            collected.unmarked.add(nodeid(item))
    for path, test in _recorded_by_fixtures(collected.folder):
        if _may_be_asked_for(test, collected.root, fixtures):
            collected.used[path].add(test)


def _may_be_asked_for(owner: str, root: Path, known: Collection[str]) -> bool:
    """Tell whether a fixture of tests that are still there may make requests: by its name, as it may be found at run time."""
    place, name = fixture_of(owner) or ("", "")
    file, name = root / place, name.partition("-")[0]
    if not file.is_file() or name in known:
        return file.is_file()
    conftests = (folder / "conftest.py" for folder in file.parents if folder.is_relative_to(root))
    sources = (path.read_text("utf-8", "replace") for path in (file, *conftests) if path.is_file())
    return any(re.search(rf"\b{re.escape(name)}\b", source) for source in sources)


def _recorded_by_fixtures(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield the cassettes that fixtures have recorded, and what each fixture is called there."""
    for path in folder.rglob("*fixture-*.yaml"):
        try:
            cassette = store.load(path)
        except CassetteError:
            continue  # which is nobody's orphan
        for test in {cassette.test(index) for index in range(len(cassette))}:
            if test is not None and fixture_of(test) is not None:
                yield path, test
