"""What a session leaves open, kept in pytest's cache folder until somebody has looked at it, and said in two lines."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from replay_agent.surroundings.documentation import ERRORS

if TYPE_CHECKING:
    from replay_agent.report.review.plan import Ended

__all__ = "KEPT", "PendingChanges", "cache_folder", "former_files"

KEPT = "kept"
"""The folder beside the state in which a review keeps what it may put back."""


def cache_folder(config: pytest.Config) -> Path | None:
    """Return our folder in pytest's cache; None where there is no cache."""
    cache = getattr(config, "cache", None)
    return Path(cache.mkdir("replay_agent")) if cache is not None else None


def former_files(config: pytest.Config) -> Path | None:
    """Return the folder for files as they were before they were recorded."""
    folder = cache_folder(config)
    if folder is None or config.getoption("replay_plan", None):
        return None
    (folder / "before").mkdir(exist_ok=True)
    return folder / "before"


class PendingChanges:
    """Takes note of what tests leave open, and writes it down at the end of the session, where all reports arrive."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._plan: str | None = config.getoption("replay_plan", None)
        self._open: dict[str, list[dict[str, Any]]] = {}
        self._ends: dict[str, list[Any]] = {}
        self._count = 0
        self._has_failed = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take what the last report of a test says; of one that ran twice the second time counts."""
        self._has_failed = self._has_failed or report.failed
        found = getattr(report, "replay_agent_open", None)
        if found is not None:
            self._open[report.nodeid] = found
        if self._plan:
            self._ends.setdefault(report.nodeid, []).append(report)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Write down what is open, in the process that all reports come to."""
        if hasattr(self._config, "workerinput"):
            return
        folder = cache_folder(self._config) if self._open else None
        if folder is not None:
            self._update(folder)
        if self._plan:
            from replay_agent.report.review.plan import Plan, write_ends

            write_ends(Path(Plan.read(Path(self._plan)).ends), dict(map(_ended, self._ends.values())))

    def _update(self, folder: Path) -> None:
        from replay_agent.report.review.change import Change
        from replay_agent.report.review.queue import plain_options, updating

        with updating(folder) as queue:
            queue.update({test: [Change.load(each) for each in found] for test, found in self._open.items()})
            queue.cwd = str(self._config.invocation_params.dir)
            queue.options = plain_options(self._config.inipath, self._config.rootpath)
            self._count = len(queue.changes)
        if not self._config.getoption("replay_plan", None):
            shutil.rmtree(folder / KEPT, ignore_errors=True)  # what an earlier review could have put back
            _tidy(folder / "before", {each.before for each in queue.changes})

    def show(self, terminal: pytest.TerminalReporter) -> None:
        """Say that there is something to look at, and the one command that accepts everything."""
        if self._count and not self._config.getoption("replay_plan", None) and self._config.get_verbosity() >= 0:
            if self._has_failed:
                terminal.write_line("What the messages mean, and what to do:")
                terminal.write_line(ERRORS)
            terminal.write_line(
                f"{self._count} to look at: replay-agent review; to accept all: replay-agent accept --all"
            )


def _tidy(folder: Path, used: set[str | None]) -> None:
    """Remove the former files of recordings that are not open any more."""
    if folder.is_dir():
        for path in folder.iterdir():
            if str(path) not in used:
                path.unlink(missing_ok=True)


def _ended(reports: list[Any]) -> tuple[str, Ended]:
    from replay_agent.pytest_plugin.summary.recorded import recorded_of
    from replay_agent.report.review.plan import Ended

    run = next((name for each in reports if (name := getattr(each, "replay_agent_run", None))), reports[0].nodeid)
    failed = [each for each in reports if each.failed]
    live = sum(recorded["live"] for each in reports if (recorded := recorded_of(each)))
    return run, Ended(not failed, live, "\n\n".join(each.longreprtext for each in failed))
