from __future__ import annotations

from collections import Counter

import pytest

from replay_agent.faults.sweep.verdicts import Cell, Played, Verdict, judged, table_of

WITHOUT = Played("Paris", effects=Counter({"mail": 1}))


@pytest.mark.parametrize(
    ("played", "verdict", "word"),
    [
        (Played("Paris", effects=Counter({"mail": 1})), Verdict.RECOVERED, ""),
        (Played("Paris"), Verdict.RECOVERED, ""),
        (Played("Paris", effects=Counter({"mail": 1, "other": 2})), Verdict.RECOVERED, ""),
        (Played("Pa"), Verdict.WRONG, "'Pa' instead of 'Paris'"),
        (Played(None), Verdict.WRONG, "None instead of"),
        (Played("Paris", effects=Counter({"mail": 2})), Verdict.WRONG, "mail done again"),
        (Played(error=AssertionError("no\nwhy")), Verdict.WRONG, "no"),
        (Played(error=ValueError("x")), Verdict.LOUD, "ValueError"),
        (Played(error=ValueError("x"), effects=Counter({"mail": 2})), Verdict.LOUD, "ValueError; mail done again"),
        (Played(error=ValueError("for ever"), hung=True), Verdict.HUNG, "for ever"),
    ],
)
def test_a_run_is_judged_by_the_one_without_the_fault(played, verdict, word):
    found, note = judged(played, WITHOUT)
    assert (found, word in note) == (verdict, True)


def test_the_table_has_a_row_for_each_fault_and_tells_the_worst():
    cells = [
        Cell(1, "cut", Verdict.RECOVERED),
        Cell(2, "cut", Verdict.WRONG, "mail done again"),
        Cell(2, "bad_tool_json", Verdict.LOUD),
    ]
    lines = table_of(cells, 2).splitlines()
    assert [line.split("  ")[0] for line in lines[:3]] == ["fault", "cut", "bad_tool_json"]
    assert lines[2].split() == ["bad_tool_json", "-", "failed", "loudly"]
    assert lines[-2:] == [
        "1 recovered, 1 failed loudly, 1 silently wrong, 0 hung",
        "  cut at call 2: silently wrong: mail done again",
    ]
    many = table_of([Cell(1, f"f{n}", Verdict.HUNG) for n in range(40)], 1)
    assert "and 28 more" in many
