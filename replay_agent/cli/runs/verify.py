"""replay-agent verify: does the model still do what was recorded? Asked live, into scratch cassettes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from replay_agent.cli.runs.keys import Missing, missing_keys
from replay_agent.cli.runs.recorded import Recorded, recorded_of
from replay_agent.cli.runs.session import Collected, Told, collect, run
from replay_agent.exceptions import UserError
from replay_agent.report.comparison.forms.wording import count, price
from replay_agent.report.comparison.result.spent import Spent, total
from replay_agent.report.comparison.spending import spent_by
from replay_agent.report.comparison.trials.notes import Note
from replay_agent.report.comparison.trials.order import Order
from replay_agent.report.comparison.trials.structure import Comparison, compare_structure
from replay_agent.report.render import render_spans

__all__ = "Plan", "Sample", "Verified", "VerifiedTest", "plan", "verify"

_ANYWHERE = "a fixture of the project says where its cassette is"
_MOST_WORDINGS = 3


@dataclass
class Plan:
    """What is to be asked live, and what that took when it was recorded."""

    tests: Sequence[str]
    """As they were named."""
    chosen: list[Recorded]
    """The tests that have something to be compared with, as far as is known before they run."""
    fixtures: list[Recorded]
    left_out: list[Recorded]
    """Those that have nothing."""
    found: Collected

    @property
    def spent(self) -> Spent:
        """What one sample of it all took when it was recorded."""
        return total(each.spent for each in (*self.chosen, *self.fixtures))

    @property
    def missing_keys(self) -> list[Missing]:
        """The hosts whose credentials are not set, though recorded calls go there."""
        return missing_keys([*self.chosen, *self.fixtures], self.found.keys)

    def told(self, samples: int) -> str:
        """Say how many calls it takes, and about what price."""
        spent = self.spent
        calls = count(spent.calls * samples, "call")
        times = f", {samples} samples of each" if samples > 1 else ""
        cost = "at a price that is not known" if spent.cost is None else f"about {price(spent.cost * samples)}"
        unpriced = (
            f" and {count(spent.unpriced, 'answer')} without a known price" if spent.unpriced and spent.cost else ""
        )
        unread = sum(each.trouble == _ANYWHERE for each in self.chosen)
        beside = f", and those of {count(unread, 'test')} whose cassettes only a run can tell" if unread else ""
        return (
            f"{calls} of models in {count(len(self.chosen), 'test')}{times}: {cost}{unpriced}, as recorded{beside}. "
            "Nothing in the project is written."
        )


@dataclass
class Sample:
    """One live run of a test."""

    outcome: str
    """As pytest judged it."""
    reason: str = ""
    comparison: Comparison | None = None
    """None where nothing came about that could be compared."""
    spent: Spent = field(default_factory=Spent)

    @property
    def behaves(self) -> bool:
        """Whether the model did what was recorded; a test that fails for other reasons than words does not tell."""
        found = self.comparison
        if found is None or found.deviations:
            return False
        return self.outcome != "failed" or bool(found.worded)

    def findings(self, conversations: int) -> Iterator[str]:
        """Say what differs, a line each."""
        if self.comparison is None:
            yield self.reason or "nothing was asked"
            return
        for each in self.comparison.deviations:
            place = f"conversation {each.conversation}, " if conversations > 1 else ""
            yield f"{place}turn {each.turn}: {each.text}" if each.turn else each.text
        if self.outcome == "failed" and not self.comparison.worded:
            yield f"the test fails, though the model does what was recorded: {self.reason}"

    def notes(self) -> Iterator[str]:
        """Say what does not count, a line each."""
        if self.comparison is None:
            return
        if self.comparison.asked_otherwise:
            yield f"asked otherwise than recorded: {', '.join(self.comparison.asked_otherwise)}"
        if self.outcome == "failed" and self.comparison.worded:
            yield f"the test itself fails: {self.reason}"


@dataclass
class VerifiedTest:
    """One test, in all its samples."""

    test: str
    samples: list[Sample]
    skipped: str = ""
    """Why it was not run."""

    @property
    def behaved(self) -> int:
        """In how many samples the model did what was recorded."""
        return sum(sample.behaves for sample in self.samples)

    @property
    def verdict(self) -> str:
        """``behaves``, ``differs`` or ``skipped``."""
        if self.skipped:
            return "skipped"
        return "behaves" if self.behaved == len(self.samples) else "differs"

    @property
    def conversations(self) -> int:
        """How many conversations it has."""
        return max((sample.comparison.conversations for sample in self.samples if sample.comparison), default=1)


@dataclass
class Verified:
    """What came of it."""

    tests: list[VerifiedTest]
    unjudged: list[str]
    """Tests that could not be compared, and why."""
    broken: bool = False

    @property
    def status(self) -> int:
        """0 where every model does what was recorded, 1 where one does not, 2 where nothing could be told."""
        judged = [each for each in self.tests if not each.skipped]
        if not judged:
            return 2
        return int(self.broken or any(each.verdict == "differs" for each in judged))

    @property
    def spent(self) -> Spent:
        """What all of it took."""
        return total(sample.spent for each in self.tests for sample in each.samples)

    def lines(self, *, verbose: bool = False, colour: bool = False) -> Iterator[str]:
        """Say it for people."""
        for each in sorted(self.tests, key=lambda test: (test.verdict != "differs", test.verdict == "skipped")):
            yield from _lines_of(each, verbose=verbose, colour=colour)
        judged = [each for each in self.tests if not each.skipped]
        behaving = sum(each.verdict == "behaves" for each in judged)
        spent = self.spent
        yield ""
        yield (
            f"the model still behaves in {behaving:,} of {count(len(judged), 'test')}; "
            f"{count(spent.calls, 'call')}, {spent.tokens or 0:,} tokens, {price(spent.cost)} spent"
        )

    def dump(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "schema": 1,
            "tests": [_dumped(each) for each in self.tests],
            "unjudged": self.unjudged,
            "spent": _money(self.spent),
        }


def plan(tests: Sequence[str], folder: Path) -> Plan:
    """Collect tests and read what they have recorded. Raises `UserError` where none of them can be verified."""
    found = collect(tests, folder)
    recorded = [recorded_of(note) for note in found.tests]
    by_fixtures = {note.test for note in found.tests if note.uses and not note.reason}
    chosen: list[Recorded] = []
    left_out: list[Recorded] = []
    for each in recorded:
        has_any = not each.trouble or each.trouble == _ANYWHERE or each.test in by_fixtures
        (chosen if has_any else left_out).append(each)
    if not chosen:
        said = "\n".join(f"  {each.test}: {each.trouble}" for each in left_out[:10])
        raise UserError(f"None of these tests has anything to be compared with:\n{said}")
    fixtures = [each for each in map(recorded_of, found.fixtures) if not each.trouble]
    return Plan(tests, chosen, fixtures, left_out, found)


def verify(plan: Plan, samples: int, folder: Path, told: Told | None = None) -> Verified:
    """Run the tests of a plan live, so many times, and compare what the models do with what is recorded."""
    names = [each.test for each in plan.chosen]
    known = {each.test: each for each in (*plan.chosen, *plan.fixtures)}
    runs: dict[str, list[Sample]] = {}
    skipped: dict[str, str] = {}
    for number in range(samples):
        done = number * len(names)
        each_told = None if told is None else lambda count, done=done: told(done + count)
        place = folder / f"sample-{number + 1}"
        for note in run(plan.tests, Order("live", tuple(names)), place, told=each_told):
            if note.outcome == "skipped" and not _asked(note):
                skipped[note.test] = note.reason
            elif note.outcome not in ("broken", "unmarked"):
                runs.setdefault(note.test, []).append(_sample(note, known.get(note.test)))
    idle = {test for test, found in runs.items() if all(map(_is_idle, found))}
    for test in idle:  # all that they ask is asked by their fixtures
        del runs[test]
    tests = [VerifiedTest(test, found) for test, found in runs.items()]
    tests += [VerifiedTest(test, [], reason) for test, reason in skipped.items() if test not in runs]
    unjudged = [f"{each.test}: {each.trouble}" for each in plan.left_out]
    unjudged += [f"{each.test}: cannot be collected: {each.reason}" for each in plan.found.broken]
    missing = [name for name in names if name not in runs and name not in skipped and name not in idle]
    unjudged += [f"{name}: it was not run" for name in missing]
    return Verified(tests, unjudged, bool(plan.found.broken or missing))


def _is_idle(sample: Sample) -> bool:
    return sample.comparison is None and not sample.reason and not sample.spent.calls


def _asked(note: Note) -> bool:
    """Tell whether anything was asked before a test skipped itself."""
    return note.after is not None and bool(recorded_of(Note(note.test, "collected", before=note.after)).count)


def _sample(note: Note, known: Recorded | None) -> Sample:
    if note.after is None:
        return Sample(note.outcome, note.reason)
    after = recorded_of(Note(note.test, "collected", before=note.after)).run
    before = known.run if known is not None and known.count else recorded_of(note).run
    spent = spent_by(after.transcript.exchanges)
    if not before.interactions:
        nothing = "there was nothing recorded to be compared with" if after.interactions else note.reason
        return Sample(note.outcome, nothing, None, spent)
    if not after.transcript.exchanges and before.transcript.exchanges:
        return Sample(note.outcome, f"the model was not asked: {note.reason}".rstrip(": "), None, spent)
    return Sample(note.outcome, note.reason, compare_structure(before, after), spent)


def _lines_of(test: VerifiedTest, *, verbose: bool, colour: bool) -> Iterator[str]:
    if test.skipped:
        yield f"{test.test}: skipped, not verified: {test.skipped}"
        return
    several = len(test.samples) > 1
    counted = f" ({test.behaved} of {len(test.samples)} samples behave)" if several else ""
    says = "the model still behaves" if test.verdict == "behaves" else "differs from what was recorded"
    yield f"{test.test}: {says}{counted}"
    for number, sample in enumerate(test.samples, 1):
        which = f"sample {number}, " if several else ""
        if not sample.behaves:
            yield from (f"  {which}{line}" for line in sample.findings(test.conversations))
        yield from (f"  {which}{line}" for line in sample.notes())
        if sample.comparison is not None:
            yield from _wording(sample.comparison, which, verbose=verbose, colour=colour)


def _wording(comparison: Comparison, which: str, *, verbose: bool, colour: bool) -> Iterator[str]:
    shown = comparison.worded if verbose else comparison.worded[:_MOST_WORDINGS]
    for each in shown:
        place = f"conversation {each.conversation}, " if comparison.conversations > 1 else ""
        yield f"  {which}wording, {place}turn {each.turn}, {each.subject}:"
        yield from (f"      {line}" for line in render_spans(each.spans, colour=colour)[: None if verbose else 4])
    if len(shown) < len(comparison.worded):
        yield f"  {which}... and {len(comparison.worded) - len(shown)} more in other words (-v shows them)"


def _dumped(test: VerifiedTest) -> dict[str, Any]:
    return {
        "test": test.test,
        "verdict": test.verdict,
        "behaved": test.behaved,
        "skipped": test.skipped or None,
        "samples": [_dumped_sample(sample) for sample in test.samples],
    }


def _dumped_sample(sample: Sample) -> dict[str, Any]:
    found = sample.comparison
    return {
        "behaves": sample.behaves,
        "outcome": sample.outcome,
        "reason": sample.reason or None,
        "compared": found is not None,
        "deviations": [
            {"kind": each.kind, "conversation": each.conversation, "turn": each.turn, "text": each.text}
            for each in (found.deviations if found else ())
        ],
        "wording": [
            {
                "conversation": each.conversation,
                "turn": each.turn,
                "subject": each.subject,
                "text": [{"kind": span.kind, "text": span.text} for span in each.spans],
            }
            for each in (found.worded if found else ())
        ],
        "asked_otherwise": found.asked_otherwise if found else [],
        **_money(sample.spent),
    }


def _money(spent: Spent) -> dict[str, Any]:
    return {
        "calls": spent.calls,
        "input_tokens": spent.input_tokens,
        "output_tokens": spent.output_tokens,
        "cost_usd": None if spent.cost is None else float(spent.cost),
        "unpriced": spent.unpriced,
    }
