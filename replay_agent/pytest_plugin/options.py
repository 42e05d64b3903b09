"""The options of the command line and the ini file, in our spelling and in pytest-recording's."""

from __future__ import annotations

import argparse
from typing import Any

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
}
"""pytest-recording's options."""
TAKEN = pytest.StashKey[tuple[str, ...]]()
"""Those of them that are somebody else's in this session."""


def add_options(parser: pytest.Parser) -> None:
    """Add what is ours."""
    group = parser.getgroup("replay-agent", "record and replay of LLM agents")
    group.addoption(
        "--replay-mode", choices=MODES, help=f"record mode of tests marked replay (default: none). {MEANING}"
    )
    group.addoption(
        "--replay-accept",
        action="store_true",
        help="accept what changed: record it (as --replay-mode=refresh does) and update the snapshots of the tests that "
        "pass, in one run; nothing else is deleted",
    )
    group.addoption(
        "--replay-unused",
        choices=UNUSED,
        help="what happens when a passing test leaves recorded interactions unplayed (default: fail)",
    )
    group.addoption(
        "--replay-report",
        metavar="FILE",
        help="write what the tests said to the model, and what came of it, to one page (FILE.html), or to a part that "
        "`replay-agent report` makes a page of (FILE.json)",
    )
    group.addoption(
        "--replay-sweep",
        metavar="FAULTS",
        help="play recorded tests marked replay with these faults at every call (all, or names by comma) and print the verdicts",
    )
    group.addoption("--replay-plan", help=argparse.SUPPRESS)  # what replay-agent accept and review have pytest change
    group.addoption("--replay-trial", metavar="FOLDER", help=argparse.SUPPRESS)  # for replay-agent's own commands
    parser.addini("replay_cassette_dir", "folder of the cassettes, under the rootdir", default="cassettes")
    parser.addini("replay_record_mode", f"record mode unless told otherwise: {', '.join(MODES)}", default="none")
    parser.addini("replay_ignore_body", "JSON paths of request bodies that do not matter", type="linelist", default=[])
    parser.addini(
        "replay_same_hosts",
        "hosts or base URLs that stand for the same service, by blanks, one service a line",
        type="linelist",
        default=[],
    )
    parser.addini("replay_freeze", "what stands still in replayed tests: clock, uuid, random", type="args", default=[])
    parser.addini("replay_redact", "more secrets: JSON field names, regular expressions", type="linelist", default=[])
    parser.addini(
        "replay_budget", "what a replayed test may spend: tokens=5000 requests=3 usd=0.05 growth=5%", default=""
    )
    parser.addini(
        "replay_snapshot_without",
        "sections that run_snapshot leaves out: messages, result, usage",
        type="args",
        default=[],
    )
    parser.addini(
        "replay_snapshot_mask", "JSON paths that run_snapshot masks: $.messages[*].content", type="linelist", default=[]
    )
    parser.addini("replay_unused", f"{', '.join(UNUSED)}: see --replay-unused", default="fail")
    parser.addini(
        "replay_placeholder_keys",
        "fill unset API key variables while tests replay (default: for the mark replay; true: for vcr too; false: never)",
        type="bool",
        default=None,
    )


def add_spellings(parser: pytest.Parser, config: pytest.Config) -> None:
    """Add pytest-recording's options, but for those that some plugin or conftest has already."""
    group = parser.getgroup("recording")
    known = parser.parse_known_args([])  # `config.option` lacks, on pytest 8, what was added without a default
    config.stash[TAKEN] = tuple(name for name in SPELLINGS if hasattr(known, name[2:].replace("-", "_")))
    for option, words in SPELLINGS.items():
        if option not in config.stash[TAKEN]:
            group.addoption(option, **words)


def allowed_hosts(config: pytest.Config) -> tuple[str, ...]:
    """Return the hosts that the command line lets through in replay."""
    return tuple((config.getoption("allowed_hosts", None) or "").replace(",", " ").split())


def asked_mode(config: pytest.Config) -> str | None:
    """Return the record mode that the command line asks for, None where it asks for none."""
    mode: str | None = config.getoption("replay_mode", None) or config.getoption("record_mode", None)
    return mode or (ACCEPTING_MODE if config.getoption("replay_accept", False) else None)
