"""Snapshots of tests under watch: accepted when the test passes, kept when it fails, and how to accept them said."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from replay_agent.pytest_plugin.around.compared import KEEPER, differences_of, stopped_at_snapshot
from replay_agent.pytest_plugin.around.planned import plan_of
from replay_agent.pytest_plugin.around.uncollected import Uncollected
from replay_agent.pytest_plugin.marks import TEST
from replay_agent.pytest_plugin.summary.causes import tell_new_snapshots

if TYPE_CHECKING:
    from replay_agent.pytest_plugin.around.snapshot_keeper import SnapshotKeeper

__all__ = "AcceptedSnapshots", "SnapshotFixtures"

_FAILED = pytest.StashKey[bool]()
_FORMER = pytest.StashKey[set[str]]()
"""What a failed test was called before, as far as it could be told."""


def _has_recording(item: pytest.Item) -> bool:
    """Tell whether what a test was answered comes from a recording, or has gone into one."""
    test = item.stash.get(TEST, None)
    return test is not None and not test.is_scripted and bool(test.run.interactions)


def _former_tests(call: pytest.CallInfo[None]) -> set[str]:
    if call.excinfo is None:
        return set()
    from replay_agent.pytest_plugin.failures import explanations_of

    return {former for each in explanations_of(call.excinfo.value) if (former := getattr(each, "former", ""))}


class AcceptedSnapshots:
    """Hooks around tests, in a session that has some to replay."""

    def __init__(self, config: pytest.Config, is_watched: Callable[[pytest.Item], bool], *, accept: bool) -> None:
        """``is_watched`` tells whether a test is recorded or replayed; ``accept`` is ``--replay-accept``.

        Tests with snapshots of runs are ours as well, whoever answers them: a model that is scripted, say.
        """
        self._plugins = config.pluginmanager
        self._verdicts = _Verdicts(self)
        if any("snapshot" in getattr(item, "fixturenames", ()) for item in _items(config)):
            self._await_verdicts()
        self._is_recorded: Callable[[pytest.Item], bool] = is_watched
        self._accept = accept
        self._last: SnapshotKeeper | None = None
        """Of the last test that compared anything."""

    def set_up(self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest, value: Any) -> None:
        """Watch syrupy's fixture, once it is set up; a project's own of that name is none of our business."""
        if fixturedef.argname == "snapshot" and type(value).__module__.startswith("syrupy."):
            self._await_verdicts()
            self._last = self._keeper(request.node)
            self._last.watch(value)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Keep the snapshots of modules that could not be imported: syrupy is about to look for what nobody asked for."""
        uncollected = session.config.pluginmanager.get_plugin(Uncollected.NAME)
        if uncollected is not None and self._last is not None:
            for module in dict.fromkeys(uncollected.modules):
                self._last.keep_those_of(module)

    def _await_verdicts(self) -> None:
        if not self._plugins.is_registered(self._verdicts):
            self._plugins.register(self._verdicts)

    def torn_down(self, item: pytest.Item) -> None:
        """Write what a test has accepted, once nothing can be wrong with it any more."""
        keeper = item.stash.get(KEEPER, None)
        if keeper is not None and not item.stash.get(_FAILED, False):
            keeper.write()

    def reported(self, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
        """Say beside a difference how to accept it, and keep what a failed test has not compared."""
        if report.failed:
            item.stash[_FAILED] = True
            item.stash.setdefault(_FORMER, set()).update(_former_tests(call))
        if report.when == "call" and report.failed and call.excinfo and stopped_at_snapshot(item, call.excinfo.value):
            self._say_how_to_accept(item, report)
        if report.when == "teardown" and item.stash.get(_FAILED, False) and self._is_watched(item):
            self._keep(item)

    def _is_watched(self, item: pytest.Item) -> bool:
        return self._is_recorded(item) or "run_snapshot" in getattr(item, "fixturenames", ())

    def _keeper(self, item: pytest.Item) -> SnapshotKeeper:
        if KEEPER not in item.stash:
            from replay_agent.pytest_plugin.around.snapshot_keeper import SnapshotKeeper

            planned = plan_of(item)
            accept = self._accept and self._is_watched(item) if planned is None else planned.snapshots != ()
            only = planned.snapshots if planned is not None else None
            item.stash[KEEPER] = SnapshotKeeper(item, accept=accept, only=only)
        return item.stash[KEEPER]

    def _keep(self, item: pytest.Item) -> None:
        if "snapshot" in getattr(item, "fixturenames", ()):
            self._keeper(item).keep()
            for test in item.stash.get(_FORMER, ()):
                self._keeper(item).keep_those_of(test)

    def _say_how_to_accept(self, item: pytest.Item, report: pytest.TestReport) -> None:
        from replay_agent.pytest_plugin.settings import command_of
        from replay_agent.report.command import filled

        add = getattr(report.longrepr, "addsection", None)
        if add is not None and self._is_watched(item):
            command = filled(command_of(item), "refresh")
            add("a snapshot differs", f"If that is meant, this accepts it:\n    {command}")
            if all(difference.old is None for difference in differences_of(item)):
                tell_new_snapshots(report, item, recorded=_has_recording(item))


class SnapshotFixtures:
    """The hook around fixtures, in a session that has none to replay."""

    def __init__(self, accepted: AcceptedSnapshots) -> None:
        self._accepted = accepted

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
    ) -> Generator[None, Any, object]:
        value = yield
        self._accepted.set_up(fixturedef, request, value)
        return value


def _items(config: pytest.Config) -> Sequence[pytest.Item]:
    """Return the tests of the session, which is a plugin itself."""
    return getattr(config.pluginmanager.get_plugin("session"), "items", ())


class _Verdicts:
    """The hooks behind a test and around its reports, in a session in which somebody asks for syrupy's fixture."""

    def __init__(self, accepted: AcceptedSnapshots) -> None:
        self._accepted = accepted

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None]:
        yield
        self._accepted.torn_down(item)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        self._accepted.reported(item, call, report)
        return report
