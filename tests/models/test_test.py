from __future__ import annotations

import json

import pytest

from replay_agent.calls import ToolDefinition
from replay_agent.exceptions import UserError
from replay_agent.messages import (
    ModelRequest,
    ModelResponse,
    PartDeltaEvent,
    PartStartEvent,
    RetryPromptPart,
    TextPart,
    TextPartDelta,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from replay_agent.models.base import ModelRequestParameters
from replay_agent.models.test import TestModel, _chars, _JsonSchemaTestData
from replay_agent.usage import Usage

pytestmark = pytest.mark.anyio

NUMBER = {"type": "object", "properties": {"number": {"type": "integer"}}, "required": ["number"]}
ADD = ToolDefinition("add", "Add.", NUMBER)
DROP = ToolDefinition("drop", "Drop.", {"type": "object", "properties": {}})
CITY = ToolDefinition("final_result_City", "The city.", NUMBER)
LAND = ToolDefinition(
    "final_result_int",
    "The land.",
    {"type": "object", "properties": {"response": {"type": "integer"}}, "required": ["response"]},
    outer_typed_dict_key="response",
)
PROMPT = ModelRequest([UserPromptPart("hello there")])
ANSWERED = [PROMPT, ModelResponse([TextPart("hi")])]
TEXT = ModelRequestParameters([], True, [])
TOOLS = ModelRequestParameters([ADD, DROP], True, [])
RESULTS = ModelRequestParameters([ADD], False, [CITY, LAND])


async def answer(model, messages, parameters):
    response, _ = await model.request(messages, None, parameters)
    return response.parts


async def test_plain_answer():
    response, usage = await TestModel().request([PROMPT], None, TEXT)
    assert response.parts == [TextPart("success (no tool calls)")]
    assert response.model_name == "test"
    assert (response.usage, response.finish_reason) == (None, None)
    assert usage == Usage(request_tokens=52, response_tokens=4, total_tokens=56)


async def test_every_tool_is_called_first():
    calls = [ToolCallPart("add", {"number": 0}), ToolCallPart("drop", {})]
    assert await answer(TestModel(), [PROMPT], TOOLS) == calls


async def test_named_tools_are_called_in_the_order_named():
    assert await answer(TestModel(call_tools=["drop"]), [PROMPT], TOOLS) == [ToolCallPart("drop", {})]
    calls = await answer(TestModel(call_tools=["drop", "add"], seed=3), [PROMPT], TOOLS)
    assert calls == [ToolCallPart("drop", {}), ToolCallPart("add", {"number": 3})]


async def test_unknown_named_tool_is_a_key_error():
    with pytest.raises(KeyError, match="nonsense"):
        await answer(TestModel(call_tools=["nonsense"]), [PROMPT], TOOLS)


async def test_tools_are_called_once():
    assert await answer(TestModel(), [*ANSWERED, PROMPT], TOOLS) == [TextPart("success (no tool calls)")]


async def test_text_shows_what_tools_returned():
    messages = [
        ModelRequest([ToolReturnPart("add", 1), ToolReturnPart("drop", "x")]),
        ModelResponse([]),
        ModelRequest([ToolReturnPart("add", {"a": [1]})]),
    ]
    (part,) = await answer(TestModel(), messages, TOOLS)
    assert part.content == '{"add":{"a":[1]},"drop":"x"}'


async def test_named_retries_are_called_again():
    retry = ModelRequest([RetryPromptPart("no", tool_name="drop"), RetryPromptPart("no", tool_name=CITY.name)])
    calls = await answer(TestModel(), [*ANSWERED, retry], ModelRequestParameters([ADD, DROP], True, [CITY]))
    assert calls == [ToolCallPart("drop", {}), ToolCallPart(CITY.name, {"number": 0})]


async def test_retried_result_takes_the_custom_arguments():
    retry = ModelRequest([RetryPromptPart("no", tool_name=LAND.name)])
    assert await answer(TestModel(custom_result_args=7), [*ANSWERED, retry], RESULTS) == [
        ToolCallPart(LAND.name, {"response": 7})
    ]


async def test_retry_of_nothing_known_gets_the_result():
    retry = ModelRequest([RetryPromptPart("call a tool")])
    assert await answer(TestModel(), [*ANSWERED, retry], TEXT) == [TextPart("success (no tool calls)")]


async def test_only_the_last_request_is_retried():
    retry = ModelRequest([RetryPromptPart("no", tool_name="add")])
    assert await answer(TestModel(), [retry, *ANSWERED, PROMPT], TOOLS) == [TextPart("success (no tool calls)")]


async def test_custom_text():
    assert await answer(TestModel(custom_result_text="done"), ANSWERED[:1], TEXT) == [TextPart("done")]
    assert await answer(TestModel(custom_result_text=""), ANSWERED[:1], TEXT) == [TextPart("")]


async def test_custom_text_needs_permission():
    with pytest.raises(AssertionError, match="Plain response not allowed"):
        await answer(TestModel(custom_result_text="done"), [PROMPT], RESULTS)


async def test_custom_text_and_arguments_exclude_each_other():
    with pytest.raises(AssertionError, match="Cannot set both"):
        await answer(TestModel(custom_result_text="done", custom_result_args=1), [PROMPT], TEXT)


async def test_custom_arguments_need_a_result_tool():
    with pytest.raises(AssertionError, match="No result tools"):
        await answer(TestModel(custom_result_args={"number": 1}), [PROMPT], TEXT)


async def test_custom_arguments_go_to_the_first_result_tool():
    model = TestModel(custom_result_args={"number": 8}, seed=1)
    assert await answer(model, [*ANSWERED, PROMPT], RESULTS) == [ToolCallPart(CITY.name, {"number": 8})]


async def test_custom_arguments_are_wrapped():
    parameters = ModelRequestParameters([], False, [LAND])
    assert await answer(TestModel(custom_result_args=8), [PROMPT], parameters) == [
        ToolCallPart(LAND.name, {"response": 8})
    ]


@pytest.mark.parametrize(
    ("seed", "call"),
    [
        (0, ToolCallPart(CITY.name, {"number": 0})),
        (1, ToolCallPart(LAND.name, {"response": 1})),
        (2, ToolCallPart(CITY.name, {"number": 2})),
    ],
)
async def test_seed_chooses_the_result_tool(seed, call):
    assert await answer(TestModel(seed=seed), [*ANSWERED, PROMPT], RESULTS) == [call]


async def test_text_wins_over_result_tools_where_allowed():
    parameters = ModelRequestParameters([], True, [CITY])
    assert await answer(TestModel(), [PROMPT], parameters) == [TextPart("success (no tool calls)")]


async def test_last_parameters_are_kept():
    model = TestModel()
    assert model.last_model_request_parameters is None
    await model.request([PROMPT], None, TOOLS)
    assert model.last_model_request_parameters is TOOLS
    async with model.request_stream([PROMPT], None, TEXT):
        assert model.last_model_request_parameters is TEXT


async def test_history_must_end_with_a_request():
    with pytest.raises(AssertionError, match="ModelRequest"):
        await answer(TestModel(), ANSWERED, TEXT)


async def test_no_history_is_fine():
    assert await answer(TestModel(), [], TEXT) == [TextPart("success (no tool calls)")]


def test_arguments_are_made_for_a_definition():
    assert TestModel(seed=4).gen_tool_args(ADD) == {"number": 4}
    with pytest.raises(UserError):
        TestModel().gen_tool_args(ToolDefinition("x", "", {"$ref": "#/$defs/X"}))


def test_names():
    model = TestModel()
    assert (model.model_name, model.system, model.base_url) == ("test", "test", None)
    assert not TestModel.__test__


async def streamed(model, messages, parameters):
    async with model.request_stream(messages, None, parameters) as response:
        start = response.usage()
        events = [event async for event in response]
        return start, events, response


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("two words", ["two ", "words"]),
        ("a b  c", ["a ", "b ", " ", "c"]),
        ("word", ["wo", "rd"]),
        ("odd", ["o", "dd"]),
        ("ab", ["ab"]),
        ("", [""]),
        ("end ", ["end ", ""]),
    ],
)
async def test_text_streams_by_words(text, pieces):
    start, events, response = await streamed(TestModel(custom_result_text=text), [PROMPT], TEXT)
    assert start == Usage(request_tokens=52, response_tokens=0, total_tokens=52)
    assert events == [
        PartStartEvent(0, TextPart("")),
        *(PartDeltaEvent(0, TextPartDelta(piece)) for piece in pieces),
    ]
    assert response.get().parts == [TextPart(text)]
    assert response.get().timestamp == response.timestamp
    assert response.model_name == "test"


