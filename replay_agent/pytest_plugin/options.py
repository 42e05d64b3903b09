"""The options of the command line and the ini file, in our spelling and in pytest-recording's."""

from __future__ import annotations

import argparse
from typing import Any, Literal

import pytest

__all__ = (
    "ACCEPTING_MODE",
    "SPELLINGS",
    "TAKEN",
    "UNUSED",
    "add_options",
    "add_spellings",
    "allowed_hosts",
    "asked_mode",
)

ACCEPTING_MODE = "refresh"
"""The record mode of ``--replay-accept``, unless the command line names another."""
MODES = ("none", "once", "new_episodes", "all", "rewrite", "refresh")
MEANING = (
    "none replays only; once records a test that has no cassette; new_episodes replays what there is and records the rest; "
    "all and rewrite record everything anew (all keeps what other tests recorded in the same cassette); refresh asks live "
    "only what has changed and drops what was not played"
)
UNUSED = ("fail", "warn", "ignore")
OPTIONS: dict[str, dict[str, Any]] = {
    "--replay-mode": {"choices": MODES, "help": f"record mode of tests marked replay (default: none). {MEANING}"},
    "--replay-accept": {
        "action": "store_true",
        "help": "accept what changed: record it (as --replay-mode=refresh does) and update the snapshots of the tests that "
        "pass, in one run; nothing else is deleted",
    },
    "--replay-unused": {
        "choices": UNUSED,
        "help": "what happens when a passing test leaves recorded interactions unplayed (default: fail)",
    },
    "--replay-report": {
        "metavar": "FILE",
        "help": "write what the tests said to the model, and what came of it, to one page (FILE.html), or to a part that "
        "`replay-agent report` makes a page of (FILE.json)",
    },
    "--replay-sweep": {
        "metavar": "FAULTS",
        "help": "play recorded tests marked replay with these faults at every call (all, or names by comma) and print the "
        "verdicts",
    },
    # What replay-agent accept and review have pytest change, and what its own commands ask.
    "--replay-plan": {"help": argparse.SUPPRESS},
    "--replay-trial": {"metavar": "FOLDER", "help": argparse.SUPPRESS},
}
"""Our own options."""
INI: dict[str, tuple[Literal["string", "args", "linelist", "bool"], str, Any]] = {
    "replay_cassette_dir": ("string", "folder of the cassettes, under the rootdir", "cassettes"),
    "replay_record_mode": ("string", f"record mode unless told otherwise: {', '.join(MODES)}", "none"),
    "replay_ignore_body": ("linelist", "JSON paths of request bodies that do not matter", ()),
    "replay_same_hosts": (
        "linelist",
        "hosts or base URLs that stand for the same service, by blanks, one service a line",
        (),
    ),
    "replay_freeze": ("args", "what stands still in replayed tests: clock, uuid, random", ()),
    "replay_redact": ("linelist", "more secrets: JSON field names, regular expressions", ()),
    "replay_budget": ("string", "what a replayed test may spend: tokens=5000 requests=3 usd=0.05 growth=5%", ""),
    "replay_snapshot_without": ("args", "sections that run_snapshot leaves out: messages, result, usage", ()),
    "replay_snapshot_mask": ("linelist", "JSON paths that run_snapshot masks: $.messages[*].content", ()),
    "replay_unused": ("string", f"{', '.join(UNUSED)}: see --replay-unused", "fail"),
    "replay_placeholder_keys": (
        "bool",
        "fill unset API key variables while tests replay (default: for the mark replay; true: for vcr too; false: never)",
        None,
    ),
}
"""What an ini file may say: the type of each value, what it means, what it is otherwise."""


SPELLINGS: dict[str, dict[str, Any]] = {
    "--record-mode": {
        "choices": MODES,
        "help": f'VCR.py record mode. The same as --replay-mode; defaults to "none". {MEANING}',
    },
    "--block-network": {"action": "store_true", "help": "refuse connections, but for those that are being recorded"},
    "--allowed-hosts": {
        "help": "hosts that stay reachable in replay, by comma; for tests marked vcr, patterns of them"
    },
    "--disable-recording": {"action": "store_true", "help": "leave tests marked vcr alone: live, no cassette"},
    "--vcr-record": {"choices": MODES, "dest": "record_mode", "help": "--record-mode, as pytest-vcr calls it"},
    "--disable-vcr": {
        "action": "store_true",
        "dest": "disable_recording",
        "help": "--disable-recording, as pytest-vcr calls it",
    },
}
"""pytest-recording's options, and pytest-vcr's."""
TAKEN = pytest.StashKey[tuple[str, ...]]()
"""Those of them that are somebody else's in this session."""


def add_options(parser: pytest.Parser) -> None:
    """Add what is ours."""
    group = parser.getgroup("replay-agent", "record and replay of LLM agents")
    for option, words in OPTIONS.items():
        group.addoption(option, **words)
    for name, (kind, meaning, default) in INI.items():
        parser.addini(name, meaning, type=kind, default=list(default) if default == () else default)


def add_spellings(parser: pytest.Parser, config: pytest.Config) -> None:
    """Add pytest-recording's and pytest-vcr's options, but for those that some plugin or conftest has already."""
    group = parser.getgroup("recording")
    known = parser.parse_known_args([])  # `config.option` lacks, on pytest 8, what was added without a default
    config.stash[TAKEN] = tuple(
        name
        for name, words in SPELLINGS.items()
        if hasattr(known, _in_namespace(name)) or hasattr(known, words.get("dest", ""))
    )
    for option, words in SPELLINGS.items():
        if option not in config.stash[TAKEN]:
            group.addoption(option, **words)


def _in_namespace(option: str) -> str:
    return option[2:].replace("-", "_")


def allowed_hosts(config: pytest.Config) -> tuple[str, ...]:
    """Return the hosts that the command line lets through in replay."""
    return tuple((getattr(config.option, "allowed_hosts", None) or "").replace(",", " ").split())


def asked_mode(config: pytest.Config) -> str | None:
    """Return the record mode that the command line asks for, None where it asks for none."""
    # Not by `getoption`, which also knows options by their spelling on the command line: each test asks for each.
    option = config.option
    mode: str | None = getattr(option, "replay_mode", None) or getattr(option, "record_mode", None)
    return mode or (ACCEPTING_MODE if getattr(option, "replay_accept", False) else None)
