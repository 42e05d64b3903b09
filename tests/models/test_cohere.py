from __future__ import annotations

import pytest

from replay_agent.messages import ImageUrl, ModelRequest, TextPart, ToolCallPart, UserPromptPart
from replay_agent.models.cohere import CohereModel

pytestmark = pytest.mark.anyio

INVITATION = "\n\nFix the errors and try again."
ANSWER = {
    "id": "c1",
    "finish_reason": "TOOL_CALL",
    "message": {
        "role": "assistant",
        "content": [{"type": "text", "text": "I add."}],
        "tool_calls": [{"id": "t1", "type": "function", "function": {"name": "add", "arguments": '{"a": 1, "b": 2}'}}],
    },
    "usage": {
        "billed_units": {"input_tokens": 2, "output_tokens": 1},
        "tokens": {"input_tokens": 3, "output_tokens": 2},
    },
}


@pytest.fixture
def model(wire):
    return CohereModel("command-r", api_key="secret", http_client=wire.client)


def tool(definition):
    return {
        "type": "function",
        "function": {
            "name": definition.name,
            "description": definition.description,
            "parameters": definition.parameters_json_schema,
        },
    }


def call(call_id, name, arguments):
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


async def test_the_whole_conversation_goes_out(wire, model, conversation, required, settings):
    wire.answers(ANSWER)
    await model.request(conversation, settings, required)
    assert wire.body == {
        "model": "command-r",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "What is 2 + 2?"},
            {
                "role": "assistant",
                "content": [{"type": "text", "text": "Let me see.\n\nI add."}],
                "tool_calls": [call("call_1", "add", '{"a":2,"b":2}')],
            },
            {"role": "tool", "tool_call_id": "call_1", "content": '{"sum":4}'},
            {"role": "assistant", "tool_calls": [call("call_2", "final_result", '{"sum": "four"}')]},
            {"role": "tool", "tool_call_id": "call_2", "content": f"No number.{INVITATION}"},
            {"role": "user", "content": f"Call a tool.{INVITATION}"},
        ],
        "tools": [tool(required.function_tools[0]), tool(required.result_tools[0])],
        "max_tokens": 100,
        "temperature": 0.5,
        "p": 0.9,
        "seed": 3,
        "presence_penalty": 0.1,
        "frequency_penalty": 0.2,
    }


async def test_only_what_is_set_goes_out(wire, model, hello, plain):
    wire.answers(ANSWER)
    await model.request(hello, None, plain)
    body = wire.body
    assert body.pop("stream", False) is False
    assert body == {"model": "command-r", "messages": [{"role": "user", "content": "Hello"}]}
    assert str(wire.request.url) == "https://api.cohere.com/v2/chat"
    assert wire.request.headers["authorization"] == "Bearer secret"


async def test_an_answer_is_read(wire, model, hello, optional, is_recent):
    wire.answers(ANSWER)
    response, usage = await model.request(hello, None, optional)
    assert response.parts == [TextPart("I add."), ToolCallPart("add", '{"a": 1, "b": 2}', "t1")]
    assert response.model_name == "command-r"
    assert is_recent(response.timestamp)
    assert (usage.request_tokens, usage.response_tokens, usage.total_tokens) == (3, 2, 5)


async def test_answers_do_not_stream(wire, model, hello, plain):
    with pytest.raises(NotImplementedError, match="CohereModel"):
        async with model.request_stream(hello, None, plain):
            pass
    assert wire.requests == []


async def test_media_are_refused(wire, model, plain):
    with pytest.raises(RuntimeError, match="not supported"):
        await model.request([ModelRequest([UserPromptPart(["Look", ImageUrl("http://x/a.png")])])], None, plain)
