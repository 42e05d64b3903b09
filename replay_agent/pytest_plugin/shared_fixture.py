"""A fixture that several tests share: what it asks is its own, recorded once and replayed whichever test comes first."""

from __future__ import annotations

import re
import warnings
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from enum import Enum
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from replay_agent.exceptions import CassetteError, UserError
from replay_agent.harness import Run
from replay_agent.pytest_plugin.around.own_servers import let_pass
from replay_agent.pytest_plugin.failures import cleaning, explaining, failure_of, failure_saying, in_cleanup
from replay_agent.pytest_plugin.places import module_folder
from replay_agent.pytest_plugin.settings import command_of, first_recording, option_of, options_of
from replay_agent.pytest_plugin.summary.recorded import note_shared
from replay_agent.pytest_plugin.trials.trial import Trial, trial_of
from replay_agent.recording.clients import intercept
from replay_agent.recording.options import RecordMode
from replay_agent.recording.recorder import Recording
from replay_agent.surroundings import credentials, naming

__all__ = (
    "SharedFixture",
    "fixture_cassette",
    "fixture_of",
    "joined",
    "label_among",
    "label_of",
    "name_of",
    "owner_of",
    "owners_of",
)

SHORTEST_SECRET = 12
"""Characters; no shorter value of a parameter is taken for a key."""

_XUNIT = re.compile(r"_*(?:xunit|unittest)_([a-zA-Z]+(?:_[a-zA-Z]+)?)_fixture_[\w.-]*")
"""What pytest makes of ``setup_module``, ``setup_class`` and ``setUpClass``: ``_xunit_setup_class_fixture_TestIt``; a
module has its dotted name there (``_xunit_setup_module_fixture_tests.test_it``)."""

_SET = type(pytest.param())
"""What a parameter is wrapped in that has marks or an id of its own."""


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


def name_of(name: str) -> str:
    """Return what a fixture of this name is called; by the method where pytest made one of an xUnit setup."""
    xunit = _XUNIT.fullmatch(name)
    return xunit[1] if xunit else name


def _home_of(fixture: pytest.FixtureDef[Any]) -> str:
    """Return the node id of the place where a fixture is defined: empty for the rootdir's conftest and for plugins."""
    if hasattr(fixture, "node"):  # pytest 9.1 and later, where `baseid` is on its way out
        return fixture.node.nodeid if fixture.node is not None else ""
    return fixture.baseid


def owner_of(fixture: pytest.FixtureDef[Any], item: pytest.Item) -> str | None:
    """Return what the fixture that this test uses is called in cassettes; None for one of this test alone."""
    return next(iter(owners_of(fixture, item)), None)


def owners_of(fixture: pytest.FixtureDef[Any], item: pytest.Item) -> list[str]:
    """Return what the fixture that this test uses is called in cassettes, none for one of this test alone.

    One of a class is followed by what it is called in the classes around: where a test of such a class runs first, pytest
    hands on to the inner class what it has set up for the outer one.
    """
    place, home = _place_of(fixture, item), _home_of(fixture)
    if place is None:
        return []
    name = name_of(fixture.argname)
    if name != fixture.argname and "::" in home:  # the setup of a class around is not that of the class within
        place = home
    if fixture.argname in fixture.argnames:  # it overrides another of its name, and asks for that: both are in use
        name = f"{name}-{PurePosixPath(home.rpartition('::')[2] or 'conftest').stem}"
    places = [home if home.startswith(f"{place}::") else place]
    while fixture.scope == "class" and places[-1].count("::") > 1 and places[-1] != home:
        places.append(places[-1].rpartition("::")[0])
    return [f"{place}::fixture {name}" for place in places]


def _place_of(fixture: pytest.FixtureDef[Any], item: pytest.Item) -> str | None:
    """Return the node id of what shares the fixture: module or class; else of where it is defined."""
    if fixture.scope in ("session", "package"):
        home = _home_of(fixture)
        return home if "::" in home or home.endswith(".py") else f"{home}/conftest.py".lstrip("/")
    node: pytest.Collector | None = None
    if fixture.scope == "module":
        node = item.getparent(pytest.Module)
    elif fixture.scope == "class":
        node = item.getparent(pytest.Class)
    return node.nodeid if node is not None else None


def label_of(value: object, name: str, index: int) -> str:
    """Return how a parameter of a fixture is told apart from others: by its value, as pytest does, else by its number."""
    if isinstance(value, str | int | float | complex | bool | Enum | None):
        return _redacted(str(value))
    return str(getattr(value, "__name__", None) or f"{name}{index}")


def label_among(value: object, name: str, index: int, others: Sequence[object] | None) -> str:
    """Return the label of a parameter, distinct from those of the fixture's others, also as the name of a file.

    ``others`` are None where tests parametrize the fixture: then nobody knows all of them.
    """
    label = label_of(value, name, index)
    if others is None:
        return naming.file_name(label, clashes=True) if naming.file_name(label) != label else label
    labels = [
        label_of(other.values[0] if isinstance(other, _SET) else other, name, n) for n, other in enumerate(others)
    ]
    told = naming.file_name(label, clashes=True) if label in naming.clashing(labels) else label
    return f"{told}-{index}" if labels.count(label) > 1 else told


def joined(labels: Sequence[str]) -> str:
    """Return the labels of several parameters as one, equal for the same ones only."""
    text = "-".join(labels)
    return f"{text}-{naming.digest(repr(labels))}" if len(labels) > 1 and "-" in "".join(labels) else text


def _redacted(label: str) -> str:
    if len(label) < SHORTEST_SECRET:
        return label
    from replay_agent.recording.redaction.redactor import Redactor

    return Redactor().text(label)


def fixture_of(owner: str | None) -> tuple[str, str] | None:
    """Return the file that shares a fixture, and the fixture's name, of what `owner_of` returned; None for a test."""
    place, is_fixture, name = (owner or "").rpartition("::fixture ")
    return (place.partition("::")[0], name.partition("[")[0]) if is_fixture else None


def fixture_cassette(owner: str, config: pytest.Config) -> Path:
    """Return where the cassette of a fixture is: beside those of the tests that share it."""
    place, _, name = owner.rpartition("::fixture ")
    module, *classes = place.split("::")
    root, cassettes = config.rootpath, str(config.getini("replay_cassette_dir"))
    folder = module_folder(root / module, root, cassettes)
    if module.rpartition("/")[2] == "conftest.py":
        folder = folder.parent if folder.name == "conftest" else folder
    file = naming.file_name("".join(f"{each}." for each in classes) + f"fixture-{name}")
    return folder / f"{file}.yaml"
