"""Which cassettes the tests of a project play: asked of pytest itself, by collecting them."""

from __future__ import annotations

import contextlib
import io
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from replay_agent.exceptions import UserError
from replay_agent.pytest_plugin import is_replayed, siblings_of
from replay_agent.pytest_plugin.places import cassette_of, module_folder, nodeid

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

    def pytest_configure(self, config: pytest.Config) -> None:
        self._root, self._cassettes = config.rootpath, str(config.getini("replay_cassette_dir"))
        self.collected.folder = self._root / self._cassettes

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        self._note(items)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self._note(session.items)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped and report.nodeid:
            module = report.nodeid.partition("::")[0]
            self.collected.skipped[module] = module_folder(self._root / module, self._root, self._cassettes)

    def _note(self, items: list[pytest.Item]) -> None:
        for item in items:
            if is_replayed(item):
                self.collected.used[cassette_of(item, siblings_of(item))].add(nodeid(item))
