from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from replay_agent.calls import ToolDefinition
from replay_agent.messages import PartStartEvent, TextPart, ToolCallPart
from replay_agent.models.base import ModelRequestParameters
from replay_agent.models.mistral import MistralModel
from replay_agent.models.mistral_json import wanted_objects

pytestmark = pytest.mark.anyio

INVITATION = "\n\nFix the errors and try again."
ANSWER = {
    "id": "m1",
    "object": "chat.completion",
    "created": 1735689600,
    "model": "mistral-small-2501",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hi."}}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
}


@pytest.fixture
def model(wire):
    return MistralModel("mistral-small", api_key="secret", http_client=wire.client)


def tool(definition):
    return {
        "function": {
            "name": definition.name,
            "description": definition.description,
            "strict": False,
            "parameters": definition.parameters_json_schema,
        },
    }


async def test_the_whole_conversation_goes_out(wire, model, conversation, required, settings):
    wire.answers(ANSWER)
    await model.request(conversation, settings, required)
    body = wire.body
    messages = body.pop("messages")
    assert body == {
        "model": "mistral-small",
        "n": 1,
        "stream": False,
        "tools": [tool(required.function_tools[0]), tool(required.result_tools[0])],
        "tool_choice": "required",
        "max_tokens": 100,
        "temperature": 0.5,
        "top_p": 0.9,
        "random_seed": 3,
    }
    assert [message["role"] for message in messages] == [
        "system",
        "system",
        "user",
        "assistant",
        "tool",
        "assistant",
        "tool",
        "user",
    ]
    assert messages[3]["content"] == [{"type": "text", "text": "Let me see."}, {"type": "text", "text": "I add."}]
    assert messages[3]["tool_calls"][0]["function"] == {"name": "add", "arguments": {"a": 2, "b": 2}}
    assert messages[5]["tool_calls"][0]["function"] == {"name": "final_result", "arguments": '{"sum": "four"}'}
    assert messages[4]["tool_call_id"] == "call_1"
    assert messages[6]["content"] == f"No number.{INVITATION}"
    assert messages[7]["content"] == f"Call a tool.{INVITATION}"


async def test_only_what_is_set_goes_out(wire, model, hello, plain):
    wire.answers(ANSWER)
    await model.request(hello, None, plain)
    assert wire.body == {
        "model": "mistral-small",
        "messages": [{"role": "user", "content": "Hello"}],
        "n": 1,
        "stream": False,
        "top_p": 1,
    }
    assert str(wire.request.url) == "https://api.mistral.ai/v1/chat/completions"
    assert wire.request.headers["authorization"] == "Bearer secret"


async def test_an_answer_is_read(wire, model, hello, plain):
    wire.answers(ANSWER)
    response, usage = await model.request(hello, None, plain)
    assert response.parts == [TextPart("Hi.")]
    assert (response.model_name, response.timestamp) == ("mistral-small-2501", datetime(2025, 1, 1, tzinfo=UTC))
    assert (usage.request_tokens, usage.response_tokens, usage.total_tokens) == (3, 2, 5)


def chunk(delta, finish=None, **fields):
    body = {"id": "m1", "created": 1735689600, "model": "mistral-small-2501", **fields}
    return (
        f"data: {json.dumps({**body, 'choices': [{'index': 0, 'delta': delta, 'finish_reason': finish}]})}\n\n".encode()
    )


async def test_text_streams(wire, model, hello, plain):
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    wire.streams(
        chunk({"role": "assistant", "content": ""}),
        chunk({"content": "Good day"}),
        chunk({"content": ""}, finish="stop", usage=usage),
        b"data: [DONE]\n\n",
    )
    async with model.request_stream(hello, None, plain) as response:
        assert [event async for event in response]
        assert response.get().parts == [TextPart("Good day")]
        assert response.usage().total_tokens == 5
    assert wire.body["stream"] is True
    assert not {"tools", "response_format", "stream_options"} & set(wire.body)


