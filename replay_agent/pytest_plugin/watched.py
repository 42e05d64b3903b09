"""One test under replay: its settings merged, its run opened, its verdict given."""

from __future__ import annotations

import functools
import inspect
import shlex
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from replay_agent import naming
from replay_agent.exceptions import CassetteError, CassetteMiss, UserError
from replay_agent.harness import Conversing, Run
from replay_agent.pytest_plugin.options import asked_mode
from replay_agent.recording.cassettes import store
from replay_agent.recording.clients import intercept
from replay_agent.recording.options import RecordMode, RecordOptions

if TYPE_CHECKING:
    from replay_agent.pytest_plugin.vcr.run import VcrRun

__all__ = (
    "Misses",
    "ReplayedTest",
    "VcrTest",
    "WatchedTest",
    "cassette_path",
    "command_of",
    "file_name_of",
    "nodeid",
    "options_of",
)

_TEXTS = ("ignore_body", "ignore_hosts", "only_hosts", "match_headers", "freeze")
_FLAGS = ("allow_repeats", "allow_unused")


class Misses(Protocol):
    """Who keeps the misses of a test."""

    @property
    def misses(self) -> Sequence[BaseException]:
        """All of them."""

    @property
    def unreported_misses(self) -> Sequence[BaseException]:
        """Those that the test has not failed for yet."""

    def reported(self, miss: BaseException) -> None:
        """Say that the test fails for this one."""


