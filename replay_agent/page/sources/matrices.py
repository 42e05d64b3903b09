"""A page of a matrix: a table for each test of several variants, and for all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from replay_agent.page.report import Report, Table
from replay_agent.page.sources.cassettes import MADE_BY

__all__ = ("report_of_matrix",)


def report_of_matrix(tables: Iterable[tuple[str, Sequence[Sequence[str]]]], complaints: Sequence[str] = ()) -> Report:
    """Return tables, each a title and rows of which the first is the head, as a page."""
    made = [Table(title, [list(row) for row in rows]) for title, rows in tables]
    variants = len({row[0] for table in made for row in table.rows[1:]})
    headline = f"{variants} variants, side by side"
    return Report("Matrix", "matrix", made_by=MADE_BY, headline=headline, notes=list(complaints), tables=made)
