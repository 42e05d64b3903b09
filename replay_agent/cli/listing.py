"""The list of commands. What a command is imported for, its arguments included, is imported when it is named."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from functools import partial

from replay_agent.cli.command import CommandParser

__all__ = ("add_commands",)


def add_commands(commands: argparse._SubParsersAction[CommandParser]) -> None:
    """Add all of them to the command line, in the order in which `--help` lists them."""
    for add, told in _COMMANDS:
        for name, (answers, *more) in told.items():
            commands.add_parser(name, help=answers, epilog="".join(more) or None, arguments=partial(add, name))


def _setup(name: str, command: argparse.ArgumentParser) -> None:
    from replay_agent.cli.setup.arguments import add

    add(name, command)


def _runs(name: str, command: argparse.ArgumentParser) -> None:
    from replay_agent.cli.runs.arguments import add

    add(name, command)


def _reading(name: str, command: argparse.ArgumentParser) -> None:
    from replay_agent.cli.reading.arguments import add

    add(name, command)


def _review(name: str, command: argparse.ArgumentParser) -> None:
    from replay_agent.cli.review.arguments import add

    add(name, command)


def _upkeep(name: str, command: argparse.ArgumentParser) -> None:
    from replay_agent.cli.upkeep.arguments import add

    add(name, command)


_Add = Callable[[str, argparse.ArgumentParser], None]
_COMMANDS: tuple[tuple[_Add, Mapping[str, tuple[str, ...]]], ...] = (
    (
        _setup,
        {
            "init": (
                "How do I begin? Adds the ini options, readable diffs in git and, if asked, a CI file; says each thing",
                "What is there already is left alone, so that it may be run again.",
            ),
            "doctor": ("What is wrong here? Says versions, options, hooked clients, names of keys: for a bug report",),
            "schema": (
                "Can my editor check a cassette? Prints the JSON Schema of the format",
                "replay-agent schema > cassette.schema.json; what an editor is told then is in docs/cassettes.md",
            ),
            "completion": (
                "Can the shell complete it? Prints what bash, zsh or fish is to read; with argcomplete, as pytest's own",
                'bash and zsh: eval "$(replay-agent completion bash)"; fish: replay-agent completion fish | source',
            ),
        },
    ),
    (
        _runs,
        {
            "demo": ("What does it do? Records, replays and explains a drift, offline",),
            "sweep": (
                "How does it take faults? Plays recorded tests with every fault at every call, and judges each run",
            ),
            "verify": (
                "Does the model still do what was recorded? Asks it live, and compares what it does, not its words",
                "Says how many calls it takes, and about what price, and asks first. Nothing in the project is written.",
            ),
            "audit": (
                "Does a test send the same every time? Replays it in several processes, and names what differs",
                "Hash seeds differ, and in the last process the clock. Nothing in the project is written.",
            ),
            "stale": (
                "How many recorded requests no longer equal what the tests send? Counts them, and changes nothing",
                "Also for tests marked vcr that match on method and address only.",
            ),
        },
    ),
    (
        _reading,
        {
            "show": ("What was said? Prints the conversation in cassettes of any tool",),
            "report": (
                "What did all jobs of the CI see? Makes one page of parts that --replay-report=PART.json wrote",
            ),
            "diff": (
                "What did my prompt change do? Compares the cassettes of two revisions, folders or files, offline",
                "OLD may be a range (main..HEAD). Without NEW it is compared with the work tree.",
            ),
            "stats": ("What do my cassettes hold? Calls, tokens, cost, models, ages, sizes, per folder",),
            "matrix": ("Which model does it best? Compares the variants of parametrised tests by their cassettes",),
        },
    ),
    (
        _review,
        {
            "review": ("What changed, and do I want it? Shows what the last run left open, one by one, on a terminal",),
            "pending": ("What is open? Lists what the last run left to be looked at",),
            "accept": ("Is it meant? Records, updates or drops just what is named, and shows what that did",),
            "reject": ("Is it not meant? Leaves files as they are; takes new recordings back",),
        },
    ),
    (
        _upkeep,
        {
            "convert": ("Can it be in another layout? Writes cassettes of any tool as ours, or as vcrpy's",),
            "scan": ("Is there a secret in it? Searches cassettes, journals and snapshots",),
            "prune": (
                "What is no longer used? Lists cassettes and snapshots that no test is left for, as far as can be known",
            ),
            "mv": ("A test was renamed? Moves its cassette and its snapshots of runs",),
            "journals": ("What waits to be recorded further? Lists unfinished recordings; shows and drops them",),
        },
    ),
)
"""What adds their arguments, and of each its name, what it answers and what is said below its help."""
