from __future__ import annotations

import pytest

from replay_agent.report.page.report import Entry, Figures, total


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        (Figures(), Figures(), Figures()),
        (Figures(1, 10, None, "0.1"), Figures(2, None, None, None, 1, 5), Figures(3, 10, None, "0.1", 1, 5)),
        (Figures(1, 10, 2, "0.1"), Figures(1, 20, 3, "0.02", 0, 7), Figures(2, 30, 5, "0.12", 0, 7)),
    ],
)
def test_figures_add_up(one, other, both):
    assert one + other == both
    assert total([other, one]) == both


@pytest.mark.parametrize(
    ("outcome", "failed"),
    [("failed", True), ("error", True), ("passed", False), ("xpassed", False), ("skipped", False), ("changed", False)],
)
def test_which_outcomes_fail_a_session(outcome, failed):
    assert Entry("tests/test_a.py::test_b", outcome).has_failed is failed
