"""Comparison: what two sides of a project differ in, the worst first."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from replay_agent.report.comparison.result.change import TestChange
from replay_agent.report.comparison.result.grouping import CauseGroup, grouped
from replay_agent.report.comparison.result.spent import Spent, total

__all__ = "Comparison", "Moved", "Unreadable"


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file that could not be compared, and why."""

    path: str
    side: str
    cause: str


@dataclass(frozen=True, slots=True)
class Moved:
    """A file that is under another name."""

    old: str
    new: str


@dataclass
class Comparison:
    """What two sides differ in."""

    old: str
    new: str
    changes: list[TestChange] = field(default_factory=list)
    """The tests that are not the same, the worst first."""
    unreadable: list[Unreadable] = field(default_factory=list)
    moved: list[Moved] = field(default_factory=list)
    files: int = 0
    """How many files were compared, those with the same bytes among them."""
    recorded_anew: int = 0
    """Tests whose files differ, though nothing in them that counts."""
    unchanged: tuple[Spent, Spent] | None = None
    """What the tests took in which nothing changed, on each side; None if that was not asked for."""

    @property
    def groups(self) -> list[CauseGroup]:
        """The causes, equal ones as one."""
        return grouped(self.changes)

    @property
    def spent(self) -> tuple[Spent, Spent]:
        """What the tests took that both sides have: those that are listed, and the others where that was asked for."""
        both = [change for change in self.changes if change.state == "changed"]
        sides = [total(change.old for change in both), total(change.new for change in both)]
        if self.unchanged is not None:
            sides = [total(pair) for pair in zip(sides, self.unchanged, strict=True)]
        return sides[0], sides[1]

    def ordered(self) -> None:
        """Put the worst first."""
        self.changes.sort(key=lambda change: change.severity, reverse=True)

    def counts(self, ignored: Collection[str]) -> bool:
        """Tell whether something changed beyond what is ignored, or could not be compared."""
        return bool(self.unreadable) or any(change.counts(ignored) for change in self.changes)
