"""A page of a comparison: its causes, and each test with what changed in it, before and after side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from replay_agent.report.comparison.forms.wording import cost_line, headline, label, notes, place, tokens_line
from replay_agent.report.comparison.limits import Breach
from replay_agent.report.comparison.result.change import TestChange
from replay_agent.report.comparison.result.comparison import Comparison
from replay_agent.report.comparison.result.difference import Difference, gist
from replay_agent.report.comparison.result.spent import Spent
from replay_agent.report.page.content.drifts import shift_of_spans, shift_of_value
from replay_agent.report.page.report import Drift, Entry, Figures, Report, Shift
from replay_agent.report.page.sources.cassettes import MADE_BY

__all__ = "differences_of", "report_of_comparison"

_MOST = 60
"""Differences of one test."""


def report_of_comparison(comparison: Comparison, breaches: Sequence[Breach] = ()) -> Report:
    """Return what two sides differ in as a page, the worst first."""
    said = [*map(str, breaches), *(f"Not compared: {bad.cause}" for bad in comparison.unreadable), *notes(comparison)]
    old, new = comparison.spent
    if comparison.changes and old != new:
        said.append(f"Tokens {', '.join(tokens_line(old, new)) or 'unknown'}; cost {cost_line(old, new)}.")
    sentence = headline(comparison)
    return Report(
        f"{comparison.old} -> {comparison.new}",
        "comparison",
        made_by=MADE_BY,
        headline=f"{sentence[0].upper()}{sentence[1:]}",
        notes=said,
        entries=[_entry(change) for change in comparison.changes],
    )


def differences_of(change: TestChange) -> tuple[list[Drift], list[str]]:
    """Return what is not the same in a test, and what else there is to say of it."""
    differences = [*change.causes, *change.effects]
    left = len(differences) - _MOST
    lines = [*_lines(change), *([f"... and {left} more differences"] if left > 0 else [])]
    return [_drift(each, change.conversations) for each in differences[:_MOST]], lines


def _entry(change: TestChange) -> Entry:
    drifts, lines = differences_of(change)
    return Entry(
        change.name,
        change.state,
        cassette="" if change.path == change.name else change.path,
        replayed=_figures(change.old if change.state == "removed" else change.new),
        drifts=drifts,
        notes=lines,
    )


def _lines(change: TestChange) -> Iterator[str]:
    if change.was is not None:
        yield f"was {change.was}"
    if change.state == "changed" and change.old != change.new:
        yield from (f"tokens {line}" for line in tokens_line(change.old, change.new, change.growth))
        if change.old.cost != change.new.cost:
            yield f"cost {cost_line(change.old, change.new)}"


def _figures(spent: Spent) -> Figures:
    usd = None if spent.cost is None else str(spent.cost)
    return Figures(spent.calls, spent.input_tokens, spent.output_tokens, usd, spent.unpriced)


def _drift(difference: Difference, conversations: int) -> Drift:
    where, name = place(difference, conversations), label(difference)
    return Drift(
        f"{where}: {name}" if where and not difference.is_cause else f"{name[0].upper()}{name[1:]}",
        shifts=_shifts(difference),
        lines=[where] if where and difference.is_cause else [],
        cause=repr(gist(difference)) if difference.is_cause else "",
        kind="cause" if difference.is_cause else "effect",
    )


def _shifts(difference: Difference) -> list[Shift]:
    if not difference.spans:
        return [shift_of_value("", each) for each in difference.values]
    sides = {span.kind for span in difference.spans}
    shift = shift_of_spans(difference.subject, difference.spans)
    return [
        Shift(
            shift.title,
            None if sides == {"added"} else shift.old,
            None if sides == {"removed"} else shift.new,
        )
    ]
