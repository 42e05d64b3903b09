"""What a call of a model asks anew, apart from the history that it carries because it was said before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from replay_agent.calls import Exchange
from replay_agent.report.compare import Item, items_of

__all__ = "Asked", "asked_anew", "from_model", "roles", "said_by"

_RESULT = "result of tool "


@dataclass(frozen=True, slots=True)
class Asked:
    """The parts of a call that nobody had said before, and those that had been said and are not carried on."""

    added: tuple[Item, ...] = ()
    dropped: tuple[Item, ...] = ()
    reordered: bool = False
    """Whether what is carried stands in another order than it was said in."""
    carries_nothing: bool = False
    """Whether all that was said is left out, as where a provider keeps the history."""


def asked_anew(items: Sequence[Item], said: Sequence[Item]) -> Asked:
    """Return what a call of these parts asks beyond what was said before it (`said_by` the call before)."""
    if _begins(items, said):
        return Asked(tuple(items[len(said) :]))
    return _asked(items, said)


def said_by(exchange: Exchange, items: Sequence[Item] | None = None) -> list[Item]:
    """Return what had been said when an exchange was over; ``items`` are the parts of its call, if they are known."""
    response = exchange.answer.response
    asked = items_of(exchange.call.messages) if items is None else items
    return [*asked, *(items_of([response]) if response is not None else [])]


def from_model(item: Item) -> bool:
    """Tell whether a part of a conversation is what a model said, rather than what it was asked."""
    return item.role.startswith(("assistant's ", "result of the provider's "))


def _begins(items: Sequence[Item], said: Sequence[Item]) -> bool:
    return len(items) >= len(said) and all(
        one is other or (one.role == other.role and one.text == other.text)
        for one, other in zip(said, items, strict=False)
    )


def _asked(items: Sequence[Item], said: Sequence[Item]) -> Asked:
    places: dict[tuple[str, str], list[int]] = {}
    for place in range(len(said) - 1, -1, -1):
        places.setdefault(_key(said[place]), []).append(place)
    added: list[Item] = []
    carried: list[int] = []
    for item in items:
        found = places.get(_key(item))
        if found:
            carried.append(found.pop())
        else:
            added.append(item)
    missing = sorted(place for left in places.values() for place in left)
    return Asked(
        tuple(added),
        tuple(said[place] for place in missing),
        reordered=carried != sorted(carried),
        carries_nothing=not carried,
    )


def _key(item: Item) -> tuple[str, str]:
    """Return by what a part is known again. A result whose call was cut off does not say which tool it is of."""
    return _RESULT if item.role.startswith(_RESULT) else item.role, item.text


def roles(items: Sequence[Item]) -> Counter[str]:
    """Return how many parts there are of each role."""
    return Counter(item.role for item in items)
