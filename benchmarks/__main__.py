"""Print every table; needs pytest-recording, vcrpy, cassetter and pydantic-ai beside the package."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks import agent, idle, scaling, suite


def main() -> None:
    """Parse the arguments and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--tests", type=int, default=60, help="tests in the generated suite")
    parser.add_argument("--rounds", type=int, default=3, help="times the suite is replayed by each contender")
    parser.add_argument(
        "--sizes", type=int, nargs="*", default=[1, 100, 1000, 3000], help="interactions in one cassette"
    )
    parser.add_argument("--only", choices=["suite", "scaling", "idle", "agent"], help="print one table only")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if args.only in (None, "suite"):
            print(suite.table(folder / "suite", tests=args.tests, rounds=args.rounds), flush=True)
        if args.only in (None, "scaling"):
            print(scaling.table(folder, tuple(args.sizes)), flush=True)
        if args.only in (None, "idle"):
            print(idle.table(folder / "idle", args.rounds), flush=True)
        if args.only in (None, "agent"):
            print(agent.table(1000, args.rounds))


if __name__ == "__main__":
    main()
