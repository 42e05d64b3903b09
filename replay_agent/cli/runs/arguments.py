"""The commands that run tests, or a test of their own."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from replay_agent.cli.output import CLEAN, MISUSE, agreed, complain, has_colour, is_asked, progress_of, say
from replay_agent.exceptions import UserError

__all__ = ("add",)

_TESTS = "tests marked replay or vcr, as pytest names them: files, folders, node ids"


def add(name: str, command: argparse.ArgumentParser) -> None:
    """Add the arguments of `demo`, `sweep`, `verify`, `audit` and `stale`."""
    arguments: dict[str, Callable[[argparse.ArgumentParser], None]] = {
        "demo": _demo_arguments,
        "sweep": _sweep_arguments,
        "verify": _verify_arguments,
        "audit": _audit_arguments,
        "stale": _stale_arguments,
    }
    arguments[name](command)


def _demo_arguments(demo: argparse.ArgumentParser) -> None:
    demo.add_argument("--keep", metavar="DIR", type=Path, help="write the files there and keep them")
    demo.add_argument("--prompt", metavar="TEXT", help="what the prompt is changed to")
    demo.set_defaults(run=_demo)


def _sweep_arguments(sweep: argparse.ArgumentParser) -> None:
    sweep.add_argument("tests", metavar="NODEID", nargs="+", help="tests marked replay, as pytest names them")
    sweep.add_argument("--faults", metavar="NAMES", default="all", help="by comma (default: all)")
    sweep.set_defaults(run=_sweep)


def _verify_arguments(verify: argparse.ArgumentParser) -> None:
    verify.add_argument("tests", metavar="NODEID|PATH", nargs="+", help=_TESTS)
    verify.add_argument("--samples", metavar="N", type=_count, default=1, help="ask everything so many times")
    verify.add_argument("--yes", action="store_true", help="do not ask; needed in CI, and where there is no terminal")
    verify.add_argument(
        "--keys-elsewhere", action="store_true", help="go on though a variable that a provider's key is in is not set"
    )
    verify.add_argument("-v", "--verbose", action="store_true", help="show all that is worded otherwise")
    verify.add_argument("--json", action="store_true", help="one JSON object, of a documented schema")
    verify.set_defaults(run=_verify)


def _audit_arguments(audit: argparse.ArgumentParser) -> None:
    audit.add_argument("tests", metavar="NODEID|PATH", nargs="+", help=_TESTS)
    audit.add_argument("--runs", metavar="N", type=_several, default=4, help="processes, 2 or more (default: 4)")
    audit.add_argument("-v", "--verbose", action="store_true", help="name also the tests in which nothing differs")
    audit.add_argument("--json", action="store_true", help="one JSON object, of a documented schema")
    audit.set_defaults(run=_audit)


def _stale_arguments(stale: argparse.ArgumentParser) -> None:
    stale.add_argument("tests", metavar="NODEID|PATH", nargs="+", help=_TESTS)
    stale.add_argument("-v", "--verbose", action="store_true", help="list also the tests in which nothing is stale")
    stale.add_argument("--json", action="store_true", help="one JSON object, of a documented schema")
    stale.set_defaults(run=_stale)


def _count(text: str) -> int:
    return _at_least(1, text)


def _several(text: str) -> int:
    return _at_least(2, text)


def _at_least(least: int, text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if not least <= number <= _MOST:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from {least} to {_MOST}")
    return number


_MOST = 100


def _demo(args: argparse.Namespace) -> int:
    import tempfile

    from replay_agent.cli.runs.demo import EDITED, demo

    with tempfile.TemporaryDirectory(prefix="replay-agent-demo-") as scratch:
        folder: Path = args.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        for number, step in enumerate(demo(folder, edited=args.prompt or EDITED), 1):
            say(f"\n{number}. {step.title}\n\n{step.text}")
    if args.keep:
        say(f"\nKept in {folder}: try `replay-agent show {folder / 'demo.yaml'}`")
    return CLEAN


def _sweep(args: argparse.Namespace) -> int:
    from replay_agent.cli.runs.sweep import sweep

    return sweep(args.tests, args.faults)


def _verify(args: argparse.Namespace) -> int:
    from replay_agent.cli.runs.session import scratch
    from replay_agent.cli.runs.verify import plan, verify

    if not args.yes and _in_ci():
        raise UserError("In CI models are asked live with --yes only: it costs money. Say --yes where that is meant.")
    if not args.yes and not is_asked():
        raise UserError(
            "There is no terminal to ask at whether models may be asked live. Say --yes where that is meant."
        )
    with scratch() as folder:
        planned = plan(args.tests, folder / "collected")
        if planned.missing_keys and not args.keys_elsewhere:
            wanted = "".join(f"\n  {each.host}: {each.wanted}" for each in planned.missing_keys)
            raise UserError(
                f"These tests call providers whose credentials are not set:{wanted}\nNothing was asked. Set them, or say "
                "--keys-elsewhere if the tests find them somewhere else."
            )
        say(planned.told(args.samples), file=sys.stderr)
        if not args.yes and not agreed("Ask the models live?"):
            complain("nothing was asked")
            return MISUSE
        with _telling("asked", len(planned.chosen) * args.samples) as told:
            verified = verify(planned, args.samples, folder, told)
    colour = has_colour(sys.stdout)
    lines = verified.lines(verbose=args.verbose, colour=colour)
    _show(lines, verified.dump() if args.json else None, colour=colour)
    _complain_of(verified.unjudged)
    return verified.status


def _in_ci() -> bool:
    return os.environ.get("CI", "").strip().lower() not in ("", "0", "false", "no")


def _audit(args: argparse.Namespace) -> int:
    from replay_agent.cli.runs.audit import audit
    from replay_agent.cli.runs.session import scratch

    with scratch() as folder, _telling("replayed") as told:
        audited = audit(args.tests, args.runs, folder, told)
    _show(audited.lines(verbose=args.verbose), audited.dump() if args.json else None)
    _complain_of(audited.unjudged)
    if not audited.shifts_clock:
        complain(
            "the clock was the same in all processes: with pip install 'pytest-replay-agent[freeze]' it goes ahead in one"
        )
    return audited.status


def _stale(args: argparse.Namespace) -> int:
    from replay_agent.cli.runs.session import scratch
    from replay_agent.cli.runs.stale import stale

    with scratch() as folder, _telling("replayed") as told:
        found = stale(args.tests, folder, told)
    _show(found.lines(verbose=args.verbose), found.dump() if args.json else None)
    _complain_of(found.unjudged)
    return found.status


@contextmanager
def _telling(done: str, of: int = 0) -> Iterator[Callable[[int], None] | None]:
    """Say on a terminal how many tests are done, of how many where that is known."""
    with progress_of(f"tests {done}", soon=0) as show:
        yield None if show is None else lambda number: show(number, max(of, number))


def _show(lines: Iterable[str], dumped: object, *, colour: bool = False) -> None:
    if dumped is not None:
        say(json.dumps(dumped))
        return
    for line in lines:
        if colour:
            print(line, flush=True)  # what others wrote in it was made visible before it was coloured
        else:
            say(line)


def _complain_of(unjudged: Iterable[str]) -> None:
    for line in unjudged:
        complain(f"not judged: {line}")
