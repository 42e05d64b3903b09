"""Tests marked ``vcr``: the fixtures that pytest-recording gives them, for projects where it is not installed.

Names, scopes and precedence are pytest-recording's. vcrpy and what serves it here are imported by marked tests alone.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from replay_agent.exceptions import UserError
from replay_agent.pytest_plugin import keys
from replay_agent.pytest_plugin.around.nearest_mark import closest
from replay_agent.pytest_plugin.marks import TEST
from replay_agent.pytest_plugin.options import asked_mode
from replay_agent.pytest_plugin.trials.trial import trial_of
from replay_agent.pytest_plugin.vcr.said import fixture_values as values
from replay_agent.pytest_plugin.vcr.said import vcr_object
from replay_agent.pytest_plugin.vcr.said.fixture_values import value_of

if TYPE_CHECKING:
    from vcr import VCR
    from vcr.cassette import Cassette

    from replay_agent.pytest_plugin.vcr.network import BlockedNetwork
    from replay_agent.pytest_plugin.vcr.run import VcrSettings
    from replay_agent.recording.options import RecordMode

MARKS = (
    "vcr(*cassettes, **options): record and replay the HTTP traffic of this test with vcrpy",
    "block_network(allowed_hosts=None): refuse connections, but for those that are recorded or match these patterns",
    "default_cassette(name): what the cassette of this test is called",
)


def pytest_configure(config: pytest.Config) -> None:
    for mark in MARKS:
        config.addinivalue_line("markers", mark)
    if "vcr.matchers" not in sys.modules:  # pytest would warn that it comes too late
        pytest.register_assert_rewrite("vcr.matchers")  # its assertions are part of a miss's text


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what asks for pytest-vcr's fixture, as that is served without a mark; see who means its `VCR` object."""
    for item in items:
        vcr_object.meant_by(item)
        if "vcr_cassette" in getattr(item, "fixturenames", ()) and values.is_own(item, "vcr_cassette"):
            item.add_marker("vcr")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Look after the tests of a session that has some for us; all others do without."""
    config = session.config
    if config.getoption("block_network") or any(map(_asked_for, session.items)):
        config.pluginmanager.register(_Asking(), f"{__name__}.asking")


def usual_cassette(item: pytest.Item) -> Path | None:
    """Return where the cassette of a test is unless fixtures of the project say where; then None."""
    if not all(values.is_own(item, name) for name in _SAY_WHERE):
        return None
    asked: Any = SimpleNamespace(node=item, cls=getattr(item, "cls", None))
    name = values.default_cassette_name(asked)
    folder = values.cassette_dir(item, values.vcr_cassette_dir(asked), name, ".yaml")
    return Path(folder, name if name.endswith(".yaml") else f"{name}.yaml")


def fixture_of(item: pytest.Item) -> str:
    """Return the name of the fixture that opens the cassette of a test."""
    return "vcr_cassette" if vcr_object.gives_object(item) else "vcr"


_SAY_WHERE = "vcr_cassette_dir", "default_cassette_name", "vcr_cassette_name"


class _Asking:
    """Has marked tests use the fixtures that pytest-recording has every test use."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        names = _asked_for(item) or (["block_network"] if item.config.getoption("block_network") else [])
        if all(values.is_own(item, name) for name in names):
            names = names[-1:]  # ours of the last name does both
        used = getattr(item, "fixturenames", [])
        place = _first_of_function_scope(item, used)
        used[:] = dict.fromkeys([*used[:place], *names, *used[place:]])


def _asked_for(item: pytest.Item) -> list[str]:
    if closest(item, "vcr") is not None:
        return ["block_network", fixture_of(item)]
    return ["block_network"] if closest(item, "block_network") is not None else []


def _first_of_function_scope(item: pytest.Item, names: list[str]) -> int:
    """Return where fixtures of modules and sessions end: what those send is nobody's recording."""
    definitions = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", {})
    scopes = (definitions[name][-1].scope if name in definitions else "function" for name in names)
    return next((place for place, scope in enumerate(scopes) if scope == "function"), len(names))


