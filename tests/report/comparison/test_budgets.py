"""Budgets as they are written, and what goes beyond them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from replay_agent.exceptions import UserError
from replay_agent.report.comparison.budgets import Budget, committed_spending, overrun, read_budget
from replay_agent.report.comparison.result.spent import Spent
from replay_agent.report.conversation.transcript import Transcript
from tests.report.comparison.sources.test_git import commit, git
from tests.report.comparison.stories import cassette, interactions, story


def exchanges(model="gpt-4o"):
    told = story("openai_chat")
    told.model = model
    return Transcript.from_interactions(interactions("openai_chat", told)).exchanges


@pytest.mark.parametrize(
    ("said", "budget"),
    [
        (None, Budget()),
        ({"tokens": 5_000}, Budget(tokens=5_000)),
        ("tokens=5_000, requests=3", Budget(tokens=5_000, requests=3)),
        ("usd=$0.05 growth=+5%", Budget(usd=Decimal("0.05"), growth=Decimal(5))),
        ({"usd": 0.05, "unknown": "fail"}, Budget(usd=Decimal("0.05"), unknown_fails=True)),
        ("growth=0", Budget(growth=Decimal(0))),
    ],
)
def test_a_budget_is_a_mapping_or_a_text(said, budget):
    assert read_budget(said) == budget


@pytest.mark.parametrize(
    "said",
    [5, ["tokens"], "5000", "tokens", "tokens=many", "tokens=-1", "tokens=1.5", {"tokens": True}, {"hours": 1}, "usd=nan", "unknown=maybe"],
)  # fmt: skip
def test_what_is_no_budget_is_said(said):
    with pytest.raises(UserError, match="budget="):
        read_budget(said)


def over(said, committed=None, model="gpt-4o"):
    return overrun(read_budget(said), exchanges(model), lambda: committed)


@pytest.mark.parametrize("said", ["tokens=550", "requests=5", "usd=0.00175", "growth=10", "usd=1 unknown=fail"])
def test_within_a_budget_nothing_is_said(said):
    assert over(said, Spent(5, 500, 50, Decimal("0.0016"))) == ""


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("tokens=549", "spent 550 tokens; its budget is 549"),
        ("requests=4", "made 5 calls of a model; its budget is 4"),
        ("usd=0.001", "spent $0.001750; its budget is $0.001000"),
        ("growth=9", "committed are 500: +10.0 %"),
    ],
)
def test_beyond_a_budget_the_calls_that_took_most_are_named(said, words):
    text = over(said, Spent(5, 450, 50))
    assert words in text
    assert text.count("\n  turn ") == 3
    assert "... and 2 more" in text


def test_growth_of_what_is_not_committed_is_none():
    assert over("growth=0", None) == ""


def test_an_unknown_price_fails_only_if_asked():
    assert over("usd=0", model="nobody-sells-this") == ""
    assert "unknown (5 answers without a known price)" in over("usd=0 unknown=fail", model="nobody-sells-this")


def test_what_is_committed_is_read_from_git(tmp_path):
    place = tmp_path / "cassettes/a.yaml"
    assert committed_spending(place, "t.py::a") is None
    git(tmp_path, "init", "--quiet")
    assert committed_spending(place, "t.py::a") is None
    data = cassette(interactions("openai_chat", story("openai_chat"), test="t.py::a"))
    commit(tmp_path, {"cassettes/a.yaml": data.decode()})
    place.write_text("something else", "utf-8")
    assert committed_spending(place, "t.py::a").input_tokens == 500
    assert committed_spending(place, "t.py::b") is None
    assert committed_spending(tmp_path / "cassettes/b.yaml", "t.py::a") is None
    commit(tmp_path, {"cassettes/a.yaml": "<<<<<<< broken\n"})
    assert committed_spending(place, "t.py::a") is None
