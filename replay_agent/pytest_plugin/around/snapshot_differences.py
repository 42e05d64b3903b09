"""What a run says otherwise than its snapshot, told in our words: by message, in the section of a failed test."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from replay_agent.report.snapshots.extension import AssertionResult


__all__ = ("SnapshotDifferences",)

_WIDTH = 80


class SnapshotDifferences:
    """Hooks around tests that compare runs with snapshots. pytest cuts what an assertion says to some lines; sections it does not."""

    NAME = "replay_agent_snapshot_differences"

    def __init__(self) -> None:
        self._differing: AssertionResult | None = None
        self._telling = _Telling(self)

    @pytest.hookimpl(tryfirst=True)
    def pytest_assertrepr_compare(self, config: pytest.Config, op: str, left: Any, right: Any) -> list[str] | None:
        """Name the snapshot in one line; None for what is none of ours, or could not be compared at all."""
        snapshot = next((each for each in (left, right) if _is_ours(each)), None)
        compared = snapshot.last if snapshot is not None and op == "==" else None
        if compared is None or compared.exception is not None or compared.success:
            return None
        self._differing = compared
        if not config.pluginmanager.is_registered(self._telling):
            config.pluginmanager.register(self._telling)
        name = Path(compared.snapshot_location).name
        if compared.recalled_data is None:
            return [f"run == snapshot {name}", f"Snapshot '{compared.snapshot_name}' does not exist!"]
        return [f"run == snapshot {name}"]

    def tell(self, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
        """Add what differs to the report of the test that failed for it."""
        compared, self._differing = self._differing, None
        add = getattr(report.longrepr, "addsection", None)
        if compared is None or add is None or not report.failed or call.excinfo is None:
            return
        lines = _lines(compared, item.config)
        if lines:
            file = os.path.relpath(compared.snapshot_location, item.config.invocation_params.dir)
            add("the run is another than in its snapshot", "\n".join([file, "", *lines]))


class _Telling:
    """The hook around reports, from the first difference of a session on: before, no report need wait for it."""

    def __init__(self, differences: SnapshotDifferences) -> None:
        self._differences = differences

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        self._differences.tell(item, call, report)
        return report


def _is_ours(value: object) -> bool:
    # Asked by name: where nothing compares itself with a run, our snapshots are not even imported.
    return any(
        kind.__name__ == "RunSnapshot" and kind.__module__ == "replay_agent.report.snapshots.extension"
        for kind in type(value).__mro__
    )


def _lines(compared: AssertionResult, config: pytest.Config) -> list[str]:
    before, after = compared.recalled_data, compared.asserted_data
    if not isinstance(before, str) or not isinstance(after, str):
        return []
    from replay_agent.report.snapshots.differences import differences

    return differences(before, after, width=_WIDTH, colour=_has_colour(config), whole=config.get_verbosity() > 1)


def _has_colour(config: pytest.Config) -> bool:
    """Tell whether pytest writes in colour; a worker of pytest-xdist has no terminal, and is told by option alone."""
    if config.pluginmanager.has_plugin("terminalreporter"):
        return config.get_terminal_writer().hasmarkup
    return bool(config.getoption("color", "auto") == "yes")
