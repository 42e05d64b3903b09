"""replay-agent audit: does a test send the same in every process?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from replay_agent.cli.runs.session import Told, collect, run
from replay_agent.report.comparison.forms.wording import count
from replay_agent.report.comparison.trials.drifts import Drift, drift_between, nearest_of
from replay_agent.report.comparison.trials.notes import Note, Sent, is_silent
from replay_agent.report.comparison.trials.order import Order
from replay_agent.report.conversation.lines import short

__all__ = "Audit", "AuditedTest", "audit"

_MOST_QUIET = 20
"""So many tests in which nothing is found are named one by one."""
_AHEAD = 26 * 3600 + 61
"""Seconds that the clock goes ahead in the last run: another day, another hour, another minute."""


@dataclass
class AuditedTest:
    """One test, or fixture that tests share, in several processes."""

    test: str
    requests: int = 0
    runs: int = 1
    finding: str = ""
    """In which run it is not the same, and how; empty where it is the same in all."""
    request: int = 0
    """Which request of the first run is the first that differs, from 1; 0 where one is missing."""
    drift: Drift | None = None
    skipped: str = ""
    stale: bool = False
    """Whether what it sends is not what is recorded, in every run alike."""

    def lines(self) -> Iterator[str]:
        """Say it for people."""
        if self.skipped:
            yield f"{self.test}: skipped: {self.skipped}"
            return
        if not self.finding:
            yield f"{self.test}: the same in {self.runs} processes"
            if self.stale:
                yield "    not what is recorded, though: replay-agent stale says what changed"
            return
        yield f"{self.test}: {self.finding}"
        if self.drift is not None:
            yield from (f"    {line}" for line in self.drift.told())

    def dump(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        drift = self.drift
        return {
            "test": self.test,
            "verdict": "skipped" if self.skipped else "differs" if self.finding else "same",
            "requests": self.requests,
            "runs": self.runs,
            "finding": self.finding or None,
            "request": self.request or None,
            "turn": None if drift is None else drift.turn or None,
            "field": None if drift is None else drift.field or None,
            "cause": None if drift is None else drift.cause,
            "lines": [] if drift is None else list(drift.lines),
            "skipped": self.skipped or None,
            "stale": self.stale,
        }


@dataclass
class Audit:
    """All tests that were asked for."""

    tests: list[AuditedTest] = field(default_factory=list)
    unjudged: list[str] = field(default_factory=list)
    shifts_clock: bool = True
    """Whether the clock could be set ahead."""

    @property
    def status(self) -> int:
        """0 where all is the same, 1 where something is not, 2 where nothing could be told."""
        judged = [each for each in self.tests if not each.skipped]
        if not judged:
            return 2
        return int(bool(self.unjudged) or any(each.finding for each in judged))

    def lines(self, *, verbose: bool = False) -> Iterator[str]:
        """Say it for people, findings first; of many tests in which nothing is found only how many they are."""
        told = [each for each in self.tests if each.finding or each.skipped or each.stale]
        is_summed_up = len(self.tests) - len(told) > _MOST_QUIET and not verbose
        shown = told if is_summed_up else self.tests
        for each in sorted(shown, key=lambda test: not test.finding):
            yield from each.lines()
        judged = [each for each in self.tests if not each.skipped]
        if len(judged) > 1:
            same = sum(not each.finding for each in judged)
            more = " (-v names them)" if is_summed_up else ""
            yield f"the same in every process: {same:,} of {count(len(judged), 'test')}{more}"

    def dump(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "schema": 1,
            "tests": [each.dump() for each in self.tests],
            "unjudged": self.unjudged,
            "clock_shifted": self.shifts_clock,
        }


def audit(tests: Sequence[str], runs: int, folder: Path, told: Told | None = None) -> Audit:
    """Replay tests in so many processes and compare what they send. Raises `UserError` where there is none."""
    found = collect(tests, folder / "collected")
    audited = Audit(shifts_clock=find_spec("time_machine") is not None)
    audited.unjudged += [f"{each.test}: cannot be collected: {each.reason}" for each in found.broken]
    first = _ran(tests, Order("lenient"), folder / "1", 1, told)
    audited.unjudged += [f"{note.test}: {note.reason}" for note in first if is_silent(note)]
    ran = {note.test for note in first}
    first = [note for note in first if not is_silent(note)]
    known = {note.test: _audited(note) for note in first}
    before = {note.test: note for note in first}
    for number in range(2, runs + 1):
        undecided = tuple(name for name, each in known.items() if not (each.finding or each.skipped))
        if not undecided:
            break
        # The last has the first one's hash seed and a clock of its own: what differs there alone is a matter of time.
        is_last = number == runs and runs > 2
        only = None if any(before[name].is_fixture for name in undecided) else undecided
        order = Order("lenient", only, _AHEAD if number == runs else 0)
        done = None if told is None else _behind(told, (number - 1) * len(found.tests))
        for note in _ran(tests, order, folder / str(number), 1 if is_last else number, done):
            if note.test in undecided:
                _compare(known[note.test], before[note.test], note, number, is_clock=is_last and audited.shifts_clock)
    audited.tests = list(known.values())
    audited.unjudged += [f"{each.test}: it was not run" for each in found.tests if each.test not in ran]
    return audited


def _behind(told: Told, done: int) -> Told:
    return lambda more: told(done + more)


def _ran(tests: Sequence[str], order: Order, folder: Path, seed: int, told: Told | None) -> list[Note]:
    notes = run(tests, order, folder, hash_seed=seed, told=told)
    return [note for note in notes if note.outcome not in ("broken", "unmarked")]


def _audited(note: Note) -> AuditedTest:
    sent = _asked(note)
    stale = any(not each.same for each in note.sent)
    skipped = note.reason or "no reason given" if note.outcome == "skipped" else ""
    return AuditedTest(note.test, len(sent), skipped=skipped, stale=stale)


def _asked(note: Note) -> list[Sent]:
    return [each for each in note.sent if each.request is not None]


def _compare(test: AuditedTest, before: Note, after: Note, number: int, *, is_clock: bool) -> None:
    """Note the first request that is another one in this run."""
    test.runs = number
    one, other = _asked(before), _asked(after)
    gone, come = _unmatched(one, other), _unmatched(other, one)
    if gone and come:
        first = one[gone[0]]
        candidates = [request for place in come if (request := other[place].request) is not None]
        nearest = nearest_of(first.request, candidates) if first.request is not None else None
        if first.request is not None:
            partner = candidates[nearest or 0]
            drift = drift_between(first.request, partner, "from one process to another", before.ignored)
            test.drift = _as_clock(drift) if is_clock and drift.cause == "other" else drift
        test.request = gone[0] + 1
        test.finding = f"request {test.request} of {len(one)} is not the same in process 1 and {number}"
    elif gone or come:
        extra = (one if gone else other)[(gone or come)[0]].request
        what = f"{extra.method} {short(extra.url, 120)}" if extra is not None else ""
        test.finding = f"{len(one)} requests in process 1, {len(other)} in process {number}; only one has {what}"
    elif before.outcome != after.outcome:
        why = after.reason or before.reason
        test.finding = f"{before.outcome} in process 1, {after.outcome} in process {number}: {why}".rstrip(": ")


def _as_clock(drift: Drift) -> Drift:
    detail = "It is the same in processes of one day and another one where the clock goes a day ahead."
    way = "Freeze the clock (freeze=('clock',) on the mark, then record again), or pass the time in."
    return replace(drift, cause="clock", detail=detail, remedy=way)


def _unmatched(these: Sequence[Sent], those: Sequence[Sent]) -> list[int]:
    """Return the places of requests that the others have not, however they are ordered: tasks run side by side."""
    left = Counter(each.digest for each in those)
    places = []
    for place, each in enumerate(these):
        if left[each.digest]:
            left[each.digest] -= 1
        else:
            places.append(place)
    return places
