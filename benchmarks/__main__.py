"""Print every table; needs pytest-recording, vcrpy, cassetter and pydantic-ai beside the package."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks import (
    agent,
    analysis,
    commands,
    faults,
    first_chunk,
    growing,
    idle,
    instructions,
    many,
    recording,
    redaction,
    scaling,
    suite,
)
from benchmarks.targets import Figure, summary

_TABLES = (
    "suite",
    "instructions",
    "scaling",
    "big",
    "first-chunk",
    "idle",
    "agent",
    "redaction",
    "recording",
    "commands",
    "analysis",
    "growing",
    "faults",
    "many",
    "huge",
)


def main() -> None:
    """Parse the arguments and print the tables, then all ratios beside what is promised of them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--tests", type=int, default=60, help="tests in the generated suite")
    parser.add_argument("--rounds", type=int, default=3, help="times the suite is replayed by each contender")
    parser.add_argument("--sizes", type=int, nargs="*", default=[1, 100, 3000], help="interactions in one cassette")
    parser.add_argument("--many", type=int, default=5000, help="tests of the suite with a cassette for each")
    parser.add_argument("--only", choices=_TABLES, nargs="*", default=_TABLES, help="print these tables only")
    args = parser.parse_args()
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as name:
        for wanted in args.only:
            text, measured = _table(wanted, Path(name), args)
            print(text, flush=True)
            figures += measured
    print(summary(figures))


def _table(name: str, folder: Path, args: argparse.Namespace) -> tuple[str, list[Figure]]:
    match name:
        case "suite":
            return suite.table(folder / "suite", tests=args.tests, rounds=args.rounds)
        case "instructions":
            return instructions.table(folder / "instructions")
        case "scaling":
            return scaling.table(folder, tuple(args.sizes))
        case "big":
            return scaling.big_table(folder)
        case "first-chunk":
            return first_chunk.table(folder, args.rounds)
        case "idle":
            return idle.table(folder / "idle", args.rounds)
        case "redaction":
            return redaction.table()
        case "recording":
            return recording.table()
        case "analysis":
            return analysis.table(folder / "analysis")
        case "faults":
            return faults.table(folder / "faults")
        case "growing":
            return growing.table(folder / "growing")
        case "many":
            return many.table(folder / "many", args.many)
        case "huge":
            return many.huge_table(folder / "huge")
        case "commands":
            return commands.table(folder / "commands", args.rounds)
    return agent.table(1000, args.rounds)


if __name__ == "__main__":
    main()
