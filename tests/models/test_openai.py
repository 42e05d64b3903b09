from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from replay_agent.exceptions import CredentialMissing, UnexpectedModelBehavior
from replay_agent.messages import (
    BinaryContent,
    ImageUrl,
    ModelRequest,
    ModelResponse,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from replay_agent.models.base import ModelRequestParameters
from replay_agent.models.groq import GroqModel
from replay_agent.models.openai import OpenAIModel
from replay_agent.models.providers import PROVIDERS

pytestmark = pytest.mark.anyio

INVITATION = "\n\nFix the errors and try again."
MESSAGES = [
    {"role": "system", "content": "Be brief."},
    {"role": "system", "content": "Be kind."},
    {"role": "user", "content": "What is 2 + 2?"},
    {
        "role": "assistant",
        "content": "Let me see.\n\nI add.",
        "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "add", "arguments": '{"a":2,"b":2}'}}],
    },
    {"role": "tool", "tool_call_id": "call_1", "content": '{"sum":4}'},
    {
        "role": "assistant",
        "tool_calls": [
            {"id": "call_2", "type": "function", "function": {"name": "final_result", "arguments": '{"sum": "four"}'}}
        ],
    },
    {"role": "tool", "tool_call_id": "call_2", "content": f"No number.{INVITATION}"},
    {"role": "user", "content": f"Call a tool.{INVITATION}"},
]
ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1735689600,
    "model": "gpt-4o-2024-08-06",
    "choices": [
        {
            "index": 0,
            "finish_reason": "tool_calls",
            "message": {
                "role": "assistant",
                "content": "I add.",
                "tool_calls": [
                    {"id": "call_9", "type": "function", "function": {"name": "add", "arguments": '{"a": 1, "b": 2}'}}
                ],
            },
        }
    ],
    "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
}


def tool(definition):
    return {
        "type": "function",
        "function": {
            "name": definition.name,
            "description": definition.description,
            "parameters": definition.parameters_json_schema,
        },
    }


def chunk(delta=None, *, finish=None, **fields):
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    body = {"id": "c", "object": "chat.completion.chunk", "created": 1735689600, "model": "gpt-4o-2024-08-06"}
    return f"data: {json.dumps({**body, 'choices': choices, **fields})}\n\n".encode()


DONE = b"data: [DONE]\n\n"


@pytest.fixture(params=[OpenAIModel, GroqModel])
def model(request, wire):
    return request.param("gpt-4o", api_key="k", http_client=wire.client)


@pytest.fixture
def openai(wire):
    return OpenAIModel("gpt-4o", api_key="k", http_client=wire.client)


async def test_the_whole_conversation_goes_out(wire, model, conversation, required, settings):
    wire.answers(ANSWER)
    await model.request(conversation, settings, required)
    assert wire.body == {
        "model": "gpt-4o",
        "messages": MESSAGES,
        "n": 1,
        "stream": False,
        "tools": [tool(required.function_tools[0]), tool(required.result_tools[0])],
        "tool_choice": "required",
        "parallel_tool_calls": False,
        "max_tokens": 100,
        "temperature": 0.5,
        "top_p": 0.9,
        "seed": 3,
        "presence_penalty": 0.1,
        "frequency_penalty": 0.2,
        "logit_bias": {"50256": -100},
    }


async def test_only_what_is_set_goes_out(wire, model, hello, plain):
    wire.answers(ANSWER)
    await model.request(hello, {"temperature": None}, plain)
    assert wire.body == {
        "model": "gpt-4o",
        "messages": [{"role": "user", "content": "Hello"}],
        "n": 1,
        "stream": False,
    }


async def test_choice_is_free_beside_text(wire, model, hello, optional):
    wire.answers(ANSWER)
    await model.request(hello, None, optional)
    assert wire.body["tool_choice"] == "auto"


async def test_choice_is_free_without_a_result_tool(wire, model, hello, optional):
    wire.answers(ANSWER)
    await model.request(hello, None, ModelRequestParameters(optional.function_tools, False, []))
    assert wire.body["tool_choice"] == "auto"


