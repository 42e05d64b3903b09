"""The pytest plugin: options, marks, fixtures. What they do is in `replay_agent.pytest_plugin.watched` and the harness.

Nothing of those is imported before a test asks for it, so that a project which merely has this package installed pays
next to nothing.
"""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from replay_agent.exceptions import CassetteMiss
from replay_agent.pytest_plugin import hookspecs, keys, options
from replay_agent.pytest_plugin.around.cassette_folders import CassetteFolders
from replay_agent.pytest_plugin.around.nearest_mark import closest
from replay_agent.pytest_plugin.around.siblings import note_siblings, siblings_of
from replay_agent.pytest_plugin.around.uncollected import Uncollected
from replay_agent.pytest_plugin.failures import FailingMiss, failure_saying, leaves_of
from replay_agent.pytest_plugin.marks import STAND_IN, TEST, is_replayed, is_served, is_watched
from replay_agent.pytest_plugin.options import asked_mode
from replay_agent.pytest_plugin.summary.causes import GroupedFailures, tell
from replay_agent.pytest_plugin.summary.ending import Ending
from replay_agent.pytest_plugin.summary.pending import PendingChanges, former_files
from replay_agent.pytest_plugin.summary.recorded import show_recorded
from replay_agent.pytest_plugin.trials.trial import trial_of
from replay_agent.recording.miss_type import raise_misses_as
from replay_agent.recording.process import forked, late_guard, session_mode

if TYPE_CHECKING:
    from replay_agent.harness import DecodedTraffic
    from replay_agent.provider.script import Script
    from replay_agent.pytest_plugin.around.accepted_snapshots import AcceptedSnapshots
    from replay_agent.pytest_plugin.between import BetweenTests
    from replay_agent.pytest_plugin.kept_random import KeptRandom
    from replay_agent.pytest_plugin.watched import ReplayedTest, WatchedTest
    from replay_agent.report.comparison.tally import Tally
    from replay_agent.report.snapshots.extension import RunSnapshot

MARK = (
    "replay(cassette=None, *, record_mode=None, ignore_body=(), ignore_hosts=(), only_hosts=(), match_headers=(), "
    "allow_repeats=False, allow_unused=False, freeze=(), budget=None, fault=None, sweep=None, sweep_fails=('wrong', 'hung'), restream=None): record the HTTP traffic of this test to a cassette, replay it offline. "
    f"Modes: {options.MEANING}"
)
SWEEP = "Captured sweep call"
"""The section of a report that holds the verdicts of a sweep, as pytest names it."""
_LATE = pytest.StashKey[list[str]]()
_LATE_OUTPUT = "replay_agent_late_misses"
_UNKEPT = pytest.StashKey[list[str]]()
"""What is to be said of a test that was broken off."""
_UNKEPT_OUTPUT = "replay_agent_unkept"
_TALLY_OUTPUT = "replay_agent_spending"
_COUNTS_INPUT = "replay_agent_counts"
_MEMORY = "replay_agent/spending"
"""In pytest's cache."""
_STARTED = pytest.StashKey[float]()
_GROUPED = pytest.StashKey[GroupedFailures]()
_TALLY = pytest.StashKey["Tally"]()
_COUNTS = pytest.StashKey[bool]()
_PENDING = pytest.StashKey[PendingChanges]()
_ENDING = pytest.StashKey[Ending]()
_RAISED_AS = pytest.StashKey[type[CassetteMiss]]()


_OTHERS = "recording", "vcr"
"""Plugins that serve the mark vcr: pytest-recording and pytest-vcr. Where one is, that mark is its business."""
_OF_THE_MARK = "vcr", "vcr_config"
"""Fixtures by which others are known that do, as cassetter does."""


def pytest_addoption(parser: pytest.Parser) -> None:
    options.add_options(parser)


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser, args: list[str]
) -> Generator[None, Any, Any]:
    """Take pytest-recording's spellings of the options, once it is sure that no other plugin or conftest has them."""
    if not any(_serves_the_mark(*each) for each in early_config.pluginmanager.list_name_plugin()):
        _stand_in_for_pytest_recording(early_config.pluginmanager)
    with keys.while_loading_conftests(early_config, args):
        result = yield
    options.add_spellings(parser, early_config)
    return result


