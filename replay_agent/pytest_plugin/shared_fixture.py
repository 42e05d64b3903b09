"""A fixture that several tests share: what it asks is its own, recorded once and replayed whichever test comes first."""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from replay_agent.exceptions import CassetteError, UserError
from replay_agent.harness import Run
from replay_agent.pytest_plugin.around.fixture_names import fixture_cassette
from replay_agent.pytest_plugin.around.own_servers import let_pass
from replay_agent.pytest_plugin.failures import cleaning, explaining, failure_of, failure_saying, in_cleanup
from replay_agent.pytest_plugin.settings import command_of, first_recording, option_of, options_of
from replay_agent.pytest_plugin.summary.recorded import note_shared
from replay_agent.pytest_plugin.trials.trial import Trial, trial_of
from replay_agent.recording.clients import intercept
from replay_agent.recording.options import RecordMode
from replay_agent.recording.recorder import Recording
from replay_agent.surroundings import credentials

__all__ = ("SharedFixture",)


class SharedFixture:
    """One fixture from its setup to its teardown: holds its run, gives the verdict on it."""

    def __init__(self, run: Run, *, unused: str, needs_keys: bool, trial: Trial | None, cassette: Path) -> None:
        self._run = run
        self._cassette = cassette
        self._trial = trial
        self._unused = unused
        self._needs_keys = needs_keys and not run.recording.records
        self._failed = False
        self.is_closed = False

    def note_recorded(self, report: pytest.TestReport) -> None:
        """Add to the report of the test after which it was torn down what it has recorded."""
        recording = self._run.recording
        if recording.records:
            note_shared(report, recording.test or "", recording.tally(), frozen="clock" in recording.options.freeze)

    @classmethod
    def opened(
        cls, owners: Sequence[str], item: pytest.Item, *, since: float, frozen: Mapping[str, object]
    ) -> SharedFixture:
        """Open the recording of a fixture, under the options of the test that needs it.

        ``owners`` are what it is called in cassettes, then what it is called in classes around it, whose recording it
        replays if it has none. A cassette that cannot be used fails the fixture without a traceback. ``since`` is when
        the session began, ``frozen`` what the sources of that test are set to.
        """
        try:
            options = options_of(item)
            options = item.ihook.pytest_replay_options(item=item, options=options) or options
            places = [(fixture_cassette(owner, item.config), owner) for owner in owners]
            known = (place for place in places if place[0].is_file() and options.record_mode is RecordMode.NONE)
            path, owner = next(known, places[0])
            options = first_recording(options, path, owner, since)
            trial, place = trial_of(item.config), path
            if trial is not None:
                options, place = trial.options(options), trial.place(path)
            run = Run(place, options, test=owner, command=command_of(item))
            run.recording.seeds_otherwise = _seeds_of(owner, frozen)
            if trial is not None:
                trial.prepare(run.recording, path)
            let_pass(run.recording, item.config)
            run.recording.open()
        except (CassetteError, UserError) as exc:
            raise pytest.fail.Exception(str(exc), pytrace=False) from None
        keys = item.config.getini("replay_placeholder_keys") is not False
        return cls(run, unused=option_of(item.config, "replay_unused"), needs_keys=keys, trial=trial, cassette=path)

    @contextmanager
    def setting_up(self, otherwise: Recording | None) -> Iterator[None]:
        """Surround the setup; ``otherwise`` is the test's recording, where answers of older cassettes are."""
        self._failed = True
        recording = self._run.recording
        recording.fallback = otherwise
        try:
            with self._turn():
                yield
        finally:
            recording.fallback = None
        self._failed = False

    def explaining(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap the function of the fixture: what it missed and swallowed fails it, for every test that needs it."""
        return explaining(function, self._run.recording, self._fail_for_misses)

    def cleaning(self, finalizer: Callable[[], object]) -> Callable[[], object]:
        """Wrap a finalizer of the fixture: what it asks is the fixture's."""
        cleaned = cleaning(finalizer, self._run.recording)

        def in_turn() -> object:
            try:
                with self._turn():
                    return cleaned()
            except BaseException:
                self._failed = True
                raise

        return in_turn

    def close(self) -> None:
        """Close the recording and fail for what it left, once everything else is torn down."""
        recording = self._run.recording
        self.is_closed = True
        try:
            self._run.close(success=not self._failed and not recording.misses)
        except CassetteError as exc:
            raise pytest.fail.Exception(str(exc), pytrace=False) from None
        if self._trial is not None:
            from replay_agent.pytest_plugin.trials.noting import note_fixture

            note_fixture(self._trial, recording, self._cassette, failed=self._failed)
        left = recording.unreported_misses
        if left:
            raise in_cleanup(left, recording)
        if not self._failed and not recording.misses and not recording.records:
            self._judge_leftovers()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        keys = credentials.placed_credentials() if self._needs_keys else nullcontext()
        with keys, self._run.in_force(), intercept.in_turn(self._run.recording):
            yield

    def _fail_for_misses(self) -> None:
        left = self._run.recording.unreported_misses
        if left:
            raise failure_of(left, self._run.recording)

    def _judge_leftovers(self) -> None:
        if self._unused == "ignore" or self._run.recording.options.allow_unused:
            return
        text = self._run.leftovers_text()
        if text and self._unused == "warn":
            warnings.warn(pytest.PytestWarning(text), stacklevel=2)
        elif text:
            raise failure_saying([text])


def _seeds_of(owner: str, frozen: Mapping[str, object]) -> dict[str, object]:
    """Return what the sources of a fixture are set to where it has no cassette, as it asked nothing.

    Its numbers follow from its name, so that they are the same whichever test comes first. The time is that of the test.
    """
    number = zlib.crc32(owner.encode())
    return {"random": number, "uuid": number} | {name: seed for name, seed in frozen.items() if name == "clock"}
