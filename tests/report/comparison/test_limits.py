"""Limits as they are written, and what passes them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from replay_agent.exceptions import UserError
from replay_agent.report.comparison.limits import breaches_of, read_limit
from replay_agent.report.comparison.result.change import TestChange
from replay_agent.report.comparison.result.comparison import Comparison
from replay_agent.report.comparison.result.spent import Growth, Spent


@pytest.mark.parametrize(
    ("text", "before", "most"),
    [("+5%", 100, 105), ("5%", 100, 105), ("+20", 100, 120), ("$0.50", 7, Decimal("0.5")), ("1,000", 7, 1000), ("+.5", 1, Decimal("1.5"))],
)  # fmt: skip
def test_what_a_limit_allows(text, before, most):
    assert read_limit(text, "tokens").most(Decimal(before)) == most


@pytest.mark.parametrize("text", ["", "-5%", "much", "5%%", "+", "1.2.3", "5 euros"])
def test_what_is_no_limit_is_said_with_an_example(text):
    with pytest.raises(UserError, match="Write one like"):
        read_limit(text, "cost")


def change(name, old, new, state="changed", **more):
    return TestChange(name, "t.yaml", state=state, old=Spent(1, old, 0, **more), new=Spent(1, new, 0, **more))


def breaches(*changes, limit="+10%", what="tokens", **more):
    comparison = Comparison("a", "b", list(changes))
    return [str(each) for each in breaches_of(comparison, [read_limit(limit, what)], **more)]


def test_a_breach_names_test_growth_and_reason():
    made = change("t.py::a", 100, 150)
    made.growth = [Growth("system prompt", 60), Growth("tool x", -10)]
    assert breaches(made) == [
        "t.py::a: tokens 100 -> 150 (+50.0 %): system prompt +60 (limit --max-tokens +10%)",
        "all tests together: tokens 100 -> 150 (+50.0 %) (limit --max-tokens +10%)",
    ]


def test_growth_of_one_may_be_made_good_by_another():
    assert [each.partition(":")[0] for each in breaches(change("a", 100, 150), change("b", 1000, 900))] == ["a"]


def test_many_small_growths_are_one_of_all_together():
    assert breaches(*(change(f"t{n}", 100, 109) for n in range(5)), limit="+20") == [
        "all tests together: tokens 500 -> 545 (+9.0 %) (limit --max-tokens +20)"
    ]


def test_less_is_never_too_much():
    assert breaches(change("a", 1000, 900), limit="500") == []


def test_a_new_test_is_held_to_amounts_only():
    assert breaches(change("a", None, 1000, state="added"), limit="+1%") == []
    assert len(breaches(change("a", None, 1000, state="added"), limit="500")) == 1


def test_unknown_passes_unless_it_is_asked_to_fail():
    assert breaches(change("a", 1, 2), what="cost") == []
    assert len(breaches(change("a", 1, 2), what="cost", unknown_fails=True)) == 1
    half = TestChange("a", "t.yaml", old=Spent(1, 1, 1), new=Spent(1, 1, 1, Decimal(1)))
    assert breaches(half, what="cost") == []
    assert "before is unknown" in breaches(half, what="cost", unknown_fails=True)[0]