async def test_streamed_words_are_counted():
    _, _, response = await streamed(TestModel(), [PROMPT], TEXT)
    assert response.usage() == Usage(request_tokens=52, response_tokens=4, total_tokens=56)


async def test_calls_stream_whole():
    _, events, response = await streamed(TestModel(), [PROMPT], TOOLS)
    assert events == [
        PartStartEvent(0, ToolCallPart("add", {"number": 0})),
        PartStartEvent(1, ToolCallPart("drop", {})),
    ]
    assert response.usage() == Usage(request_tokens=52, response_tokens=0, total_tokens=52)


async def test_iterations_share_one_iterator():
    async with TestModel(custom_result_text="a b c").request_stream([PROMPT], None, TEXT) as response:
        async for _ in response:
            break
        assert response.get().parts == [TextPart("")]
        rest = [event async for event in response]
        assert [event.delta.content_delta for event in rest] == ["a ", "b ", "c"]
        assert [event async for event in response] == []


async def test_a_left_stream_is_closed():
    async with TestModel(custom_result_text="a b c").request_stream([PROMPT], None, TEXT) as response:
        await anext(aiter(response))
    assert [event async for event in response] == []


def test_data_generator_is_found_under_its_known_name():
    schema = {"type": "array", "items": {"type": "string"}, "minItems": 4, "uniqueItems": True}
    assert _JsonSchemaTestData(schema, seed=len(_chars) - 2).generate() == ["}", "~", "aa", "ab"]
    assert _JsonSchemaTestData(json.loads('{"type": "string"}')).generate() == "a"
