"""The commands that answer what recordings say."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from replay_agent.cli.output import CLEAN, FINDINGS, MISUSE, complain, has_colour, progress_of, say
from replay_agent.exceptions import CassetteError


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `show`, `diff`, `stats` and `matrix` to the command line."""
    show = commands.add_parser("show", help="What was said? Prints the conversation in cassettes of any tool")
    show.add_argument("files", metavar="FILE", nargs="+", type=Path)
    show.add_argument("--json", action="store_true", help="one JSON object a line and file")
    show.set_defaults(run=_show)

    _add_diff(commands)
    _add_sums(commands)


def _add_diff(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    diff = commands.add_parser(
        "diff",
        help="What did my prompt change do? Compares the cassettes of two revisions, folders or files, offline",
        epilog="OLD may be a range (main..HEAD). Without NEW it is compared with the work tree.",
    )
    diff.add_argument("old", metavar="OLD", help="a git revision, a folder, a file")
    diff.add_argument("new", metavar="NEW", nargs="?", help="the same (default: the work tree)")
    form = diff.add_mutually_exclusive_group()
    form.add_argument(
        "--markdown", action="store_true", help="for a comment on a pull request, of 65,536 characters at most"
    )
    form.add_argument("--json", action="store_true", help="one JSON object, of a documented schema")
    diff.add_argument("-v", "--verbose", action="store_true", help="leave nothing out")
    diff.add_argument(
        "--ignore",
        metavar="WHAT",
        action="append",
        default=[],
        help="what is no reason for status 1: cause, answer, tokens, cost, tool-arguments; several with commas",
    )
    diff.add_argument(
        "--max-cost", metavar="LIMIT", help="status 1 beyond, of a test and in total: +5%%, +0.10, 0.50 (USD)"
    )
    diff.add_argument("--max-tokens", metavar="LIMIT", help="the same for tokens: +10%%, +2000, 50000")
    diff.add_argument("--fail-unknown", action="store_true", help="a price that is not known passes no --max-cost")
    diff.set_defaults(run=_diff)


def _add_sums(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    stats = commands.add_parser(
        "stats", help="What do my cassettes hold? Calls, tokens, cost, models, ages, sizes, per folder"
    )
    stats.add_argument("paths", metavar="PATH", nargs="*", type=Path, help="files and folders (default: this folder)")
    stats.add_argument("--json", action="store_true", help="one JSON object")
    stats.set_defaults(run=_stats)

    matrix = commands.add_parser(
        "matrix", help="Which model does it best? Compares the variants of parametrised tests by their cassettes"
    )
    matrix.add_argument("words", metavar="PATH|NODEID", nargs="*", help="cassettes, folders of them, or tests")
    table = matrix.add_mutually_exclusive_group()
    table.add_argument("--markdown", action="store_true", help="tables for a review")
    table.add_argument("--json", action="store_true", help="one JSON object")
    matrix.set_defaults(run=_matrix)


def _show(args: argparse.Namespace) -> int:
    from replay_agent.commands.reading.show import show

    failed = False
    for path in args.files:
        try:
            say(show(path).json if args.json else show(path))
        except CassetteError as exc:
            failed = True
            complain(exc)
    return MISUSE if failed else CLEAN


def _diff(args: argparse.Namespace) -> int:
    from replay_agent.commands.reading.diff import Form, Wanted, diff

    form: Form = "markdown" if args.markdown else "json" if args.json else "terminal"
    wanted = Wanted(form, tuple(args.ignore), args.max_cost, args.max_tokens, args.fail_unknown, args.verbose)
    with progress_of("compared") as progress:
        done = diff(args.old, args.new, wanted, colour=has_colour(sys.stdout), progress=progress)
    print(done.text, flush=True)
    for line in done.complaints:
        complain(line)
    return MISUSE if done.nothing_compared else FINDINGS if done.changed else CLEAN


def _stats(args: argparse.Namespace) -> int:
    from replay_agent.commands.reading.stats import read_stats

    with progress_of("read") as progress:
        stats = read_stats(args.paths or [Path()], progress=progress)
    say(json.dumps(stats.dump()) if args.json else stats)
    for line in stats.unreadable:
        complain(line)
    return CLEAN if not stats.unreadable else FINDINGS if stats.total.files else MISUSE


def _matrix(args: argparse.Namespace) -> int:
    from replay_agent.commands.project import cassette_folder
    from replay_agent.commands.reading.matrix import read_matrix

    with progress_of("read") as progress:
        matrix = read_matrix(args.words, folder=cassette_folder(Path()), progress=progress)
    say(matrix.json if args.json else matrix.markdown if args.markdown else matrix)
    for line in matrix.unreadable:
        complain(line)
    return CLEAN if not matrix.unreadable else FINDINGS if matrix.rows else MISUSE
