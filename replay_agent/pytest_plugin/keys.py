"""When placeholder keys are in place: while a file that uses the mark is imported, and while a marked test runs.

At all other times a test finds the environment as it is without us: live tests skip themselves, tests of a missing key
pass. Light: the plugin reads it at start.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from replay_agent.pytest_plugin.marks import TEST, is_served
from replay_agent.pytest_plugin.options import ACCEPTING_MODE, asked_mode
from replay_agent.pytest_plugin.sources import Source
from replay_agent.surroundings import credentials, lingering

__all__ = "KeysOfTests", "place_for", "take_back", "while_importing", "while_loading_conftests"

_CONFTEST = "conftest.py"
_READ = pytest.StashKey[dict[Path, Source]]()
_PLACED = pytest.StashKey[dict[str, str]]()
_LEFT = pytest.StashKey[dict[str, str]]()


def _marks(config: pytest.Config) -> tuple[str, ...]:
    """Return whose tests get keys: those marked replay; those marked vcr too if the ini file says so itself."""
    asked = config.getini("replay_placeholder_keys")
    if asked is False:
        return ()
    return ("replay", "vcr") if asked else ("replay",)


@contextmanager
def while_importing(collector: pytest.Collector) -> Iterator[None]:
    """Hold keys while pytest imports the module or conftest of a collector that uses the mark, or scripts answers, if the session replays."""
    config = collector.config
    if isinstance(collector, pytest.Directory):
        files = [collector.path / _CONFTEST]
    elif isinstance(collector, pytest.Module | pytest.Class):
        files = [collector.path, *_conftests(collector.path.parent, config.rootpath)]
    else:
        files = []
    mode = asked_mode(config) or config.getini("replay_record_mode")
    with _keys_for(config, files if mode == "none" else ()):
        yield


@contextmanager
def while_loading_conftests(config: pytest.Config, args: Sequence[str]) -> Iterator[None]:
    """Hold keys while pytest imports the conftests that it needs at start, if one of them uses the mark.

    Options are not parsed yet: ``args`` are all of the command line, those of the ini file among them.
    """
    mode = _mode_on(args) or config.getini("replay_record_mode")
    with _keys_for(config, _first_conftests(config) if mode == "none" else ()):
        yield


def _mode_on(args: Sequence[str]) -> str | None:
    for index, arg in enumerate(args):
        option, equals, value = arg.partition("=")
        if option in ("--replay-mode", "--record-mode"):
            return value if equals else next(iter(args[index + 1 :]), None)
    return ACCEPTING_MODE if "--replay-accept" in args else None


def _first_conftests(config: pytest.Config) -> set[Path]:
    """Return where pytest looks at start: beside what is named, above it, and in folders below that begin with test."""
    start = config.invocation_params.dir
    named = config.known_args_namespace.file_or_dir or config.getini("testpaths") or [""]
    places = [place for text in named if (place := start / str(text).partition("::")[0]).exists()] or [start]
    folders = [place if place.is_dir() else place.parent for place in places]
    below = [folder for place in folders for folder in place.glob("test*") if folder.is_dir()]
    return {path for folder in (*folders, *below) for path in _conftests(folder, config.rootpath)}


def _conftests(folder: Path, root: Path) -> Iterable[Path]:
    """Return the conftests that count for a folder, from the root on."""
    above = (parent for parent in folder.parents if parent.is_relative_to(root))
    return (path for place in (folder, *above) if (path := place / _CONFTEST).is_file())


@contextmanager
def _keys_for(config: pytest.Config, files: Iterable[Path]) -> Iterator[None]:
    marks = _marks(config)
    sources = [_source(config, path) for path in files] if marks else []
    if not any(source.uses(marks) for source in sources) and not _script_answers(sources):
        yield
        return
    variables = credentials.credential_variables()
    placed = credentials.place(without=frozenset().union(*(source.asked(variables) for source in sources)))
    try:
        yield
    finally:
        credentials.remove(placed)


def _script_answers(sources: Sequence[Source]) -> bool:
    """Tell whether the fixture ``provider``, ours and nobody else's, answers the calls of some test."""
    return any(source.scripts_answers for source in sources) and not any(source.has_a_provider for source in sources)


def _source(config: pytest.Config, path: Path) -> Source:
    known = config.stash.setdefault(_READ, {})
    if path not in known:
        known[path] = Source(path)
    return known[path]


def place_for(item: pytest.Item) -> None:
    """Hold keys until the end of a test that only replays; to be called once its recording is open."""
    test = item.stash.get(TEST, None)
    if test is not None and not test.records and "replay" in _marks(item.config):
        _place(item)
    else:
        lingering.take_back()


def _place_for_vcr(item: pytest.Item) -> None:
    """Hold keys for a test whose settings are not known before its fixtures are: `take_back` if it turns out to record."""
    mark = item.get_closest_marker("vcr")
    mode = (mark.kwargs.get("record_mode") if mark else None) or asked_mode(item.config) or "none"
    if mode == "none" and "vcr" in _marks(item.config):
        _place(item)


def _place(item: pytest.Item) -> None:
    kept = lingering.claim()
    if kept:
        item.stash[_PLACED] = kept
        return
    placed = credentials.place()
    item.stash.setdefault(_PLACED, {}).update(placed)
    item.config.stash.setdefault(_LEFT, {}).update(placed)


def take_back(item: pytest.Item) -> None:
    """Remove the keys of a test."""
    credentials.remove(item.stash.get(_PLACED, {}))


class KeysOfTests:
    """Hooks around tests, in a session that has some to replay."""

    @pytest.hookimpl
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Place keys after pytest has looked at a test's own marks to skip it, and before its first fixture."""
        if TEST in item.stash:
            place_for(item)
            return
        lingering.take_back()
        if is_served(item):
            _place_for_vcr(item)
        else:
            # A patch of the environment that outlived a replayed test may have put back a key that it had found there.
            left = item.config.stash.get(_LEFT, {})
            credentials.remove({name: value for name, value in left.items() if credentials.is_placeholder(value)})

    def torn_down(self, item: pytest.Item, *, goes_on: bool) -> None:
        """Take keys back behind the last fixture; where the next test has them too, as soon as anybody looks for one."""
        if goes_on:
            lingering.leave(item.stash.get(_PLACED, {}))
        else:
            lingering.take_back()
            take_back(item)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None]:
        """Take back what was kept for a test that did not come, and in the end what one held that left the session."""
        lingering.take_back()
        try:
            yield
        finally:
            credentials.remove(session.config.stash.get(_LEFT, {}))