def _serves_the_mark(name: str, plugin: object) -> bool:
    if plugin is None:  # blocked
        return False
    return name in _OTHERS or all(fixture in getattr(plugin, "__dict__", {}) for fixture in _OF_THE_MARK)


def _stand_in_for_pytest_recording(pluginmanager: pytest.PytestPluginManager) -> None:
    pluginmanager.add_hookspecs(hookspecs.OfRecording)
    pluginmanager.register(importlib.import_module(STAND_IN), STAND_IN)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    pluginmanager.add_hookspecs(hookspecs)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", MARK)
    config.stash[_STARTED] = time.time()
    config.stash[_GROUPED] = GroupedFailures(config)
    config.pluginmanager.register(config.stash[_GROUPED])
    config.pluginmanager.register(Uncollected(), Uncollected.NAME)
    config.pluginmanager.register(CassetteFolders(config), CassetteFolders.NAME)
    if trial_of(config) is not None:
        from replay_agent.pytest_plugin.trials.hooks import TrialHooks

        config.pluginmanager.register(TrialHooks.of(config))
        mode = None  # what a test records by itself is none of the trial's
    else:
        mode = asked_mode(config)
        _prepare_summary(config)
    if mode is not None:
        config.add_cleanup(_entered(session_mode.asking(mode)))
    if (mode or config.getini("replay_record_mode")) != "none":
        _prepare_meter(config)
    config.stash[_COUNTS] = _counts_replayed(config)  # now: while tests run, output is captured and no terminal is seen
    late_guard.watch()
    config.stash[_RAISED_AS] = raise_misses_as(FailingMiss)


def _prepare_summary(config: pytest.Config) -> None:
    config.stash[_PENDING] = PendingChanges(config)
    config.pluginmanager.register(config.stash[_PENDING])
    config.stash[_ENDING] = Ending(config, _late_misses)
    config.pluginmanager.register(config.stash[_ENDING])
    _prepare_report(config)


def _prepare_meter(config: pytest.Config) -> None:
    if _has_terminal(config):
        from replay_agent.pytest_plugin.summary.meter import Meter

        config.pluginmanager.register(Meter(config))


def _has_terminal(config: pytest.Config) -> bool:
    """Tell whether somebody watches the progress, and nothing that tests print comes between."""
    return config.get_verbosity() >= 0 and sys.stdout.isatty() and config.getoption("capture", "no") != "no"


def pytest_unconfigure(config: pytest.Config) -> None:
    if _RAISED_AS in config.stash:
        raise_misses_as(config.stash[_RAISED_AS])


def _prepare_report(config: pytest.Config) -> None:
    wanted = config.getoption("replay_report", None)
    if wanted:
        from replay_agent.pytest_plugin.summary.report_file import ReportFile

        config.pluginmanager.register(ReportFile.wanted(config, wanted, config.stash[_STARTED], _late_misses))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Keep the names of all tests of a module or class, also of those that are not selected: names may clash."""
    with keys.while_importing(collector):
        report = yield
    note_siblings(collector, report)
    if report.failed and isinstance(collector, pytest.Module):
        _keep_snapshots_of(collector)
    return report


def _keep_snapshots_of(module: pytest.Module) -> None:
    """Have syrupy delete nothing if snapshots of runs are there of a module whose tests are not known."""
    from replay_agent.pytest_plugin.places import snapshot_folder

    if any(snapshot_folder(module.config, module.path).glob("*.run.snap")):
        module.config.option.no_cleanup = True


def _open_test(item: pytest.Item) -> None:
    if TEST in item.stash and item.stash[TEST].is_scripted:
        raise pytest.fail.Exception(
            f"{item.nodeid} asked for the fixture provider before it asked to be replayed. Mark it replay where it is "
            "written, or ask for the fixture replay in its signature.",
            pytrace=False,
        )
    if TEST not in item.stash:
        _surround_tests(item.config).open(item)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Surround the tests with our hooks only in a session that has tests to replay."""
    if any(is_watched(item) for item in session.items):
        around = _surround_tests(session.config)
        around.fixtures.collected(item for item in session.items if is_replayed(item))
        if _ENDING in session.config.stash:
            session.config.stash[_ENDING].replaying(session)
        _prepare_sweeps(session)
    else:
        forked.unwatch()
        if any("run_snapshot" in getattr(item, "fixturenames", ()) for item in session.items):
            _watch_snapshot_fixtures(session.config)


