from __future__ import annotations

import json

import pytest

from replay_agent.recording.misses import Miss
from replay_agent.report.drift import explain
from replay_agent.report.json_diff import ABSENT, ValueChange
from replay_agent.report.page.content.drifts import drift_of, shift_of_spans, shift_of_value
from replay_agent.report.words import word_diff
from replay_agent.traffic import Interaction
from tests.report.page.samples import answer, call, system, user

COMMAND = "pytest tests/test_a.py::test_b --record-mode={mode}"


def drift(recorded, asked, reason="changed"):
    interactions = [Interaction(recorded, answer("b"))] if recorded else []
    miss = Miss(asked, None, "tests/test_a.py::test_b", "none", lambda: interactions, reason=reason)
    return drift_of(explain(miss, COMMAND), ["pytest"], "tests/test_a.py::test_b", "--record-mode={mode}")


def text_of(side):
    return None if side is None else "".join(stretch.text for stretch in side)


def changed(side):
    return [stretch.text for stretch in side if stretch.changed]


def test_a_changed_prompt_stands_side_by_side():
    told = drift(call(system("Answer in one word."), user("a")), call(system("Answer in one sentence."), user("a")))
    (shift,) = told.shifts
    assert shift.title == "turn 1, system prompt"
    assert (text_of(shift.old), text_of(shift.new)) == ("Answer in one word.", "Answer in one sentence.")
    assert (changed(shift.old), changed(shift.new)) == (["word"], ["sentence"])
    assert told.headline == "The system prompt changed since the cassette was recorded."
    assert told.shared == "The system prompt changed since the cassettes were recorded."
    assert told.command == "pytest tests/test_a.py::test_b --record-mode=refresh"
    assert "[-word-]" not in "\n".join(told.lines)


TOOL = {"type": "function", "function": {"name": "add", "description": "adds", "parameters": {"type": "object"}}}
OTHER = {"type": "function", "function": {"name": "add", "description": "adds up", "parameters": {"type": "object"}}}


@pytest.mark.parametrize(
    ("before", "after", "title", "sides"),
    [
        ({"temperature": 0}, {"temperature": 1}, "temperature", ("0", "1")),
        ({}, {"temperature": 1}, "temperature", (None, "1")),
        ({"temperature": 0}, {}, "temperature", ("0", None)),
        ({}, {"tools": [TOOL]}, "tools", (None, "add")),
        ({"tools": [TOOL]}, {}, "tools", ("add", None)),
        ({"tools": [TOOL]}, {"tools": [OTHER]}, "tool add: description", ("adds", "adds up")),
    ],
)
def test_everything_else_of_a_call(before, after, title, sides):
    told = drift(call(user("a"), **before), call(user("a"), **after))
    assert [(shift.title, (text_of(shift.old), text_of(shift.new))) for shift in told.shifts] == [(title, sides)]


def test_messages_that_came_and_went():
    told = drift(call(user("a")), call(system("New."), user("a")))
    assert [(text_of(shift.old), text_of(shift.new)) for shift in told.shifts] == [(None, "New.")]
    told = drift(call(system("Old."), user("a")), call(user("a")))
    assert [(text_of(shift.old), text_of(shift.new)) for shift in told.shifts] == [("Old.", None)]


def test_nothing_recorded_has_no_sides():
    told = drift(None, call(user("a")), "no cassette")
    assert told.shifts == []
    assert told.cause == "no cassette"
    assert told.command.endswith("--record-mode=once")


def test_any_other_text_is_told_by_lines():
    told = drift_of("first\nsecond\nthird")
    assert (told.headline, told.lines, told.command) == ("first", ["second", "third"], "")


def test_long_texts_are_shown_around_the_change():
    before = f"{'start ' * 500}old{' end' * 500}"
    shift = shift_of_spans("prompt", word_diff(before, before.replace("old", "new")))
    assert len(text_of(shift.old)) < 600
    assert text_of(shift.old).startswith("... ")
    assert changed(shift.new) == ["new"]


def test_an_endless_value_is_cut():
    shift = shift_of_value("body", ValueChange("$.data", ABSENT, "x" * 100_000))
    assert shift.title == "body: data"
    assert text_of(shift.new).endswith("94,000 more characters")
    assert shift.old is None


def test_many_changes_are_counted():
    before = {f"k{number}": 0 for number in range(40)}
    asked = [call(user("a"), metadata=dict.fromkeys(before, value)) for value in (0, 1)]
    told = drift(*asked)
    assert len(told.shifts) == 24
    assert "... and 16 more changes" in told.lines
    assert json.dumps(told.shifts[0].title)
