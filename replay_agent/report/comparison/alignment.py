"""Which call of a conversation is which of the same conversation on the other side, by what they ask."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import TypeAlias

from replay_agent.calls import Exchange
from replay_agent.report.compare import Item
from replay_agent.report.comparison.histories import Asked, from_model

__all__ = "Call", "CallPair", "Openings", "aligned", "opening_of", "with_openings_together"

Openings: TypeAlias = tuple[tuple[Item, ...], tuple[Item, ...]]
_MOST_PAIRS = 400_000
"""Calls of one conversation times those of the other that are matched by what they ask; longer ones are paired in order."""


@dataclass(eq=False)
class Call:
    """A call on one side, and its place in its conversation."""

    exchange: Exchange
    previous: Exchange | None
    number: int
    asked: Asked


@dataclass(eq=False)
class CallPair:
    """A call on both sides, or on one where the other has none."""

    old: Call | None
    new: Call | None
    moved: bool = False
    """Whether it asks the same at another place of the conversation."""
    openings: Openings | None = None
    """What each conversation began with, at the first pair of one whose first calls are no pair; None everywhere else."""


_Key: TypeAlias = tuple[tuple[str, str], ...]


def aligned(old: Sequence[Call], new: Sequence[Call]) -> list[CallPair]:
    """Pair the calls of two conversations by what they ask anew; those between in order."""
    keys = [[_key(call) for call in side] for side in (old, new)]
    if keys[0] == keys[1] or len(old) * len(new) > _MOST_PAIRS:
        return list(_in_order(old, new))
    pairs: list[CallPair] = []
    for tag, i, j, k, m in SequenceMatcher(None, keys[0], keys[1], autojunk=False).get_opcodes():
        if tag == "equal":
            pairs += (CallPair(one, other) for one, other in zip(old[i:j], new[k:m], strict=True))
        else:
            pairs += _in_order(old[i:j], new[k:m])
    return _with_moved(pairs)


def _in_order(old: Sequence[Call], new: Sequence[Call]) -> Iterator[CallPair]:
    common = min(len(old), len(new))
    yield from (CallPair(one, other) for one, other in zip(old[:common], new[:common], strict=True))
    yield from (CallPair(call, None) for call in old[common:])
    yield from (CallPair(None, call) for call in new[common:])


def _with_moved(pairs: list[CallPair]) -> list[CallPair]:
    """Join what went at one place and came at another, asked in the same words; only where it is clear which it is."""
    gone = {_key(pair.old): pair for pair in pairs if pair.new is None and pair.old is not None}
    times = Counter(
        _key(call) for pair in pairs for call in (pair.old, pair.new) if call and not (pair.old and pair.new)
    )
    taken: set[int] = set()
    for pair in pairs:
        if pair.old is not None or pair.new is None:
            continue
        key = _key(pair.new)
        former = gone.get(key) if key and times[key] == 2 else None
        if former is not None:
            pair.old, pair.moved = former.old, True
            taken.add(id(former))
    return [pair for pair in pairs if id(pair) not in taken]


def opening_of(asked: Asked) -> tuple[Item, ...]:
    """Return what a conversation begins with before its first question: instructions, examples of answers."""
    return asked.added[: len(asked.added) - len(_question(asked))]


def _question(asked: Asked) -> list[Item]:
    """Return what is asked after all that a model is said to have said."""
    question: list[Item] = []
    for item in reversed(asked.added):
        if from_model(item) or item.role == "system prompt":
            break
        question.insert(0, item)
    return question


def _key(call: Call) -> _Key:
    return tuple((item.role, item.text) for item in _question(call.asked))


def with_openings_together(pairs: Sequence[CallPair]) -> Sequence[CallPair]:
    """Return the pairs with what both conversations begin with at the first, wherever their first calls have partners."""
    old = min((pair.old for pair in pairs if pair.old), key=lambda call: call.number, default=None)
    new = min((pair.new for pair in pairs if pair.new), key=lambda call: call.number, default=None)
    if old is None or new is None or any(pair.old is old and pair.new is new for pair in pairs):
        return pairs
    first, *others = (replace(pair, old=_without(old, pair.old), new=_without(new, pair.new)) for pair in pairs)
    return [replace(first, openings=(opening_of(old.asked), opening_of(new.asked))), *others]


def _without(first: Call, call: Call | None) -> Call | None:
    """Return a call, the first one without its opening."""
    return replace(first, asked=replace(first.asked, added=tuple(_question(first.asked)))) if call is first else call
