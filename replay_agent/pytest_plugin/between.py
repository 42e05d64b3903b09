"""The network between two replayed tests: shut as during each, so that no thread which one of them left gets out."""

from __future__ import annotations

import pytest

from replay_agent.recording.process import network
from replay_agent.recording.process.network import NetworkGuard

__all__ = ("BetweenTests",)


class BetweenTests:
    """Keeps the network shut from one replayed test to the next; any other test finds it as if we were not there.

    While a replayed test runs, the guard of its recording decides. One whose recording shuts nothing, because it may
    record or was told so, finds the network open.
    """

    NAME = "replay_agent_between_tests"

    def __init__(self, allowed_hosts: tuple[str, ...]) -> None:
        self._allowed_hosts = allowed_hosts
        self._guard: NetworkGuard | None = None
        self.goes_on = False
        """Whether a replayed test comes next."""

    def shut(self) -> None:
        """Shut the network below the recording of a replayed test, before that is opened."""
        if self._guard is None:
            self._guard = network.shut(None, self._allowed_hosts)

    def opened(self) -> None:
        """To be called when the recording of a test is open, before its first fixture."""
        if network.active() is self._guard:
            self._open()

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logfinish(self) -> None:
        """Open it behind a replayed test, where another kind of test comes next."""
        if not self.goes_on:
            self._open()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Open it where a session stops behind a test (`-x`, `--maxfail`) though another one was to come."""
        self._open()

    def _open(self) -> None:
        if self._guard is not None:
            network.open_network(self._guard)
            self._guard = None
