from __future__ import annotations

import json

import pytest

from replay_agent.calls import ModelCall, OutputSchema, ToolDefinition
from replay_agent.messages import (
    ModelRequest,
    ModelResponse,
    RetryPromptPart,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from replay_agent.provider.auto import AutoAnswers
from replay_agent.provider.schema_check import misfits

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
LOOK, FIND, RESULT = (ToolDefinition(name, None, SCHEMA) for name in ("look", "find", "final_result"))
ASKED = ModelRequest([UserPromptPart("hi")])
CALLED = ModelResponse([ToolCallPart("look", {"n": 0}, "1"), ToolCallPart("find", {"n": 0}, "2")])


def names(answer):
    return [part.tool_name for part in (answer if isinstance(answer, list) else [answer])]


def test_every_tool_is_called_once_and_then_the_result():
    assert names(AutoAnswers().answer(ModelCall([ASKED], "m", [LOOK, FIND, RESULT]))) == ["look", "find"]
    returned = ModelRequest([ToolReturnPart("look", "ok", "1"), ToolReturnPart("find", "ok", "2")])
    history = [ASKED, CALLED, returned]
    assert names(AutoAnswers().answer(ModelCall(history, "m", [LOOK, FIND, RESULT]))) == ["final_result"]
    text = AutoAnswers().answer(ModelCall(history, "m", [LOOK, FIND]))
    assert json.loads(text.content) == {"look": "ok", "find": "ok"}


def test_a_refused_call_is_made_again():
    retried = ModelRequest([RetryPromptPart("no", "look", "1"), ToolReturnPart("find", "ok", "2")])
    assert names(AutoAnswers().answer(ModelCall([ASKED, CALLED, retried], "m", [LOOK, FIND, RESULT]))) == ["look"]


@pytest.mark.parametrize(
    ("choice", "expected"), [("none", "success (no tool calls)"), (("find",), ["find"]), ("required", ["look", "find"])]
)
def test_the_choice_of_tools_is_heeded(choice, expected):
    answer = AutoAnswers().answer(ModelCall([ASKED], "m", [LOOK, FIND], tool_choice=choice))
    assert (answer.content if isinstance(answer, TextPart) else names(answer)) == expected


@pytest.mark.parametrize("seed", [0, 7])
def test_a_forced_shape_is_filled(seed):
    call = ModelCall([ASKED], "m", output_schema=OutputSchema(SCHEMA))
    value = json.loads(AutoAnswers(seed).answer(call).content)
    assert misfits(value, SCHEMA) == []
    assert AutoAnswers(seed).answer(call) == AutoAnswers(seed).answer(call)
