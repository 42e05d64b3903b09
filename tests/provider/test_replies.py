from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import pytest

from replay_agent import tool_call
from replay_agent.calls import ModelCall, ToolDefinition
from replay_agent.exceptions import UserError
from replay_agent.messages import ModelRequest, TextPart, ThinkingPart, ToolCallPart, UserPromptPart
from replay_agent.provider.replies import Reply, prompt_text, response_of

CALL = ModelCall([ModelRequest([UserPromptPart("one")]), ModelRequest([UserPromptPart(["two", "three"])])], "m")


class Mood(Enum):
    GOOD = "good"


@dataclass
class City:
    name: str


def test_arguments_of_a_call_become_json():
    assert tool_call("look", mood=Mood.GOOD, city=City("Oslo"), tool_name="x").args == {
        "mood": "good",
        "city": {"name": "Oslo"},
        "tool_name": "x",
    }


@pytest.mark.parametrize(
    ("answer", "parts"),
    [
        ("hi", [TextPart("hi")]),
        (ThinkingPart("hm"), [ThinkingPart("hm")]),
        (["Let me look.", ToolCallPart("look", {})], [TextPart("Let me look."), ToolCallPart("look", {}, "call_1_2")]),
    ],
)
def test_answers_in_their_spellings(answer, parts):
    response = response_of(CALL, Reply(answer))
    assert response.parts == parts
    assert response.finish_reason == ("tool_call" if isinstance(parts[-1], ToolCallPart) else "stop")


def test_a_list_of_texts_is_a_result():
    wanted = ToolDefinition("final_result", None, {"properties": {"response": {"type": "array"}}})
    call = ModelCall(CALL.messages, "m", [wanted])
    assert response_of(call, Reply(["a", "b"])).parts[0].args == {"response": ["a", "b"]}


@pytest.mark.parametrize("result", [City("Oslo"), {"name": "Oslo"}])
def test_the_result_tool_wins_over_others_that_fit(result):
    schema = {"type": "object", "properties": {"name": {"type": "string"}}}
    call = ModelCall(
        CALL.messages, "m", [ToolDefinition("find", None, schema), ToolDefinition("final_result", "", schema)]
    )
    assert response_of(call, Reply(result)).parts[0].tool_name == "final_result"


def test_a_result_without_a_place_is_a_user_error():
    with pytest.raises(UserError, match="fits 0 of the tools that the request offers"):
        response_of(CALL, Reply({"a": 1}))


def test_what_the_user_said_is_put_together():
    assert prompt_text(CALL) == "one\n\ntwo\nthree"
