"""What a session ends with that is no test's: requests that came too late, recordings left unfinished, cassettes unused.

A line for each cause. What a worker of pytest-xdist knows of it travels to whoever prints.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from replay_agent.pytest_plugin.collecting import Collected

__all__ = ("Ending",)

_OUTPUT = "replay_agent_unused_cassettes"
_FIRST_WORKER = "gw0"
"""All workers of pytest-xdist collect the same tests; one of them looks for what these leave unused."""
_MOST_LATE = 20
"""Lines of late requests, unless ``-vv`` asks for all."""
_MOST_LINES = 40
_IN_FULL = 2
_MOST_READ = 200
"""Cassettes that are read at most to see who recorded them, so that a folder of other people's costs no session much."""


class Ending:
    """Takes note of what a session leaves behind, and says it."""

    def __init__(self, config: pytest.Config, late: Callable[[pytest.Config], list[str]]) -> None:
        """``late`` gives the requests that were made after the end of their tests."""
        self._config = config
        self._late = late
        self._has_replayed = False
        self._is_whole = True
        self._unused = 0
        self._modules: set[str] = set()
        self._items: dict[pytest.Item, None] = {}
        """Also those that a hook takes away without a word."""

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Take note of what there is."""
        if report.passed:
            self._modules.add(report.nodeid)
            self._items.update(dict.fromkeys(node for node in report.result if isinstance(node, pytest.Item)))

    def pytest_deselected(self) -> None:
        """Take note that these are not all tests: who plays what, is not known then."""
        self._is_whole = False

    def replaying(self, session: pytest.Session) -> None:
        """Say that a session has tests to replay."""
        self._has_replayed = True
        worker = getattr(self._config, "workerinput", {}).get("workerid", _FIRST_WORKER)
        said_nothing = self._config.get_verbosity() < 0 or self._config.getoption("replay_plan", None)
        if worker == _FIRST_WORKER and self._is_whole_project(session) and not said_nothing:
            self._unused = self._count(session)
        self._items.clear()

    def _count(self, session: pytest.Session) -> int:
        from replay_agent.pytest_plugin.collecting import Collected

        collected = Collected(self._config.rootpath, _cassettes(self._config), modules=self._modules)
        return _unused_cassettes(collected, dict.fromkeys([*self._items, *session.items]))

    def _is_whole_project(self, session: pytest.Session) -> bool:
        option = self._config.getoption
        narrowed = any(option(name, None) for name in ("file_or_dir", "ignore", "ignore_glob", "deselect", "lf"))
        return self._is_whole and not narrowed and not session.testsfailed

    def pytest_sessionfinish(self) -> None:
        """Tell whoever prints."""
        if hasattr(self._config, "workeroutput"):
            self._config.workeroutput[_OUTPUT] = [self._has_replayed, self._unused]

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take over what a worker says."""
        has_replayed, unused = getattr(node, "workeroutput", {}).get(_OUTPUT, (False, 0))
        self._has_replayed = self._has_replayed or has_replayed
        self._unused = max(self._unused, unused)

    def show_late(self, terminal: pytest.TerminalReporter) -> None:
        """Write the requests that were made after the end of their tests, for which the session fails."""
        texts = self._late(self._config)
        if not texts:
            return
        several = f"{len(texts)} requests after the end of their tests"
        terminal.write_sep("=", several if len(texts) > 1 else "a request after the end of its test", red=True)
        lines = list(_late_lines(texts))
        shown = lines if self._config.get_verbosity() >= _IN_FULL else lines[:_MOST_LINES]
        for line in shown:
            terminal.write_line(line)
        if len(lines) > len(shown):
            terminal.write_line(f"... {len(lines) - len(shown)} more lines (-vv shows all)")
        terminal.write_line("End what a test starts before the test ends: join its threads, await its tasks.")

    def show(self, terminal: pytest.TerminalReporter) -> None:
        """Write what waits or is left over, a line each with the command that shows it."""
        if not self._has_replayed or self._config.get_verbosity() < 0 or self._config.getoption("replay_plan", None):
            return
        unfinished = _journals(self._config)
        if unfinished:
            what = "1 recording is unfinished" if unfinished == 1 else f"{unfinished} recordings are unfinished"
            terminal.write_line(f"{what}, and will be taken up when recorded again: replay-agent journals")
        if self._unused:
            what = "1 cassette is" if self._unused == 1 else f"{self._unused} cassettes are"
            terminal.write_line(f"{what} played by no test: replay-agent prune")


def _late_lines(texts: Sequence[str]) -> Iterator[str]:
    """Yield a line for each thing that came too late, then, once, what else is to be said of the first."""
    counts = Counter(text.partition("\n")[0] for text in texts)
    for number, (line, count) in enumerate(counts.items()):
        if number == _MOST_LATE:
            yield f"... and {len(counts) - number} more"
            break
        yield f"{line}{f' ({count} times)' if count > 1 else ''}"
    rest = next((rest for text in texts if (rest := text.partition("\n")[2].strip("\n"))), "")
    yield from ("", *rest.split("\n"), "") if rest else ()


def _cassettes(config: pytest.Config) -> Path:
    return config.rootpath / str(config.getini("replay_cassette_dir"))


def _journals(config: pytest.Config) -> int:
    from replay_agent.recording.cassettes.journal import HOME, all_journals

    return len(all_journals(_cassettes(config) / HOME / "journals"))


def _unused_cassettes(collected: Collected, items: Iterable[pytest.Item]) -> int:
    """Count the cassettes that no test plays, as ``replay-agent prune`` finds them, but for what it leaves alone."""
    from replay_agent.exceptions import CassetteError, UserError
    from replay_agent.pytest_plugin.collecting import note_played
    from replay_agent.report.recorded.orphans import find_orphans

    try:
        note_played(collected, items)
    except (CassetteError, UserError):
        return 0  # which the test that it belongs to says
    orphans = find_orphans(collected, most=_MOST_READ)
    return sum(not orphan.kept and orphan.interactions is None for orphan in orphans)