@pytest.hookimpl(trylast=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Open a test that one of its fixtures has marked; what its fixtures asked before went its own way."""
    if _is_marked_late(item):
        _open_test(item)
        keys.place_for(item)


@pytest.hookimpl(trylast=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    """Fail a test that has marked itself: it has asked whom it wanted by then."""
    if _is_marked_late(item):
        text = (
            f"{item.nodeid} was marked replay while it ran: nothing of it was recorded or replayed. Mark it where it is "
            "written or in a fixture, or ask for the fixture replay: request.getfixturevalue('replay')"
        )
        raise pytest.fail.Exception(text, pytrace=False)


def _is_marked_late(item: pytest.Item) -> bool:
    return TEST not in item.stash and closest(item, "replay") is not None and is_replayed(item)


def _prepare_sweeps(session: pytest.Session) -> None:
    option = session.config.getoption("replay_sweep", None)
    marks = (mark for item in session.items for mark in item.iter_markers("replay"))
    if option or any(mark.kwargs.get("sweep") for mark in marks):
        from replay_agent.pytest_plugin.scripting.sweeping import Sweeps

        session.config.pluginmanager.register(Sweeps(option))


def _surround_tests(config: pytest.Config) -> _AroundTests:
    around = config.pluginmanager.get_plugin(_AroundTests.NAME)
    if isinstance(around, _AroundTests):
        return around
    from replay_agent.pytest_plugin.around.own_servers import OWN_SERVERS, OwnServers
    from replay_agent.recording.process.listening import listeners

    config.stash[OWN_SERVERS] = OwnServers(listeners())
    around = _AroundTests(config)
    config.pluginmanager.register(around, _AroundTests.NAME)
    config.pluginmanager.register(around.keys)
    around.snapshots = _watch_snapshots(config)
    _hold_clients(config)
    around.between = _shut_between(config)
    return around


def _hold_clients(config: pytest.Config) -> None:
    """Hook the HTTP clients and the network until the session ends: a switch for each test does the rest."""
    from replay_agent.pytest_plugin.around.unretrieved import left_unsaid
    from replay_agent.recording import dispatch
    from replay_agent.recording.clients import intercept
    from replay_agent.recording.process import network

    config.add_cleanup(_entered(left_unsaid()))
    config.add_cleanup(_entered(dispatch.threads_known_by_their_makers()))
    intercept.install()  # held to the end of the session: a thread that a test left behind must not go live
    config.add_cleanup(intercept.uninstall)
    network.keep_installed()  # a guard for each test is a switch then, not a score of replaced methods
    config.add_cleanup(network.allow_removal)


def _shut_between(config: pytest.Config) -> BetweenTests | None:
    """Shut the network between tests in a session that replays; return what does, None in one that does not."""
    if (options.asked_mode(config) or config.getini("replay_record_mode")) == "none":
        from replay_agent.pytest_plugin.between import BetweenTests

        between = BetweenTests(options.allowed_hosts(config))
        config.pluginmanager.register(between, BetweenTests.NAME)
        return between
    return None


def _watch_snapshots(config: pytest.Config) -> AcceptedSnapshots | None:
    """Have hooks around what tests compare with snapshots, once in a session; return who is to hear of their fixtures."""
    from replay_agent.pytest_plugin.around.accepted_snapshots import AcceptedSnapshots
    from replay_agent.pytest_plugin.around.snapshot_differences import SnapshotDifferences

    if config.pluginmanager.has_plugin(SnapshotDifferences.NAME):
        return None
    accepted = AcceptedSnapshots(config, is_watched, accept=config.getoption("replay_accept"))
    config.pluginmanager.register(accepted)
    config.pluginmanager.register(SnapshotDifferences(), SnapshotDifferences.NAME)
    return accepted


def _watch_snapshot_fixtures(config: pytest.Config) -> None:
    """Have those hooks, and one around fixtures, in a session in which no other of ours is around these."""
    from replay_agent.pytest_plugin.around.accepted_snapshots import SnapshotFixtures

    accepted = _watch_snapshots(config)
    if accepted is not None:
        config.pluginmanager.register(SnapshotFixtures(accepted))


def _entered(context: AbstractContextManager[None]) -> Callable[[], None]:
    """Enter a context, and return what leaves it."""
    stack = ExitStack()
    stack.enter_context(context)
    return stack.close


def _refuse_two_recorders(item: pytest.Item) -> None:
    if closest(item, "replay") is not None:
        text = f"{item.nodeid} is marked vcr and replay: which of them is to record it? Take one mark away."
        raise pytest.fail.Exception(text, pytrace=False)


class _AroundTests:
    """Opens a test's recording before its first fixture and closes it after its last.

    The wrappers are the innermost: what fails here finds pytest's own (logging, warnings) in place. Whatever else is to
    be done around every test is called from here: a wrapper of its own would cost more than most of it does.
    """

    NAME = "replay_agent_around_tests"

    def __init__(self, config: pytest.Config) -> None:
        from replay_agent.pytest_plugin.around.open_changes import OpenChanges
        from replay_agent.pytest_plugin.watched import ReplayedTest
        from replay_agent.pytest_plugin.watched_fixtures import WatchedFixtures

        self.keys = keys.KeysOfTests()
        self.between: BetweenTests | None = None
        self._changes = OpenChanges(former_files(config), follow_plan=bool(config.getoption("replay_plan", None)))
        self._random: KeptRandom | None = None
        self._since, self._opened = config.stash[_STARTED], ReplayedTest.opened
        self.fixtures = WatchedFixtures(since=self._since)
        self.snapshots: AcceptedSnapshots | None = None
        self._tally: Tally | None = None
        self._spent: dict[str, Any] = {}

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
    ) -> Generator[None, object, object]:
        """Before the plugins that run async fixtures: what they are given to run is wrapped already."""
        if self.fixtures.asks_nobody(fixturedef, request):  # as a parameter of a test
            return (yield)
        with self.fixtures.setting_up(fixturedef, request):
            value = yield
            if self.snapshots is not None:
                self.snapshots.set_up(fixturedef, request, value)
            return value

    def open(self, item: pytest.Item) -> ReplayedTest:
        """Open the recording of a test."""
        self.fixtures.item = item
        test = item.stash[TEST] = self._opened(item, siblings_of(item), since=self._since)
        return test

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Before all hooks that wrap nothing, those of the project among them: what they ask is the test's own."""
        self.fixtures.item = item
        if is_replayed(item):
            if self.between is not None:
                self.between.shut()
            if TEST not in item.stash:
                self._begin(item)
        elif is_served(item):
            _refuse_two_recorders(item)
        if self.between is not None:
            self.between.opened()

    def _begin(self, item: pytest.Item) -> None:
        test = self.open(item)
        if "random" in test.run.recording.frozen:
            from replay_agent.pytest_plugin.kept_random import KeptRandom

            self._random = KeptRandom(item)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None]:
        test = item.stash.get(TEST, None)
        if test is None:
            yield
        else:
            yield from test.calling()

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_teardown(self, item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None]:
        self._changes.tearing_down(item)
        try:
            yield
        finally:
            goes_on = nextitem is not None and is_replayed(nextitem)
            self.keys.torn_down(item, goes_on=goes_on)
            if self._random is not None:
                self._random.leave()
                self._random = None
            if self.between is not None:
                self.between.goes_on = goes_on
            test = item.stash.get(TEST, None)
            if test is not None:
                try:
                    test.close()
                finally:
                    self._note_spent(item, test)

    def _note_spent(self, item: pytest.Item, test: WatchedTest) -> None:
        if not test.is_scripted:
            run, self._tally = test.run, self._tally or _tally(item.config)
            mark = partial(_mark_of, run)
            self._spent = self._tally.add(item.nodeid, run, run.play_count, records=test.records, mark=mark)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if call.when == "setup" and call.excinfo is None:
            return report  # nothing can be said of a test yet that was set up
        test = item.stash.get(TEST, None)
        if test is not None:
            self._changes.reported(test, call, report)
        if call.when == "teardown":
            self.fixtures.note_recorded(report)
        if test is not None:
            test.note_verdict(call, report)
            if call.when == "teardown":
                del item.stash[TEST]
                test.let_go()
                self._say_spent(report)
        elif call.excinfo is not None and (misses := leaves_of(call.excinfo.value)):
            # Of a fixture that replayed tests share.
            failure = failure_saying(dict.fromkeys(miss.explanation for miss in misses))
            report.longrepr = str(failure)
            tell(report, item, failure)
        elif call.excinfo is not None:
            tell(report, item, call.excinfo.value)
        return report

    def _say_spent(self, report: pytest.TestReport) -> None:
        if self._spent:
            from replay_agent.pytest_plugin.summary.meter import note_spent

            note_spent(report, self._spent)
            self._spent = {}

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None]:
        """Behind the last fixture, which pytest tears down here where a session stops in the middle of a test.

        The innermost again: what is said here comes before the summary, and with what a worker sends.
        """
        try:
            yield
        finally:
            self._break_off(session.config)

    def _break_off(self, config: pytest.Config) -> None:
        item = self.fixtures.item
        test = item.stash.get(TEST, None) if item is not None else None
        unkept = test.break_off() if test is not None else ""
        if item is not None and unkept:
            said = config.stash.setdefault(_UNKEPT, [])
            said.append(f"{item.nodeid} was broken off, and nothing of it could be kept: {unkept}")
            if hasattr(config, "workeroutput"):
                config.workeroutput[_UNKEPT_OUTPUT] = said


