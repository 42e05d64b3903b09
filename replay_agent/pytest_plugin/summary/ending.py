"""What a session ends with that is no test's: requests that came too late, recordings left unfinished, cassettes unused.

A line for each cause. What a worker of pytest-xdist knows of it travels to whoever prints.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

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
_SUFFIXES = frozenset({".yaml", ".yml"})


class Ending:
    """Takes note of what a session leaves behind, and says it."""

    def __init__(self, config: pytest.Config, late: Callable[[pytest.Config], list[str]]) -> None:
        """``late`` gives the requests that were made after the end of their tests."""
        self._config = config
        self._late = late
        self._has_replayed = False
        self._is_whole = True
        self._unused = 0

    def pytest_deselected(self) -> None:
        """Take note that these are not all tests: who plays what, is not known then."""
        self._is_whole = False

    def replaying(self, session: pytest.Session, is_replayed: Callable[[pytest.Item], bool]) -> None:
        """Say that a session has tests to replay."""
        self._has_replayed = True
        worker = getattr(self._config, "workerinput", {}).get("workerid", _FIRST_WORKER)
        said_nothing = self._config.get_verbosity() < 0 or self._config.getoption("replay_plan", None)
        if worker == _FIRST_WORKER and self._is_whole_project(session) and not said_nothing:
            self._unused = _unused_cassettes(self._config, session.items, is_replayed)

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
            terminal.write_line(f"{what} of tests that are gone: replay-agent prune")


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


def _unused_cassettes(
    config: pytest.Config, items: Iterable[pytest.Item], is_replayed: Callable[[pytest.Item], bool]
) -> int:
    """Count the cassettes of tests that are not there any more, though their modules are, or whose modules are gone.

    ``replay-agent prune`` looks closer, and says why it leaves others alone.
    """
    from replay_agent.exceptions import CassetteError, UserError
    from replay_agent.pytest_plugin import siblings_of
    from replay_agent.pytest_plugin.places import cassette_of, nodeid

    folder, found = _cassettes(config), list(items)
    try:
        used = {cassette_of(item, siblings_of(item)) for item in found if is_replayed(item)}
    except (CassetteError, UserError):
        return 0  # which the test that it belongs to says
    known = {nodeid(item) for item in found}
    modules = {test.partition("::")[0] for test in known}
    paths = [path for path in folder.rglob("*") if path.suffix in _SUFFIXES and path not in used and path.is_file()]
    return sum(_is_of_gone_tests(path, config.rootpath, known, modules) for path in sorted(paths)[:_MOST_READ])


def _is_of_gone_tests(path: Path, root: Path, known: set[str], modules: set[str]) -> bool:
    from replay_agent.exceptions import CassetteError
    from replay_agent.pytest_plugin.shared_fixture import fixture_of
    from replay_agent.recording.cassettes import store

    try:
        cassette = store.load(path)
        tests = {cassette.test(index) for index in range(len(cassette))}
    except CassetteError:
        return False
    named = {test for test in tests if test and "::" in test and fixture_of(test) is None}
    if not named or named != tests or named & known:
        return False
    return all(
        module in modules or not (root / module).exists() for module in (test.partition("::")[0] for test in named)
    )
