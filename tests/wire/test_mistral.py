from __future__ import annotations

import json
from datetime import UTC, datetime

import httpx
import pytest
from mistralai.client import Mistral
from mistralai.client.errors import SDKError

from replay_agent.calls import ModelCall, ToolDefinition
from replay_agent.messages import (
    NO_TIMESTAMP,
    BinaryContent,
    DocumentUrl,
    ImageUrl,
    ModelRequest,
    ModelResponse,
    SystemPromptPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from replay_agent.traffic import Request
from replay_agent.usage import Usage
from replay_agent.wire.mistral import codec
from tests.wire.conversations import claims

URL = "https://api.mistral.ai/v1/chat/completions"
SCHEMA = {"type": "object", "properties": {}}


def history():
    return [
        ModelRequest([SystemPromptPart("Be brief."), UserPromptPart("1 + 2?", timestamp=NO_TIMESTAMP)]),
        ModelResponse([TextPart("I add."), ToolCallPart("add", {"a": 1}, "c1")], timestamp=NO_TIMESTAMP),
        ModelRequest([ToolReturnPart("add", 3, "c1", timestamp=NO_TIMESTAMP)]),
    ]


def test_a_call_has_mistrals_shapes():
    call = ModelCall(
        history(),
        "mistral-large",
        tools=[ToolDefinition("add", "Adds.", SCHEMA)],
        tool_choice="required",
        settings={"seed": 3, "max_tokens": 9},
        extras={"n": 1},
    )
    assert json.loads(codec.encode_call(call).body) == {
        "model": "mistral-large",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "1 + 2?"},
            {
                "role": "assistant",
                "content": [{"type": "text", "text": "I add."}],
                "tool_calls": [{"id": "c1", "function": {"name": "add", "arguments": {"a": 1}}, "index": 0}],
                "prefix": False,
            },
            {"role": "tool", "tool_call_id": "c1", "content": "3"},
        ],
        "stream": False,
        "n": 1,
        "tools": [{"function": {"name": "add", "description": "Adds.", "parameters": SCHEMA, "strict": False}}],
        "tool_choice": "required",
        "top_p": 1,
        "random_seed": 3,
        "max_tokens": 9,
    }


def test_a_call_is_read_back():
    call = ModelCall(history(), "mistral-large", settings={"top_p": 0.5, "seed": 3}, stream=True)
    call.messages[2].parts[0].content = "3"
    assert codec.decode_call(Request("POST", URL, body=codec.encode_call(call).body)) == call


def test_documents_may_be_given_by_address():
    content = [DocumentUrl("https://e.org/a.pdf"), ImageUrl("https://e.org/a.png"), BinaryContent(b"a", "image/png")]
    call = ModelCall([ModelRequest([UserPromptPart(content, timestamp=NO_TIMESTAMP)])], "m", settings={"top_p": 1})
    assert codec.decode_call(Request("POST", URL, body=codec.encode_call(call).body)) == call


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/agents/completions"])
def test_its_addresses_are_claimed(path):
    assert claims(codec, Request("POST", f"https://api.mistral.ai{path}", body=b'{"messages": []}'))


def test_other_peoples_traffic_is_not():
    assert not claims(codec, Request("POST", "https://api.openai.com/v1/chat/completions", body=b'{"messages": []}'))
    assert not claims(codec, Request("POST", "https://api.mistral.ai/v1/embeddings", body=b'{"messages": []}'))


@pytest.mark.parametrize(
    ("agent", "its_own"),
    [
        ("speakeasy-sdk/python 3.7.0 2.935.1 1.0.0 mistralai", True),
        ("mistral-client-python/3.7.0", True),
        ("mistral-client-typescript/1.9.0", True),
        ("OpenAI/Python 3.54.0", False),
        ("my-mistral-client-app/1", False),
    ],
)
def test_its_own_client_is_answered_in_its_shapes_wherever_it_asks(agent, its_own):
    url, body = "http://127.0.0.1:1/v1/chat/completions", b'{"messages": []}'
    assert claims(codec, Request("POST", url, (("user-agent", agent),), body)) is its_own


def test_tags_are_text_here():
    body = {"choices": [{"message": {"content": "<think>a</think>"}, "finish_reason": "stop"}]}
    answer = codec.decode_answer(None, 200, (), json.dumps(body).encode())
    assert answer.response.parts == [TextPart("<think>a</think>")]


# --- what the SDK makes of it -----------------------------------------------------------------------------------------

RESPONSE = ModelResponse(
    [TextPart("Ça va 🎉"), ToolCallPart("add", '{"a": 1}', "c1")],
    model_name="mistral-large-2512",
    timestamp=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    finish_reason="tool_call",
    usage=Usage(0, 11, 7, 18),
)


def client(answer: ModelResponse | int) -> Mistral:
    def respond(sent: httpx.Request) -> httpx.Response:
        call = codec.decode_call(Request(sent.method, str(sent.url), body=sent.content))
        if isinstance(answer, int):
            encoded = codec.encode_error(call, answer, "Non.")
        else:
            encoded = codec.encode_answer(call, answer)
        return httpx.Response(encoded.status, headers=list(encoded.headers), content=b"".join(encoded.chunks))

    return Mistral(
        api_key="k", server_url="http://localhost:1", client=httpx.Client(transport=httpx.MockTransport(respond))
    )


HELLO = [{"role": "user", "content": "Salut"}]


def test_the_sdk_reads_an_answer():
    completion = client(RESPONSE).chat.complete(model="mistral-large", messages=HELLO)
    message = completion.choices[0].message
    assert message.content == "Ça va 🎉"
    assert message.tool_calls[0].function.arguments == '{"a": 1}'
    assert completion.choices[0].finish_reason == "tool_calls"
    assert completion.usage.total_tokens == 18


def test_the_sdk_reads_reasoning():
    answer = ModelResponse([ThinkingPart("hm"), TextPart("a")], timestamp=NO_TIMESTAMP)
    thinking, text = client(answer).chat.complete(model="m", messages=HELLO).choices[0].message.content
    assert thinking.thinking[0].text == "hm"
    assert text.text == "a"


def test_the_sdk_reads_a_stream():
    events = list(client(RESPONSE).chat.stream(model="mistral-large", messages=HELLO))
    deltas = [event.data.choices[0].delta for event in events]
    assert "".join(delta.content for delta in deltas if delta.content) == "Ça va 🎉"
    [call] = [call for delta in deltas for call in delta.tool_calls or ()]
    assert (call.id, call.function.name, call.function.arguments) == ("c1", "add", '{"a": 1}')
    assert events[-1].data.usage.total_tokens == 18


@pytest.mark.parametrize("status", [400, 401, 429])
def test_the_sdk_raises_its_error(status):
    with pytest.raises(SDKError, match="Non") as raised:
        client(status).chat.complete(model="m", messages=HELLO)
    assert raised.value.status_code == status


@pytest.mark.parametrize("stream", [False, True])
def test_answers_come_back(stream):
    call = ModelCall([], "m", stream=stream)
    encoded = codec.encode_answer(call, RESPONSE)
    answer = codec.decode_answer(call, 200, encoded.headers, b"".join(encoded.chunks))
    assert answer.response == RESPONSE
    assert answer.response.usage == RESPONSE.usage