@pytest.hookimpl(wrapper=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None]:
    late = _late_misses(session.config)
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput[_LATE_OUTPUT] = late
        if _TALLY in session.config.stash:
            session.config.workeroutput[_TALLY_OUTPUT] = _tally(session.config).dump()
    elif _TALLY in session.config.stash:
        _remember(session.config, _tally(session.config))
    yield
    if late:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist what it cannot see: whether there is a terminal."""
    node.workerinput[_COUNTS_INPUT] = node.config.stash[_COUNTS]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what a worker of pytest-xdist has to say at its end."""
    said = getattr(node, "workeroutput", {})
    node.config.stash.setdefault(_LATE, []).extend(said.get(_LATE_OUTPUT, ()))
    node.config.stash.setdefault(_UNKEPT, []).extend(said.get(_UNKEPT_OUTPUT, ()))
    if _TALLY_OUTPUT in said:
        _tally(node.config).merge(said[_TALLY_OUTPUT])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    config.stash[_GROUPED].show(terminalreporter)
    show_recorded(terminalreporter)
    for text in config.stash.get(_UNKEPT, ()):
        terminalreporter.write_line(text, red=True)
    _print_sweeps(terminalreporter)
    if _ENDING in config.stash:
        config.stash[_ENDING].show_late(terminalreporter)
    if _TALLY in config.stash and config.get_verbosity() >= 0:
        for line in _tally(config).lines():
            terminalreporter.write_line(line)
    if _ENDING in config.stash:
        config.stash[_ENDING].show(terminalreporter)
    if _PENDING in config.stash:
        config.stash[_PENDING].show(terminalreporter)


