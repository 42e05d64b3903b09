"""The page of a session, or a part of one: what tests say travels with their reports, and is written at the end.

Workers of pytest-xdist tell, whoever prints writes. What a test says is one text of JSON, so that it can travel.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from replay_agent.exceptions import UserError
from replay_agent.pytest_plugin.marks import TEST
from replay_agent.pytest_plugin.summary.recorded import recorded_of
from replay_agent.surroundings.colours import without_colours

if TYPE_CHECKING:
    from replay_agent.pytest_plugin.watched import WatchedTest
    from replay_agent.recording.redaction.redactor import Redactor
    from replay_agent.report.page.report import Drift, Entry, Outcome, Report

__all__ = ("ReportFile",)

_PAGES, _PARTS = (".html", ".htm"), (".json",)
_TOLD = "replay_agent_entry"
_MOST_EARLIER = 5
_PHASES = "setup", "call", "teardown"


class ReportFile:
    """Gathers what the tests of a session say, and writes it."""

    def __init__(
        self, config: pytest.Config, path: Path, since: float, late: Callable[[pytest.Config], list[str]]
    ) -> None:
        self._config = config
        self._path = path
        self._began = datetime.fromtimestamp(since, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        self._late = late
        self._writes = not hasattr(config, "workerinput")
        self._tests: dict[str, _Gathered] = {}
        self._deselected = 0
        self._said = ""
        self._trouble = ""

    @classmethod
    def wanted(
        cls, config: pytest.Config, name: str, since: float, late: Callable[[pytest.Config], list[str]]
    ) -> ReportFile:
        """Return what writes the file of this name. Raises pytest's usage error for a name that is no page and no part."""
        path = Path(config.invocation_params.dir, name)
        if path.suffix.lower() not in (*_PAGES, *_PARTS) or path.is_dir():
            raise pytest.UsageError(
                f"--replay-report={name}: the name says what is written. Name a page, FILE.html, or a part for "
                "`replay-agent report`, FILE.json."
            )
        return cls(config, path, since, late)

    # --- what a test says ---------------------------------------------------------------------------------------------

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self,
        item: pytest.Item,
        call: pytest.CallInfo[None],
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Add to the last report of a test, and to one that failed, what it said to models."""
        report = yield
        test = item.stash.get(TEST, None)
        if test is not None and (report.when == "teardown" or call.excinfo is not None):
            from replay_agent.report.page.parts import dumped_entry

            report.__dict__[_TOLD] = dumped_entry(self._entry(item, test))
        return report

    def _entry(self, item: pytest.Item, test: WatchedTest) -> Entry:
        from replay_agent.report.page.content.entries import entry_of, recorded_since
        from replay_agent.report.page.report import Entry

        if test.is_scripted:
            return Entry(item.nodeid, "passed")
        run = test.run
        interactions, transcript = list(run.interactions), run.transcript
        live = recorded_since(interactions, self._began) if test.records else ()
        place = getattr(run, "cassette_path", None)
        entry = entry_of(
            item.nodeid, transcript, interactions, live, outcome="passed", cassette=self._shown(place) if place else ""
        )
        entry.drifts = list(_drifts(item, test))
        return entry

    def _shown(self, path: Path) -> str:
        root = self._config.rootpath
        return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)

    # --- what is gathered ---------------------------------------------------------------------------------------------

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take a report, of this process or of a worker."""
        if self._writes:
            self._tests.setdefault(report.nodeid, _Gathered(report.nodeid)).take(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Take a module that could not be collected."""
        if self._writes and report.failed:
            self._tests.setdefault(report.nodeid, _Gathered(report.nodeid)).broken = report.longreprtext

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Count what was not wanted."""
        self._deselected += len(items)

    # --- the file -----------------------------------------------------------------------------------------------------

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write it before the summary, which says so; a session that was to write it and could not has failed."""
        if not self._writes:
            return
        try:
            self._write(self._report(session))
        except UserError as exc:
            self._trouble = str(exc)
            session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED

    def _write(self, report: Report) -> None:
        from replay_agent.report.page.parts import dumped
        from replay_agent.report.page.writing import write_whole

        if self._path.suffix.lower() in _PARTS:
            write_whole(self._path, dumped(report))
        else:
            from replay_agent.report.page.html.rendering import render

            write_whole(self._path, render(report))
        self._said = f"replay: report in {self._shown(self._path)}"

    def _report(self, session: pytest.Session) -> Report:
        from replay_agent.recording.redaction.redactor import Redactor
        from replay_agent.report.page.report import Report
        from replay_agent.report.page.sources.cassettes import MADE_BY

        redactor = Redactor(self._config.getini("replay_redact"))
        return Report(
            self._config.rootpath.name,
            made_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            made_by=MADE_BY,
            notes=list(self._notes(session)),
            entries=[gathered.entry(redactor) for gathered in self._tests.values()],
        )

    def _notes(self, session: pytest.Session) -> Iterator[str]:
        if self._deselected:
            yield f"These are not all tests: {self._deselected:,} more were not selected."
        stopped = session.shouldfail or session.shouldstop
        if stopped:
            yield f"The session was stopped before its end: {stopped}."
        yield from (f"A request after the end of its test: {text}" for text in self._late(self._config))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say where it is."""
        if self._trouble:
            terminalreporter.write_line(f"replay: no report: {self._trouble}", red=True)
        elif self._said and self._config.get_verbosity() >= 0:
            terminalreporter.write_line(self._said)


def _drifts(item: pytest.Item, test: WatchedTest) -> Iterator[Drift]:
    from replay_agent.pytest_plugin.settings import command_words
    from replay_agent.report.page.content.drifts import drift_of

    words = command_words(item)
    misses = test.keeper.misses
    explained = dict.fromkeys(getattr(miss, "explanation", str(miss)) for miss in misses)
    for text in explained:
        yield drift_of(text, words["program"], words["test"], words["options"])


@dataclass
class _Gathered:
    """What the reports of one test say, those of earlier attempts apart."""

    test: str
    phases: list[pytest.TestReport] = field(default_factory=list)
    earlier: list[str] = field(default_factory=list)
    broken: str = ""
    """Why it could not be collected."""

    def take(self, report: pytest.TestReport) -> None:
        """Take the report of a phase. A test that is set up once more runs once more: what was before is history."""
        if self.phases and report.when == "setup":
            self.earlier.append(f"Attempt {len(self.earlier) + 1}: {_attempt(self.phases)}")
            self.phases = []
        self.phases.append(report)

    def _failures(self) -> str:
        texts = (_failure(report) for report in self.phases if report.outcome in ("failed", "rerun"))
        return "\n\n".join(text for text in (self.broken, *texts) if text)

    def entry(self, redactor: Redactor) -> Entry:
        """Return it as it stands on the page."""
        from replay_agent.report.page.content.words import words
        from replay_agent.report.page.parts import entry_from
        from replay_agent.report.page.report import Entry

        told = next((text for report in reversed(self.phases) if (text := getattr(report, _TOLD, None))), None)
        entry = Entry(self.test, "passed") if told is None else entry_from(told)
        entry.outcome = "error" if self.broken else _outcome(self.phases)
        entry.seconds = sum(report.duration for report in self.phases) if self.phases else None
        said = self._failures()
        entry.failure = words(redactor.text(said)) if said else None
        if not entry.has_failed:
            entry.drifts = []  # which the test expected
        entry.notes = [redactor.text(note) for report in self.phases for note in _notes(report)]
        entry.earlier = self.earlier[-_MOST_EARLIER:]
        return entry


def _outcome(phases: Sequence[pytest.TestReport]) -> Outcome:
    """Return the outcome of a test, as pytest names it."""
    failed = [report for report in phases if report.outcome in ("failed", "rerun")]
    if failed:
        # A worker that was lost has a phase of its own; it is the test that has failed there.
        return "error" if failed[0].when in ("setup", "teardown") else "failed"
    expected = [report for report in phases if hasattr(report, "wasxfail")]
    if expected:
        return "xpassed" if expected[0].passed else "xfailed"
    return "skipped" if any(report.skipped for report in phases) else "passed"


def _failure(report: pytest.TestReport) -> str:
    """Return what went wrong, without the line by which pytest names the worker it went wrong in."""
    text = report.longreprtext
    return text.partition("\n")[2] if hasattr(report, "node") else text


def _attempt(phases: Sequence[pytest.TestReport]) -> str:
    failed = [report for report in phases if report.outcome in ("failed", "rerun")]
    lines = [line for report in failed for line in _failure(report).split("\n") if line.strip()]
    said = next((line[1:].strip() for line in lines if line.startswith("E ")), lines[0] if lines else "")
    return f"{_outcome(phases)}{f' ({said[:200]})' if said else ''}"


def _notes(report: pytest.TestReport) -> Iterator[str]:
    reason: Any = report.longrepr
    if report.skipped and isinstance(reason, tuple):
        yield str(reason[2])
    if getattr(report, "wasxfail", ""):
        yield f"expected to fail: {report.wasxfail}"
    recorded = recorded_of(report)
    if recorded is not None:
        yield f"{recorded['live']} live, {recorded['replayed']} replayed, {recorded['dropped']} dropped" + (
            "; the cassette was written" if recorded["saved"] else ""
        )
        yield from map(without_colours, recorded["changes"])
