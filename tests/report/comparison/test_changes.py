"""What is a cause, what follows from an answer, and what is neither."""

from __future__ import annotations

from copy import deepcopy

import pytest

from replay_agent.calls import AnswerError, OutputSchema, ToolDefinition
from replay_agent.messages import TextPart, ThinkingPart, ToolCallPart
from replay_agent.report.json_diff import ValueChange
from tests.report.comparison.stories import (
    Step,
    Story,
    cassette,
    change_of,
    compared,
    interactions,
    returned,
    story,
    tools,
    user,
)


def kinds(differences):
    return [(each.kind, each.turn) for each in differences]


def recorded(*stories):
    return cassette(interactions("openai_chat", *stories))


def change(edit, base=None):
    return change_of("openai_chat", edit, base)


RESULT = ToolDefinition(
    "final_result",
    "The final response which ends this conversation",
    {"type": "object", "properties": {"city": {"type": "string"}}},
)


def typed():
    return Story(
        [Step([user("Which city?")], [ToolCallPart("final_result", {"city": "Oslo"}, "c1")])],
        examples=[],
        tools=[RESULT],
    )


def test_another_result_type_is_a_cause():
    def edit(told):
        told.tools[0].parameters_json_schema["properties"]["country"] = {"type": "string"}

    assert kinds(change(edit, typed()).causes) == [("output_changed", 1)]


def test_another_result_is_an_effect_by_its_fields():
    def edit(told):
        told.steps[0].answer = [ToolCallPart("final_result", {"city": "Bergen"}, "c1")]

    (effect,) = change(edit, typed()).effects
    assert (effect.kind, effect.values) == ("result_changed", (ValueChange("result.city", "Oslo", "Bergen"),))


def test_a_result_in_json_is_compared_by_its_fields():
    base = typed()
    base.tools, base.output = [], OutputSchema({"type": "object"}, "city")
    base.steps[0].answer = [TextPart('{"city": "Oslo", "far": true}')]

    def edit(told):
        told.steps[0].answer = [TextPart('{"far": false, "city": "Oslo"}')]

    (effect,) = change(edit, base).effects
    assert (effect.kind, effect.values) == ("result_changed", (ValueChange("result.far", True, False),))


def test_the_result_of_a_tool_that_was_called_otherwise_follows():
    def edit(told):
        told.steps[0].answer = [ToolCallPart("search", {"query": "Bergen"}, "call_a1")]
        told.steps[1].parts = [returned("search", "Bergen lies in the west.", "call_a1")]

    made = change(edit)
    assert made.causes == []
    assert kinds(made.effects) == [("tool_arguments_changed", 1), ("tool_result_changed", 2)]


def test_a_prompt_that_quotes_an_answer_follows():
    def told(city):
        first = Story([Step([user("Name a city in Norway.")], [TextPart(f"I would say {city}.")])], examples=[])
        second = Story([Step([user(f"Tell me of this: I would say {city}.")], [TextPart("Rain.")])], examples=[])
        return recorded(first, second)

    made = compared(told("Oslo"), told("Tromsø"))
    assert made.causes == []
    assert [(each.kind, each.conversation) for each in made.effects] == [("answer_changed", 1), ("message_followed", 2)]


def test_a_round_more_because_of_an_answer_is_an_effect():
    def edit(told):
        told.steps[1].answer = [ToolCallPart("search", {"query": "Oslo harbour"}, "call_x")]
        told.steps.insert(2, Step([returned("search", "east", "call_x")], [TextPart("In the east.")]))

    made = change(edit)
    assert made.causes == []
    assert ("call_added", 3) in kinds(made.effects)
    assert (made.old.calls, made.new.calls) == (5, 6)


def test_attempts_that_failed_are_effects():
    failed = Step([user("Where is the harbour of Oslo, please?")], AnswerError(503, "busy"))

    def told(attempts):
        first = story("openai_chat")
        again = [Story([deepcopy(failed)], examples=first.examples, tools=tools()) for _ in range(attempts)]
        return recorded(*again, first)

    made = compared(told(0), told(2))
    assert made.causes == []
    assert [each.values[0].after for each in made.effects if each.kind == "failure_changed"] == [2]


def test_another_conversation_is_a_cause_and_its_absence_too():
    more = Story([Step([user("Is it raining?")], [TextPart("No.")])], examples=[])
    assert kinds(compared(recorded(story("x")), recorded(story("x"), more)).causes) == [("conversation_added", 1)]
    assert kinds(compared(recorded(story("x"), more), recorded(story("x"))).causes) == [("conversation_removed", 1)]


def test_reasoning_is_an_effect_of_its_own():
    def edit(told):
        told.steps[4].answer = [ThinkingPart("Trains are fast."), *told.steps[4].answer]

    made = change_of("anthropic", edit)
    assert kinds(made.effects) == [("reasoning_changed", 5)]


@pytest.mark.parametrize(
    ("one", "other", "differs"),
    [
        ("3f2504e0-4f89-11d3-9a0c-0305e82c3301", "9b2a1c44-11d2-4e6f-8a71-5f00aa21b3c9", False),
        ("2026-11-27T10:00:01Z", "2026-11-28T11:30:09Z", False),
        ("/tmp/pytest-1/a.txt", "/tmp/pytest-2/a.txt", False),
        ("2026-11-27", "2026-11-28", True),
        ("Oslo", "Bergen", True),
    ],
)
def test_values_that_no_two_runs_share_are_no_difference(one, other, differs):
    def told(value):
        made = story("openai_chat")
        made.system = f"The session is {value} and you are a guide."
        return recorded(made)

    assert bool(compared(told(one), told(other))) == differs


def test_several_causes_are_each_named_once():
    def edit(told):
        told.system += " Be brief."
        told.settings["temperature"] = 0.1
        told.tools[0].description = "Find anything."
        told.steps[4].parts = [user("Which one is faster?")]

    assert kinds(change(edit).causes) == [
        ("message_changed", 1), ("tool_changed", 1), ("setting_changed", 1), ("message_changed", 5),
    ]  # fmt: skip
