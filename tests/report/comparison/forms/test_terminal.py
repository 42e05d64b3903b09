"""The page for a terminal: cause, first turn, effects, tokens, cost; bounded, safe, eighty columns."""

from __future__ import annotations

from decimal import Decimal

from replay_agent.report.comparison.forms.terminal import render_terminal
from replay_agent.report.comparison.forms.wording import cost_line, label, price
from replay_agent.report.comparison.result.change import TestChange
from replay_agent.report.comparison.result.comparison import Comparison, Moved
from replay_agent.report.comparison.result.difference import CAUSES, EFFECTS, Difference
from replay_agent.report.comparison.result.spent import Growth, Spent
from tests.report.comparison.forms.test_markdown import answer, changed, comparison


def test_what_is_said_of_a_test_stands_in_its_order():
    change = changed("t.py::test_a", [answer("It is near.")])
    change.old, change.new = Spent(2, 1_000, 50, Decimal("0.01")), Spent(3, 2_240, 40, Decimal("0.02"))
    change.growth = [Growth("system prompt", 1_180), Growth("tool search", 60)]
    text = render_terminal(comparison(change))
    page = text[text.index("t.py::test_a\n") :]
    words = ["cause ", "first ", "effects ", "calls ", "tokens ", "cost "]
    assert sorted(words, key=page.index) == words
    assert "in 1,000 -> 2,240 (+1,240: system prompt +1,180, tool search +60)" in page
    assert "$0.01000 -> $0.02000 (+100.0 %)" in page


def test_equal_causes_are_told_once():
    text = render_terminal(comparison(*(changed(f"t.py::test_{n}") for n in range(14))))
    assert text.count("{+quick+}") == 1
    assert "of 14 tests; effects in 0 of them" in text
    assert "and 10 more" in text


def test_a_page_is_bounded_unless_all_is_asked_for():
    changes = [changed(f"t.py::test_{n}", [answer(f"It is {n}.")], after=f"You are number {n}.") for n in range(300)]
    short, whole = render_terminal(comparison(*changes)), render_terminal(comparison(*changes), verbose=True)
    assert len(short.splitlines()) < 250
    assert "-v shows all" in short
    assert all(f"t.py::test_{n}\n" in whole for n in range(300))
    assert "-v shows all" not in whole


def test_lines_have_eighty_columns():
    change = changed(
        "tests/" + "deep/" * 30 + "test_a.py::test_b", [answer("far " * 200)], after="You are " + "x" * 500
    )
    text = render_terminal(comparison(change))
    assert max(map(len, text.splitlines())) <= 80


def test_nothing_steers_the_terminal():
    bad = "\x1b[2J\u202eevil\x07"
    change = changed(bad, [answer(f"It is {bad} away.")], after=f"You are {bad}.")
    change.causes.append(Difference("tool_added", 1, f"tool {bad}"))
    assert {"\x1b", "\u202e", "\x07"}.isdisjoint(render_terminal(comparison(change), verbose=True))


def test_colour_only_if_asked():
    made = comparison(changed("t", [answer("It is near.")]))
    assert "\x1b[32m" in render_terminal(made, colour=True)
    assert "\x1b" not in render_terminal(made)


def test_what_is_no_difference_is_said_as_a_note():
    text = render_terminal(Comparison("a", "b", files=2, recorded_anew=2, moved=[Moved("x.yaml", "y.yaml")]))
    assert "2 tests recorded anew with no difference that counts" in text
    assert "moved: x.yaml -> y.yaml" in text


def test_a_test_of_one_side_is_said():
    text = render_terminal(comparison(TestChange("t", "t.yaml", state="added", new=Spent(3, 10, 5))))
    assert "added, 3 calls of a model" in text


def test_every_kind_has_its_words():
    for kind in (*CAUSES, *EFFECTS):
        assert label(Difference(kind, 1, "thing")).strip()


def test_prices():
    assert [price(each) for each in (None, Decimal(0), Decimal("0.00012345"), Decimal("12.5"))] == [
        "unknown", "$0", "$0.0001234", "$12.50",
    ]  # fmt: skip
    assert (
        cost_line(Spent(1, 1, 1, None, 1), Spent(1, 1, 1, Decimal(1)))
        == "unknown -> $1.000; 1 answer without a known price"
    )
