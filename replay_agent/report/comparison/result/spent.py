"""Spent: tokens and money, as far as they are known, and their sum."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

__all__ = "NOTHING", "Growth", "Spent", "total"


@dataclass(frozen=True, slots=True)
class Spent:
    """What the calls of a test took; None where no answer reported it, or the price is not known."""

    calls: int = 0
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost: Decimal | None = None
    unpriced: int = 0
    """Answers whose price is not known."""

    @property
    def tokens(self) -> int | None:
        """Both together."""
        if self.input_tokens is None and self.output_tokens is None:
            return None
        return (self.input_tokens or 0) + (self.output_tokens or 0)


NOTHING = Spent()


@dataclass(frozen=True, slots=True)
class Growth:
    """Input tokens that one thing brought, or saved."""

    what: str
    tokens: int


def total(spent: Iterable[Spent]) -> Spent:
    """Return the sum. The cost is that of the answers whose price is known; `Spent.unpriced` counts the others."""
    calls = unpriced = 0
    counts: list[int | None] = [None, None]
    cost: Decimal | None = None
    for each in spent:
        calls += each.calls
        unpriced += each.unpriced
        counts = [_sum(counts[0], each.input_tokens), _sum(counts[1], each.output_tokens)]
        cost = each.cost if cost is None else cost + (each.cost or 0)
    return Spent(calls, counts[0], counts[1], cost, unpriced)


def _sum(one: int | None, other: int | None) -> int | None:
    return other if one is None else one + (other or 0)
