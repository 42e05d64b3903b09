"""Tests marked ``vcr``: the fixtures that pytest-recording gives them, for projects where it is not installed.

Names, scopes and precedence are pytest-recording's. vcrpy and what serves it here are imported by marked tests alone.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from replay_agent.exceptions import UserError
from replay_agent.pytest_plugin import keys
from replay_agent.pytest_plugin.marks import TEST
from replay_agent.pytest_plugin.options import asked_mode
from replay_agent.surroundings import naming

if TYPE_CHECKING:
    from vcr.cassette import Cassette

    from replay_agent.pytest_plugin.vcr.run import VcrSettings

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


def pytest_collection_finish(session: pytest.Session) -> None:
    """Look after the tests of a session that has some for us; all others do without."""
    config = session.config
    if config.getoption("block_network") or any(map(_asked_for, session.items)):
        config.pluginmanager.register(_Asking(), f"{__name__}.asking")


class _Asking:
    """Has marked tests use the fixtures that pytest-recording has every test use."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        names = _asked_for(item) or (["block_network"] if item.config.getoption("block_network") else [])
        used = getattr(item, "fixturenames", [])
        place = _first_of_function_scope(item, used)
        used[:] = dict.fromkeys([*used[:place], *names, *used[place:]])


def _asked_for(item: pytest.Item) -> list[str]:
    if item.get_closest_marker("vcr") is not None:
        return ["block_network", "vcr"]
    return ["block_network"] if item.get_closest_marker("block_network") is not None else []


def _first_of_function_scope(item: pytest.Item, names: list[str]) -> int:
    """Return where fixtures of modules and sessions end: what those send is nobody's recording."""
    definitions = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", {})
    scopes = (definitions[name][-1].scope if name in definitions else "function" for name in names)
    return next((place for place, scope in enumerate(scopes) if scope == "function"), len(names))


@pytest.fixture(scope="session")
def record_mode(request: pytest.FixtureRequest) -> str:
    """The record mode that the command line asks for, else ``none``."""
    return asked_mode(request.config) or "none"


@pytest.fixture(scope="session")
def disable_recording(request: pytest.FixtureRequest) -> bool:
    """Whether vcrpy is out of the game."""
    return bool(request.config.getoption("disable_recording"))


@pytest.fixture
def vcr_config() -> dict[str, Any]:
    """Keywords for ``VCR.use_cassette``: for a project or module to override, with any scope."""
    return {}


@pytest.fixture
def vcr_markers(request: pytest.FixtureRequest) -> list[pytest.Mark]:
    """The marks ``vcr`` of this test, closest first."""
    return list(request.node.iter_markers("vcr"))


@pytest.fixture(scope="module")
def vcr_cassette_dir(request: pytest.FixtureRequest) -> str:
    """The folder of a module's cassettes: beside it."""
    path: Path = request.node.path
    return str(path.parent / "cassettes" / path.stem)


@pytest.fixture
def default_cassette_name(request: pytest.FixtureRequest) -> str:
    """The name of this test's cassette: what the mark ``default_cassette`` says, else ``Class.test[param]``."""
    mark = request.node.get_closest_marker("default_cassette")
    if mark is None:
        owner = f"{request.cls.__name__}." if request.cls else ""
        return naming.without_forbidden(f"{owner}{request.node.name}")
    if not mark.args:
        raise UserError("the mark default_cassette names no cassette: pytest.mark.default_cassette('name.yaml')")
    name: str = mark.args[0]
    return name


@pytest.fixture
def vcr_cassette_name(default_cassette_name: str) -> str:
    """What pytest-vcr calls `default_cassette_name`: for a project or module to override."""
    return default_cassette_name


@pytest.fixture
def allowed_hosts(request: pytest.FixtureRequest) -> list[str] | None:
    """Patterns of hosts that stay reachable: of the mark ``block_network``, the command line, or ``vcr_config``."""
    mark = request.node.get_closest_marker("block_network")
    hosts = (
        (mark.kwargs.get("allowed_hosts") if mark else None)
        or request.config.getoption("allowed_hosts")
        or request.getfixturevalue("vcr_config").get("allowed_hosts")
    )
    return hosts.split(",") if isinstance(hosts, str) else hosts


