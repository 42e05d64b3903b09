from __future__ import annotations

import pytest

from replay_agent.exceptions import UserError
from replay_agent.messages import (
    ModelMessagesTypeAdapter,
    ModelRequest,
    ModelResponse,
    SystemPromptPart,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from replay_agent.report.conversation.text import render_run
from replay_agent.report.conversation.view import View
from replay_agent.usage import Usage

HISTORY = [
    ModelRequest([SystemPromptPart("Be kind."), UserPromptPart("Weather?")]),
    ModelResponse([ToolCallPart("look_up", '{"city": "Oslo", "day": "Monday"}', "c")], model_name="m"),
    ModelRequest([ToolReturnPart("look_up", {"sky": "grey", "wind": [3, 4]}, "c")]),
    ModelResponse([TextPart("It rains.")], model_name="m"),
]
USAGE = Usage(requests=2, request_tokens=50, details={"reasoning_tokens": 7})


def shown(*masks, without=(), result=None):
    return render_run(HISTORY, result or {"city": "Oslo", "id": 3}, USAGE, View.of(without, masks))


MASKS = [
    ("$.messages[*].content", ["Be kind.", "Weather?", "grey", "It rains."], ["Oslo", "50"]),
    ("$.messages[*].parts[*].content", ["Be kind.", "Weather?", "grey", "It rains."], ["Oslo", "50"]),
    ("$.messages[0].content", ["Be kind."], ["Weather?", "It rains."]),
    ("$.messages[0].parts[1].content", ["Weather?"], ["Be kind.", "It rains."]),
    ("$.messages[*].args.day", ["Monday"], ["Oslo", "grey"]),
    ("$.messages[*].content.wind", ["3,"], ["grey", "Monday"]),
    ("$.messages[*].content.wind[0]", ["3,"], ["4", "grey"]),
    ("$.messages[*].model_name", ["(m)"], ["Oslo"]),
    ("$..day", ["Monday"], ["Oslo"]),
    ("$.result.id", ['"id": 3'], ['"city": "Oslo"', "Monday"]),
    ("$.result", ['"id": 3'], ["Monday"]),
    ("$.usage.request_tokens", ["input tokens"], ["requests: 2", "reasoning"]),
    ("$.usage.details.reasoning_tokens", ["reasoning"], ["input tokens: 50"]),
    ("$.usage.details", ["reasoning"], ["input tokens: 50"]),
    ("$.usage", ["input tokens", "reasoning"], ["Oslo"]),
    ("$.nothing[*].here", [], ["Be kind.", "Oslo", "50"]),
]


@pytest.mark.parametrize(("mask", "gone", "there"), MASKS)
def test_what_a_mask_names_is_not_shown(mask, gone, there):
    text = shown(mask)
    assert [word for word in gone if word in text] == []
    assert [word for word in there if word not in text] == []


@pytest.mark.parametrize(("mask", "gone", "there"), MASKS)
def test_messages_as_json_are_masked_the_same(mask, gone, there):
    messages = ModelMessagesTypeAdapter.dump_python(HISTORY, mode="json")
    assert render_run(messages, None, USAGE, View.of((), [mask])) == render_run(
        HISTORY, None, USAGE, View.of((), [mask])
    )


def test_what_is_masked_was_not_changed():
    shown("$.messages[*].content", "$.result.id")
    assert HISTORY[0].parts[0].content == "Be kind."
    assert HISTORY[1].parts[0].args == '{"city": "Oslo", "day": "Monday"}'


def test_a_mask_that_names_nothing_changes_nothing():
    assert shown("$.nothing") == shown()


@pytest.mark.parametrize("without", ["messages", "result", "usage"])
def test_a_section_is_left_out(without):
    text = shown(without=[without])
    assert [name for name in ("messages", "result", "usage") if f"== {name} ==" not in text] == [without]


@pytest.mark.parametrize(
    ("without", "masks", "words"),
    [
        (["answers"], [], "there are messages, result, usage"),
        (["messages", "result", "usage"], [], "holds nothing"),
        ([], ["messages.content"], "must start with"),
        ([], ["$.messages[?x]"], "cannot read"),
    ],
)
def test_a_view_that_makes_no_sense(without, masks, words):
    with pytest.raises(UserError, match=words):
        View.of(without, masks)
