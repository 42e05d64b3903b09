from __future__ import annotations

import pytest

from replay_agent.calls import ModelCall, ToolDefinition
from replay_agent.exceptions import UserError
from replay_agent.messages import ModelResponse, TextPart, ToolCallPart
from replay_agent.provider.strictness import RULES, checked_names, unfit_calls

SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city"],
}
CALL = ModelCall([], "m", [ToolDefinition("get_weather", None, SCHEMA)])


def unfit(*parts, allowed=()):
    return unfit_calls(CALL, ModelResponse(list(parts)), frozenset(allowed))


def test_calls_that_fit_are_left_in_peace():
    assert unfit(TextPart("x"), ToolCallPart("get_weather", '{"city": "Oslo"}')) is None
    assert unfit(ToolCallPart("get_weather", {"city": "Oslo", "days": 2})) is None


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (ToolCallPart("get_wether", {}), ["'get_wether'", "Offered: get_weather", "nearest name is get_weather"]),
        (ToolCallPart("rm", {}), ["'rm'", "allow='unoffered_tools'"]),
        (ToolCallPart("get_weather", {"town": "Oslo"}), ["$.city is missing", "city, days (optional)"]),
        (ToolCallPart("get_weather", '{"city": '), ["they are no JSON", "allow='invalid_arguments'"]),
        (ToolCallPart("get_weather", "[1]"), ["which is no object"]),
        (ToolCallPart("get_weather", None), ["$.city is missing"]),
    ],
)
def test_calls_that_do_not_fit_are_told(part, words):
    text = unfit(part)
    assert text is not None
    assert [word for word in words if word not in text] == []


def test_what_is_allowed_passes():
    assert unfit(ToolCallPart("rm", {}), allowed=["unoffered_tools"]) is None
    assert unfit(ToolCallPart("get_weather", "{"), allowed=["invalid_arguments"]) is None


def test_names_are_checked():
    assert checked_names("unused_answers") == {"unused_answers"}
    assert checked_names(RULES) == RULES.keys()
    with pytest.raises(UserError, match="Did you mean 'unused_answers'"):
        checked_names(["unused_answer"])
