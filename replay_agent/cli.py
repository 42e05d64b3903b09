"""The command line: arguments to commands, results to the terminal.

Exit status 0 says that all is well, 1 that there are findings, 2 that the command was misused or a file cannot be read.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from replay_agent import __version__
from replay_agent.exceptions import CassetteError, UserError
from replay_agent.visible import visible

if TYPE_CHECKING:
    from replay_agent.commands.scan import Leak, Unread

__all__ = ("main",)

CLEAN, FINDINGS, MISUSE = 0, 1, 2


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

    scan = commands.add_parser("scan", help="Is there a secret in it? Searches cassettes, journals and snapshots")
    scan.add_argument("paths", metavar="PATH", nargs="*", type=Path, help="files and folders (default: this folder)")
    scan.add_argument("--baseline", metavar="FILE", type=Path, help="report only what this file does not accept")
    scan.add_argument("--write-baseline", action="store_true", help="accept all findings: write them into that file")
    scan.set_defaults(run=_scan)

    prune = commands.add_parser(
        "prune", help="What is no longer played? Lists cassettes that no test is left for, as far as can be known"
    )
    prune.add_argument("--delete", action="store_true", help="delete what is listed; asks first on a terminal")
    prune.add_argument("--yes", action="store_true", help="with --delete: do not ask")
    prune.set_defaults(run=_prune)

    sweep = commands.add_parser(
        "sweep",
        help="How does it take faults? Plays recorded tests with every fault at every call, and judges each run",
    )
    sweep.add_argument("tests", metavar="NODEID", nargs="+", help="tests marked replay, as pytest names them")
    sweep.add_argument("--faults", metavar="NAMES", default="all", help="by comma (default: all)")
    sweep.set_defaults(run=_sweep)
    return parser


def _demo(args: argparse.Namespace) -> int:
    from replay_agent.commands.demo import EDITED, demo

    with tempfile.TemporaryDirectory(prefix="replay-agent-demo-") as scratch:
        folder: Path = args.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        for number, step in enumerate(demo(folder, edited=args.prompt or EDITED), 1):
            _say(f"\n{number}. {step.title}\n\n{step.text}")
    if args.keep:
        _say(f"\nKept in {folder}: try `replay-agent show {folder / 'demo.yaml'}`")
    return CLEAN


def _sweep(args: argparse.Namespace) -> int:
    from replay_agent.commands.sweep import sweep

    return sweep(args.tests, args.faults)


def _show(args: argparse.Namespace) -> int:
    from replay_agent.commands.show import show

    failed = False
    for path in args.files:
        try:
            _say(show(path).json if args.json else show(path))
        except CassetteError as exc:
            failed = True
            _say(f"replay-agent: {exc}", file=sys.stderr)
    return MISUSE if failed else CLEAN


def _scan(args: argparse.Namespace) -> int:
    from replay_agent.commands.baseline import new_leaks, read_baseline, write_baseline
    from replay_agent.commands.scan import scan_files

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
    from replay_agent.commands.scan import Leak

    for result in results:
        if isinstance(result, Leak):
            yield result
        else:
            unread.append(result)
            _say(f"replay-agent: {result}", file=sys.stderr)


def _prune(args: argparse.Namespace) -> int:
    from replay_agent.commands.prune import find_orphans, remove
    from replay_agent.pytest_plugin.collecting import collect

    found = find_orphans(collect(Path()))
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
