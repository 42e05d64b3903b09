"""replay-agent stale: how many recorded requests no longer equal what their tests send."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from replay_agent.cli.runs.session import Collected, Told, collect, run
from replay_agent.report.comparison.forms.wording import count
from replay_agent.report.comparison.trials.drifts import Drift, drift_between, nearest_of
from replay_agent.report.comparison.trials.notes import Note, Sent, is_silent
from replay_agent.report.comparison.trials.order import Order
from replay_agent.report.conversation.lines import short
from replay_agent.traffic import Request

__all__ = "Stale", "StaleTest", "stale"

_MOST_LINES = 12


@dataclass
class StaleTest:
    """One test, or fixture that tests share: its recorded requests, and what it sends."""

    test: str
    recorded: int = 0
    same: int = 0
    changed: int = 0
    """Recorded requests that are sent otherwise."""
    unsent: int = 0
    """Recorded requests that are not sent at all."""
    unrecorded: int = 0
    """Requests that are sent and have no recorded one to stand for them."""
    first: Drift | None = None
    """What the first of those that are sent otherwise differs in."""
    new: str = ""
    """The first of those that are not recorded."""
    outcome: str = "passed"
    reason: str = ""

    @property
    def stale(self) -> int:
        """How many recorded requests no longer equal what is sent."""
        return self.changed + self.unsent

    @property
    def is_clean(self) -> bool:
        """Whether all that is recorded is what is sent."""
        return not (self.stale or self.unrecorded)

    @property
    def is_judged(self) -> bool:
        """Whether it has sent anything, or should have."""
        return self.outcome != "skipped" and bool(self.recorded or self.unrecorded)

    def lines(self) -> Iterator[str]:
        """Say it for people."""
        if self.outcome == "skipped":
            yield f"{self.test}: skipped: {self.reason}"
            return
        said = [
            f"{self.stale} of {count(self.recorded, 'recorded request')} stale"
            if self.recorded
            else "nothing is recorded",
            f"{self.unsent} of them not sent at all" if self.unsent else "",
            f"{count(self.unrecorded, 'request')} sent that no recorded one stands for" if self.unrecorded else "",
        ]
        yield f"{self.test}: {', '.join(each for each in said if each)}"
        if self.first is not None:
            told = self.first.told()
            yield from (f"    {line}" for line in told[:_MOST_LINES])
            if len(told) > _MOST_LINES:
                yield f"    ... {len(told) - _MOST_LINES} more lines"
        elif self.new:
            yield f"    {self.new}"
        if self.outcome == "failed":
            yield f"    the test fails: {self.reason}"

    def dump(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        first = self.first
        return {
            "test": self.test,
            "recorded": self.recorded,
            "stale": self.stale,
            "changed": self.changed,
            "unsent": self.unsent,
            "unrecorded": self.unrecorded,
            "outcome": self.outcome,
            "reason": self.reason or None,
            "first": None
            if first is None
            else {"turn": first.turn, "cause": first.cause, "field": first.field or None, "text": first.headline},
        }


@dataclass
class Stale:
    """All tests that were asked for."""

    tests: list[StaleTest] = field(default_factory=list)
    unjudged: list[str] = field(default_factory=list)

    @property
    def status(self) -> int:
        """0 where nothing is stale, 1 where something is, 2 where nothing could be told."""
        judged = [each for each in self.tests if each.is_judged]
        if not judged:
            return 2 if self.unjudged else 0
        return int(bool(self.unjudged) or any(not each.is_clean for each in judged))

    def lines(self, *, verbose: bool = False) -> Iterator[str]:
        """Say it for people, the worst first."""
        shown = [each for each in self.tests if verbose or not each.is_clean or each.outcome != "passed"]
        for each in sorted(shown, key=lambda test: test.stale, reverse=True):
            yield from each.lines()
        judged = [each for each in self.tests if each.is_judged]
        stale, recorded = sum(each.stale for each in judged), sum(each.recorded for each in judged)
        touched = sum(not each.is_clean for each in judged)
        yield (
            f"{stale:,} of {count(recorded, 'recorded request')} stale, in {touched} of {count(len(judged), 'test')}; "
            "nothing was written"
        )

    def dump(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "schema": 1,
            "tests": [each.dump() for each in self.tests],
            "recorded": sum(each.recorded for each in self.tests),
            "stale": sum(each.stale for each in self.tests),
            "unjudged": self.unjudged,
        }


def stale(tests: Sequence[str], folder: Path, told: Told | None = None) -> Stale:
    """Replay tests, going on behind what has changed, and count. Raises `UserError` where there is none."""
    found = collect(tests, folder / "collected")
    notes = run(tests, Order("lenient"), folder / "run", told=told)
    judged = [_judged(note) for note in notes if note.outcome not in ("broken", "unmarked") and not is_silent(note)]
    return Stale(judged, list(_unjudged(found, notes)))


def _unjudged(found: Collected, notes: Sequence[Note]) -> Iterator[str]:
    yield from (f"{each.test}: cannot be collected: {each.reason}" for each in found.broken)
    yield from (f"{note.test}: {note.reason}" for note in notes if is_silent(note))
    ran = {note.test for note in notes}
    yield from (f"{each.test}: it was not run" for each in found.tests if each.test not in ran)


def _judged(note: Note) -> StaleTest:
    test = StaleTest(note.test, outcome=note.outcome, reason=note.reason)
    if note.outcome == "skipped":
        return test
    sent = list(note.sent)
    pairs, left, new = _paired(sent)
    test.same = sum(each.same for each in sent)
    test.changed, test.unsent, test.unrecorded = len(pairs), left, len(new)
    test.recorded = test.same + test.changed + test.unsent
    if pairs:
        test.first = drift_between(*pairs[0], "since it was recorded", note.ignored)
    elif new:
        test.new = f"{new[0].method} {short(new[0].url, 160)}"
    return test


def _paired(sent: Sequence[Sent]) -> tuple[list[tuple[Request, Request]], int, list[Request]]:
    """Return what is sent otherwise, recorded first; how many are left that are not sent; what is not recorded."""
    left = [each.recorded for each in sent if each.request is None and each.recorded is not None]
    pairs: list[tuple[Request, Request]] = []
    new: list[Request] = []
    for each in sent:
        if each.request is None or each.same:
            continue
        if each.recorded is not None:
            pairs.append((each.recorded, each.request))
            continue
        place = nearest_of(each.request, left)  # what was refused is one that is left, spelled otherwise
        if place is None:
            new.append(each.request)
        else:
            pairs.append((left.pop(place), each.request))
    return pairs, len(left), new