@pytest.fixture(scope="session")
def record_mode(request: pytest.FixtureRequest) -> str:
    """The record mode that the command line asks for, else ``none``."""
    return values.record_mode(request)


@pytest.fixture(scope="session")
def disable_recording(request: pytest.FixtureRequest) -> bool:
    """Whether vcrpy is out of the game."""
    return values.disable_recording(request)


@pytest.fixture
def vcr_config() -> dict[str, Any]:
    """Keywords for ``VCR.use_cassette``: for a project or module to override, with any scope."""
    return {}


@pytest.fixture
def vcr_markers(request: pytest.FixtureRequest) -> list[pytest.Mark]:
    """The marks ``vcr`` of this test, closest first."""
    return values.vcr_markers(request)


@pytest.fixture(scope="module")
def vcr_cassette_dir(request: pytest.FixtureRequest) -> str:
    """The folder of a module's cassettes: beside it."""
    return values.vcr_cassette_dir(request)


@pytest.fixture
def default_cassette_name(request: pytest.FixtureRequest) -> str:
    """The name of this test's cassette: what the mark ``default_cassette`` says, else ``Class.test[param]``."""
    return values.default_cassette_name(request)


@pytest.fixture
def vcr_cassette_name(default_cassette_name: str) -> str:
    """What pytest-vcr calls `default_cassette_name`: for a project or module to override."""
    return default_cassette_name


@pytest.fixture
def vcr_cassette(request: pytest.FixtureRequest) -> Iterator[Cassette | None]:
    """What pytest-vcr calls `vcr`: a test that asks for it need not be marked."""
    if vcr_object.gives_object(request.node):
        yield from _served(request)
    else:
        yield request.getfixturevalue("vcr")


@pytest.fixture(scope="module")
def vcr_of_module(request: pytest.FixtureRequest) -> VCR:
    """What pytest-vcr calls `vcr`: its object, for the modules whose own fixtures ask for that."""
    return vcr_object.made_for(request)


@pytest.fixture
def allowed_hosts(request: pytest.FixtureRequest) -> list[str] | None:
    """Patterns of hosts that stay reachable: of the mark ``block_network``, the command line, or ``vcr_config``."""
    return values.allowed_hosts(request)


@pytest.fixture
def block_network(request: pytest.FixtureRequest) -> Iterator[None]:
    """Refuse connections where a mark or the command line says so, and beyond this machine while vcrpy replays."""
    settings = request.node.stash[_SETTINGS] = _settings(request)
    with _network_of(request, settings):
        yield


@contextmanager
def _network_of(request: pytest.FixtureRequest, settings: VcrSettings | None) -> Iterator[None]:
    guard = _guard(request, settings)
    if guard is None:
        yield
        return
    from replay_agent.recording.process import network

    network.shut_with(guard)
    try:
        yield
    finally:
        network.open_network(guard)


def _guard(request: pytest.FixtureRequest, settings: VcrSettings | None) -> BlockedNetwork | None:
    """Return what shuts the network for a test, None where it stays open."""
    mark = closest(request.node, "block_network")
    if mark is not None and (mark.args or set(mark.kwargs) - {"allowed_hosts"}):
        raise UserError(
            "Invalid arguments to `block_network`. It accepts only the following keyword arguments: `allowed_hosts`. "
            f"Got args: {mark.args!r}; kwargs: {mark.kwargs!r}"
        )
    is_blocked = mark is not None or request.config.getoption("block_network")
    if is_blocked:
        is_shut = not _records(request, settings)
    else:
        replays = settings is not None and settings.replays_only
        is_shut = replays and not request.config.getoption("disable_recording")
    if not is_shut:
        return None
    from replay_agent.pytest_plugin.vcr.network import BlockedNetwork

    patterns = value_of(request, values.allowed_hosts)
    return BlockedNetwork(patterns, test=request.node.nodeid, loopback=not is_blocked)


