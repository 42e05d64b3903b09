"""The program: reads its arguments, runs one command, and says what went wrong."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from replay_agent.cli.command import CommandParser, Formatter
from replay_agent.cli.listing import add_commands
from replay_agent.cli.output import CLEAN, MISUSE, complain
from replay_agent.exceptions import CassetteError, UserError
from replay_agent.surroundings.version import __version__

__all__ = ("parser", "run")

_NAME = "replay-agent"
_ASKED_BY_A_SHELL = "_ARGCOMPLETE"
"""Set by the script of `completion`; nobody else pays for the import."""
_SELDOM = 70_000
"""Objects more than there were when garbage was last looked for: a quarter of the time of a long comparison went into that."""


def run(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; ctrl-C is left to the caller."""
    program = parser()
    if _ASKED_BY_A_SHELL in os.environ:
        from argcomplete import autocomplete

        autocomplete(program)
    args = program.parse_args(argv)
    command: Callable[[argparse.Namespace], int] = args.run
    from replay_agent.report.conversation.known_prices import keeping_prices

    try:
        with keeping_prices(), _collecting_seldom():
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
        prog=_NAME, description="Deterministic record/replay testing of LLM agents.", formatter_class=Formatter
    )
    program.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = program.add_subparsers(prog=_NAME, required=True, metavar="COMMAND", parser_class=CommandParser)
    add_commands(commands)
    return program
