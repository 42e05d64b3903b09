"""The command line: arguments to commands, results to the terminal.

Exit status 0 says that all is well, 1 that there are findings, 2 that the command was misused or a file cannot be read.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

from replay_agent.cli import reading, runs, upkeep
from replay_agent.cli.output import CLEAN, INTERRUPTED, MISUSE, complain, say
from replay_agent.exceptions import CassetteError, UserError
from replay_agent.surroundings.version import __version__

__all__ = ("main", "parser")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    args = parser().parse_args(argv)
    run: Callable[[argparse.Namespace], int] = args.run
    try:
        return run(args)
    except (CassetteError, UserError) as exc:
        complain(exc)
        return MISUSE
    except BrokenPipeError:
        sys.stderr.close()
        return CLEAN
    except KeyboardInterrupt:
        say("\nreplay-agent: stopped", file=sys.stderr)
        return INTERRUPTED


def parser() -> argparse.ArgumentParser:
    """Return what reads the command line, each command with a ``run`` that is given what was read."""
    program = argparse.ArgumentParser(
        prog="replay-agent", description="Deterministic record/replay testing of LLM agents."
    )
    program.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = program.add_subparsers(required=True, metavar="COMMAND")
    for room in (runs, reading, upkeep):
        room.add(commands)
    return program
