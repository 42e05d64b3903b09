"""A comparison for a terminal: causes, then the tests, the worst first, bounded unless all is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from replay_agent.report.comparison.forms.wording import (
    cost_line,
    count,
    headline,
    label,
    lines_of,
    notes,
    place,
    tokens_line,
)
from replay_agent.report.comparison.forms.wrapping import wrapped
from replay_agent.report.comparison.result.change import TestChange
from replay_agent.report.comparison.result.comparison import Comparison
from replay_agent.report.comparison.result.difference import Difference, Gist, gist
from replay_agent.report.comparison.result.grouping import CauseGroup
from replay_agent.report.conversation.lines import short

__all__ = ("render_terminal",)

_T = TypeVar("_T")

_MOST_CAUSES, _MOST_TESTS, _MOST_EFFECTS, _MOST_NAMES, _MOST_LINES, _MOST_NOTES = 12, 12, 6, 4, 8, 6
_COLUMN = 9
"""Where what is said of a test begins, behind its name: ``tokens``, ``effects``."""
_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"


def render_terminal(comparison: Comparison, *, colour: bool = False, verbose: bool = False, width: int = 80) -> str:
    """Return the text; ``verbose`` leaves nothing out."""
    return "\n".join(_Page(comparison, colour, verbose, width).lines())


@dataclass
class _Page:
    comparison: Comparison
    colour: bool
    verbose: bool
    width: int

    def lines(self) -> Iterator[str]:
        comparison = self.comparison
        yield from self._wrapped(f"{comparison.old} -> {comparison.new}: {headline(comparison)}", bold=True)
        yield from self._total()
        yield from self._bounded([f"not compared: {bad.cause}" for bad in comparison.unreadable], "files")
        yield from self._bounded(notes(comparison), "notes")
        groups = comparison.groups
        numbers = {gist(group.cause): number for number, group in enumerate(groups, 1)}
        for number, group in enumerate(self._first(groups, _MOST_CAUSES), 1):
            yield ""
            yield from self._group(number, group)
        yield from self._more(len(groups), _MOST_CAUSES, "cause")
        shown = self._first(comparison.changes, _MOST_TESTS)
        for change in shown:
            yield ""
            yield from self._test(change, numbers)
        yield from self._more(len(comparison.changes), _MOST_TESTS, "test")

    def _total(self) -> Iterator[str]:
        old, new = self.comparison.spent
        if self.comparison.changes and old != new:
            figures = tokens_line(old, new)
            yield from self._wrapped(f"tokens {', '.join(figures)}" if figures else "tokens unknown")
            yield from self._wrapped(f"cost {cost_line(old, new)}")

    def _group(self, number: int, group: CauseGroup) -> Iterator[str]:
        tests = [test.name for test in group.tests]
        of = f"of {count(len(tests), 'test')}"
        effects = f"effects in {len(group.affected)} of them" if len(tests) > 1 else self._does(group)
        yield from self._wrapped(f"cause {number}: {label(group.cause)}, {of}; {effects}", bold=True)
        yield from self._body(lines_of(group.cause, colour=self.colour))
        if len(tests) > 1:
            named = self._first(tests, _MOST_NAMES)
            rest = f" and {len(tests) - len(named)} more" if len(tests) > len(named) else ""
            yield from self._wrapped(f"in {', '.join(short(name, 100) for name in named)}{rest}", "  ", "     ")

    def _does(self, group: CauseGroup) -> str:
        return "with effects" if group.affected else "no effect on the answers"

    def _test(self, change: TestChange, numbers: dict[Gist, int]) -> Iterator[str]:
        yield from self._wrapped(short(change.name, 300), bold=True)
        if change.was is not None:
            yield from self._field("was", [short(change.was, 300)])
        if change.state != "changed":
            only = change.new if change.state == "added" else change.old
            yield from self._field("test", [f"{change.state}, {count(only.calls, 'call')} of a model"])
        causes = [_cause(cause, change.conversations, numbers) for cause in change.causes]
        yield from self._field("cause", self._first(causes, _MOST_EFFECTS), len(causes))
        if change.first_turn is not None:
            calls = f" of {change.turns}" if change.conversations <= 1 else ""
            yield from self._field("first", [f"turn {change.first_turn}{calls}"])
        yield from self._effects(change)
        yield from self._figures(change)

    def _effects(self, change: TestChange) -> Iterator[str]:
        if change.state == "changed" and not change.effects:
            yield from self._field("effects", ["none: the answers are the same"])
        for number, effect in enumerate(self._first(change.effects, _MOST_EFFECTS)):
            where = place(effect, change.conversations)
            yield from self._field("" if number else "effects", [f"{where}{': ' if where else ''}{label(effect)}"])
            yield from self._body(lines_of(effect, colour=self.colour), " " * (_COLUMN + 6))
        yield from self._more(len(change.effects), _MOST_EFFECTS, "effect", "  " + " " * _COLUMN)

    def _figures(self, change: TestChange) -> Iterator[str]:
        if change.state != "changed":
            return
        if change.old.calls != change.new.calls:
            yield from self._field("calls", [f"{change.old.calls} -> {change.new.calls}"])
        if (change.old.input_tokens, change.old.output_tokens) != (change.new.input_tokens, change.new.output_tokens):
            yield from self._field("tokens", tokens_line(change.old, change.new, change.growth))
        if change.old.cost != change.new.cost:
            yield from self._field("cost", [cost_line(change.old, change.new)])

    # --- lines --------------------------------------------------------------------------------------------------------

    def _field(self, name: str, values: Sequence[str], of: int = 0) -> Iterator[str]:
        margin = " " * (_COLUMN + 2)
        for number, value in enumerate(values):
            first = f"  {'' if number else name}".ljust(_COLUMN + 2)
            yield from wrapped(value, self.width, first, margin + "  ")
        if of > len(values):
            yield f"{margin}... and {of - len(values)} more (-v shows all)"

    def _body(self, lines: Sequence[str], indent: str = "    ") -> Iterator[str]:
        rows = [row for line in lines for row in wrapped(line, self.width, indent)]
        yield from self._first(rows, _MOST_LINES)
        yield from self._more(len(rows), _MOST_LINES, "line", indent)

    def _bounded(self, lines: Sequence[str], what: str) -> Iterator[str]:
        for line in self._first(lines, _MOST_NOTES):
            yield from self._wrapped(short(line, 600), "", "  ")
        if len(lines) > _MOST_NOTES and not self.verbose:
            yield f"... and {len(lines) - _MOST_NOTES} more {what} (-v shows all)"

    def _first(self, values: Sequence[_T], most: int) -> Sequence[_T]:
        return values if self.verbose else values[:most]

    def _more(self, number: int, most: int, noun: str, indent: str = "") -> Iterator[str]:
        if number > most and not self.verbose:
            yield f"{indent}... and {count(number - most, noun)} more (-v shows all)"

    def _wrapped(self, text: str, indent: str = "", hanging: str | None = "  ", *, bold: bool = False) -> list[str]:
        lines = wrapped(text, self.width, indent, hanging)
        return [f"{_BOLD}{line}{_PLAIN}" for line in lines] if bold and self.colour else lines


def _cause(cause: Difference, conversations: int, numbers: dict[Gist, int]) -> str:
    """Return in a line where a cause of a test is, and by which number it is told above."""
    where = place(cause, conversations)
    return f"{where}{': ' if cause.turn else ''}{label(cause)} (cause {numbers[gist(cause)]})"
