from __future__ import annotations

import json

import httpx
import pytest

from replay_agent.messages import (
    BinaryContent,
    DocumentUrl,
    ImageUrl,
    ModelRequest,
    SystemPromptPart,
    TextPart,
    ToolCallPart,
    UserPromptPart,
)
from replay_agent.models.anthropic import AnthropicModel
from replay_agent.usage import Usage

pytestmark = pytest.mark.anyio

INVITATION = "\n\nFix the errors and try again."
ANSWER = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-x-20250101",
    "content": [
        {"type": "text", "text": "I add."},
        {"type": "tool_use", "id": "toolu_1", "name": "add", "input": {"a": 1, "b": 2}},
    ],
    "stop_reason": "tool_use",
    "usage": {"input_tokens": 3, "output_tokens": 2},
}


@pytest.fixture
def model(wire):
    return AnthropicModel("claude-x", api_key="secret", http_client=wire.client)


def tool(definition):
    return {
        "name": definition.name,
        "description": definition.description,
        "input_schema": definition.parameters_json_schema,
    }


async def test_the_whole_conversation_goes_out(wire, model, conversation, required, settings):
    wire.answers(ANSWER)
    await model.request(conversation, {**settings, "anthropic_metadata": {"user_id": "u"}}, required)
    assert wire.body == {
        "max_tokens": 100,
        "model": "claude-x",
        "stream": False,
        "system": "Be brief.Be kind.",
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "What is 2 + 2?"}]},
            {
                "role": "assistant",
                "content": [
                    {"type": "text", "text": "Let me see."},
                    {"type": "text", "text": "I add."},
                    {"type": "tool_use", "id": "call_1", "name": "add", "input": {"a": 2, "b": 2}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "call_1", "content": '{"sum":4}', "is_error": False}
                ],
            },
            {
                "role": "assistant",
                "content": [{"type": "tool_use", "id": "call_2", "name": "final_result", "input": {"sum": "four"}}],
            },
            {
                "role": "user",
                "content": [
                    {
                        "type": "tool_result",
                        "tool_use_id": "call_2",
                        "content": f"No number.{INVITATION}",
                        "is_error": True,
                    },
                    {"type": "text", "text": f"Call a tool.{INVITATION}"},
                ],
            },
        ],
        "tools": [tool(required.function_tools[0]), tool(required.result_tools[0])],
        "tool_choice": {"type": "any", "disable_parallel_tool_use": True},
        "temperature": 0.5,
        "top_p": 0.9,
        "metadata": {"user_id": "u"},
    }


async def test_only_what_is_set_goes_out(wire, model, hello, plain):
    wire.answers(ANSWER)
    await model.request(hello, {"max_tokens": None, "temperature": None}, plain)
    assert wire.body == {
        "max_tokens": 1024,
        "model": "claude-x",
        "stream": False,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}],
    }
    assert str(wire.request.url) == "https://api.anthropic.com/v1/messages"
    assert wire.request.headers["x-api-key"] == "secret"
    assert wire.request.headers["anthropic-version"] == "2023-06-01"
    assert "authorization" not in wire.request.headers


async def test_choice_is_free_beside_text(wire, model, hello, optional):
    wire.answers(ANSWER)
    await model.request(hello, None, optional)
    assert wire.body["tool_choice"] == {"type": "auto"}


async def test_parallel_calls_can_be_allowed(wire, model, hello, optional):
    wire.answers(ANSWER)
    await model.request(hello, {"parallel_tool_calls": True}, optional)
    assert wire.body["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": False}


async def test_parallel_calls_need_tools(wire, model, hello, plain):
    wire.answers(ANSWER)
    await model.request(hello, {"parallel_tool_calls": True}, plain)
    assert "tool_choice" not in wire.body


async def test_system_prompts_alone_make_an_empty_message(wire, model, plain):
    wire.answers(ANSWER)
    await model.request([ModelRequest([SystemPromptPart("Be brief.")])], None, plain)
    assert wire.body["system"] == "Be brief."
    assert wire.body["messages"] == [{"role": "user", "content": []}]


async def test_media_go_out(model, wire, plain):
    wire.answers(b"jpeg", headers={"content-type": "image/jpeg"})
    wire.answers(b"pdf", headers={"content-type": "application/pdf"})
    wire.answers(ANSWER)
    content = [
        "Look",
        ImageUrl("http://x/a.png"),
        DocumentUrl("http://x/a.pdf"),
        BinaryContent(b"png", "image/png"),
        BinaryContent(b"words", "text/plain"),
    ]
    await model.request([ModelRequest([UserPromptPart(content)])], None, plain)
    assert [str(request.url) for request in wire.requests[:2]] == ["http://x/a.png", "http://x/a.pdf"]
    assert json.loads(wire.requests[2].content)["messages"][0]["content"] == [
        {"type": "text", "text": "Look"},
        {"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": "anBlZw=="}},
        {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "cGRm"}},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "cG5n"}},
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "words"}},
    ]
    assert "x-api-key" not in wire.requests[0].headers


async def test_a_refused_download_is_an_error(model, wire, plain):
    wire.answers("gone", status=404)
    with pytest.raises(httpx.HTTPStatusError):
        await model.request([ModelRequest([UserPromptPart([ImageUrl("http://x/a.png")])])], None, plain)


async def test_an_answer_is_read(wire, model, hello, optional, is_recent):
    wire.answers(ANSWER)
    response, usage = await model.request(hello, None, optional)
    assert response.parts == [TextPart("I add."), ToolCallPart("add", {"a": 1, "b": 2}, "toolu_1")]
    assert response.model_name == "claude-x-20250101"
    assert is_recent(response.timestamp)
    assert usage == Usage(request_tokens=3, response_tokens=2, total_tokens=5)


def event(kind, **fields):
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


async def test_text_and_calls_stream(wire, model, hello, optional):
    call = {"type": "tool_use", "id": "toolu_1", "name": "add", "input": {}}
    wire.streams(
        event("message_start", message={**ANSWER, "content": [], "usage": {"input_tokens": 3, "output_tokens": 1}}),
        event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
        event("content_block_delta", index=0, delta={"type": "text_delta", "text": "I "}),
        event("content_block_delta", index=0, delta={"type": "text_delta", "text": "add."}),
        event("content_block_stop", index=0),
        event("content_block_start", index=1, content_block=call),
        event("content_block_delta", index=1, delta={"type": "input_json_delta", "partial_json": '{"a": 1'}),
        event("content_block_delta", index=1, delta={"type": "input_json_delta", "partial_json": ', "b": 2}'}),
        event("content_block_stop", index=1),
        event("message_delta", delta={"stop_reason": "tool_use"}, usage={"output_tokens": 9}),
        event("message_stop"),
    )
    async with model.request_stream(hello, None, optional) as response:
        assert [event async for event in response]
        whole = response.get()
    assert whole.parts == [TextPart("I add."), ToolCallPart("add", {"a": 1, "b": 2}, "toolu_1")]
    assert whole.model_name == "claude-x"
    assert whole.finish_reason == "tool_call"
    assert response.usage().request_tokens == 3
    assert wire.body["stream"] is True
