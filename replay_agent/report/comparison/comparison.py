"""Compares two sides of a project, test by test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from replay_agent.report.comparison.changes import compare_runs
from replay_agent.report.comparison.result.change import TestChange
from replay_agent.report.comparison.result.comparison import Comparison, Moved, Unreadable
from replay_agent.report.comparison.result.spent import Spent, total
from replay_agent.report.comparison.sources.pairing import Pair, pair_files, pair_runs, read_side
from replay_agent.report.comparison.sources.runs import Run
from replay_agent.report.comparison.sources.sides import Side
from replay_agent.report.comparison.spending import spent_by

__all__ = ("compare_sides",)

_USUAL_FOLDER = "cassettes"


def compare_sides(
    old: Side,
    new: Side,
    *,
    cassettes: str = _USUAL_FOLDER,
    with_unchanged: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Comparison:
    """Compare two sides, one file after the other; only files whose bytes differ are read.

    ``cassettes`` is the name of the folder in which a file has to be a cassette; elsewhere in a project what is none is
    passed over. ``with_unchanged`` has the tests counted too in which nothing changed. ``progress`` is told how many
    files are done, of how many.
    """
    comparison = Comparison(old.name, new.name)
    reading = _Reading(old, new, cassettes, comparison)
    pairs = pair_files(old, new)
    unchanged: list[tuple[Spent, Spent]] = []
    for number, pair in enumerate(pairs, 1):
        if not pair.is_same:
            unchanged += reading.compare(pair)
        elif with_unchanged:
            unchanged += reading.count(pair)
        if pair.is_same and reading.is_cassette(pair):
            reading.compared(pair)
        if progress is not None:
            progress(number, len(pairs))
    if with_unchanged:
        comparison.unchanged = total(one for one, _ in unchanged), total(other for _, other in unchanged)
    comparison.ordered()
    return comparison


@dataclass
class _Reading:
    old: Side
    new: Side
    cassettes: str
    comparison: Comparison

    def compared(self, pair: Pair) -> None:
        """Note that the two files of a pair were compared."""
        self.comparison.files += 1
        if pair.old is not None and pair.new is not None and pair.old != pair.new:
            self.comparison.moved.append(Moved(pair.old, pair.new))

    def count(self, pair: Pair) -> list[tuple[Spent, Spent]]:
        """Return what the tests of a file took that is the same on both sides."""
        runs = read_side(self.new, pair.new)
        spent = [] if isinstance(runs, Unreadable) else [spent_by(run.transcript.exchanges) for run in runs]
        return [(each, each) for each in spent]

    def compare(self, pair: Pair) -> list[tuple[Spent, Spent]]:
        """Compare the tests of two files, and return what those took in which nothing changed."""
        old, new = read_side(self.old, pair.old), read_side(self.new, pair.new)
        bad = [side for side in (old, new) if isinstance(side, Unreadable)]
        if isinstance(old, Unreadable) or isinstance(new, Unreadable):
            readable = len(bad) == 1 and pair.old is not None and pair.new is not None
            if readable or any(
                self._is_meant(side, each) for side, each in zip((self.old, self.new), (old, new), strict=True)
            ):
                self.comparison.unreadable += bad
            return []
        self.compared(pair)
        return list(self._compared(pair, old, new))

    def _is_meant(self, side: Side, read: list[Run] | Unreadable) -> bool:
        if not isinstance(read, Unreadable):
            return False
        return side.is_explicit or self._is_kept_for_it(read.path)

    def is_cassette(self, pair: Pair) -> bool:
        """Tell whether a pair that need not be read is one of cassettes, by where it is."""
        return self.new.is_explicit or self.old.is_explicit or self._is_kept_for_it(pair.new or pair.old or "")

    def _is_kept_for_it(self, path: str) -> bool:
        return any(f"/{folder}/" in f"/{path}" for folder in (self.cassettes, _USUAL_FOLDER))

    def _compared(self, pair: Pair, old: list[Run], new: list[Run]) -> Iterator[tuple[Spent, Spent]]:
        shared = max(len(old), len(new)) > 1
        for before, after in pair_runs(old, new):
            change = self._change(pair, before, after, shared=shared)
            if change:
                self.comparison.changes.append(change)
            else:
                self.comparison.recorded_anew += 1
                yield change.old, change.new

    def _change(self, pair: Pair, old: Run | None, new: Run | None, *, shared: bool) -> TestChange:
        run = new or old
        assert run is not None
        path = pair.new or pair.old or ""
        name = run.test or (f"{path} (no test named)" if shared else path)
        was = pair.old if pair.old != pair.new and pair.old and pair.new else None
        if old is not None and new is not None and old.test != new.test and old.test and new.test:
            was = old.test
        return compare_runs(name, path, old, new, was)
