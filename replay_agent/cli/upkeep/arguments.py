"""The commands that keep the files of a project in order."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from replay_agent.cli.output import CLEAN, FINDINGS, MISUSE, agreed, busy, clear_line, complain, progress_of, say
from replay_agent.exceptions import UserError

if TYPE_CHECKING:
    from replay_agent.cli.upkeep.scan import Leak, Unread

__all__ = ("add",)


def add(name: str, command: argparse.ArgumentParser) -> None:
    """Add the arguments of `convert`, `scan`, `prune`, `mv` and `journals`."""
    arguments: dict[str, Callable[[argparse.ArgumentParser], None]] = {
        "convert": _convert_arguments,
        "scan": _scan_arguments,
        "prune": _prune_arguments,
        "mv": _mv_arguments,
        "journals": _journals_arguments,
    }
    arguments[name](command)


def _convert_arguments(convert: argparse.ArgumentParser) -> None:
    convert.add_argument("source", metavar="SRC", type=Path, help="a file, or a folder")
    convert.add_argument("destination", metavar="DST", type=Path, help="the same kind; may be SRC")
    convert.add_argument("--to", choices=("ours", "vcrpy"), help="the layout (default: vcrpy for a .json, else ours)")
    convert.add_argument("--overwrite", action="store_true", help="replace files that say something else")
    convert.set_defaults(run=_convert)


def _scan_arguments(scan: argparse.ArgumentParser) -> None:
    scan.add_argument("paths", metavar="PATH", nargs="*", type=Path, help="files and folders (default: this folder)")
    scan.add_argument("--baseline", metavar="FILE", type=Path, help="report only what this file does not accept")
    scan.add_argument("--write-baseline", action="store_true", help="accept all findings: write them into that file")
    scan.set_defaults(run=_scan)


def _prune_arguments(prune: argparse.ArgumentParser) -> None:
    prune.add_argument("--delete", action="store_true", help="delete what is listed; asks first on a terminal")
    prune.add_argument("--yes", action="store_true", help="with --delete: do not ask")
    prune.set_defaults(run=_prune)


def _mv_arguments(mv: argparse.ArgumentParser) -> None:
    mv.add_argument("old", metavar="OLD", help="the test, class or module that is gone: tests/test_geo.py::test_old")
    mv.add_argument("new", metavar="NEW", help="what it is called now")
    mv.set_defaults(run=_mv)


def _journals_arguments(journals: argparse.ArgumentParser) -> None:
    journals.add_argument("action", choices=("list", "show", "drop"), nargs="?", default="list")
    journals.add_argument("names", metavar="WHICH", nargs="*", help="a journal, cassette or test (default: all)")
    journals.add_argument("--yes", action="store_true", help="with drop: do not ask")
    journals.set_defaults(run=_journals)


def _convert(args: argparse.Namespace) -> int:
    from replay_agent.cli.project import redaction_rules
    from replay_agent.cli.upkeep.convert import convert

    failed = done = 0
    with progress_of("converted") as progress:
        for each in convert(
            args.source,
            args.destination,
            args.to,
            rules=redaction_rules(Path()),
            overwrite=args.overwrite,
            progress=progress,
        ):
            clear_line()
            failed += bool(each.failed)
            done += not each.failed
            say(f"replay-agent: {each}" if each.failed else each, file=sys.stderr if each.failed else None)
    return CLEAN if not failed else FINDINGS if done else MISUSE


def _scan(args: argparse.Namespace) -> int:
    from replay_agent.cli.upkeep.baseline import new_leaks, read_baseline, write_baseline
    from replay_agent.cli.upkeep.scan import scan_files

    if args.write_baseline and args.baseline is None:
        raise UserError("--write-baseline needs the name of the file: --baseline FILE")
    unread: list[Unread] = []
    found = 0
    with progress_of("searched") as progress:
        leaks = _readable(scan_files(args.paths or [Path()], progress), unread)
        if args.write_baseline:
            written = write_baseline(args.baseline, leaks)
            clear_line()
            say(f"{written} findings are accepted from now on, by {args.baseline}")
            return MISUSE if unread else CLEAN
        if args.baseline is not None:
            leaks = new_leaks(args.baseline, read_baseline(args.baseline), leaks)
        for leak in leaks:
            found += 1
            clear_line()
            say(leak)
    return MISUSE if unread else FINDINGS if found else CLEAN


def _readable(results: Iterator[Leak | Unread], unread: list[Unread]) -> Iterator[Leak]:
    """Yield what was found; what could not be read is said and kept."""
    from replay_agent.cli.upkeep.scan import Leak

    for result in results:
        if isinstance(result, Leak):
            yield result
        else:
            unread.append(result)
            clear_line()
            complain(result)


def _prune(args: argparse.Namespace) -> int:
    from replay_agent.cli.upkeep.prune import remove
    from replay_agent.cli.upkeep.unused_snapshots import OrphanSnapshot, find_unused_snapshots
    from replay_agent.pytest_plugin.collecting import collect
    from replay_agent.report.recorded.orphans import Orphan, find_orphans
    from replay_agent.surroundings.naming import seen_from_here

    with busy("asking pytest for the tests, and cassettes for theirs"):
        project = collect(Path())
        found: list[Orphan | OrphanSnapshot] = [*find_orphans(project), *find_unused_snapshots(project)]
    for module in dict.fromkeys(project.broken):
        say(f"{module} could not be collected: what it recorded is left alone", file=sys.stderr)
    for kept in (orphan for orphan in found if orphan.kept):
        say(kept, file=sys.stderr)
    orphans = [orphan for orphan in found if not orphan.kept]
    for orphan in orphans:
        say(str(orphan))
    if not (args.delete and orphans and (args.yes or agreed(f"Delete {'these' if len(orphans) > 1 else 'this'}?"))):
        return FINDINGS if orphans else CLEAN
    for orphan in orphans:
        # Snapshots stand in a folder for each module, in the one that syrupy has for all of them.
        remove(orphan, project.folder if isinstance(orphan, Orphan) else orphan.path.parent.parent)
        say(f"deleted: {seen_from_here(orphan.path)}")
    return CLEAN


def _mv(args: argparse.Namespace) -> int:
    from replay_agent.cli.upkeep.move import move
    from replay_agent.pytest_plugin.collecting import collect

    with busy("asking pytest for the tests, and cassettes for theirs"):
        done = move(collect(Path()), args.old, args.new)
    for moved in done:
        say(moved)
    return CLEAN


def _journals(args: argparse.Namespace) -> int:
    from replay_agent.cli.reading.show import show_journal
    from replay_agent.cli.upkeep.journals import chosen, drop, find_journals

    found = chosen(find_journals(Path()), args.names)
    if args.action == "show":
        for journal in found:
            say(journal if journal.trouble else show_journal(journal.path))
        return CLEAN
    for journal in found:
        say(journal)
    if args.action == "list":
        return FINDINGS if found else CLEAN
    if not found or not (args.yes or agreed("Drop what was answered in them?")):
        return CLEAN if not found else FINDINGS
    dropped = [drop(journal) for journal in found]
    for journal in (journal for journal, gone in zip(found, dropped, strict=True) if not gone):
        say(f"{journal.path.name} is being written by a recording: left alone", file=sys.stderr)
    return CLEAN if all(dropped) else FINDINGS