async def test_settings_of_other_providers_are_left_out(wire, model, hello, plain):
    wire.answers(ANSWER)
    await model.request(hello, {"gemini_safety_settings": [], "anthropic_metadata": {"user_id": "u"}, "x": 1}, plain)
    assert set(wire.body) == {"model", "messages", "n", "stream"}


async def test_openai_reasons_with_effort(wire, openai, hello, plain):
    wire.answers(ANSWER)
    await openai.request(hello, {"openai_reasoning_effort": "low"}, plain)
    assert wire.body["reasoning_effort"] == "low"


async def test_groq_does_not_reason_with_effort(wire, hello, plain):
    wire.answers(ANSWER)
    model = GroqModel("llama", api_key="k", http_client=wire.client)
    await model.request(hello, {"openai_reasoning_effort": "low"}, plain)
    assert "reasoning_effort" not in wire.body


@pytest.mark.parametrize("role", ["system", "developer", "user"])
async def test_system_prompts_have_the_wanted_role(wire, conversation, plain, role):
    wire.answers(ANSWER)
    await OpenAIModel("o1", api_key="k", http_client=wire.client, system_prompt_role=role).request(
        conversation, None, plain
    )
    assert [message["role"] for message in wire.body["messages"][:3]] == [role, role, "user"]


@pytest.mark.parametrize(
    ("model_class", "arguments", "url"),
    [
        (OpenAIModel, {}, "https://api.openai.com/v1/chat/completions"),
        (OpenAIModel, {"provider": "deepseek"}, "https://api.deepseek.com/chat/completions"),
        (GroqModel, {}, "https://api.groq.com/openai/v1/chat/completions"),
        (OpenAIModel, {"base_url": "http://localhost:11434/v1/"}, "http://localhost:11434/v1/chat/completions"),
    ],
)
async def test_requests_go_to_the_provider(wire, hello, plain, model_class, arguments, url):
    wire.answers(ANSWER)
    await model_class("m", api_key="secret", http_client=wire.client, **arguments).request(hello, None, plain)
    assert str(wire.request.url) == url
    assert wire.request.method == "POST"
    assert wire.request.headers["authorization"] == "Bearer secret"
    assert wire.request.headers["content-type"] == "application/json"


async def test_azure_is_a_row_of_ones_own(wire, hello, plain):
    wire.answers(ANSWER)
    azure = replace(
        PROVIDERS["openai"],
        name="azure",
        base_url="https://me.azure.com/openai/deployments/d?api-version=2024-10-21",
        credential_header="api-key",
        credential_prefix="",
    )
    await OpenAIModel("gpt-4o", provider=azure, api_key="secret", http_client=wire.client).request(hello, None, plain)
    assert str(wire.request.url) == "https://me.azure.com/openai/deployments/d/chat/completions?api-version=2024-10-21"
    assert wire.request.headers["api-key"] == "secret"


async def test_an_answer_is_read(wire, model, hello, optional):
    wire.answers(ANSWER)
    response, usage = await model.request(hello, None, optional)
    assert response == ModelResponse(
        [TextPart("I add."), ToolCallPart("add", '{"a": 1, "b": 2}', "call_9")],
        model_name="gpt-4o-2024-08-06",
        timestamp=datetime(2025, 1, 1, tzinfo=UTC),
    )
    assert (usage.requests, usage.request_tokens, usage.response_tokens, usage.total_tokens) == (0, 10, 5, 15)


async def test_empty_text_is_a_part(wire, model, hello, plain):
    wire.answers({**ANSWER, "choices": [{"index": 0, "message": {"role": "assistant", "content": ""}}]})
    response, _ = await model.request(hello, None, plain)
    assert response.parts == [TextPart("")]


