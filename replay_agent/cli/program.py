"""The program: reads its arguments, runs one command, and says what went wrong."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from replay_agent.cli.output import CLEAN, MISUSE, complain
from replay_agent.cli.reading.arguments import add as add_reading
from replay_agent.cli.review.arguments import add as add_review
from replay_agent.cli.runs.arguments import add as add_runs
from replay_agent.cli.setup.arguments import add as add_setup
from replay_agent.cli.upkeep.arguments import add as add_upkeep
from replay_agent.exceptions import CassetteError, UserError
from replay_agent.surroundings.version import __version__

__all__ = ("parser", "run")

_ASKED_BY_A_SHELL = "_ARGCOMPLETE"
"""Set by the script of `completion`; nobody else pays for the import."""


def run(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; ctrl-C is left to the caller."""
    program = parser()
    if _ASKED_BY_A_SHELL in os.environ:
        from argcomplete import autocomplete

        autocomplete(program)
    args = program.parse_args(argv)
    command: Callable[[argparse.Namespace], int] = args.run
    try:
        return command(args)
    except (CassetteError, UserError) as exc:
        complain(exc)
        return MISUSE
    except BrokenPipeError:
        sys.stderr.close()
        return CLEAN
    except OSError as exc:
        if exc.filename is None:
            raise  # which is of no file that somebody has named
        complain(
            f"{os.fsdecode(exc.filename)}: {exc.strerror}. Nothing more was done: mend that, or name another place."
        )
        return MISUSE


def parser() -> argparse.ArgumentParser:
    """Return what reads the command line, each command with a ``run`` that is given what was read."""
    program = argparse.ArgumentParser(
        prog="replay-agent", description="Deterministic record/replay testing of LLM agents."
    )
    program.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = program.add_subparsers(required=True, metavar="COMMAND")
    for add in (add_setup, add_runs, add_reading, add_review, add_upkeep):
        add(commands)
    return program
