"""A fixture that several tests share: what it asks is its own, recorded once and replayed whichever test comes first."""

from __future__ import annotations

import re
import warnings
import zlib
from collections.abc import Callable, Iterator, Mapping
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
from replay_agent.pytest_plugin.trials.trial import Trial, trial_of
from replay_agent.recording.clients import intercept
from replay_agent.recording.recorder import Recording
from replay_agent.surroundings import credentials, naming

__all__ = "SharedFixture", "fixture_cassette", "fixture_of", "label_of", "name_of", "owner_of"

SHORTEST_SECRET = 12
"""Characters; no shorter value of a parameter is taken for a key."""

_XUNIT = re.compile(r"_*(?:xunit|unittest)_(\w+?)_fixture_\w*")
"""What pytest makes of ``setup_module``, ``setup_class`` and ``setUpClass``: ``_xunit_setup_class_fixture_TestIt``."""


class SharedFixture:
    """One fixture from its setup to its teardown: holds its run, gives the verdict on it."""

    def __init__(self, run: Run, *, unused: str, needs_keys: bool, trial: Trial | None, cassette: Path) -> None:
        self._run = run
        self._cassette = cassette
        self._trial = trial
        self._unused = unused
        self._needs_keys = needs_keys and not run.recording.records
        self._failed = False

    @classmethod
    def opened(
        cls, owner: str, path: Path, item: pytest.Item, *, since: float, frozen: Mapping[str, object]
    ) -> SharedFixture:
        """Open the recording of a fixture, under the options of the test that needs it.

        A cassette that cannot be used fails the fixture without a traceback. ``since`` is when the session began,
        ``frozen`` what the sources of that test are set to.
        """
        try:
            options = options_of(item)
            options = item.ihook.pytest_replay_options(item=item, options=options) or options
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
    place = _place_of(fixture, item)
    if place is None:
        return None
    name, home = name_of(fixture.argname), _home_of(fixture)
    if fixture.argname in fixture.argnames:  # it overrides another of its name, and asks for that: both are in use
        name = f"{name}-{PurePosixPath(home.rpartition('::')[2] or 'conftest').stem}"
    return f"{home if home.startswith(f'{place}::') else place}::fixture {name}"


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
