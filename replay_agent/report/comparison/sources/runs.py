"""Run: what one side has recorded of one test, decoded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from replay_agent.recording.cassettes import store
from replay_agent.report.conversation.transcript import Transcript
from replay_agent.traffic import Interaction

__all__ = "Run", "read_runs"


@dataclass(eq=False)
class Run:
    """The interactions of one test in one file."""

    test: str | None
    """The test that recorded them, None where the layout does not say."""
    interactions: Sequence[Interaction]

    @cached_property
    def transcript(self) -> Transcript:
        """What they say."""
        return Transcript.from_interactions(self.interactions)


def read_runs(data: bytes, place: Path) -> list[Run]:
    """Read the content of a cassette of any layout and return what each test recorded in it.

    Raises `CassetteUnreadable`, `CassetteVersionError`.
    """
    tests: dict[str | None, list[Interaction]] = {}
    for interaction in store.parse(data, place).interactions():
        tests.setdefault(interaction.test, []).append(interaction)
    return [Run(test, interactions) for test, interactions in tests.items()] or [Run(None, [])]