async def test_calls_stream(wire, model, hello, optional):
    call = {"id": "c1", "function": {"name": "add", "arguments": '{"a": 1, "b": 2}'}, "index": 0}
    wire.streams(chunk({"tool_calls": [call]}, finish="tool_calls"), b"data: [DONE]\n\n")
    async with model.request_stream(hello, {"presence_penalty": 0.5, "frequency_penalty": 0.25}, optional) as response:
        assert [event async for event in response]
        assert response.get().parts == [ToolCallPart("add", '{"a": 1, "b": 2}', "c1")]
    assert wire.body["tools"] == [tool(optional.function_tools[0])]
    assert wire.body["tool_choice"] == "auto"
    assert (wire.body["presence_penalty"], wire.body["frequency_penalty"]) == (0.5, 0.25)


RESULT = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "sizes": {"type": "array", "items": {"type": "integer"}}},
    "required": ["name"],
}
TOWN = ToolDefinition("final_result_Town", "A town.", RESULT)
COUNT = ToolDefinition(
    "final_result_int",
    "A count.",
    {"type": "object", "properties": {"response": {"type": "integer"}}, "required": ["response"]},
    outer_typed_dict_key="response",
)
RESULTS = ModelRequestParameters([], False, [TOWN, COUNT])


async def streamed_result(wire, model, hello, *texts):
    wire.streams(*(chunk({"content": text}) for text in texts), chunk({}, finish="stop"), b"data: [DONE]\n\n")
    async with model.request_stream(hello, {"presence_penalty": 0.5}, RESULTS) as response:
        events = [event async for event in response]
        return events, response.get()


async def test_results_stream_as_json(wire, model, hello):
    events, whole = await streamed_result(wire, model, hello, '{"name"', ': "Ro', 'me", "sizes": [1', "2, 3]}", " ")
    assert [event.part.args for event in events] == [
        {"name": "Ro"},
        {"name": "Rome", "sizes": [1]},
        {"name": "Rome", "sizes": [12, 3]},
    ]
    assert {(event.index, event.part.tool_name, len(event.part.tool_call_id)) for event in events} == {
        (0, "final_result_Town", 9)
    }
    assert whole.parts == [events[-1].part]
    assert whole.finish_reason == "stop"
    body = wire.body
    assert body["response_format"] == {"type": "json_object"}
    assert not {"tools", "tool_choice", "presence_penalty"} & set(body)
    *before, wanted = body["messages"]
    assert before == [{"role": "user", "content": "Hello"}]
    assert wanted["role"] == "user"
    assert '{"name": "str", "sizes": "list[int]"}\n{"response": "int"}' in wanted["content"]


async def test_the_first_tool_that_fits_is_called(wire, model, hello):
    _, whole = await streamed_result(wire, model, hello, '{"response": 5}')
    (call,) = whole.parts
    assert (call.tool_name, call.args) == ("final_result_int", {"response": 5})


@pytest.mark.parametrize("text", ["I cannot.", '{"name": 5}', '{"response": true}', "[1]", "{}"])
async def test_text_that_fits_no_tool_stays_text(wire, model, hello, text):
    events, whole = await streamed_result(wire, model, hello, text[:3], text[3:])
    assert events == [PartStartEvent(0, TextPart(text))]
    assert whole.parts == [TextPart(text)]


@pytest.mark.parametrize(
    ("schema", "shape"),
    [
        ({"anyOf": [{"type": "number"}, {"type": "null"}]}, "float | None"),
        ({"type": "object", "additionalProperties": {"type": "boolean"}}, "dict[str, bool]"),
        ({"type": "object"}, "dict[str, Any]"),
        ({"type": "array"}, "list[Any]"),
        ({}, "Any"),
        ({"$ref": "#/$defs/Tree"}, {"twin": "Tree"}),
    ],
)
def test_wanted_objects_show_types_as_python_does(schema, shape):
    tree = {"type": "object", "properties": {"twin": {"$ref": "#/$defs/Tree"}}}
    wanted = {"type": "object", "properties": {"x": schema}, "required": ["x"], "$defs": {"Tree": tree}}
    text = wanted_objects([ToolDefinition("t", "", wanted)])
    assert json.dumps({"x": shape}) in text.splitlines()
