"""In what order the interactions of a cassette are written again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import TypeVar

__all__ = ("arranged",)

New = TypeVar("New")


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
