"""The command line: arguments to commands, results to the terminal.

Exit status 0 says that all is well, 1 that there are findings, 2 that the command was misused or a file cannot be read.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from replay_agent import __version__
from replay_agent.exceptions import CassetteError, UserError
from replay_agent.surroundings.visible import visible

if TYPE_CHECKING:
    from replay_agent.commands.upkeep.scan import Leak, Unread

__all__ = ("main",)

CLEAN, FINDINGS, MISUSE = 0, 1, 2
_SOON = 50
"""So many files are done before anybody asks how far it is."""
INTERRUPTED = 130
"""What a shell returns for a program that ctrl-C has ended."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    parser = _parser()
    args = parser.parse_args(argv)
    run: Callable[[argparse.Namespace], int] = args.run
    try:
        return run(args)
    except (CassetteError, UserError) as exc:
        _say(f"replay-agent: {exc}", file=sys.stderr)
        return MISUSE
    except BrokenPipeError:
        sys.stderr.close()
        return CLEAN
    except KeyboardInterrupt:
        _say("\nreplay-agent: stopped", file=sys.stderr)
        return INTERRUPTED


def _say(what: object, file: TextIO | None = None) -> None:
    """Print what a terminal may be trusted with."""
    print(visible(str(what)), file=file, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="replay-agent", description="Deterministic record/replay testing of LLM agents."
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    demo = commands.add_parser("demo", help="What does it do? Records, replays and explains a drift, offline")
    demo.add_argument("--keep", metavar="DIR", type=Path, help="write the files there and keep them")
    demo.add_argument("--prompt", metavar="TEXT", help="what the prompt is changed to")
    demo.set_defaults(run=_demo)

    show = commands.add_parser("show", help="What was said? Prints the conversation in cassettes of any tool")
    show.add_argument("files", metavar="FILE", nargs="+", type=Path)
    show.add_argument("--json", action="store_true", help="one JSON object a line and file")
    show.set_defaults(run=_show)

    _add_diff(commands)
    _add_sums(commands)
    _add_files(commands)
    _add_upkeep(commands)

    sweep = commands.add_parser(
        "sweep",
        help="How does it take faults? Plays recorded tests with every fault at every call, and judges each run",
    )
    sweep.add_argument("tests", metavar="NODEID", nargs="+", help="tests marked replay, as pytest names them")
    sweep.add_argument("--faults", metavar="NAMES", default="all", help="by comma (default: all)")
    sweep.set_defaults(run=_sweep)
    return parser


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


def _add_files(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    convert = commands.add_parser(
        "convert", help="Can it be in another layout? Writes cassettes of any tool as ours, or as vcrpy's"
    )
    convert.add_argument("source", metavar="SRC", type=Path, help="a file, or a folder")
    convert.add_argument("destination", metavar="DST", type=Path, help="the same kind; may be SRC")
    convert.add_argument("--to", choices=("ours", "vcrpy"), help="the layout (default: vcrpy for a .json, else ours)")
    convert.add_argument("--overwrite", action="store_true", help="replace files that say something else")
    convert.set_defaults(run=_convert)

    scan = commands.add_parser("scan", help="Is there a secret in it? Searches cassettes, journals and snapshots")
    scan.add_argument("paths", metavar="PATH", nargs="*", type=Path, help="files and folders (default: this folder)")
    scan.add_argument("--baseline", metavar="FILE", type=Path, help="report only what this file does not accept")
    scan.add_argument("--write-baseline", action="store_true", help="accept all findings: write them into that file")
    scan.set_defaults(run=_scan)


def _add_upkeep(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    prune = commands.add_parser(
        "prune", help="What is no longer played? Lists cassettes that no test is left for, as far as can be known"
    )
    prune.add_argument("--delete", action="store_true", help="delete what is listed; asks first on a terminal")
    prune.add_argument("--yes", action="store_true", help="with --delete: do not ask")
    prune.set_defaults(run=_prune)

    mv = commands.add_parser("mv", help="A test was renamed? Moves its cassette and its snapshots of runs")
    mv.add_argument("old", metavar="OLD", help="the test, class or module that is gone: tests/test_geo.py::test_old")
    mv.add_argument("new", metavar="NEW", help="what it is called now")
    mv.set_defaults(run=_mv)

    journals = commands.add_parser(
        "journals", help="What waits to be recorded further? Lists unfinished recordings; shows and drops them"
    )
    journals.add_argument("action", choices=("list", "show", "drop"), nargs="?", default="list")
    journals.add_argument("names", metavar="WHICH", nargs="*", help="a journal, cassette or test (default: all)")
    journals.add_argument("--yes", action="store_true", help="with drop: do not ask")
    journals.set_defaults(run=_journals)


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


def _diff(args: argparse.Namespace) -> int:
    from replay_agent.commands.reading.diff import Form, Wanted, diff

    form: Form = "markdown" if args.markdown else "json" if args.json else "terminal"
    wanted = Wanted(form, tuple(args.ignore), args.max_cost, args.max_tokens, args.fail_unknown, args.verbose)
    with _progress("compared") as progress:
        done = diff(args.old, args.new, wanted, colour=_has_colour(sys.stdout), progress=progress)
    print(done.text, flush=True)
    for line in done.complaints:
        _say(f"replay-agent: {line}", file=sys.stderr)
    return MISUSE if done.nothing_compared else FINDINGS if done.changed else CLEAN


def _stats(args: argparse.Namespace) -> int:
    from replay_agent.commands.reading.stats import read_stats

    with _progress("read") as progress:
        stats = read_stats(args.paths or [Path()], progress=progress)
    _say(json.dumps(stats.dump()) if args.json else stats)
    for line in stats.unreadable:
        _say(f"replay-agent: {line}", file=sys.stderr)
    return CLEAN if not stats.unreadable else FINDINGS if stats.total.files else MISUSE


def _matrix(args: argparse.Namespace) -> int:
    from replay_agent.commands.project import cassette_folder
    from replay_agent.commands.reading.matrix import read_matrix

    matrix = read_matrix(args.words, folder=cassette_folder(Path()))
    _say(matrix.json if args.json else matrix.markdown if args.markdown else matrix)
    for line in matrix.unreadable:
        _say(f"replay-agent: {line}", file=sys.stderr)
    return CLEAN if not matrix.unreadable else FINDINGS if matrix.rows else MISUSE


def _convert(args: argparse.Namespace) -> int:
    from replay_agent.commands.project import redaction_rules
    from replay_agent.commands.upkeep.convert import convert

    failed = done = 0
    with _progress("converted") as progress:
        for each in convert(
            args.source,
            args.destination,
            args.to,
            rules=redaction_rules(Path()),
            overwrite=args.overwrite,
            progress=progress,
        ):
            failed += bool(each.failed)
            done += not each.failed
            _say(f"replay-agent: {each}" if each.failed else each, file=sys.stderr if each.failed else None)
    return CLEAN if not failed else FINDINGS if done else MISUSE


def _has_colour(stream: TextIO) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


@contextmanager
def _progress(done: str) -> Iterator[Callable[[int, int], None] | None]:
    """Say on a terminal how far long work has come, on one line that goes away again; nowhere else."""
    if not (sys.stderr.isatty() and sys.stdout.isatty()):
        yield None
        return

    def say(number: int, of: int) -> None:
        if of > _SOON and (number % (1 + of // 100) == 0 or number == of):
            print(f"\r\x1b[K{number:,} of {of:,} {done}", end="", file=sys.stderr, flush=True)

    try:
        yield say
    finally:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def _demo(args: argparse.Namespace) -> int:
    import tempfile

    from replay_agent.commands.runs.demo import EDITED, demo

    with tempfile.TemporaryDirectory(prefix="replay-agent-demo-") as scratch:
        folder: Path = args.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        for number, step in enumerate(demo(folder, edited=args.prompt or EDITED), 1):
            _say(f"\n{number}. {step.title}\n\n{step.text}")
    if args.keep:
        _say(f"\nKept in {folder}: try `replay-agent show {folder / 'demo.yaml'}`")
    return CLEAN


def _sweep(args: argparse.Namespace) -> int:
    from replay_agent.commands.runs.sweep import sweep

    return sweep(args.tests, args.faults)


def _show(args: argparse.Namespace) -> int:
    from replay_agent.commands.reading.show import show

    failed = False
    for path in args.files:
        try:
            _say(show(path).json if args.json else show(path))
        except CassetteError as exc:
            failed = True
            _say(f"replay-agent: {exc}", file=sys.stderr)
    return MISUSE if failed else CLEAN


def _scan(args: argparse.Namespace) -> int:
    from replay_agent.commands.upkeep.baseline import new_leaks, read_baseline, write_baseline
    from replay_agent.commands.upkeep.scan import scan_files

    if args.write_baseline and args.baseline is None:
        raise UserError("--write-baseline needs the name of the file: --baseline FILE")
    unread: list[Unread] = []
    leaks = _readable(scan_files(args.paths or [Path()]), unread)
    if args.write_baseline:
        _say(f"{write_baseline(args.baseline, leaks)} findings are accepted from now on, by {args.baseline}")
        return MISUSE if unread else CLEAN
    if args.baseline is not None:
        leaks = new_leaks(args.baseline, read_baseline(args.baseline), leaks)
    found = 0
    for leak in leaks:
        found += 1
        _say(leak)
    return MISUSE if unread else FINDINGS if found else CLEAN


def _readable(results: Iterator[Leak | Unread], unread: list[Unread]) -> Iterator[Leak]:
    """Yield what was found; what could not be read is said and kept."""
    from replay_agent.commands.upkeep.scan import Leak

    for result in results:
        if isinstance(result, Leak):
            yield result
        else:
            unread.append(result)
            _say(f"replay-agent: {result}", file=sys.stderr)


def _prune(args: argparse.Namespace) -> int:
    from replay_agent.commands.upkeep.prune import find_orphans, remove
    from replay_agent.pytest_plugin.collecting import collect

    project = collect(Path())
    for module in dict.fromkeys(project.broken):
        _say(f"{module} could not be collected: what it recorded is left alone", file=sys.stderr)
    found = find_orphans(project)
    for kept in (orphan for orphan in found if orphan.kept):
        _say(kept, file=sys.stderr)
    orphans = [orphan for orphan in found if not orphan.kept]
    for orphan in orphans:
        _say(str(orphan))
    if not (args.delete and orphans and (args.yes or _agreed(f"Delete {'these' if len(orphans) > 1 else 'this'}?"))):
        return FINDINGS if orphans else CLEAN
    for orphan in orphans:
        remove(orphan)
        _say(f"deleted: {orphan.path}")
    return CLEAN


def _mv(args: argparse.Namespace) -> int:
    from replay_agent.commands.upkeep.move import move
    from replay_agent.pytest_plugin.collecting import collect

    for moved in move(collect(Path()), args.old, args.new):
        _say(moved)
    return CLEAN


def _journals(args: argparse.Namespace) -> int:
    from replay_agent.commands.reading.show import show_journal
    from replay_agent.commands.upkeep.journals import chosen, drop, find_journals

    found = chosen(find_journals(Path()), args.names)
    if args.action == "show":
        for journal in found:
            _say(journal if journal.trouble else show_journal(journal.path))
        return CLEAN
    for journal in found:
        _say(journal)
    if args.action == "list":
        return FINDINGS if found else CLEAN
    if not found or not (args.yes or _agreed("Drop what was answered in them?")):
        return CLEAN if not found else FINDINGS
    dropped = [drop(journal) for journal in found]
    for journal in (journal for journal, gone in zip(found, dropped, strict=True) if not gone):
        _say(f"{journal.path.name} is being written by a recording: left alone", file=sys.stderr)
    return CLEAN if all(dropped) else FINDINGS


def _agreed(question: str) -> bool:
    """Ask where somebody sits at a terminal; a script has said what it wants."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return True
    try:
        return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False


if __name__ == "__main__":
    sys.exit(main())