async def test_text_streams(wire, openai, hello, plain):
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    wire.streams(
        chunk({"role": "assistant", "content": "Good "}),
        chunk({"content": "day"}),
        chunk({}, finish="stop"),
        chunk(usage=usage),
        DONE,
    )
    async with openai.request_stream(hello, None, plain) as response:
        assert [event async for event in response]
        assert response.get().parts == [TextPart("Good day")]
        assert response.get().finish_reason == "stop"
        assert response.model_name == response.get().model_name == "gpt-4o"
        assert response.timestamp == datetime(2025, 1, 1, tzinfo=UTC)
        found = response.usage()
        assert (found.request_tokens, found.response_tokens, found.total_tokens) == (3, 2, 5)
    assert wire.body["stream"] is True
    assert wire.body["stream_options"] == {"include_usage": True}


async def test_calls_stream(wire, openai, hello, optional):
    wire.streams(
        chunk({"tool_calls": [{"index": 0, "id": "c1", "function": {"name": "add", "arguments": ""}}]}),
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": '{"a": 1,'}}]}),
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": ' "b": 2}'}}]}),
        chunk({}, finish="tool_calls"),
        DONE,
    )
    async with openai.request_stream(hello, None, optional) as response:
        assert [event async for event in response]
        assert response.get().parts == [ToolCallPart("add", '{"a": 1, "b": 2}', "c1")]


async def test_groq_streams_without_asking_for_usage(wire, hello, plain):
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    wire.streams(chunk({"content": "Hi"}), chunk({}, finish="stop", x_groq={"usage": usage}), DONE)
    model = GroqModel("llama", api_key="k", http_client=wire.client)
    async with model.request_stream(hello, None, plain) as response:
        assert [event async for event in response]
        assert response.usage().total_tokens == 5
    assert "stream_options" not in wire.body


async def test_a_stream_without_its_last_word_is_taken(wire, openai, hello, plain):
    wire.streams(chunk({"content": "Hi"}), chunk({"content": " there"}))
    async with openai.request_stream(hello, None, plain) as response:
        assert [event async for event in response]
        assert response.get().parts == [TextPart("Hi there")]


@pytest.mark.parametrize("pieces", [[], [b"\n\n"], [b": keep-alive\n\n"]])
async def test_an_empty_stream_is_unexpected(wire, openai, hello, plain, pieces):
    wire.streams(*pieces)
    with pytest.raises(UnexpectedModelBehavior):
        async with openai.request_stream(hello, None, plain):
            pass


async def test_media_go_out(wire, openai, plain):
    wire.answers(ANSWER)
    content = ["Look", ImageUrl("http://x/a.png"), BinaryContent(b"i", "image/png"), BinaryContent(b"s", "audio/wav")]
    await openai.request([ModelRequest([UserPromptPart(content)])], None, plain)
    assert wire.body["messages"][0]["content"] == [
        {"type": "text", "text": "Look"},
        {"type": "image_url", "image_url": {"url": "http://x/a.png"}},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,aQ=="}},
        {"type": "input_audio", "input_audio": {"data": "cw==", "format": "wav"}},
    ]


async def test_a_result_without_an_id_is_an_assertion(wire, model, plain):
    with pytest.raises(AssertionError):
        await model.request([ModelRequest([ToolReturnPart("add", 1)])], None, plain)
    assert wire.requests == []


async def test_no_key_is_a_dummy_key(wire, hello, plain, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    wire.answers(ANSWER)
    await OpenAIModel("m", http_client=wire.client).request(hello, None, plain)
    assert wire.request.headers["authorization"].startswith("Bearer api-key")


async def test_a_call_of_deepseek_needs_a_key(wire, hello, plain, monkeypatch):
    monkeypatch.delenv("DEEPSEEK_API_KEY", raising=False)
    model = OpenAIModel("deepseek-chat", provider="deepseek", http_client=wire.client)
    with pytest.raises(CredentialMissing, match="DEEPSEEK_API_KEY"):
        await model.request(hello, None, plain)
    assert wire.requests == []


def test_system_can_be_named():
    assert OpenAIModel("m", system="azure", api_key="k").system == "azure"
