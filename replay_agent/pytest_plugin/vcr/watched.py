"""A test marked vcr under watch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from replay_agent.pytest_plugin.vcr.run import VcrRun
from replay_agent.pytest_plugin.watched import WatchedTest
from replay_agent.recording.meaning.key import meaning
from replay_agent.recording.redaction.redactor import Redactor
from replay_agent.report.comparison.trials.notes import Sent

if TYPE_CHECKING:
    from replay_agent.pytest_plugin.trials.testimony import Testimony

__all__ = ("VcrTest",)


def _sent(run: VcrRun) -> Iterator[Sent]:
    key, redactor = meaning(), Redactor()
    for asked, recorded in run.played():
        digest = key(asked).digest
        yield Sent(redactor.request(asked), digest, redactor.request(recorded), digest == key(recorded).digest)
    yield from (Sent(miss.request, key(miss.request).digest) for miss in run.misses)
    yield from (Sent(None, recorded=redactor.request(recorded)) for recorded in run.unplayed())


class VcrTest(WatchedTest):
    """A test marked vcr. Under pytest-recording an expected failure may be that of a miss; so it may here."""

    xfail_excuses_misses = True

    def __init__(self, item: pytest.Item, run: VcrRun) -> None:
        super().__init__(item, run)
        self._run = run
        self.records = not run.settings.replays_only

    @property
    def run(self) -> VcrRun:
        """What vcrpy plays and records."""
        return self._run

    def testimony(self) -> Testimony:
        """Return what it has asked, with its recorded requests and what vcrpy took for them."""
        from replay_agent.pytest_plugin.trials.testimony import Testimony

        run = self.run
        return Testimony(run.cassette_path, list(_sent(run)), run.interactions, run.recorded)
