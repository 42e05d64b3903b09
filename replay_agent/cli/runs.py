"""The commands that run tests, or a test of their own."""

from __future__ import annotations

import argparse
from pathlib import Path

from replay_agent.cli.output import CLEAN, say


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `demo` and `sweep` to the command line."""
    demo = commands.add_parser("demo", help="What does it do? Records, replays and explains a drift, offline")
    demo.add_argument("--keep", metavar="DIR", type=Path, help="write the files there and keep them")
    demo.add_argument("--prompt", metavar="TEXT", help="what the prompt is changed to")
    demo.set_defaults(run=_demo)

    sweep = commands.add_parser(
        "sweep",
        help="How does it take faults? Plays recorded tests with every fault at every call, and judges each run",
    )
    sweep.add_argument("tests", metavar="NODEID", nargs="+", help="tests marked replay, as pytest names them")
    sweep.add_argument("--faults", metavar="NAMES", default="all", help="by comma (default: all)")
    sweep.set_defaults(run=_sweep)


def _demo(args: argparse.Namespace) -> int:
    import tempfile

    from replay_agent.commands.runs.demo import EDITED, demo

    with tempfile.TemporaryDirectory(prefix="replay-agent-demo-") as scratch:
        folder: Path = args.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        for number, step in enumerate(demo(folder, edited=args.prompt or EDITED), 1):
            say(f"\n{number}. {step.title}\n\n{step.text}")
    if args.keep:
        say(f"\nKept in {folder}: try `replay-agent show {folder / 'demo.yaml'}`")
    return CLEAN


def _sweep(args: argparse.Namespace) -> int:
    from replay_agent.commands.runs.sweep import sweep

    return sweep(args.tests, args.faults)
