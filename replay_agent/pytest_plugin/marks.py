"""Who serves a test, ours or vcrpy: by its marks. Light: the plugin reads it at start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from replay_agent.pytest_plugin.around.nearest_mark import closest, mark_names

if TYPE_CHECKING:
    from replay_agent.pytest_plugin.watched import WatchedTest

__all__ = "STAND_IN", "TEST", "is_replayed", "is_served", "is_watched"

STAND_IN = "replay_agent.pytest_plugin.vcr.fixtures"
"""The plugin that serves the mark vcr, where neither pytest-recording nor pytest-vcr does: its module, its name."""

TEST: pytest.StashKey[WatchedTest] = pytest.StashKey()
"""The test that is being watched, ours or vcrpy's."""

_PLUGIN = __name__.rpartition(".")[0]
"""Where our fixtures are defined."""


def is_served(item: pytest.Item) -> bool:
    """Tell whether a test is marked vcr and it is for us to serve it."""
    return closest(item, "vcr") is not None and item.config.pluginmanager.has_plugin(STAND_IN)


def is_replayed(item: pytest.Item) -> bool:
    """Tell whether a test is ours to record and replay."""
    names = mark_names(item)  # at once, as every test is asked twice
    if "vcr" in names and is_served(item):
        return False
    return "replay" in names or _asks_for_the_fixture(item)


def is_watched(item: pytest.Item) -> bool:
    """Tell whether a test is recorded or replayed, by us or by vcrpy."""
    return is_served(item) or is_replayed(item)


def _asks_for_the_fixture(item: pytest.Item) -> bool:
    """Tell whether a test asks for our fixture; a project's own fixture of the same name is none of our business."""
    if "replay" not in getattr(item, "fixturenames", ()):
        return False
    # pytest has no public way from a test to the definition of its fixture; without this one, the name decides.
    definitions = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", {}).get("replay", ())
    return not definitions or getattr(definitions[-1].func, "__module__", _PLUGIN) == _PLUGIN
