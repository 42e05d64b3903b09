"""Who serves a test, ours or vcrpy: by its marks. Light: the plugin reads it at start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from replay_agent.pytest_plugin.watched import WatchedTest

__all__ = "STAND_IN", "TEST", "closest", "is_served"

STAND_IN = "replay_agent.pytest_plugin.vcr.fixtures"
"""The plugin that serves the mark vcr, where neither pytest-recording nor pytest-vcr does: its module, its name."""

TEST: pytest.StashKey[WatchedTest] = pytest.StashKey()
"""The test that is being watched, ours or vcrpy's."""


def closest(item: pytest.Item, name: str) -> pytest.Mark | None:
    """Return the mark of a name that is nearest to a test, as `pytest.Item.get_closest_marker` does in six times the time."""
    node: Any = item
    while node is not None:
        for mark in node.own_markers:
            if mark.name == name:
                found: pytest.Mark = mark
                return found
        node = node.parent
    return None


def is_served(item: pytest.Item) -> bool:
    """Tell whether a test is marked vcr and it is for us to serve it."""
    return closest(item, "vcr") is not None and item.config.pluginmanager.has_plugin(STAND_IN)
