# PYTHON_ARGCOMPLETE_OK
"""The command line: arguments to commands, results to the terminal.

Exit status 0 says that all is well, 1 that there are findings, 2 that the command was misused or a file cannot be read,
130 that ctrl-C has ended it.

Light: what comes before `main` is not covered by it when somebody presses ctrl-C while a command is still being
imported. The comment at the top of this file is how argcomplete's global script knows that it may ask.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

__all__ = ("main", "parser")

_INTERRUPTED = 130
"""What a shell returns for a program that ctrl-C has ended."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    try:
        from replay_agent.surroundings.interrupts import heeded

        with heeded():
            from replay_agent.cli.program import run

            return run(argv)
    except KeyboardInterrupt:
        return _stopped()


def _stopped() -> int:
    """Say that it was stopped, whatever is pressed meanwhile."""
    try:
        sys.stderr.write("\nreplay-agent: stopped\n")
        sys.stderr.flush()
    except (KeyboardInterrupt, OSError):
        pass  # pressed again, or nobody reads what is said
    return _INTERRUPTED


def parser() -> argparse.ArgumentParser:
    """Return what reads the command line, each command with a ``run`` that is given what was read."""
    from replay_agent.cli.program import parser as parser_of_program

    return parser_of_program()
