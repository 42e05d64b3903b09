"""What is said of something open: what happened, what follows from it, what the keys do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from replay_agent.report.review.change import Change
from replay_agent.report.review.price import Price
from replay_agent.surroundings.colours import without_colours
from replay_agent.surroundings.visible import visible

__all__ = "WORDS", "accepting", "consequence", "dumped", "plain", "rejecting", "where"

_QUOTE = '"'
WORDS = {
    "drift": "drift",
    "unrecorded": "not recorded",
    "snapshot": "changed snapshot",
    "leftover": "never asked for",
    "recording": "new recording",
}
"""What the kinds are called."""
_REJECTED = {
    "drift": "keeps the recording: the test goes on failing until the change is taken back",
    "unrecorded": "leaves it without a recording: the test goes on failing",
    "snapshot": "keeps the snapshot: the test goes on failing until the change is taken back",
    "leftover": "keeps what was recorded: the test goes on failing, unless allow_unused is set",
}


def consequence(change: Change) -> str:
    """Say which later turns hang on a change, nothing if none do."""
    later = len(change.giving_way) - 1
    if change.kind != "drift" or later < 1 or not change.turn:
        return ""
    first, last = change.turn + 1, change.turn + later
    turns = f"turn {first}" if later == 1 else f"turns {first} {'and' if later == 2 else 'to'} {last}"
    return f"{turns} of that conversation {'was' if later == 1 else 'were'} recorded on top of it"


def accepting(change: Change, price: Price | None) -> str:
    """Say what accepting it does, and at what price, which may not be known yet."""
    if change.kind in ("drift", "unrecorded"):
        if not change.mode:
            return f"is up to you: {change.command}"
        return f"asks the model: {price or 'counting what that takes'}; you see what it says before you keep it"
    return {
        "snapshot": "writes this snapshot as the test shows it now, no live call",
        "leftover": "drops them from the cassette, no live call",
        "recording": "takes note that you have looked at it",
    }[change.kind]


def rejecting(change: Change) -> str:
    """Say what rejecting it does."""
    if change.kind != "recording":
        return _REJECTED[change.kind]
    if change.before is None:
        return "is for version control: what it was before is not kept"
    return "puts the cassette back as it was before" if change.before else "deletes the cassette"


def where(change: Change) -> str:
    """Return the test, the turn, and what is asked there."""
    turn = f", turn {change.turn}" if change.turn else ""
    asked = change.asked.rpartition(", ")[2].rstrip(")") if change.turn else ""
    return f"{change.test}{turn}{f'  {asked}' if asked.startswith(_QUOTE) else ''}"


def plain(lines: Sequence[str]) -> list[str]:
    """Return lines without colours."""
    return [visible(without_colours(line)) for line in lines]


def dumped(change: Change, price: Price, plain_lines: Sequence[str], others: int) -> dict[str, Any]:
    """Return it for a program; ``others`` are how many more are open for the same cause."""
    return {
        "id": change.id,
        "kind": change.kind,
        "test": change.test,
        "turn": change.turn or None,
        "file": change.file,
        "what": change.title,
        "request": change.asked or None,
        "difference": list(plain_lines),
        "consequence": consequence(change) or None,
        "accepting": price.dump(),
        "same_cause": others,
        "command": change.command or None,
    }
