"""Who serves a test, ours or vcrpy: by its marks. Light: the plugin reads it at start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from replay_agent.pytest_plugin.around.nearest_mark import closest

if TYPE_CHECKING:
    from replay_agent.pytest_plugin.watched import WatchedTest

__all__ = "STAND_IN", "TEST", "is_served"

STAND_IN = "replay_agent.pytest_plugin.vcr.fixtures"
"""The plugin that serves the mark vcr, where neither pytest-recording nor pytest-vcr does: its module, its name."""

TEST: pytest.StashKey[WatchedTest] = pytest.StashKey()
"""The test that is being watched, ours or vcrpy's."""


def is_served(item: pytest.Item) -> bool:
    """Tell whether a test is marked vcr and it is for us to serve it."""
    return closest(item, "vcr") is not None and item.config.pluginmanager.has_plugin(STAND_IN)
