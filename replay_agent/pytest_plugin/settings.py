"""What ini file, mark and command line say of one test, merged into the options of its recording."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, TypedDict

import pytest

from replay_agent.exceptions import UserError
from replay_agent.pytest_plugin.around.nearest_mark import closest
from replay_agent.pytest_plugin.options import TAKEN, allowed_hosts, asked_mode
from replay_agent.recording.cassettes import store
from replay_agent.recording.cassettes.journal import HOME
from replay_agent.recording.options import RecordMode, RecordOptions

__all__ = (
    "Command",
    "budget_of",
    "command_of",
    "command_words",
    "first_recording",
    "option_of",
    "options_of",
    "options_under",
    "owns_record_mode",
    "quoted",
    "uses_snapshots",
)

_TEXTS = ("ignore_body", "ignore_hosts", "only_hosts", "match_headers", "freeze")
_FLAGS = ("allow_repeats", "allow_unused")
_WAYS = ("fault", "restream", "sweep", "sweep_fails")
"""Ways in which a recording is replayed that `replay_agent.pytest_plugin.scripting` reads."""


def options_of(item: pytest.Item) -> RecordOptions:
    """Merge ini, mark and command line into the options of one test; raises `UserError` for what nobody knows."""
    return options_under(item, closest(item, "replay"))


def options_under(item: pytest.Item, found: pytest.Mark | None) -> RecordOptions:
    """Return what `options_of` does of a test whose mark is known.

    Tests under one mark, those of a parametrized function or a marked module, have the same options, merged once.
    """
    mark = found if found is not None else _UNMARKED
    known = item.config.stash.setdefault(_MERGED, {})
    said = asked_mode(item.config), allowed_hosts(item.config)
    merged = known.get(id(mark))
    if merged is None or merged.mark is not mark or merged.said != said:
        merged = known[id(mark)] = _Merged(mark, said, _merged(item, mark))
    return merged.options


class _Merged(NamedTuple):
    """Options that were merged: the mark, which is kept so that no other has its identity, and the command line."""

    mark: pytest.Mark
    said: tuple[str | None, tuple[str, ...]]
    options: RecordOptions


_UNMARKED = pytest.mark.replay.mark
_MERGED = pytest.StashKey[dict[int, _Merged]]()


def _merged(item: pytest.Item, mark: pytest.Mark) -> RecordOptions:
    config = item.config
    unknown = set(mark.kwargs) - {"cassette", "record_mode", "budget", *_TEXTS, *_FLAGS, *_WAYS}
    if unknown or len(mark.args) > 1:
        surplus = ", ".join(sorted(unknown)) or f"{len(mark.args)} positional arguments"
        raise UserError(
            f"the mark replay of {item.nodeid} does not take {surplus}; pytest --markers says what it takes"
        )
    marked = RecordMode.parse(mark.kwargs.get("record_mode") or config.getini("replay_record_mode"))
    return RecordOptions(
        record_mode=RecordMode.parse(asked_mode(config) or marked),
        ignore_body=(*config.getini("replay_ignore_body"), *_texts(mark, "ignore_body")),
        ignore_hosts=_texts(mark, "ignore_hosts"),
        only_hosts=_texts(mark, "only_hosts"),
        same_hosts=tuple(config.getini("replay_same_hosts")),
        match_headers=_texts(mark, "match_headers"),
        freeze=tuple(dict.fromkeys((*config.getini("replay_freeze"), *_texts(mark, "freeze")))),
        redact=tuple(config.getini("replay_redact")),
        allowed_hosts=allowed_hosts(config),
        allow_repeats=bool(mark.kwargs.get("allow_repeats", False)),
        allow_unused=bool(mark.kwargs.get("allow_unused", False)),
        journal_folder=config.rootpath / str(config.getini("replay_cassette_dir")) / HOME / "journals",
    )


def budget_of(config: pytest.Config, mark: pytest.Mark | None) -> object:
    """Return what the mark says of the budget of a test, else the ini file; None for none."""
    said = mark.kwargs.get("budget") if mark is not None else None
    return said if said is not None else config.getini("replay_budget") or None


def _texts(mark: pytest.Mark, name: str) -> tuple[str, ...]:
    value = mark.kwargs.get(name, ())
    texts = (value,) if isinstance(value, str) else value
    if not isinstance(texts, list | tuple | set | frozenset) or not all(isinstance(text, str) for text in texts):
        raise UserError(f"{name} of the mark replay is one text or several, not {value!r}")
    return tuple(texts)


def first_recording(options: RecordOptions, path: Path, test: str, since: float) -> RecordOptions:
    """Let tests that share a cassette record it in one session: ``once`` means a cassette that was there before."""
    if options.record_mode is not RecordMode.ONCE or not path.is_file() or path.stat().st_mtime < since:
        return options
    cassette = store.load(path)
    known = any(cassette.test(index) in (None, test) for index in range(len(cassette)))
    return options if known else replace(options, record_mode=RecordMode.NEW_EPISODES)


def option_of(config: pytest.Config, name: str) -> str:
    """Return a setting: of the command line, else of the ini file."""
    return str(getattr(config.option, name, None) or config.getini(name))


def command_of(item: pytest.Item) -> str:
    """Return the command that records this test anew, ``{mode}`` standing for the mode, with the option that works here.

    It is to be pasted where pytest was run: the path is as seen from there, and what says where the project is stays.
    A test with snapshots is to update them in the same run.
    """
    words = command_words(item)
    return f"{quoted([*words['program'], words['test']])} {words['options']}"


class Command(TypedDict):
    """The command that records a test anew, in words."""

    program: list[str]
    """``pytest``, and where the project is if that was said."""
    test: str
    """The test, as seen from where pytest was run."""
    options: str
    """``{mode}`` stands for the record mode."""


def command_words(item: pytest.Item) -> Command:
    """Return the command that `command_of` makes one text of."""
    config = item.config
    option = "--record-mode" if owns_record_mode(config) else "--replay-mode"
    accept = " --replay-accept" if uses_snapshots(item) else ""
    places = [(name, config.getoption(dest, None)) for name, dest in (("-c", "inifilename"), ("--rootdir", "rootdir"))]
    program = ["pytest", *(word for name, value in places if value for word in (name, str(value)))]
    return {"program": program, "test": _id_from_here(item), "options": f"{option}={{mode}}{accept}"}


def uses_snapshots(item: pytest.Item) -> bool:
    """Tell whether a test compares itself with snapshots of syrupy's, ours among them."""
    return "snapshot" in getattr(item, "fixturenames", ())


def _id_from_here(item: pytest.Item) -> str:
    """Return the node id of a test with its path as seen from where pytest was run."""
    _, separator, names = item.nodeid.partition("::")
    try:
        path = os.path.relpath(item.path, item.config.invocation_params.dir)
    except ValueError:  # another drive of Windows
        path = str(item.path)
    return f"{path}{separator}{names}"


def quoted(words: Sequence[str]) -> str:
    """Return words as a command line for the shell of this system."""
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)


def owns_record_mode(config: pytest.Config) -> bool:
    """Tell whether ``--record-mode`` is ours here, not that of another plugin or conftest."""
    return "--record-mode" not in config.stash.get(TAKEN, ())
