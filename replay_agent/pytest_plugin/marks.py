"""Who serves a test, ours or vcrpy: by its marks. Light: the plugin reads it at start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from replay_agent.faults import Fault
    from replay_agent.pytest_plugin.watched import WatchedTest

__all__ = "CELL", "STAND_IN", "TEST", "CellOfTest", "is_served"

STAND_IN = "replay_agent.pytest_plugin.vcr.fixtures"
"""The plugin that serves the mark vcr, where neither pytest-recording nor pytest-vcr does: its module, its name."""

TEST: pytest.StashKey[WatchedTest] = pytest.StashKey()
"""The test that is being watched, ours or vcrpy's."""


class CellOfTest:
    """One run of a test that is swept: with a fault or none; what its function returned."""

    def __init__(self, fault: Fault | None = None) -> None:
        self.fault = fault
        self.returned: object = None


CELL: pytest.StashKey[CellOfTest] = pytest.StashKey()
"""Set on the copy of a test that is one cell of a sweep."""


def is_served(item: pytest.Item) -> bool:
    """Tell whether a test is marked vcr and it is for us to serve it."""
    return item.get_closest_marker("vcr") is not None and item.config.pluginmanager.has_plugin(STAND_IN)
