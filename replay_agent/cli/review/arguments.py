"""The commands that decide about what a run left open."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from replay_agent.cli.output import CLEAN, FINDINGS, MISUSE, agreed, complain, has_colour, say
from replay_agent.exceptions import UserError

if TYPE_CHECKING:
    from replay_agent.report.review.change import Change
    from replay_agent.report.review.judging import Judged

__all__ = ("add",)


def add(name: str, command: argparse.ArgumentParser) -> None:
    """Add the arguments of `review`, `pending`, `accept` and `reject`."""
    arguments: dict[str, Callable[[argparse.ArgumentParser], None]] = {
        "review": lambda review: review.set_defaults(run=_review),
        "pending": _pending_arguments,
        "accept": lambda accept: _choice_arguments(accept, _accept),
        "reject": lambda reject: _choice_arguments(reject, _reject),
    }
    arguments[name](command)


def _pending_arguments(pending: argparse.ArgumentParser) -> None:
    pending.add_argument("--json", action="store_true", help="one JSON array, with stable ids")
    pending.set_defaults(run=_pending)


def _choice_arguments(command: argparse.ArgumentParser, run: Callable[[argparse.Namespace], int]) -> None:
    command.add_argument("ids", metavar="ID", nargs="*", help="as replay-agent pending lists them")
    command.add_argument("--all", action="store_true", help="everything that is open")
    command.add_argument("--yes", action="store_true", help="do not ask on a terminal")
    command.set_defaults(run=run)


def _pending(args: argparse.Namespace) -> int:
    from replay_agent.cli.review.pending import pending_json, pending_lines
    from replay_agent.cli.review.waiting import NOTHING_KEPT, find_state, waiting

    state = find_state(Path())
    changes = waiting(state)
    if state is None:
        complain(NOTHING_KEPT)
    if args.json:
        print(pending_json(changes), flush=True)
    elif state is not None:
        for line in pending_lines(changes):
            say(line)
    return FINDINGS if changes else CLEAN


def _accept(args: argparse.Namespace) -> int:
    from replay_agent.cli.review.waiting import deciding
    from replay_agent.report.review.judging import Judge
    from replay_agent.report.review.price import Prices

    state, changes, unknown = _meant(args)
    if state is None or not changes:
        return FINDINGS if unknown else CLEAN
    price = Prices().of_all(changes)
    tests = len({each.test for each in changes})
    say(f"{len(changes)} to accept, of {tests} {'test' if tests == 1 else 'tests'}: {price}", file=sys.stderr)
    if not (price.is_free or args.yes or agreed("Ask the model?")):
        return FINDINGS
    with deciding(state):
        judged = Judge(state).accept(changes)
    _show_effect(judged)
    return _told(judged, "accepted", unknown)


def _reject(args: argparse.Namespace) -> int:
    from replay_agent.cli.review.waiting import deciding
    from replay_agent.report.review.judging import Judge
    from replay_agent.report.review.wording import rejecting

    state, changes, unknown = _meant(args)
    if state is None or not changes:
        return FINDINGS if unknown else CLEAN
    recorded = [each for each in changes if each.kind == "recording"]
    for each in recorded:
        say(f"{each.id}: rejecting it {rejecting(each)}: {each.file}", file=sys.stderr)
    if recorded and not (args.yes or agreed("Go on?")):
        return FINDINGS
    with deciding(state):
        judged = Judge(state).reject(changes)
    return _told(judged, "rejected", unknown)


def _meant(args: argparse.Namespace) -> tuple[Path | None, list[Change], list[str]]:
    """Return where what is open is kept, what is meant of it, and the ids that mean nothing, which are said."""
    from replay_agent.cli.review.waiting import NOTHING_KEPT, chosen, find_state, waiting

    if bool(args.ids) == args.all:
        raise UserError("name what is meant: ID... as replay-agent pending lists them, or --all")
    state = find_state(Path())
    if state is None:
        complain(NOTHING_KEPT)
    changes = waiting(state)
    found, unknown = (changes, []) if args.all else chosen(changes, args.ids)
    for name in unknown:
        complain(f"warning: {name} is not open: replay-agent pending lists what is")
    if args.all and state is not None and not changes:
        say("nothing is open")
    return state, found, unknown


def _show_effect(judged: Judged) -> None:
    from replay_agent.report.review.effects import effect_lines

    if judged.altered:
        for line in effect_lines(judged.altered, root=Path.cwd(), colour=has_colour(sys.stdout)):
            print(line, flush=True)  # in which nothing is hidden any more


def _told(judged: Judged, what: str, unknown: Sequence[str]) -> int:
    judged.kept.discard()
    for change in judged.done:
        say(f"{what}: {change.id}  {change.test}")
    for change, trouble in judged.failed:
        complain(f"not {what}: {change.id}  {change.test}\n{trouble}")
    if judged.live:
        say(f"{judged.live} asked live", file=sys.stderr)
    if judged.failed and not judged.done:
        return MISUSE if all(not change.mode for change, _ in judged.failed) else FINDINGS
    return FINDINGS if judged.failed or unknown else CLEAN


def _review(args: argparse.Namespace) -> int:  # noqa: ARG001 - it takes none
    from replay_agent.cli.review.waiting import NOTHING_KEPT, deciding, find_state, waiting

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UserError(
            "review needs a terminal. Without one, replay-agent pending lists what is open, and replay-agent accept and "
            "reject decide about it"
        )
    state = find_state(Path())
    if state is None:
        complain(NOTHING_KEPT)
        return CLEAN
    with deciding(state):
        if not waiting(state):
            say("nothing is open")
            return CLEAN
        from replay_agent.report.review.session import Session
        from replay_agent.report.review.terminal import run

        session = Session(state)
        run(session, colour=has_colour(sys.stdout))
        say(session.farewell)
        return FINDINGS if waiting(state) else CLEAN
