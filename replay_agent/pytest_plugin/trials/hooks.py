"""Hooks of a trial: only recorded tests are run, what they have asked is noted, pytest's own memory is left alone."""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from replay_agent.exceptions import CassetteError, UserError
from replay_agent.pytest_plugin.around.fixture_names import fixture_cassette, owner_of, shared_fixtures
from replay_agent.pytest_plugin.around.siblings import siblings_of
from replay_agent.pytest_plugin.marks import STAND_IN, TEST, is_served, is_watched
from replay_agent.pytest_plugin.places import cassette_of, nodeid
from replay_agent.pytest_plugin.trials.noting import write_testimony
from replay_agent.pytest_plugin.trials.trial import Trial, trial_of
from replay_agent.report.comparison.trials.notes import Note, Outcome, write_note
from replay_agent.report.conversation.lines import short
from replay_agent.surroundings import credentials

__all__ = ("TrialHooks",)

_MEMORIES = "lfplugin", "nfplugin", "stepwiseplugin"
"""Plugins of pytest that choose tests by how they went the last time."""
_LONGEST_REASON = 300


class TrialHooks:
    """Hooks around the tests of a trial."""

    def __init__(self, trial: Trial) -> None:
        self._trial = trial
        self._reports: dict[str, list[pytest.TestReport]] = {}
        self._clock = ExitStack()

    @classmethod
    def of(cls, config: pytest.Config) -> TrialHooks:
        """Return the hooks of a session that is a trial."""
        trial = trial_of(config)
        assert trial is not None
        return cls(trial)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Forget how tests went before, and take care that nobody learns how they go now."""
        config = session.config
        config.__dict__["cache"] = _NoMemory(self._trial.folder)
        for name in _MEMORIES:
            if config.pluginmanager.has_plugin(name):
                config.pluginmanager.unregister(name=name)
        for option in ("replay_accept", "update_snapshots"):
            if hasattr(config.option, option):
                setattr(config.option, option, False)
        self._shift_clock()

    def _shift_clock(self) -> None:
        if not self._trial.order.clock_shift:
            return
        try:
            import time_machine
        except ImportError:
            return  # the command says so
        then = datetime.now(UTC) + timedelta(seconds=self._trial.order.clock_shift)
        self._clock.enter_context(time_machine.travel(then, tick=True))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Set the clock right."""
        self._clock.close()

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note what could not be collected."""
        if report.failed:
            write_note(self._trial.folder, Note(report.nodeid, "broken", _reason(report)))

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Leave out what is not recorded."""
        recorded = [item for item in items if is_watched(item)]
        chosen = list(self._chosen(recorded))
        others = _without(items, chosen)
        if others:
            config.hook.pytest_deselected(items=others)
            items[:] = chosen
        if config.getoption("collectonly"):
            self._note_collected(chosen, _without(others, recorded))

    def _chosen(self, items: Sequence[pytest.Item]) -> Iterator[pytest.Item]:
        """Yield the tests that are asked for; one that runs on several event loops is asked live once."""
        asked, met = self._trial.order.only, set()
        only = None if asked is None else frozenset(asked)
        for item in items:
            name = _name(item)
            if (only is None or name in only) and not (self._trial.is_live and name in met):
                met.add(name)
                yield item

    def _note_collected(self, items: Sequence[pytest.Item], others: Sequence[pytest.Item]) -> None:
        folder = self._trial.folder
        for item in others:
            write_note(folder, Note(item.nodeid, "unmarked"))
        fixtures: dict[str, list[str]] = {}
        names_in = cache(_names_in)
        for item in items:
            used = {} if is_served(item) else dict(_fixtures_of(item, names_in))
            fixtures.update(used)
            write_note(folder, replace(_collected(item), uses=list(used)))
        (folder / "keys").write_text("\n".join(_keys_set()), "utf-8")
        for owner, recorded in fixtures.items():
            write_note(folder, Note(owner, "collected", cassettes=recorded, is_fixture=True))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Note a test after its last phase."""
        test = item.stash.get(TEST, None)
        report = yield
        reports = self._reports.setdefault(item.nodeid, [])
        reports.append(report)
        if report.when == "teardown":
            del self._reports[item.nodeid]
            testimony = test.testimony() if test is not None else None
            outcome, reason = _judged(reports)
            write_testimony(self._trial, _name(item), outcome, reason, testimony)
        return report


def _without(items: Sequence[pytest.Item], others: Sequence[pytest.Item]) -> list[pytest.Item]:
    left_out = set(others)
    return [item for item in items if item not in left_out]


class _NoMemory:
    """Stands for pytest's cache: empty, and keeps nothing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, _key: str, default: object) -> object:
        return default

    def set(self, _key: str, _value: object) -> None:
        """Forget it."""

    def mkdir(self, name: str) -> Path:
        place = self._folder / "cache" / name
        place.mkdir(parents=True, exist_ok=True)
        return place


