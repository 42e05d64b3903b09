"""One test under replay: its run opened, its misses told as failures, its verdict given."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Generator, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from replay_agent.exceptions import CassetteError, CassetteMissError, CassetteUnreadable, UserError
from replay_agent.harness import DecodedTraffic, Run
from replay_agent.pytest_plugin.around.compared import stopped_at_snapshot
from replay_agent.pytest_plugin.around.nearest_mark import closest
from replay_agent.pytest_plugin.around.own_servers import let_pass
from replay_agent.pytest_plugin.around.planned import plan_of
from replay_agent.pytest_plugin.around.unretrieved import without_tracebacks
from replay_agent.pytest_plugin.failures import Misses, explaining, failure_of, failure_saying, leaves_of
from replay_agent.pytest_plugin.places import cassette_under, nodeid
from replay_agent.pytest_plugin.scripting.cell import CELL
from replay_agent.pytest_plugin.settings import budget_of, command_of, first_recording, option_of, options_under
from replay_agent.pytest_plugin.summary.causes import tell
from replay_agent.pytest_plugin.summary.recorded import note_recorded
from replay_agent.pytest_plugin.trials.trial import trial_of
from replay_agent.recording.clients import intercept
from replay_agent.recording.options import RecordMode, RecordOptions

if TYPE_CHECKING:
    from replay_agent.faults import Fault
    from replay_agent.faults.restream import Recut
    from replay_agent.pytest_plugin.trials.testimony import Testimony
    from replay_agent.report.comparison.budgets import Budget

__all__ = "ReplayedTest", "WatchedTest"


class WatchedTest(ABC):
    """A test whose misses nothing can swallow: not a client, not a retry, not the test's own ``except``."""

    xfail_excuses_misses = False
    is_scripted = False
    """Whether it has no recording, only a script."""
    records: bool
    """Whether requests may go live."""

    def __init__(self, item: pytest.Item, misses: Misses) -> None:
        self.item = item
        self._misses = misses
        self._outcome = ""
        self._stopped_at_snapshot = False
        self.said: dict[str, str] = {}
        """The explanations of what it missed or left, and the cassette of each."""

    def calling(self) -> Generator[None]:
        """Yield once, for the call of the test function; a miss that something swallowed fails the test here."""
        function = getattr(self.item, "obj", None)
        if function is not None:
            self.item.obj = explaining(function, self._misses)  # type: ignore[attr-defined]
        try:
            yield
        except Exception as exc:
            self._fail_for_misses(None if isinstance(exc, CassetteMissError) else exc)
            raise
        finally:
            if function is not None:
                self.item.obj = function  # type: ignore[attr-defined]
        self._fail_for_misses(None)

    def note_verdict(self, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
        """Take note of pytest's verdict on one phase; a miss is told as itself there, and xfail does not excuse it."""
        if call.excinfo is not None:
            self._tell(call.excinfo.value, report)
        misses = self._misses.misses
        if misses:
            self._count_against(misses, report)
        if report.when == "call":
            if call.excinfo is not None and report.failed and not misses:
                self._stopped_at_snapshot = stopped_at_snapshot(self.item, call.excinfo.value)
            self._outcome = "xfailed" if hasattr(report, "wasxfail") else report.outcome

    def _count_against(self, misses: Sequence[BaseException], report: pytest.TestReport) -> None:
        """Have misses said once in the report of a test, and not excused."""
        if report.failed:
            told = [str(miss) for miss in misses]
            report.sections = [(name, without_tracebacks(text, told)) for name, text in report.sections]
        if hasattr(report, "wasxfail") and not self.xfail_excuses_misses:
            report.outcome = "failed"
            del report.wasxfail

    def _tell(self, error: BaseException, report: pytest.TestReport) -> None:
        misses = leaves_of(error)
        if misses:
            with pytest.raises(pytest.fail.Exception) as failure:
                raise failure_of(misses, self._misses)
            report.longrepr = self.item.repr_failure(failure)
            tell(report, self.item, failure.value)
        else:
            tell(report, self.item, error)

    @property
    def keeper(self) -> Misses:
        """Who keeps its misses."""
        return self._misses

    @property
    @abstractmethod
    def run(self) -> DecodedTraffic:
        """What the test says and hears: the fixture ``replay``."""

    def testimony(self) -> Testimony | None:
        """Return what it has to tell in a trial, once it is closed; None for one without a recording."""
        return None

    def let_go(self) -> None:
        """Break with what is held for its report, when that is made."""
        return  # there is nothing, unless a test says so

    def break_off(self) -> str:
        """End it where the session stops in the middle of it, and no teardown comes; return what went wrong with that."""
        return ""  # nothing is open, unless a test says so

    @property
    def passed(self) -> bool:
        """Whether the test function did what it should; that it should fail, if it is marked so."""
        return self._outcome in ("passed", "xfailed")

    def close(self) -> None:
        """Fail the test for the misses that are left; those of one that failed for others are shown beside it."""
        late = self._misses.unreported_misses
        if late and self._outcome != "passed" and len(late) < len(self._misses.misses):
            self.item.add_report_section("teardown", "misses", str(failure_of(late, self._misses)))
        elif late:
            raise failure_of(late, self._misses)

    def _fail_for_misses(self, cause: BaseException | None) -> None:
        late = self._misses.unreported_misses
        if late:
            raise failure_of(late, self._misses) from cause


def _unopened(error: CassetteError | UserError, item: pytest.Item) -> BaseException:
    """Return the failure of a test whose recording cannot be opened."""
    if isinstance(error, CassetteUnreadable) and error.in_conflict:
        from replay_agent.report.conflict import explain_conflict

        return failure_saying([explain_conflict(error, command_of(item))])
    return pytest.fail.Exception(str(error), pytrace=False)


def _budget_of(config: pytest.Config, mark: pytest.Mark | None) -> Budget | None:
    """Return the budget of a test, None for none: then nothing is read that could judge it."""
    said = budget_of(config, mark)
    if said is None:
        return None
    from replay_agent.report.comparison.budgets import read_budget

    return read_budget(said)


class ReplayedTest(WatchedTest):
    """A test marked replay, from before its first fixture to after its last: holds the run and gives the verdict."""

    def __init__(
        self, item: pytest.Item, run: Run, *, unused: str, budget: Budget | None = None, cassette: Path | None = None
    ) -> None:
        super().__init__(item, run.recording)
        self.cassette = cassette or run.cassette_path
        """Where its cassette is in the project; in a trial it is only read."""
        self._run = run
        self.records = run.recording.records
        self._unused = unused
        self._budget = budget

    @classmethod
    def opened(cls, item: pytest.Item, siblings: Sequence[str], *, since: float) -> ReplayedTest:
        """Open the recording of a test; a cassette that cannot be used fails the test without a traceback.

        ``since`` is when the session began, in seconds since the epoch.
        """
        try:
            mark = closest(item, "replay")
            budget = _budget_of(item.config, mark)
            path = cassette_under(item, mark, siblings)
            run = _run_of(item, mark, path, since)
            run.open()
        except (CassetteError, UserError) as exc:
            raise _unopened(exc, item) from None
        intercept.open_for_test(run.recording)
        return cls(item, run, unused=option_of(item.config, "replay_unused"), budget=budget, cassette=path)

    @property
    def run(self) -> Run:
        """The open recording."""
        return self._run

    def let_go(self) -> None:
        """Leave no ring of references: as garbage, each test would cost the collector a hundred microseconds."""
        self._run.recording.let_go()

    def break_off(self) -> str:
        """Close the recording as that of a test that failed: what it has is kept for the next one."""
        intercept.close_for_test(self._run.recording)
        try:
            self._run.close(success=False)
        except CassetteError as exc:
            return str(exc)
        return ""

    def testimony(self) -> Testimony:
        """Return what it has asked."""
        from replay_agent.pytest_plugin.trials.testimony import testimony_of

        return testimony_of(self._run.recording, self.cassette)

    def _succeeded(self) -> bool:
        """Tell whether what was recorded is to be kept; a test that skips itself takes nothing from a cassette.

        A snapshot that differs says nothing against the recording.
        """
        if self.passed or self._stopped_at_snapshot:
            return True
        return self._outcome == "skipped" and self._run.recording.header is None

    def close(self) -> None:
        """Close the recording and fail the test for what it left: misses, unplayed interactions."""
        intercept.close_for_test(self._run.recording)
        try:
            self._run.close(success=self._succeeded(), whole=not self._stopped_at_snapshot)
        except CassetteError as exc:
            raise pytest.fail.Exception(str(exc), pytrace=False) from None
        super().close()
        if self._outcome == "passed" and not self.records:
            self._judge_faults()
            self._judge_leftovers()
        if self._outcome == "passed":
            self._judge_spending()

    def _judge_spending(self) -> None:
        """Fail a test that went beyond its budget; what it recorded is kept, for it is paid."""
        if self._budget is None:
            return
        from replay_agent.report.comparison.budgets import committed_spending, overrun

        place, test = self._run.cassette_path, nodeid(self.item)
        text = overrun(self._budget, self._run.transcript.exchanges, lambda: committed_spending(place, test))
        if text:
            remedy = "If that is meant, raise the budget: budget= of the mark replay, or replay_budget of the ini file."
            pytest.fail(f"{text}\n\n{remedy}", pytrace=False)

    def note_verdict(self, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
        """Say with the last verdict what was recorded."""
        super().note_verdict(call, report)
        if report.when == "teardown" and self.records:
            recording = self._run.recording
            note_recorded(report, recording.tally(), frozen="clock" in recording.options.freeze)

    def _judge_faults(self) -> None:
        text = self._run.unstruck_text()
        if text:
            pytest.fail(text, pytrace=False)

    def _judge_leftovers(self) -> None:
        if self._unused == "ignore" or self._run.recording.options.allow_unused:
            return
        text = self._run.leftovers_text()
        if text and self._unused == "warn":
            warnings.warn(pytest.PytestWarning(text), stacklevel=2)
        elif text:
            raise failure_saying([text])


@lru_cache(maxsize=8)
def _project(root: Path, cassettes: str) -> tuple[Path, Path]:
    """Return the folder of all cassettes, and the root of the project."""
    return root / cassettes, root


def _run_of(item: pytest.Item, mark: pytest.Mark | None, path: Path, since: float) -> Run:
    """Return the run of a test, with all that its mark and its session ask for, to be opened."""
    test = nodeid(item)
    options, trial, place = _options_of(item, mark, path, test, since), trial_of(item.config), path
    if trial is not None:
        options, place = trial.options(options), trial.place(path)
    run = Run(place, options, test=test, command=partial(command_of, item))
    if trial is not None:
        trial.prepare(run.recording, path)
    run.project = _project(item.config.rootpath, str(item.config.getini("replay_cassette_dir")))
    let_pass(run.recording, item.config)
    planned = plan_of(item)
    run.recording.bounds = planned.bounds if planned is not None else None
    for fault in _faults_of(item, mark):
        run.fault(fault)
    run.recording.recut = _recut_of(mark)
    return run


def _options_of(item: pytest.Item, mark: pytest.Mark | None, path: Path, test: str, since: float) -> RecordOptions:
    options = options_under(item, mark)
    if item.config.hook.pytest_replay_options.get_hookimpls():  # of all plugins and conftests; nearly always none
        options = item.ihook.pytest_replay_options(item=item, options=options) or options
    options = first_recording(options, path, test, since)
    if CELL in item.stash:  # which takes its own way after a fault, and records nothing
        options = replace(options, record_mode=RecordMode.NONE, allow_repeats=True, allow_unused=True)
    return options


def _faults_of(item: pytest.Item, mark: pytest.Mark | None) -> list[Fault]:
    """Return the faults that the mark of a test names, or that of the cell that it is."""
    if CELL in item.stash:
        cell = item.stash[CELL]
        return [] if cell.fault is None else [cell.fault]
    asked = mark.kwargs.get("fault") if mark is not None else None
    if asked is None:
        return []
    from replay_agent.faults import faults_of

    return faults_of(asked)


def _recut_of(mark: pytest.Mark | None) -> Recut | None:
    """Return how the mark of a test wants streams to be cut."""
    asked = mark.kwargs.get("restream") if mark is not None else None
    if asked is None:
        return None
    from replay_agent.faults.restream import recut_as

    return recut_as(str(asked))
