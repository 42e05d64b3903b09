"""How much a test may cost more than it did: a ratchet for tokens and money."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Literal, TypeAlias

from replay_agent.exceptions import UserError
from replay_agent.report.comparison.forms.wording import price
from replay_agent.report.comparison.result.change import TestChange
from replay_agent.report.comparison.result.comparison import Comparison
from replay_agent.report.comparison.result.spent import Growth, Spent

__all__ = "Breach", "Limit", "breaches_of", "read_limit"

What: TypeAlias = Literal["tokens", "cost"]

_LIMIT = re.compile(r"(\+?)\s*\$?([0-9][0-9_,]*(?:\.[0-9]+)?|\.[0-9]+)\s*(%?)")
"""``+5%`` and ``5%`` are growth in percent, ``+200`` and ``+$0.10`` growth, ``5000`` and ``$0.50`` an amount."""


@dataclass(frozen=True, slots=True)
class Limit:
    """What a test may take, and all tests together: an amount, or so much more than before."""

    text: str
    what: What
    amount: Decimal
    is_growth: bool
    in_percent: bool

    def most(self, before: Decimal) -> Decimal:
        """Return how much is allowed where it was so much before."""
        if self.in_percent:
            return before * (100 + self.amount) / 100
        return before + self.amount if self.is_growth else self.amount


@dataclass(frozen=True, slots=True)
class Breach:
    """A limit that was passed, by a test or by all of them together."""

    test: str | None
    limit: str
    cause: str

    def __str__(self) -> str:
        return f"{self.test or 'all tests together'}: {self.cause} (limit {self.limit})"


def read_limit(text: str, what: What) -> Limit:
    """Return the limit that a text says. Raises `UserError` for one that says none."""
    found = _LIMIT.fullmatch(text.strip())
    try:
        if found is None:
            raise InvalidOperation
        amount = Decimal(found[2].replace(",", "").replace("_", ""))
    except InvalidOperation:
        example = "+5%, +0.10 or 0.50" if what == "cost" else "+10%, +2000 or 50000"
        raise UserError(f"{text!r} is no limit for {what}. Write one like {example}.") from None
    return Limit(f"--max-{what} {text}", what, amount, bool(found[1]) or bool(found[3]), bool(found[3]))


def breaches_of(comparison: Comparison, limits: list[Limit], *, unknown_fails: bool = False) -> list[Breach]:
    """Return which limits the new side passes: those of a test by itself, then those of all together.

    Tests that one side alone has are held to amounts, not to growth. A price that is not known passes no limit, unless
    ``unknown_fails``.
    """
    found: list[Breach] = []
    for limit in limits:
        for change in comparison.changes:
            found += _of_test(change, limit, unknown_fails=unknown_fails)
        old, new = comparison.spent
        found += _breaches(None, limit, old, new, [], unknown_fails=False)
    return found


def _of_test(change: TestChange, limit: Limit, *, unknown_fails: bool) -> Iterator[Breach]:
    if change.state == "changed" or (change.state == "added" and not limit.is_growth):
        turn = "" if change.first_turn is None else f", from turn {change.first_turn}"
        yield from _breaches(
            f"{change.name}{turn}", limit, change.old, change.new, change.growth, unknown_fails=unknown_fails
        )


def _breaches(
    test: str | None, limit: Limit, old: Spent, new: Spent, growth: list[Growth], *, unknown_fails: bool
) -> Iterator[Breach]:
    before, after = (_amount(side, limit.what) for side in (old, new))
    if after is None or (before is None and limit.is_growth):
        if unknown_fails and new.calls:
            yield Breach(test, limit.text, f"the {limit.what} of {'it' if after is None else 'it before'} is unknown")
        return
    if after > limit.most(before or Decimal(0)) and after > (before or 0):
        yield Breach(test, limit.text, f"{_grown(limit.what, before, after)}{_blamed(growth)}")


def _amount(spent: Spent, what: What) -> Decimal | None:
    if what == "cost":
        return spent.cost
    return None if spent.tokens is None else Decimal(spent.tokens)


def _grown(what: What, before: Decimal | None, after: Decimal) -> str:
    if what == "cost":
        said = f"cost {price(before)} -> {price(after)}"
    else:
        said = f"tokens {'unknown' if before is None else f'{before:,}'} -> {after:,}"
    return f"{said} ({(after - before) / before * 100:+.1f} %)" if before else said


def _blamed(growth: list[Growth]) -> str:
    more = [each for each in growth if each.tokens > 0][:3]
    return f": {', '.join(f'{each.what} {each.tokens:+,}' for each in more)}" if more else ""