class WatchedTest(ABC):
    """A test whose misses nothing can swallow: not a client, not a retry, not the test's own ``except``."""

    xfail_excuses_misses = False

    def __init__(self, item: pytest.Item, misses: Misses) -> None:
        self.item = item
        self._misses = misses
        self._outcome = ""

    @contextmanager
    def calling(self) -> Iterator[None]:
        """Surround the call of the test function; a miss that something swallowed fails the test here."""
        function = getattr(self.item, "obj", None)
        if function is not None:
            self.item.obj = _explaining(function, self._misses)  # type: ignore[attr-defined]
        try:
            yield
        except Exception as exc:
            self._fail_for_misses(exc)
            raise
        finally:
            if function is not None:
                self.item.obj = function  # type: ignore[attr-defined]
        self._fail_for_misses(None)

    def judged(self, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
        """Take note of pytest's verdict on one phase; a miss is told as itself there, and xfail does not excuse it."""
        misses = _leaves(call.excinfo.value) if call.excinfo else []
        if misses:
            with pytest.raises(pytest.fail.Exception) as failure:
                raise _failure(misses, self._misses)
            report.longrepr = self.item.repr_failure(failure)
        if self._misses.misses and hasattr(report, "wasxfail") and not self.xfail_excuses_misses:
            report.outcome = "failed"
            del report.wasxfail
        if report.when == "call":
            self._outcome = "xfailed" if hasattr(report, "wasxfail") else report.outcome

    @property
    @abstractmethod
    def run(self) -> Conversing:
        """What the test says and hears: the fixture ``replay``."""

    @property
    @abstractmethod
    def records(self) -> bool:
        """Whether requests may go live."""

    @property
    def passed(self) -> bool:
        """Whether the test function did what it should; that it should fail, if it is marked so."""
        return self._outcome in ("passed", "xfailed")

    def close(self) -> None:
        """Fail the test for the misses that are left; those of one that failed for others are shown beside it."""
        late = self._misses.unreported_misses
        if late and self._outcome != "passed" and len(late) < len(self._misses.misses):
            self.item.add_report_section("teardown", "misses", str(_failure(late, self._misses)))
        else:
            self._fail_for_misses(None)

    def _fail_for_misses(self, cause: BaseException | None) -> None:
        if self._misses.unreported_misses:
            raise _failure(self._misses.unreported_misses, self._misses) from cause


class ReplayedTest(WatchedTest):
    """A test marked replay, from before its first fixture to after its last: holds the run and gives the verdict."""

    def __init__(self, item: pytest.Item, run: Run, *, unused: str) -> None:
        super().__init__(item, run.recording)
        self._run = run
        self._unused = unused

    @classmethod
    def opened(cls, item: pytest.Item, siblings: Sequence[str], *, since: float) -> ReplayedTest:
        """Open the recording of a test; a cassette that cannot be used fails the test without a traceback.

        ``since`` is when the session began, in seconds since the epoch.
        """
        try:
            options, mark = options_of(item)
            options = item.ihook.pytest_replay_options(item=item, options=options) or options
            path = cassette_path(item, _cassette_name(item, mark), siblings)
            options = _first_recording(options, path, nodeid(item), since)
            run = Run(path, options, test=nodeid(item), command=command_of(item))
            run.open()
        except (CassetteError, UserError) as exc:
            raise pytest.fail.Exception(str(exc), pytrace=False) from None
        intercept.open_for_test(run.recording)
        return cls(item, run, unused=_option(item.config, "replay_unused"))

    @property
    def run(self) -> Run:
        """The open recording."""
        return self._run

    @property
    def records(self) -> bool:
        """Whether requests may go live."""
        return self.run.recording.records

    def _succeeded(self) -> bool:
        """Tell whether what was recorded is to be kept; a test that skips itself takes nothing from a cassette."""
        fresh = self.run.recording.header is None
        return self.passed or (fresh and self._outcome == "skipped")

    def close(self) -> None:
        """Close the recording and fail the test for what it left: misses, unplayed interactions."""
        intercept.close_for_test(self.run.recording)
        try:
            self.run.close(success=self._succeeded())
        except CassetteError as exc:
            raise pytest.fail.Exception(str(exc), pytrace=False) from None
        super().close()
        if self._outcome == "passed" and not self.run.recording.records:
            self._judge_leftovers()

    def _judge_leftovers(self) -> None:
        if self._unused == "ignore" or self.run.recording.options.allow_unused:
            return
        text = self.run.leftovers_text()
        if text and self._unused == "warn":
            warnings.warn(pytest.PytestWarning(text), stacklevel=2)
        elif text:
            pytest.fail(text, pytrace=False)


class VcrTest(WatchedTest):
    """A test marked vcr. Under pytest-recording an expected failure may be that of a miss; so it may here."""

    xfail_excuses_misses = True

    def __init__(self, item: pytest.Item, run: VcrRun) -> None:
        super().__init__(item, run)
        self._run = run

    @property
    def run(self) -> VcrRun:
        """What vcrpy plays and records."""
        return self._run

    @property
    def records(self) -> bool:
        """Whether requests may go live."""
        return not self.run.settings.replays_only


def _explaining(function: Callable[..., Any], keeper: Misses) -> Callable[..., Any]:
    """Wrap a test function so that its runner sees a miss as pytest's own failure, never as a bare BaseException."""
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def explaining(*args: Any, **kwargs: Any) -> Any:
            with _misses_as_failures(keeper):
                return await function(*args, **kwargs)

    else:

        @functools.wraps(function)
        def explaining(*args: Any, **kwargs: Any) -> Any:
            with _misses_as_failures(keeper):
                return function(*args, **kwargs)

    return explaining


@contextmanager
def _misses_as_failures(keeper: Misses) -> Iterator[None]:
    try:
        yield
    except CassetteMiss as miss:
        raise _failure([miss], keeper) from None
    except BaseExceptionGroup as group:
        misses = _leaves(group)
        if not misses:
            raise
        raise _failure(misses, keeper) from None


def _failure(misses: Sequence[BaseException], keeper: Misses) -> BaseException:
    """Return pytest's failure that says these misses; what the same request missed twice is said once."""
    said = [*keeper.unreported_misses, *misses]
    for miss in said:
        keeper.reported(miss)
    return pytest.fail.Exception("\n\n".join(dict.fromkeys(map(str, said))), pytrace=False)


def _leaves(error: BaseException) -> list[CassetteMiss]:
    """Return the misses that an exception is, or that a group of them holds."""
    if isinstance(error, BaseExceptionGroup):
        return [miss for inner in error.exceptions for miss in _leaves(inner)]
    return [error] if isinstance(error, CassetteMiss) else []


def _first_recording(options: RecordOptions, path: Path, test: str, since: float) -> RecordOptions:
    """Let tests that share a cassette record it in one session: ``once`` means a cassette that was there before."""
    if options.record_mode is not RecordMode.ONCE or not path.is_file() or path.stat().st_mtime < since:
        return options
    cassette = store.load(path)
    known = any(cassette.test(index) in (None, test) for index in range(len(cassette)))
    return options if known else replace(options, record_mode=RecordMode.NEW_EPISODES)


def _option(config: pytest.Config, name: str) -> str:
    return str(config.getoption(name, None) or config.getini(name))


def options_of(item: pytest.Item) -> tuple[RecordOptions, pytest.Mark]:
    """Merge ini, mark and command line into the options of one test; raises `UserError` for what nobody knows."""
    config = item.config
    found = item.get_closest_marker("replay")
    mark = found if found is not None else pytest.mark.replay.mark
    unknown = set(mark.kwargs) - {"cassette", "record_mode", *_TEXTS, *_FLAGS}
    if unknown or len(mark.args) > 1:
        surplus = ", ".join(sorted(unknown)) or f"{len(mark.args)} positional arguments"
        raise UserError(
            f"the mark replay of {item.nodeid} does not take {surplus}; pytest --markers says what it takes"
        )
    marked = RecordMode.parse(mark.kwargs.get("record_mode") or config.getini("replay_record_mode"))
    options = RecordOptions(
        record_mode=RecordMode.parse(asked_mode(config) or marked),
        ignore_body=(*config.getini("replay_ignore_body"), *_texts(mark, "ignore_body")),
        ignore_hosts=_texts(mark, "ignore_hosts"),
        only_hosts=_texts(mark, "only_hosts"),
        match_headers=_texts(mark, "match_headers"),
        freeze=tuple(dict.fromkeys((*config.getini("replay_freeze"), *_texts(mark, "freeze")))),
        redact=tuple(config.getini("replay_redact")),
        allowed_hosts=tuple((config.getoption("allowed_hosts", None) or "").replace(",", " ").split()),
        allow_repeats=bool(mark.kwargs.get("allow_repeats", False)),
        allow_unused=bool(mark.kwargs.get("allow_unused", False)),
    )
    return options, mark


def _texts(mark: pytest.Mark, name: str) -> tuple[str, ...]:
    value = mark.kwargs.get(name, ())
    texts = (value,) if isinstance(value, str) else value
    if not isinstance(texts, list | tuple | set | frozenset) or not all(isinstance(text, str) for text in texts):
        raise UserError(f"{name} of the mark replay is one text or several, not {value!r}")
    return tuple(texts)


def _cassette_name(item: pytest.Item, mark: pytest.Mark) -> str | None:
    if mark.args and "cassette" in mark.kwargs:
        raise UserError(f"the mark replay of {item.nodeid} names its cassette twice")
    name = mark.args[0] if mark.args else mark.kwargs.get("cassette")
    if name is None or (isinstance(name, str) and name.strip()):
        return name
    raise UserError(f"the mark replay of {item.nodeid} names no cassette: {name!r} is not a name")


def _backend(item: pytest.Item) -> str | None:
    callspec = getattr(item, "callspec", None)
    backend = callspec.params.get("anyio_backend") if callspec is not None else None
    return backend[0] if isinstance(backend, tuple) else backend


def file_name_of(item: pytest.Item, siblings: Sequence[str] = ()) -> str:
    """Return the file name of a test, without extension: ``Class.test[param]``, the event loop left out."""
    backend = _backend(item)
    own = naming.without_backend(item.name, backend)
    owner = getattr(item, "cls", None)
    prefix = f"{owner.__name__}." if owner is not None else ""
    return naming.file_name(prefix + own, clashes=own in _clashing(tuple(siblings), backend))


@functools.lru_cache(maxsize=32)
def _clashing(siblings: tuple[str, ...], backend: str | None) -> frozenset[str]:
    return naming.clashing(naming.without_backend(name, backend) for name in siblings)


def nodeid(item: pytest.Item) -> str:
    """Return the node id of a test without the event loop it runs on."""
    start, separator, name = item.nodeid.rpartition("::")
    return f"{start}{separator}{naming.without_backend(name, _backend(item))}"


def cassette_of(item: pytest.Item, siblings: Sequence[str] = ()) -> Path:
    """Return where the cassette of a test marked replay is. Raises `UserError` for a name that makes no sense."""
    mark = item.get_closest_marker("replay")
    return cassette_path(item, _cassette_name(item, mark) if mark else None, siblings)


def cassette_path(item: pytest.Item, name: str | None, siblings: Sequence[str] = ()) -> Path:
    """Return where a test's cassette is: by its name if the mark gives one, else by module and test."""
    root, cassettes = item.config.rootpath, str(item.config.getini("replay_cassette_dir"))
    if name is not None:
        folder = root / cassettes
        path = folder / (name if name.endswith((".yaml", ".yml")) else f"{name}.yaml")
        if not path.resolve().is_relative_to(folder.resolve()):
            raise UserError(f"the cassette {name!r} of {item.nodeid} would lie outside {folder}")
        return path
    return module_folder(item.path, root, cassettes) / f"{file_name_of(item, siblings)}.yaml"


@functools.lru_cache(maxsize=32)
def module_folder(path: Path, root: Path, cassettes: str) -> Path:
    """Return the folder of a test module's cassettes."""
    module = path.relative_to(root) if path.is_relative_to(root) else Path(path.name)
    parts = module.with_suffix("").parts
    return root.joinpath(cassettes, *(parts[1:] if len(parts) > 1 and parts[0] == "tests" else parts))


def command_of(item: pytest.Item) -> str:
    """Return the command that records this test anew, ``{mode}`` standing for the mode, with the option that works here."""
    option = "--record-mode" if owns_record_mode(item.config) else "--replay-mode"
    return f"pytest {shlex.quote(item.nodeid)} {option}={{mode}}"


def owns_record_mode(config: pytest.Config) -> bool:
    return not config.pluginmanager.has_plugin("recording")
