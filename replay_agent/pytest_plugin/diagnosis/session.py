"""How a session of pytest is set up in a project: asked of pytest, which is stopped before it collects."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from replay_agent import pytest_plugin
from replay_agent.exceptions import UserError
from replay_agent.pytest_plugin.collecting import QUIETLY
from replay_agent.pytest_plugin.marks import STAND_IN
from replay_agent.pytest_plugin.options import SPELLINGS, TAKEN, UNUSED, asked_mode
from replay_agent.recording.meaning.json_path import JSONPath
from replay_agent.recording.options import RecordMode
from replay_agent.recording.process import frozen
from replay_agent.report.comparison.budgets import read_budget

__all__ = "SetUp", "look"

_SERVERS = {STAND_IN: "replay-agent", "recording": "pytest-recording", "vcr": "pytest-vcr", "cassetter": "cassetter"}
"""Who serves the mark vcr, by the name under which pytest knows the plugin."""


@dataclass
class SetUp:
    """What is set up, and what is wrong with it."""

    root: Path
    """The rootdir."""
    ini_file: Path | None = None
    plugins: dict[str, str] = field(default_factory=dict)
    """The distributions of the plugins that are loaded, with their versions."""
    servers: list[str] = field(default_factory=list)
    """Who serves tests marked vcr."""
    options: dict[str, str] = field(default_factory=dict)
    """pytest-recording's options, and whose each is."""
    record_mode: str = "none"
    record_mode_from: str = "default"
    cassettes: Path = Path("cassettes")
    known: tuple[str, ...] = ()
    """The ini options that there are."""
    troubles: list[tuple[str, str]] = field(default_factory=list)
    """What is wrong, and what to do."""


def look(place: Path) -> SetUp:
    """Return how pytest is set up where it is run in a folder; what keeps pytest from starting is among the troubles."""
    looker = _Looker()
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed), contextlib.chdir(place):
        try:
            pytest.main([*QUIETLY], plugins=[looker])
        except (Exception, SystemExit) as exc:  # noqa: BLE001 - a conftest or another plugin may raise anything
            printed.write(f"{type(exc).__name__}: {exc}")
    if looker.found is None:
        said = printed.getvalue().strip() or "nothing was printed"
        advice = "run pytest --version -VV there, and mend what it complains of"
        return SetUp(place.absolute(), troubles=[(f"pytest does not start: {said}", advice)])
    return looker.found


class _Looker:
    def __init__(self) -> None:
        self.found: SetUp | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_cmdline_main(self, config: pytest.Config) -> int:
        self.found = _read(config)
        return 0


def _read(config: pytest.Config) -> SetUp:
    manager = config.pluginmanager
    found = SetUp(
        config.rootpath,
        config.inipath,
        plugins={each.project_name: each.version for _, each in manager.list_plugin_distinfo()},
        known=_KNOWN,
        servers=[name for plugin, name in _SERVERS.items() if manager.has_plugin(plugin)],
    )
    if not manager.is_registered(pytest_plugin):  # under whatever name: by its entry point, or as -p says it
        advice = "take -p no:replay_agent out of addopts and PYTEST_ADDOPTS, and unset PYTEST_DISABLE_PLUGIN_AUTOLOAD"
        found.troubles.append(("this plugin is not loaded: tests marked replay go live", advice))
        return found
    found.options = {option: _owner(config, option) for option in SPELLINGS}
    found.record_mode, found.record_mode_from = _record_mode(config)
    found.cassettes = config.rootpath / str(config.getini("replay_cassette_dir"))
    found.troubles += [*_clashes(found), *_unread_options(config)]
    return found


def _owner(config: pytest.Config, option: str) -> str:
    if option not in config.stash.get(TAKEN, ()):
        return "replay-agent"
    has = config.pluginmanager.has_plugin
    others = (name for plugin, name in _SERVERS.items() if plugin != STAND_IN and has(plugin))
    return next(others, "another plugin or a conftest")


def _record_mode(config: pytest.Config) -> tuple[str, str]:
    asked = asked_mode(config)
    if asked is not None:
        return asked, "addopts or PYTEST_ADDOPTS"
    said = str(config.getini("replay_record_mode"))
    return said, "default" if said == "none" else "replay_record_mode in the ini file"


# --- what is wrong ----------------------------------------------------------------------------------------------------


def _clashes(found: SetUp) -> Iterator[tuple[str, str]]:
    if len(found.servers) > 1:
        yield (
            f"{' and '.join(found.servers)} both serve the mark vcr, with fixtures of the same names",
            "uninstall all but one; without either, tests marked vcr are served here",
        )
    if "pytest-recording" in found.servers and found.record_mode_from.startswith("addopts"):
        yield (
            f"addopts sets the record mode of every run ({found.record_mode}), for pytest-recording and for us",
            "take it out, and give the option on the command line when something is to be recorded",
        )


def _unread_options(config: pytest.Config) -> Iterator[tuple[str, str]]:
    """Yield the ini options with a value that the first test would stumble over."""
    readers: dict[str, Callable[[], object]] = {
        "replay_record_mode": lambda: RecordMode.parse(config.getini("replay_record_mode")),
        "replay_ignore_body": lambda: [JSONPath.parse(path) for path in config.getini("replay_ignore_body")],
        "replay_freeze": lambda: _check_freeze(config.getini("replay_freeze")),
        "replay_budget": lambda: read_budget(config.getini("replay_budget")),
        "replay_unused": lambda: _check_unused(str(config.getini("replay_unused"))),
    }
    for name, read in readers.items():
        try:
            read()
        except (UserError, ValueError) as exc:
            yield f"{name} in the ini file: {exc}", "docs/command-line.md has an example of each option"


def _check_freeze(sources: list[str]) -> None:
    frozen.check(sources)
    if "clock" in sources:
        from importlib.util import find_spec

        if find_spec("time_machine") is None:
            raise UserError("clock needs time-machine: pip install 'pytest-replay-agent[freeze]'")


def _check_unused(said: str) -> None:
    if said not in UNUSED:
        raise UserError(f"{said!r} is none of {', '.join(UNUSED)}")


_KNOWN = (
    "replay_budget",
    "replay_cassette_dir",
    "replay_freeze",
    "replay_ignore_body",
    "replay_placeholder_keys",
    "replay_record_mode",
    "replay_redact",
    "replay_same_hosts",
    "replay_snapshot_mask",
    "replay_snapshot_without",
    "replay_unused",
)
