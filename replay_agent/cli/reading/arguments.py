"""The commands that answer what recordings say."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

from replay_agent.cli.output import CLEAN, FINDINGS, MISUSE, complain, hand_over, has_colour, progress_of, say
from replay_agent.exceptions import CassetteError, UserError

__all__ = ("add",)


def add(name: str, command: argparse.ArgumentParser) -> None:
    """Add the arguments of `show`, `report`, `diff`, `stats` and `matrix`."""
    arguments: dict[str, Callable[[argparse.ArgumentParser], None]] = {
        "show": _show_arguments,
        "report": _report_arguments,
        "diff": _diff_arguments,
        "stats": _stats_arguments,
        "matrix": _matrix_arguments,
    }
    arguments[name](command)


def _show_arguments(show: argparse.ArgumentParser) -> None:
    show.add_argument("files", metavar="FILE", nargs="+", type=Path)
    form = show.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="one JSON object a line and file")
    _add_html(show, form)
    form.add_argument("--textconv", action="store_true", help="for git diff: what is no cassette is printed as it is")
    show.set_defaults(run=_show)


def _report_arguments(report: argparse.ArgumentParser) -> None:
    report.add_argument("parts", metavar="PART", nargs="+", type=Path, help="a part")
    report.add_argument(
        "-o", "--output", metavar="FILE", type=Path, required=True, help="the page, FILE.html, or one part, FILE.json"
    )
    report.set_defaults(run=_report)


def _add_html(command: argparse.ArgumentParser, form: argparse._MutuallyExclusiveGroup) -> None:
    form.add_argument("--html", action="store_true", help="one page for a browser, that needs nothing else")
    command.add_argument("-o", "--output", metavar="FILE", type=Path, help="with --html: write it there")


def _diff_arguments(diff: argparse.ArgumentParser) -> None:
    diff.add_argument("old", metavar="OLD", help="a git revision, a folder, a file")
    diff.add_argument("new", metavar="NEW", nargs="?", help="the same (default: the work tree)")
    form = diff.add_mutually_exclusive_group()
    form.add_argument(
        "--markdown", action="store_true", help="for a comment on a pull request, of 65,536 characters at most"
    )
    form.add_argument("--json", action="store_true", help="one JSON object, of a documented schema")
    _add_html(diff, form)
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


def _stats_arguments(stats: argparse.ArgumentParser) -> None:
    stats.add_argument("paths", metavar="PATH", nargs="*", type=Path, help="files and folders (default: this folder)")
    stats.add_argument("--json", action="store_true", help="one JSON object")
    stats.set_defaults(run=_stats)


def _matrix_arguments(matrix: argparse.ArgumentParser) -> None:
    matrix.add_argument("words", metavar="PATH|NODEID", nargs="*", help="cassettes, folders of them, or tests")
    table = matrix.add_mutually_exclusive_group()
    table.add_argument("--markdown", action="store_true", help="tables for a review")
    table.add_argument("--json", action="store_true", help="one JSON object")
    _add_html(matrix, table)
    matrix.set_defaults(run=_matrix)


def _refuse_lone_output(args: argparse.Namespace) -> None:
    if args.output is not None and not args.html:
        raise UserError(f"-o {args.output} is for a page: give --html too, or send what is printed there with >.")


def _show(args: argparse.Namespace) -> int:
    _refuse_lone_output(args)
    if args.html:
        return _show_html(args)
    from replay_agent.cli.reading.show import for_git, show

    failed = False
    for path in args.files:
        try:
            say(show(path).json if args.json else for_git(path) if args.textconv else show(path))
        except CassetteError as exc:
            failed = True
            complain(exc)
    return MISUSE if failed else CLEAN


def _show_html(args: argparse.Namespace) -> int:
    from replay_agent.cli.reading.show import show_html

    with progress_of("read") as progress:
        page, complaints = show_html(args.files, progress)
    if page:
        hand_over(page, args.output)
    for line in complaints:
        complain(line)
    return MISUSE if complaints else CLEAN


def _report(args: argparse.Namespace) -> int:
    from replay_agent.cli.reading.report import merge_parts, write_page

    if args.output.suffix.lower() not in (".html", ".htm", ".json"):
        raise UserError(
            f"-o {args.output}: the name says what is written. Name a page, FILE.html, or a part, FILE.json."
        )
    with progress_of("read") as progress:
        merged = merge_parts(args.parts, progress)
    for line in merged.complaints:
        complain(line)
    if merged.report is None:
        return MISUSE
    write_page(merged.report, args.output)
    parts = f"{merged.parts} part{'' if merged.parts == 1 else 's'}"
    say(f"written: {args.output}, {len(merged.report.entries):,} tests of {parts}")
    return FINDINGS if merged.complaints else CLEAN


def _diff(args: argparse.Namespace) -> int:
    _refuse_lone_output(args)
    from replay_agent.cli.reading.diff import Form, Wanted, diff

    form: Form = "markdown" if args.markdown else "json" if args.json else "html" if args.html else "terminal"
    wanted = Wanted(form, tuple(args.ignore), args.max_cost, args.max_tokens, args.fail_unknown, args.verbose)
    with progress_of("compared") as progress:
        done = diff(args.old, args.new, wanted, colour=has_colour(sys.stdout), progress=progress)
    if args.html:
        hand_over(done.text, args.output)
    else:
        print(done.text, flush=True)
    for line in done.complaints:
        complain(line)
    return MISUSE if done.nothing_compared else FINDINGS if done.changed else CLEAN


def _stats(args: argparse.Namespace) -> int:
    from replay_agent.cli.reading.stats import read_stats

    with progress_of("read") as progress:
        stats = read_stats(args.paths or [Path()], progress=progress)
    if args.json or stats.total.files:
        say(json.dumps(stats.dump()) if args.json else stats)
    for line in stats.unreadable:
        complain(line)
    return CLEAN if not stats.unreadable else FINDINGS if stats.total.files else MISUSE


def _matrix(args: argparse.Namespace) -> int:
    from replay_agent.cli.project import cassette_folder
    from replay_agent.cli.reading.matrix import read_matrix

    _refuse_lone_output(args)
    with progress_of("read") as progress:
        matrix = read_matrix(args.words, folder=cassette_folder(Path()), whole=args.html, progress=progress)
    if args.html:
        hand_over(matrix.html, args.output)
    elif args.json or matrix.rows:
        say(matrix.json if args.json else matrix.markdown if args.markdown else matrix)
    for line in matrix.unreadable:
        complain(line)
    return CLEAN if not matrix.unreadable else FINDINGS if matrix.rows else MISUSE
