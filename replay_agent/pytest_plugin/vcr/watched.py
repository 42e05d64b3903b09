"""A test marked vcr under watch."""

from __future__ import annotations

import pytest

from replay_agent.pytest_plugin.vcr.run import VcrRun
from replay_agent.pytest_plugin.watched import WatchedTest

__all__ = ("VcrTest",)


class VcrTest(WatchedTest):
    """A test marked vcr. Under pytest-recording an expected failure may be that of a miss; so it may here."""

    xfail_excuses_misses = True

    def __init__(self, item: pytest.Item, run: VcrRun) -> None:
        super().__init__(item, run)
        self._run = run

    @property
    def run(self) -> VcrRun:
        """What vcrpy plays and records."""
        return self._run

    @property
    def records(self) -> bool:
        """Whether requests may go live."""
        return not self.run.settings.replays_only
