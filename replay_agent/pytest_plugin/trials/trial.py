"""Trial: the order that a session was started with, and what it changes in the recordings of its tests.

Light: the plugin asks in every session whether there is one.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from replay_agent.recording.options import RecordOptions
    from replay_agent.recording.recorder import Recording
    from replay_agent.report.comparison.trials.order import Order
    from replay_agent.traffic import Interaction, Request

__all__ = "Trial", "trial_of"

_A_FOLDER = 100
"""Files in one folder: who saves one looks through it."""

_TRIAL = pytest.StashKey["Trial"]()


def trial_of(config: pytest.Config) -> Trial | None:
    """Return the trial that this session is, None for any other session."""
    folder = getattr(config.option, "replay_trial", None)
    if not folder:
        return None
    if _TRIAL not in config.stash:
        from replay_agent.report.comparison.trials.order import received

        config.stash[_TRIAL] = Trial(Path(folder), received(Path(folder)))
    return config.stash[_TRIAL]


class Trial:
    """What is done with the recordings of a session that runs tests once more."""

    def __init__(self, folder: Path, order: Order) -> None:
        self.folder = folder
        """Scratch."""
        self.order = order
        self._numbers = itertools.count(1)

    @property
    def is_live(self) -> bool:
        """Whether the models are asked."""
        return self.order.kind == "live"

    def scratch(self, name: str) -> Path:
        """Return the path of a new file in the scratch folder; several processes may ask."""
        number = next(self._numbers)
        place = self.folder / "cassettes" / f"{os.getpid()}-{number // _A_FOLDER}"
        return place / f"{number}-{name}.yaml"

    def options(self, options: RecordOptions) -> RecordOptions:
        """Return the options of a recording as this session wants them."""
        from replay_agent.recording.options import RecordMode

        if not self.is_live:
            return replace(options, record_mode=RecordMode.NONE)
        return replace(options, record_mode=RecordMode.REWRITE, journal_folder=self.folder / "journals")

    def place(self, path: Path) -> Path:
        """Return where a recording is to be: the cassette itself is only read."""
        return self.scratch("live") if self.is_live else path

    def prepare(self, recording: Recording, cassette: Path) -> None:
        """Make a recording ready that is about to be opened; ``cassette`` is the project's own."""
        if self.is_live:
            recording.seeds_otherwise = {**recording.seeds_otherwise, **_seeds_in(cassette)}
        else:
            recording.approximates = _nearest_by(recording.test, recording.options.ignore_body)


def _seeds_in(cassette: Path) -> Mapping[str, object]:
    """Return what sources stood still at when a cassette was recorded, so that a prompt with a date in it stays the same."""
    from replay_agent.exceptions import CassetteError
    from replay_agent.recording.cassettes import store

    try:
        return store.load(cassette).header.frozen
    except CassetteError:
        return {}  # what is wrong with it, the comparison says


def _nearest_by(test: str | None, ignore_body: Sequence[str]) -> Callable[[Request, Sequence[Interaction]], int | None]:
    def nearest(request: Request, left: Sequence[Interaction]) -> int | None:
        from replay_agent.recording.meaning.json_path import JSONPath
        from replay_agent.report.decoded_request import read_request
        from replay_agent.report.nearest import find_nearest

        ignored: Any = tuple(map(JSONPath.parse, ignore_body))
        found = find_nearest(read_request(request, ignored), left, test=test, ignored=ignored)
        return None if found is None else found.index

    return nearest