def _tally(config: pytest.Config) -> Tally:
    """Return the sums of this session; there are some only if a test was recorded or replayed."""
    from replay_agent.report.comparison.tally import Tally

    if _TALLY not in config.stash:
        counts = config.stash[_COUNTS]
        memory = config.cache.get(_MEMORY, {}) if counts and getattr(config, "cache", None) is not None else {}
        config.stash[_TALLY] = Tally(
            config.stash[_STARTED], counts_replayed=counts, memory=memory if isinstance(memory, dict) else {}
        )
    return config.stash[_TALLY]


def _counts_replayed(config: pytest.Config) -> bool:
    """Tell whether tokens and price of replayed answers are to be said: where somebody sees them at once, or asks.

    Decoding takes a session the import of the price list and each call a quarter of what its replay takes.
    """
    wanted: bool | None = getattr(config, "workerinput", {}).get(_COUNTS_INPUT)
    return config.get_verbosity() >= (0 if sys.stdout.isatty() else 1) if wanted is None else wanted


def _remember(config: pytest.Config, tally: Tally) -> None:
    """Keep what replayed answers took, so that the next session need not decode them."""
    if tally.learnt and getattr(config, "cache", None) is not None:
        config.cache.set(_MEMORY, {**tally.memory, **tally.learnt})


