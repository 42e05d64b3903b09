"""Who serves a test: what its marks and the command line ask for. Light: the plugin reads it at start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from replay_agent.pytest_plugin.watched import WatchedTest

__all__ = "ACCEPTING_MODE", "STAND_IN", "TEST", "asked_mode", "is_served"

STAND_IN = "replay_agent.pytest_plugin.vcr.fixtures"
"""The plugin that serves the mark vcr, where neither pytest-recording nor pytest-vcr does: its module, its name."""

ACCEPTING_MODE = "refresh"
"""The record mode of ``--replay-accept``, unless the command line names another."""

TEST: pytest.StashKey[WatchedTest] = pytest.StashKey()
"""The test that is being watched, ours or vcrpy's."""


def is_served(item: pytest.Item) -> bool:
    """Tell whether a test is marked vcr and it is for us to serve it."""
    return item.get_closest_marker("vcr") is not None and item.config.pluginmanager.has_plugin(STAND_IN)


def asked_mode(config: pytest.Config) -> str | None:
    """Return the record mode that the command line asks for."""
    mode: str | None = config.getoption("replay_mode", None) or config.getoption("record_mode", None)
    return mode or (ACCEPTING_MODE if config.getoption("replay_accept", False) else None)
