"""A page of a matrix: a table for each test of several variants, and for all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from replay_agent.page.report import Entry, Report, Table
from replay_agent.page.sources.cassettes import MADE_BY

__all__ = ("report_of_matrix",)


def report_of_matrix(
    tables: Iterable[tuple[str, Sequence[Sequence[str]]]], entries: Sequence[Entry] = (), complaints: Sequence[str] = ()
) -> Report:
    """Return tables, each a title and rows of which the first is the head, as a page; ``entries`` stand below them."""
    made = [Table(title, [list(row) for row in rows]) for title, rows in tables]
    tests = [table for table in made if table.rows]
    variants = max((len(table.rows) - 1 for table in tests), default=0)
    headline = f"{len(tests)} test{'' if len(tests) == 1 else 's'}, up to {variants} variants"
    return Report(
        "Matrix",
        "matrix",
        made_by=MADE_BY,
        headline=headline,
        notes=list(complaints),
        tables=made,
        entries=list(entries),
    )