def _mark_of(run: DecodedTraffic) -> str:
    """Return what is equal while the cassette of a run is the same; empty where there is none."""
    try:
        found = Path(getattr(run, "cassette_path", "")).stat()
    except (OSError, ValueError, TypeError):
        return ""
    return f"{found.st_size}-{found.st_mtime_ns}"


def _print_sweeps(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the tables of tests that have passed; those of others are part of what they failed with."""
    for report in terminalreporter.stats.get("passed", ()):
        for name, text in getattr(report, "sections", ()):
            if report.when == "call" and name == SWEEP:
                terminalreporter.write_sep("=", f"sweep of {report.nodeid}")
                terminalreporter.write_line(text)


def _late_misses(config: pytest.Config) -> list[str]:
    dispatch = sys.modules.get("replay_agent.recording.dispatch")
    if dispatch is not None:
        dispatch.hear_late()
    return [*map(str, dispatch.late_misses if dispatch is not None else ()), *config.stash.get(_LATE, ())]


@pytest.fixture
def replay(request: pytest.FixtureRequest) -> DecodedTraffic:
    """The open recording of this test: its transcript, messages, tool calls, usage, requests; ``await replay.run(...)``."""
    item = request.node
    if is_served(item):
        served_by: Any = item.config.pluginmanager.get_plugin(STAND_IN)
        request.getfixturevalue(served_by.fixture_of(item))
    else:
        _open_test(item)
        keys.place_for(item)
    run: DecodedTraffic = item.stash[TEST].run
    return run


@pytest.fixture
def provider(request: pytest.FixtureRequest) -> Generator[Script]:
    """Answers the model calls of this test from a script: ``provider.reply("Paris")``; ``provider.calls`` is what was asked."""
    from replay_agent.pytest_plugin.scripting.scripted import scripted

    around = _surround_tests(request.config)
    around.fixtures.item = around.fixtures.item or request.node
    with scripted(request.node) as script:
        yield script


@pytest.fixture
def run_snapshot(request: pytest.FixtureRequest, snapshot: Any) -> RunSnapshot:
    """Compares a run's messages, typed result and usage with a readable file beside the test.

    ``run_snapshot(usage=False, mask=["$.messages[*].content"], name="second")``: without a section, with masks, one more.
    """
    from replay_agent.pytest_plugin.places import snapshot_name_of
    from replay_agent.report.conversation.view import View
    from replay_agent.report.snapshots.extension import NAME, RunSnapshot

    config = request.config
    request.node.stash[NAME] = snapshot_name_of(request.node, siblings_of(request.node))
    return RunSnapshot.of(
        snapshot, View.of(config.getini("replay_snapshot_without"), config.getini("replay_snapshot_mask"))
    )
