"""The network between two replayed tests: shut as during each, so that no thread which one of them left gets out."""

from __future__ import annotations

from collections.abc import Callable, Generator

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

    def __init__(self, is_replayed: Callable[[pytest.Item], bool], allowed_hosts: tuple[str, ...]) -> None:
        self._is_replayed = is_replayed
        self._allowed_hosts = allowed_hosts
        self._guard: NetworkGuard | None = None

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> Generator[None, object, object]:
        """Shut the network below the recording of a replayed test, and open it where another kind of test comes next."""
        if self._is_replayed(item):
            self._shut()
        stay = False
        try:
            result = yield
            stay = nextitem is not None and self._is_replayed(nextitem)
        finally:
            if not stay:
                self._open()
        return result

    def opened(self) -> None:
        """To be called when the recording of a test is open, before its first fixture."""
        if network.active() is self._guard:
            self._open()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Open it where a session stops behind a test (`-x`, `--maxfail`) though another one was to come."""
        self._open()

    def _shut(self) -> None:
        if self._guard is None:
            self._guard = network.shut(None, self._allowed_hosts)

    def _open(self) -> None:
        if self._guard is not None:
            network.open_network(self._guard)
            self._guard = None