@pytest.fixture
def block_network(request: pytest.FixtureRequest, record_mode: str, vcr_markers: list[pytest.Mark]) -> Iterator[None]:
    """Refuse connections where a mark or the command line says so, and beyond this machine while vcrpy replays."""
    mark = request.node.get_closest_marker("block_network")
    if mark is not None and (mark.args or set(mark.kwargs) - {"allowed_hosts"}):
        raise UserError(
            "Invalid arguments to `block_network`. It accepts only the following keyword arguments: `allowed_hosts`. "
            f"Got args: {mark.args!r}; kwargs: {mark.kwargs!r}"
        )
    settings = _settings(request, record_mode, vcr_markers) if vcr_markers else None
    if mark is not None or request.config.getoption("block_network"):
        with _blocked(request, loopback=False, unless=_records(request, settings)):
            yield
    else:
        replays = settings is not None and settings.replays_only and not request.config.getoption("disable_recording")
        with _blocked(request, loopback=True, unless=not replays):
            yield


def _records(request: pytest.FixtureRequest, settings: VcrSettings | None) -> bool:
    """Tell whether this test may reach the network because it is being recorded: the command line has the first word."""
    if settings is None:
        replayed = request.node.stash.get(TEST, None)
        return replayed is not None and replayed.records
    asked = asked_mode(request.config)
    return asked != "none" if asked else not settings.replays_only


@contextmanager
def _blocked(request: pytest.FixtureRequest, *, loopback: bool, unless: bool) -> Iterator[None]:
    if unless:
        yield
        return
    from replay_agent.pytest_plugin.vcr.network import BlockedNetwork
    from replay_agent.recording.process import network

    patterns = request.getfixturevalue("allowed_hosts")
    guard = network.shut_by(BlockedNetwork(patterns, test=request.node.nodeid, loopback=loopback))
    try:
        yield
    finally:
        network.open_network(guard)


@pytest.fixture
def vcr(
    request: pytest.FixtureRequest,
    vcr_markers: list[pytest.Mark],
    vcr_cassette_dir: str,
    record_mode: str,
    disable_recording: bool,
    pytestconfig: pytest.Config,
) -> Iterator[Cassette | None]:
    """The cassette of a test marked ``vcr``, vcrpy's own; None for any other test and with ``--disable-recording``."""
    if disable_recording or not vcr_markers:
        yield None
        return
    from replay_agent.pytest_plugin.settings import command_of
    from replay_agent.pytest_plugin.vcr.run import VcrRun
    from replay_agent.pytest_plugin.vcr.watched import VcrTest

    item = request.node
    settings = _settings(request, record_mode, vcr_markers, vcr_cassette_dir)
    if not settings.replays_only:
        keys.take_back(item)
    run = VcrRun(settings, test=item.nodeid, file=str(item.path), command=command_of(item))
    test = item.stash[TEST] = VcrTest(item, run)

    def configure(vcr: Any) -> None:
        pytestconfig.hook.pytest_recording_configure(config=pytestconfig, vcr=vcr)

    with run.opened(configure, lambda: test.passed) as cassette:
        yield cassette


def _settings(
    request: pytest.FixtureRequest, record_mode: str, marks: list[pytest.Mark], folder: str = ""
) -> VcrSettings:
    from replay_agent.pytest_plugin.vcr.run import VcrSettings, merged
    from replay_agent.recording.options import RecordMode

    config = merged(request.getfixturevalue("vcr_config"), [mark.kwargs for mark in reversed(marks)])
    return VcrSettings(
        request.getfixturevalue("vcr_cassette_name"),
        folder,
        RecordMode.parse(config.pop("record_mode", record_mode)),
        config,
        [str(path) for mark in marks for path in mark.args],
    )
