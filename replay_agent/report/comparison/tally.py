"""What a session did not spend, because it replayed, and what it spent where it recorded: one line each at its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from replay_agent.report.conversation.transcript import Transcript
    from replay_agent.traffic import Interaction

__all__ = "Recorded", "Tally"

_MOST_TESTS = 3


class Recorded(Protocol):
    """A test's traffic, as far as it is counted here."""

    @property
    def interactions(self) -> Sequence[Interaction]:
        """In the order of the requests."""

    @property
    def transcript(self) -> Transcript:
        """What they say."""


@dataclass
class _Sum:
    """Calls, and what they took as far as it was counted."""

    calls: int = 0
    tokens: int = 0
    usd: str = "0"
    unpriced: int = 0

    def add(self, other: _Sum) -> None:
        self.calls += other.calls
        self.tokens += other.tokens
        self.usd = str(Decimal(self.usd) + Decimal(other.usd))
        self.unpriced += other.unpriced

    def text(self, what: str) -> str:
        """Say it: ``1.2 M tokens and about 4.10 USD not spent``; nothing where nothing was counted."""
        if not self.tokens:
            return ""
        unpriced = f" ({self.unpriced:,} answers without a known price)" if self.unpriced else ""
        known = Decimal(self.usd) > 0
        usd = f" and about {_dollars(Decimal(self.usd))} USD" if known else "" if self.unpriced else " and 0 USD"
        return f", {_short(self.tokens)} tokens{usd} {what}{unpriced}"


@dataclass
class Tally:
    """The sums of a session, or of a worker of it."""

    since: float = 0.0
    """When the session began, in seconds since the epoch."""
    counts_replayed: bool = False
    """Whether tokens and price of what is replayed are wanted: they have to be decoded, which replaying does without."""
    memory: dict[str, list[Any]] = field(default_factory=dict)
    """By test, what its replayed answers took, behind a mark of the cassette: who finds it here need not decode."""
    learnt: dict[str, list[Any]] = field(default_factory=dict)
    """What is to be added to the memory."""
    replayed: _Sum = field(default_factory=_Sum)
    recorded: _Sum = field(default_factory=_Sum)
    by_test: dict[str, str] = field(default_factory=dict)
    """Dollars by the tests that recorded something."""

    def add(
        self, test: str, run: Recorded, played: int, *, records: bool = True, mark: Callable[[], str] = str
    ) -> dict[str, Any]:
        """Add a test that is over, and return what was spent on it; ``played`` requests were answered from a cassette.

        ``records`` says whether others may have been recorded; nothing is read of a test that only replays. ``mark``
        returns what is equal while its cassette is the same.
        """
        fresh = max(0, len(run.interactions) - played) if records else 0
        if not fresh and (not self.counts_replayed or not played or self._remembers(test, mark(), played)):
            self.replayed.calls += played
            return {}
        old, new = _counted(run, self.since) if fresh and played else _alone(run, fresh=bool(fresh))
        old.calls, new.calls = played, fresh
        self.replayed.add(old if self.counts_replayed else _Sum(played))
        self.recorded.add(new)
        if not fresh:
            self.learnt[test] = [mark(), played, old.tokens, old.usd, old.unpriced]
            return {}
        self.by_test[test] = new.usd
        return asdict(new)

    def _remembers(self, test: str, mark: str, played: int) -> bool:
        """Add what the replayed answers of a test took if that is known."""
        known = self.memory.get(test)
        if not mark or not isinstance(known, list) or len(known) != 5 or known[:2] != [mark, played]:
            return False
        self.replayed.add(_Sum(0, known[2], known[3], known[4]))
        return True

    def merge(self, said: dict[str, Any]) -> None:
        """Add what a worker of the session says (`dump`)."""
        self.replayed.add(_Sum(**said["replayed"]))
        self.recorded.add(_Sum(**said["recorded"]))
        self.by_test.update(said["by_test"])
        self.learnt.update(said["learnt"])

    def dump(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {**asdict(self), "memory": {}}

    def lines(self) -> Iterator[str]:
        """Say what was not spent, and what was."""
        if self.replayed.calls:
            yield f"replay: {_calls(self.replayed.calls)} replayed{self.replayed.text('not spent')}"
        if self.recorded.calls:
            yield f"replay: {_calls(self.recorded.calls)} recorded{self.recorded.text('spent')}{self._most()}"

    def _most(self) -> str:
        dearest = sorted(self.by_test.items(), key=lambda each: Decimal(each[1]), reverse=True)
        named = [f"{test} ({_dollars(Decimal(usd))} USD)" for test, usd in dearest[:_MOST_TESTS] if Decimal(usd)]
        return f"; most by {', '.join(named)}" if named else ""


def _counted(run: Recorded, since: float) -> tuple[_Sum, _Sum]:
    """Tell what was replayed from what was recorded by when that was."""
    began = datetime.fromtimestamp(since, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    old, new = _Sum(), _Sum()
    for exchange in run.transcript.exchanges:
        recorded_at = run.interactions[exchange.interaction].recorded_at
        (new if recorded_at is not None and recorded_at >= began else old).add(_sum_of([exchange]))
    return old, new


def _alone(run: Recorded, *, fresh: bool) -> tuple[_Sum, _Sum]:
    whole = _sum_of(run.transcript.exchanges)
    return (_Sum(), whole) if fresh else (whole, _Sum())


def _sum_of(exchanges: Any) -> _Sum:
    from replay_agent.report.comparison.spending import spent_by

    spent = [spent_by([exchange]) for exchange in exchanges]
    usd = sum((each.cost for each in spent if each.cost is not None), Decimal(0))
    return _Sum(0, sum(each.tokens or 0 for each in spent), str(usd), sum(each.unpriced for each in spent))


def _calls(number: int) -> str:
    return f"{number:,} call{'' if number == 1 else 's'}"


def _short(number: int) -> str:
    return f"{number / 1e6:.1f} M" if number >= 1_000_000 else f"{number:,}"


def _dollars(usd: Decimal) -> str:
    return f"{usd:,.2f}" if usd >= Decimal("0.1") or not usd else f"{usd:.{max(4, 1 - usd.adjusted())}f}"
