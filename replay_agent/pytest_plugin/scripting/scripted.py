"""One test with scripted answers: the fixture ``provider``, and the verdict on what the script was asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import pytest

from replay_agent.harness import DecodedTraffic
from replay_agent.provider.script import Script
from replay_agent.pytest_plugin.marks import TEST
from replay_agent.pytest_plugin.options import allowed_hosts
from replay_agent.pytest_plugin.places import nodeid
from replay_agent.pytest_plugin.watched import ReplayedTest, WatchedTest
from replay_agent.recording.clients import intercept
from replay_agent.recording.misses import Misses, Trouble
from replay_agent.recording.process import network
from replay_agent.recording.process.network import NetworkGuard
from replay_agent.surroundings import credentials

__all__ = "ScriptedTest", "scripted"


class _Told:
    """Keeps what the script told of, as a recording keeps its misses."""

    def __init__(self) -> None:
        self.misses = Misses(str, "raise")

    @property
    def unreported_misses(self) -> Sequence[Trouble]:
        return self.misses.unreported

    def reported(self, miss: BaseException) -> None:
        self.misses.report(miss)


class ScriptedTest(WatchedTest):
    """A test that has a script and no recording."""

    is_scripted = True
    records = False

    def __init__(self, item: pytest.Item) -> None:
        self.told = _Told()
        super().__init__(item, self.told)

    @property
    def run(self) -> DecodedTraffic:
        """There is none."""
        raise pytest.UsageError(f"{self.item.nodeid} is not recorded: mark it replay")


class _Guard(NetworkGuard):
    """The network of a test whose script answers: what is no call of a model is refused by a word on the script."""

    def _words(self, host: str, what: str) -> str:
        return (
            f"The network is shut while {self.test} is answered from a script: {what} was refused. The script answers "
            f"calls of models only; let the rest through with --allowed-hosts={host}, or answer it in the test."
        )


@contextmanager
def scripted(item: pytest.Item) -> Iterator[Script]:
    """Answer the model calls of a test from the script that is yielded, and fail it for what a script must not do."""
    test = item.stash.get(TEST, None)
    if test is None:
        test = item.stash[TEST] = ScriptedTest(item)
    hosts = allowed_hosts(item.config)
    script = Script(name=nodeid(item), misses=_misses_of(test), allowed_hosts=hosts)
    with ExitStack() as doors:
        if isinstance(test, ScriptedTest):
            guard = network.shut_with(_Guard(nodeid(item), hosts))
            doors.callback(network.open_network, guard)
        if item.config.getini("replay_placeholder_keys") is not False:
            doors.enter_context(credentials.placed_credentials())
        doors.enter_context(intercept.responding(script))
        yield script
    script.close()
    left = script.misses.unreported
    if left and not isinstance(test, ScriptedTest | ReplayedTest):  # which tell them themselves
        raise pytest.fail.Exception("\n\n".join(map(str, left)), pytrace=False)
    texts = [text for text in (script.unused_text(), script.unstruck_text()) if text]
    if texts and test.passed:
        raise pytest.fail.Exception("\n\n".join(texts), pytrace=False)


def _misses_of(test: WatchedTest) -> Misses:
    if isinstance(test, ScriptedTest):
        return test.told.misses
    if isinstance(test, ReplayedTest):
        return test.run.recording.misses
    return Misses(str, "raise")
