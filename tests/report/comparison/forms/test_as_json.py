"""The object for programs keeps its members."""

from __future__ import annotations

import json

from replay_agent.report.comparison.forms.as_json import SCHEMA, render_json
from replay_agent.report.comparison.limits import Breach
from replay_agent.report.comparison.result.difference import Difference
from replay_agent.report.json_diff import ABSENT, ValueChange
from tests.report.comparison.forms.test_markdown import answer, changed, comparison


def read(made, breaches=()):
    return json.loads(render_json(made, list(breaches), changed=True))


def test_the_members_of_the_object():
    said = read(comparison(changed("t", [answer("It is near.")])))
    assert said["schema"] == SCHEMA == 1
    assert set(said) == {
        "schema", "old", "new", "changed", "compared", "recorded_anew", "causes", "tests", "moved", "unreadable",
        "total", "breaches",
    }  # fmt: skip
    assert set(said["tests"][0]) == {
        "test", "path", "was", "state", "first_turn", "turns", "causes", "effects", "old", "new", "growth",
    }  # fmt: skip
    assert set(said["causes"][0]) == {"kind", "conversation", "turn", "subject", "label", "text", "tests", "affected"}


def test_texts_are_given_span_by_span():
    said = read(comparison(changed("t")))["causes"][0]["text"]
    assert said == [
        {"kind": "same", "text": "You are "},
        {"kind": "removed", "text": "kind"},
        {"kind": "added", "text": "quick"},
        {"kind": "same", "text": "."},
    ]


def test_an_absent_side_has_no_member():
    change = changed("t")
    change.causes = [Difference("setting_changed", 1, "top_p", values=(ValueChange("top_p", ABSENT, None),))]
    assert read(comparison(change))["causes"][0]["values"] == [{"path": "top_p", "after": None}]


def test_breaches_name_test_and_limit():
    said = read(comparison(), [Breach("t", "--max-cost +5%", "cost $1 -> $2"), Breach(None, "--max-tokens 5", "x")])
    assert [(each["test"], each["limit"]) for each in said["breaches"]] == [
        ("t", "--max-cost +5%"),
        (None, "--max-tokens 5"),
    ]
