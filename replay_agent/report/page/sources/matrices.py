"""A page of a matrix: a table for each test of several variants, and for all of them; what each variant said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from replay_agent.report.comparison.changes import compare_runs
from replay_agent.report.comparison.sources.runs import Run
from replay_agent.report.page.content.entries import entry_of
from replay_agent.report.page.report import Entry, Report, Table
from replay_agent.report.page.sources.cassettes import MADE_BY
from replay_agent.report.page.sources.comparisons import differences_of

__all__ = "Variant", "report_of_matrix"


@dataclass(frozen=True, eq=False)
class Variant:
    """What one variant of a test recorded, and what the first one did, where it is another."""

    test: str
    passed: bool | None
    run: Run
    first: Run | None = None


def report_of_matrix(
    tables: Iterable[tuple[str, Sequence[Sequence[str]]]],
    tests: Sequence[Sequence[str]] = (),
    variants: Iterable[Variant] = (),
    complaints: Sequence[str] = (),
) -> Report:
    """Return tables, each a title and rows of which the first is the head, as a page.

    ``tests`` are, for each table, what its rows behind the head open to, if that is among the ``variants``.
    """
    entries = [_entry(variant) for variant in variants]
    there = {entry.test for entry in entries}
    made = [Table(title, [list(row) for row in rows]) for title, rows in tables]
    for table, named in zip(made, tests, strict=False):
        table.links = ["", *(test if test in there else "" for test in named)]
    names = len({row[0] for table in made for row in table.rows[1:]})
    headline = f"{names} variants, side by side"
    return Report(
        "Matrix", "matrix", made_by=MADE_BY, headline=headline, notes=list(complaints), entries=entries, tables=made
    )


def _entry(variant: Variant) -> Entry:
    transcript = variant.run.transcript
    entry = entry_of(variant.test, transcript, variant.run.interactions)
    if variant.passed is not None:
        entry = replace(entry, outcome="passed" if variant.passed else "failed")
    if variant.first is None:
        return entry
    drifts, lines = differences_of(compare_runs(variant.test, "", variant.first, variant.run))
    return replace(entry, drifts=drifts, notes=[*entry.notes, *lines])
