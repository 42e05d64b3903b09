"""Which cassettes the tests of a project play: asked of pytest itself, by collecting them."""

from __future__ import annotations

import contextlib
import io
import re
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from replay_agent.exceptions import CassetteError, UserError
from replay_agent.pytest_plugin import is_replayed, siblings_of
from replay_agent.pytest_plugin.places import cassette_of, module_folder, nodeid
from replay_agent.pytest_plugin.shared_fixture import fixture_of, name_of
from replay_agent.recording.cassettes import store

__all__ = "Collected", "collect"


@dataclass
class Collected:
    """The tests of a project, by what they play."""

    folder: Path = Path()
    """Where the cassettes are."""
    used: dict[Path, set[str]] = field(default_factory=lambda: defaultdict(set))
    """The cassettes of the tests, and the tests of each."""
    skipped: dict[str, Path] = field(default_factory=dict)
    """Modules that were skipped as a whole, so that what their tests play is not known; the folders of their cassettes."""


def collect(root: Path) -> Collected:
    """Collect the tests of the project in this folder, also those that are deselected by default; none of them is run.

    Raises `UserError` with what pytest printed if the collection fails.
    """
    collector = _Collector()
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed), contextlib.chdir(root):
        status = pytest.main(["--collect-only", "-qq", "-p", "no:cacheprovider"], plugins=[collector])
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        raise UserError(
            f"the tests could not be collected, so nobody knows what they play:\n{printed.getvalue().strip()}"
        )
    return collector.collected


class _Collector:
    def __init__(self) -> None:
        self.collected = Collected()
        self._cassettes = ""
        self._root = Path()
        self._fixtures: set[str] = set()

    def pytest_configure(self, config: pytest.Config) -> None:
        self._root, self._cassettes = config.rootpath, str(config.getini("replay_cassette_dir"))
        self.collected.folder = self._root / self._cassettes

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        self._note(items)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self._note(session.items)
        for path, test in _recorded_by_fixtures(self.collected.folder):
            if _may_be_asked_for(test, self._root, self._fixtures):
                self.collected.used[path].add(test)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped and report.nodeid:
            module = report.nodeid.partition("::")[0]
            self.collected.skipped[module] = module_folder(self._root / module, self._root, self._cassettes)

    def _note(self, items: list[pytest.Item]) -> None:
        for item in items:
            if is_replayed(item):
                self.collected.used[cassette_of(item, siblings_of(item))].add(nodeid(item))
                self._fixtures.update(map(name_of, getattr(item, "fixturenames", ())))


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
