# PYTHON_ARGCOMPLETE_OK
"""The command line: arguments to commands, results to the terminal.

Exit status 0 says that all is well, 1 that there are findings, 2 that the command was misused or a file cannot be read.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from replay_agent.cli.output import CLEAN, INTERRUPTED, MISUSE, complain, say
from replay_agent.cli.reading.arguments import add as add_reading
from replay_agent.cli.review.arguments import add as add_review
from replay_agent.cli.runs.arguments import add as add_runs
from replay_agent.cli.setup.arguments import add as add_setup
from replay_agent.cli.upkeep.arguments import add as add_upkeep
from replay_agent.exceptions import CassetteError, UserError
from replay_agent.report.conversation.known_prices import keeping_prices
from replay_agent.surroundings.version import __version__

__all__ = ("main", "parser")

_ASKED_BY_A_SHELL = "_ARGCOMPLETE"
"""Set by the script of `completion`; nobody else pays for the import. The comment at the top of this file is how
argcomplete's global script knows that it may ask."""

_SELDOM = 70_000
"""Objects more than there were when garbage was last looked for: a quarter of the time of a long comparison went into that."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    program = parser()
    if _ASKED_BY_A_SHELL in os.environ:
        from argcomplete import autocomplete

        autocomplete(program)
    args = program.parse_args(argv)
    run: Callable[[argparse.Namespace], int] = args.run
    try:
        with keeping_prices(), _collecting_seldom():
            return run(args)
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
    except KeyboardInterrupt:
        say("\nreplay-agent: stopped", file=sys.stderr)
        return INTERRUPTED


@contextmanager
def _collecting_seldom() -> Iterator[None]:
    """Look for garbage a hundred times less often: what a command reads it holds to its end, and that is soon."""
    usual = gc.get_threshold()
    gc.set_threshold(_SELDOM, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)


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
