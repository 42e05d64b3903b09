"""What it takes to accept something: live calls, and about what they cost, by what the recorded ones did."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from replay_agent.exceptions import CassetteError
from replay_agent.recording.cassettes import store
from replay_agent.recording.cassettes.document import Cassette
from replay_agent.report.review.change import Change

__all__ = "Price", "Prices"


@dataclass(frozen=True)
class Price:
    """How many live calls, at least and at most, and USD, each None where that is not known beforehand."""

    least: int = 0
    most: int | None = 0
    usd_least: Decimal | None = Decimal(0)
    usd_most: Decimal | None = Decimal(0)

    def __add__(self, other: Price) -> Price:
        return Price(
            self.least + other.least,
            _sum(self.most, other.most),
            _sum(self.usd_least, other.usd_least),
            _sum(self.usd_most, other.usd_most),
        )

    @property
    def is_free(self) -> bool:
        """Whether nothing is asked live for certain."""
        return self.most == 0

    def __str__(self) -> str:
        if self.is_free:
            return "no live call"
        if self.most is None:
            return f"{self.least} live {_calls(self.least)} or more, at a price that is not known beforehand"
        calls = str(self.least) if self.least == self.most else f"{self.least} to {self.most}"
        return f"{calls} live {_calls(self.most)}, {self._usd}"

    @property
    def _usd(self) -> str:
        if self.usd_least is None or self.usd_most is None:
            return "at a price that is not known"
        least, most = _amount(self.usd_least), _amount(self.usd_most)
        return f"about {least} USD" if least == most else f"about {least} to {most} USD"

    def dump(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        usd = None if self.usd_most is None else float(self.usd_most)
        return {"least_calls": self.least, "most_calls": self.most, "usd": usd}


def _sum(one: Any, other: Any) -> Any:
    return None if one is None or other is None else one + other


def _calls(count: int) -> str:
    return "call" if count == 1 else "calls"


def _amount(usd: Decimal) -> str:
    """Return an amount with two digits that say something, and cents at least."""
    places = max(2, 1 - usd.adjusted()) if usd else 2
    whole, _, digits = f"{usd:.{places}f}".partition(".")
    return f"{whole}.{digits.rstrip('0').ljust(2, '0')}"


class Prices:
    """Reads of each cassette what is asked for; the file itself once, if all that is asked of it is asked in a row."""

    def __init__(self) -> None:
        self._cassettes: dict[str, dict[str, Decimal | None]] = {}
        self._last: tuple[object, _Calls] | None = None

    def of(self, change: Change) -> Price:
        """Return what it takes to accept a change; a call to be made is taken to cost what the recorded one did."""
        if change.kind in ("snapshot", "leftover", "recording") or not change.mode:
            return Price()
        if change.kind == "unrecorded" or not change.giving_way:
            return Price(1, None, None, None)
        known = self._known(change)
        first, *rest = [known.get(key) for key in change.giving_way]
        return Price(1, len(change.giving_way), first, sum_of([first, *rest]))

    def knows(self, change: Change) -> bool:
        """Tell whether the price of a change is known without reading its cassette."""
        wanted = change.giving_way if change.kind == "drift" and change.mode else ()
        return self._cassettes.get(change.file, {}).keys() >= set(wanted)

    def of_all(self, changes: Iterable[Change]) -> Price:
        """Return the sum."""
        price = Price()
        for change in changes:
            price += self.of(change)
        return price

    def _known(self, change: Change) -> dict[str, Decimal | None]:
        known = self._cassettes.setdefault(change.file, {})
        missing = set(change.giving_way) - known.keys()
        if missing:
            calls = self._calls(Path(change.file))
            known.update((digest, calls.price(digest)) for digest in missing)
        return known

    def _calls(self, path: Path) -> _Calls:
        try:
            found = path.stat()
            state: object = path, found.st_mtime_ns, found.st_ino
        except OSError:
            state = path
        if self._last is None or self._last[0] != state:
            self._last = state, _Calls(path)
        return self._last[1]


def sum_of(prices: Iterable[Decimal | None]) -> Decimal | None:
    """Return the sum, None if one of them is not known."""
    total: Decimal | None = Decimal(0)
    for price in prices:
        total = _sum(total, price)
    return total


class _Calls:
    """The recorded calls of one cassette, by their keys; none where it cannot be read."""

    def __init__(self, path: Path) -> None:
        self._cassette: Cassette | None = None
        self._places: dict[str, int] = {}
        try:
            cassette = store.load(path)
            self._places = {_digest(cassette, index): index for index in range(len(cassette))}
            self._cassette = cassette
        except CassetteError:
            pass  # of which every price is unknown

    def price(self, digest: str) -> Decimal | None:
        """Return what a call cost, None where that is not known."""
        from replay_agent.report.conversation.transcript import Transcript

        place = self._places.get(digest)
        if self._cassette is None or place is None:
            return None
        try:
            return Transcript.from_interactions([self._cassette.interaction(place)]).cost
        except CassetteError:
            return None


def _digest(cassette: Cassette, index: int) -> str:
    key = cassette.item(index).key
    return key.digest if key is not None else ""
