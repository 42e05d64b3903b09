"""What is promised of the speed, beside what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = "Figure", "summary"


@dataclass(frozen=True)
class Figure:
    """One measured ratio and the most that it may be; None where nothing is promised."""

    what: str
    measured: float
    most: float | None = None

    def row(self) -> str:
        """Return the line of the summary."""
        if self.most is None:
            return f"  {self.what:96} {self.measured:6.2f}"
        verdict = "met" if self.measured <= self.most else "NOT MET"
        return f"  {self.what:96} {self.measured:6.2f}  (at most {self.most:g}: {verdict})"


def summary(figures: Sequence[Figure]) -> str:
    """Return the table of all figures of one run."""
    return "\n".join(["ratios of this run, ours to the other", *(figure.row() for figure in figures)])
