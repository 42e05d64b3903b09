"""What the cassette of a recording run shall hold: made of the old file, the record mode and what the run was answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from replay_agent.recording.cassettes.parts.header import Header
from replay_agent.recording.options import RecordMode

if TYPE_CHECKING:
    from replay_agent.recording.cassettes.document import Cassette
    from replay_agent.recording.cassettes.parts.item import Item

__all__ = "arranged", "dropped", "header_of", "items_of", "kept", "outdone"

New = TypeVar("New")


def items_of(
    base: Cassette | None, header: Header, mode: RecordMode, own: AbstractSet[int], run: Sequence[int | Item]
) -> list[Item] | None:
    """Return the items of the new file, in order; None if the old one, ``base``, need not be replaced.

    ``own`` are the items of ``base`` that belong to the test that was run, ``run`` what it was answered with: items of
    ``base``, by index, and new ones.
    """
    if base is None:
        return [one for one in run if not isinstance(one, int)] or None
    played = {one for one in run if isinstance(one, int)}
    order = arranged(len(base), own, kept(len(base), mode, own, played), run)
    if list(order) == list(range(len(base))) and _says_the_same(header, base):
        return None
    return [base.item(one) if isinstance(one, int) else one for one in order]


def kept(count: int, mode: RecordMode, own: AbstractSet[int], played: AbstractSet[int]) -> AbstractSet[int]:
    """Return which of ``count`` old interactions stay."""
    everything = frozenset(range(count))
    if mode is RecordMode.REWRITE:
        return frozenset()
    if mode is RecordMode.NEW_EPISODES:
        return everything
    return everything - (own - played)


def dropped(base: Cassette | None, mode: RecordMode, own: AbstractSet[int], run: Sequence[int | Item]) -> int:
    """Return how many of a test's ``own`` old interactions do not stay."""
    played = {one for one in run if isinstance(one, int)}
    return 0 if base is None else len(own - kept(len(base), mode, own, played))


def outdone(own: AbstractSet[int], run: Sequence[int | Item]) -> AbstractSet[int]:
    """Return which of a test's ``own`` old interactions a run that broke off may replace: no more than it has new ones.

    What it had not come to when it broke off comes last in the file, and stays.
    """
    played = {one for one in run if isinstance(one, int)}
    left = sorted(own - played)
    new = len(run) - sum(isinstance(one, int) for one in run)
    return own - set(left[new:])


def arranged(
    count: int, own: AbstractSet[int], kept: AbstractSet[int], run: Iterable[int | New]
) -> Sequence[int | New]:
    """Place what is new among what stays of ``count`` old interactions, so that as little moves as can be.

    ``run`` is what a test's run was answered with, in its order: indexes of old interactions, and new ones. What is
    ``kept`` stays in its order; a new one comes behind the old one that was played before it, the first ones where the
    test's ``own`` begin, or at the end if it has none.
    """
    following: dict[int, list[New]] = {}
    place = min(own, default=count) - 1
    for one in run:
        if isinstance(one, int):
            place = one
        else:
            following.setdefault(place, []).append(one)
    order: list[int | New] = []
    for index in range(-1, count):
        if index in kept:
            order.append(index)
        order.extend(following.get(index, ()))
    return order


def header_of(old: Header | None, keying: str, frozen: Mapping[str, object], recorded_at: str) -> Header:
    """Return the header of the new file; ``old`` is that of the file that was played from, if one was."""
    if old is None:
        return Header(keying=keying, recorded_at=recorded_at, frozen=frozen)
    return replace(old, keying=keying, frozen={**old.frozen, **frozen})


def _says_the_same(header: Header, cassette: Cassette) -> bool:
    """Tell whether a file need not be written for the sake of its header; another tool's file has none of ours."""
    if cassette.layout == "foreign":
        return True
    return (header.keying, header.frozen) == (cassette.header.keying, cassette.header.frozen)
