"""The table in docs/bad-days.md is what the clients do, as far as those named in it are installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.fault_table import NAMES, cell, versions
from tests.provider.sdks import SDKS

PAGE = Path(__file__).parents[2] / "docs" / "bad-days.md"


def columns():
    """Return the cells of the table, by the name and version of the client and by fault."""
    lines = [line.strip("|").split("|") for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")]
    rows = [[word.strip() for word in line] for line in lines]
    head = next(index for index, row in enumerate(rows) if row[0] == "fault" and len(row) == len(SDKS) + 1)
    table = [row for row in rows[head + 1 :] if len(row) == len(SDKS) + 1]
    return {title: {row[0].strip("`"): row[place] for row in table} for place, title in enumerate(rows[head]) if place}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize("name", SDKS)
def test_the_table_says_what_the_client_does(name):
    known = columns().get(versions()[name])
    if known is None:
        pytest.skip(f"the table is of another release than {versions()[name]}")
    assert known.keys() == set(NAMES)
    assert {fault: cell(SDKS[name], fault) for fault in NAMES} == known