def _name(item: pytest.Item) -> str:
    """Return what a test is called in cassettes: the same on every event loop."""
    return nodeid(item)


def _keys_set() -> Iterator[str]:
    """Yield the names of credential variables that hold something; a conftest may have read them from a file."""
    for name in credentials.credential_names():
        value = os.environ.get(name)
        if value and not credentials.is_placeholder(value):
            yield name


def _collected(item: pytest.Item) -> Note:
    try:
        place = _vcr_cassette(item) if is_served(item) else cassette_of(item, siblings_of(item))
    except (CassetteError, UserError) as exc:
        return Note(_name(item), "collected", short(str(exc), _LONGEST_REASON))
    return Note(_name(item), "collected", cassettes=[] if place is None else [str(place)])


def _vcr_cassette(item: pytest.Item) -> Path | None:
    """Return where vcrpy's cassette is, unless a fixture of the project says it, which only a run can tell."""
    plugin: Any = item.config.pluginmanager.get_plugin(STAND_IN)
    place: Path | None = plugin.usual_cassette(item)
    return place


def _fixtures_of(item: pytest.Item, names_in: Callable[[Path], Sequence[str]]) -> Iterator[tuple[str, list[str]]]:
    """Yield the fixtures that a test shares with others, and their cassettes, where there are any.

    ``names_in`` lists a folder, sorted: thousands of tests may ask for the same one.
    """
    for fixture in shared_fixtures(item):
        owner = owner_of(fixture, item)
        if owner is not None:
            place = fixture_cassette(owner, item.config)
            recorded = [
                str(path) for path in (place, *_with_parameters(place, names_in(place.parent))) if path.is_file()
            ]
            if recorded:
                yield owner, recorded


def _with_parameters(place: Path, names: Sequence[str]) -> Iterator[Path]:
    """Yield the cassettes of a fixture whose parameters, known when it is set up, stand behind its name."""
    begin = f"{place.stem}["
    for name in islice(names, bisect_left(names, begin), None):
        if not name.startswith(begin):
            return
        yield place.with_name(name)


def _names_in(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir()) if folder.is_dir() else []


def _judged(reports: Sequence[pytest.TestReport]) -> tuple[Outcome, str]:
    """Return how a test went, by its worst phase."""
    for report in reports:
        if report.failed:
            return "failed", _reason(report)
    for report in reports:
        if hasattr(report, "wasxfail"):
            return "xfailed" if report.skipped else "passed", str(report.wasxfail)
        if report.skipped:
            return "skipped", _reason(report)
    return "passed", ""


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    """Return in a line why a test failed, or was skipped."""
    longrepr: Any = report.longrepr
    if isinstance(longrepr, tuple):
        return short(str(longrepr[-1]).removeprefix("Skipped: "), _LONGEST_REASON)
    crash = getattr(longrepr, "reprcrash", None)
    text = crash.message if crash is not None else str(longrepr or "").strip()
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if crash is None:  # without one, pytest marks the lines that say it with an E, or says it last
        lines = [line[1:].strip() for line in lines if line.startswith("E ")][:1] or lines[-1:]
    return short(lines[0], _LONGEST_REASON) if lines else ""
