from __future__ import annotations

from replay_agent.messages import ModelRequest, ModelResponse, RetryPromptPart, TextPart, ToolCallPart, ToolReturnPart
from replay_agent.wire.shapes.call_ids import CallIds


def test_ids_that_are_there_stay():
    ids = CallIds()
    assert ids.of_call(ToolCallPart("f", {}, "x")) == "x"
    assert ids.of_result(ToolReturnPart("f", 1, "y")) == "y"


def test_results_belong_to_the_calls_of_their_tool_in_order():
    ids = CallIds()
    assert [ids.of_call(ToolCallPart(name, {})) for name in "fgf"] == ["call_1", "call_2", "call_3"]
    results = [ToolReturnPart("f", 1), RetryPromptPart("x", tool_name="g"), ToolReturnPart("f", 2)]
    assert [ids.of_result(result) for result in results] == ["call_1", "call_2", "call_3"]


def test_a_result_without_a_call_has_an_id_too():
    assert CallIds().of_result(ToolReturnPart("f", 1)) == "call_0"


def test_an_answer_goes_on_counting():
    history = [ModelRequest([]), ModelResponse([TextPart("a"), ToolCallPart("f", {}, "x")]), ModelRequest([])]
    assert CallIds.after(history).of_call(ToolCallPart("f", {})) == "call_2"