@pytest.fixture
def vcr(request: pytest.FixtureRequest) -> Iterator[Cassette | None]:
    """The cassette of a test marked ``vcr``, vcrpy's own; None for any other test and with ``--disable-recording``."""
    yield from _served(request)


def _served(request: pytest.FixtureRequest) -> Iterator[Cassette | None]:
    item = request.node
    is_guarded = "block_network" in request.fixturenames
    settings = item.stash[_SETTINGS] if is_guarded and _SETTINGS in item.stash else _settings(request)
    with nullcontext() if is_guarded else _network_of(request, settings):
        if settings is None or value_of(request, values.disable_recording):
            yield None
        else:
            given = request.getfixturevalue("vcr") if vcr_object.gives_object(item) else None
            yield from _cassette_of(item, settings, given)


def _cassette_of(item: pytest.Item, settings: VcrSettings, given: VCR | None) -> Iterator[Cassette]:
    from replay_agent.pytest_plugin.settings import command_of
    from replay_agent.pytest_plugin.vcr.persisters import ReadingPersister
    from replay_agent.pytest_plugin.vcr.run import VcrRun
    from replay_agent.pytest_plugin.vcr.watched import VcrTest

    if not settings.replays_only:
        keys.take_back(item)
    run = VcrRun(settings, test=item.nodeid, file=str(item.path), command=partial(command_of, item))
    test = item.stash[TEST] = VcrTest(item, run)

    def configure(vcr: Any) -> None:
        if given is not None:
            vcr_object.adopt(vcr, given)
        item.config.hook.pytest_recording_configure(config=item.config, vcr=vcr)
        if trial_of(item.config) is not None:
            vcr.register_persister(ReadingPersister(vcr.persister))

    with run.opened(configure, lambda: test.passed) as cassette:
        trial = trial_of(item.config)
        if trial is not None and trial.is_live and not run.recorded:
            pytest.skip(f"there is no cassette {run.cassette_path}: record it first")
        yield cassette


_SETTINGS: pytest.StashKey[VcrSettings | None] = pytest.StashKey()
"""What the fixtures and marks of a test say, read once for the two fixtures that go by it."""


def _mode(request: pytest.FixtureRequest, asked: RecordMode) -> RecordMode:
    """Return the mode that a test is run in: the one asked for, unless a trial wants it otherwise."""
    from replay_agent.recording.options import RecordMode

    trial = trial_of(request.config)
    if trial is None:
        return asked
    return RecordMode.ALL if trial.is_live else RecordMode.NONE


def _settings(request: pytest.FixtureRequest) -> VcrSettings | None:
    marks = value_of(request, values.vcr_markers)
    if not marks:
        return None
    from replay_agent.pytest_plugin.vcr.run import VcrSettings, merged, suffix_of
    from replay_agent.recording.options import RecordMode

    of_marks = [mark.kwargs for mark in reversed(marks)]
    extra = [str(path) for mark in marks for path in mark.args]
    name = value_of(request, values.vcr_cassette_name)
    if vcr_object.gives_object(request.node):
        given, config = request.getfixturevalue("vcr"), merged({}, of_marks)
        mode = config.pop("record_mode", given.record_mode)  # of the configuration, which the object was made of
        asked, folder = RecordMode.parse(asked_mode(request.config) or mode), str(given.cassette_library_dir)
    else:
        config = merged(value_of(request, values.vcr_config), of_marks)
        asked = RecordMode.parse(config.pop("record_mode", value_of(request, values.record_mode)))
        folder = values.cassette_dir(request.node, value_of(request, values.vcr_cassette_dir), name, suffix_of(config))
    return VcrSettings(name, folder, _mode(request, asked), config, extra)


def _records(request: pytest.FixtureRequest, settings: VcrSettings | None) -> bool:
    """Tell whether this test may reach the network because it is being recorded: the command line has the first word."""
    if settings is None:
        replayed = request.node.stash.get(TEST, None)
        return replayed is not None and replayed.records
    asked = asked_mode(request.config)
    return asked != "none" if asked else not settings.replays_only
