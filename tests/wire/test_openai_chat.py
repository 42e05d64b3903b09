"""The codec as a whole: what it claims, what real SDKs make of what it writes, and that nothing is lost on the way."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import groq
import httpx
import httpx2
import openai
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replay_agent.calls import ModelCall, OutputSchema, ToolDefinition
from replay_agent.exceptions import WireError
from replay_agent.messages import (
    NO_TIMESTAMP,
    BinaryContent,
    FilePart,
    ImageUrl,
    ModelRequest,
    ModelResponse,
    NativeToolCallPart,
    NativeToolReturnPart,
    RetryPromptPart,
    SystemPromptPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UnknownPart,
    UserPromptPart,
)
from replay_agent.traffic import Request
from replay_agent.usage import Usage
from replay_agent.wire.codec import EncodedAnswer
from replay_agent.wire.openai_chat import codec
from tests.wire.conversations import claims

URL = "https://api.openai.com/v1/chat/completions"
SERVER = "http://localhost:1/v1"
HELLO = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}]}


def request(body: object, url: str = URL) -> Request:
    return Request("POST", url, body=body if isinstance(body, bytes) else json.dumps(body).encode())


def decoded(answer: EncodedAnswer, call: ModelCall | None = None):
    return codec.decode_answer(call, answer.status, answer.headers, b"".join(answer.chunks))


# --- what it claims ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        URL,
        "https://my.openai.azure.com/openai/deployments/gpt/chat/completions?api-version=2024-10-21",
        "https://api.groq.com/openai/v1/chat/completions",
        "https://router.huggingface.co/novita/v3/openai/chat/completions",
        "https://me.snowflakecomputing.com/api/v2/cortex/v1/chat/completions",
        "https://generativelanguage.googleapis.com/v1beta/openai/chat/completions",
        "http://localhost:11434/v1/chat/completions/",
    ],
)
def test_paths_of_any_host_are_claimed(url):
    assert claims(codec, request(HELLO, url))


def test_a_deployment_in_the_address_is_the_model():
    url = "https://my.openai.azure.com/openai/deployments/my-gpt/chat/completions?api-version=2024-10-21"
    assert codec.decode_call(request({"messages": []}, url)).model == "my-gpt"


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"messages": 1}', b"[" * 100_000, b'{"messages": null}'])
def test_malformed_calls_are_wire_errors(body):
    assert not claims(codec, request(body))
    with pytest.raises(WireError, match="openai_chat"):
        codec.decode_call(request(body))


def test_a_call_is_written_with_the_bytes_it_was_read_from():
    body = b'{ "messages": [], "model":"gpt-4o" , "stream": true}'
    call = codec.decode_call(request(body))
    assert codec.encode_call(call).body == body
    call.model = "gpt-4o-mini"
    assert json.loads(codec.encode_call(call).body)["model"] == "gpt-4o-mini"


# --- what SDKs make of it ---------------------------------------------------------------------------------------------

TOOL = {
    "type": "function",
    "function": {"name": "add", "description": "Adds.", "parameters": {"type": "object", "properties": {}}},
}
RESPONSE = ModelResponse(
    [ThinkingPart("hm, 1 + 2"), TextPart("It is «drei» 🎉"), ToolCallPart("add", '{"a": 1, "b": 2}', "call_1")],
    model_name="gpt-4o-2024-08-06",
    timestamp=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    finish_reason="tool_call",
    usage=Usage(0, 11, 7, 18, {"cache_read_tokens": 4, "reasoning_tokens": 2}),
    provider_response_id="chatcmpl-1",
)


class Provider:
    """Answers an SDK's requests through the codec."""

    def __init__(self, answer: ModelResponse | int):
        self.answer = answer
        self.call: ModelCall | None = None

    def _encoded(self, method: str, url: str, body: bytes) -> EncodedAnswer:
        self.call = codec.decode_call(Request(method, url, body=body))
        if isinstance(self.answer, int):
            return codec.encode_error(self.call, self.answer, "No.")
        return codec.encode_answer(self.call, self.answer)

    def httpx(self, sent: httpx.Request) -> httpx.Response:
        answer = self._encoded(sent.method, str(sent.url), sent.content)
        return httpx.Response(answer.status, headers=list(answer.headers), content=b"".join(answer.chunks))

    def httpx2(self, sent: httpx2.Request) -> httpx2.Response:
        answer = self._encoded(sent.method, str(sent.url), sent.content)
        return httpx2.Response(answer.status, headers=list(answer.headers), content=b"".join(answer.chunks))


def openai_client(provider: Provider) -> openai.OpenAI:
    http_client = httpx2.Client(transport=httpx2.MockTransport(provider.httpx2))
    return openai.OpenAI(api_key="k", base_url=SERVER, max_retries=0, http_client=http_client)


def groq_client(provider: Provider) -> groq.Groq:
    http_client = httpx.Client(transport=httpx.MockTransport(provider.httpx))
    return groq.Groq(api_key="k", base_url="http://localhost:1", max_retries=0, http_client=http_client)


def test_openai_reads_an_answer():
    with openai_client(Provider(RESPONSE)) as client:
        completion = client.chat.completions.create(**HELLO, tools=[TOOL])
    assert type(completion).model_validate(completion.model_dump(exclude_unset=True)) == completion
    message = completion.choices[0].message
    assert message.content == "It is «drei» 🎉"
    assert message.tool_calls[0].function.arguments == '{"a": 1, "b": 2}'
    assert completion.choices[0].finish_reason == "tool_calls"
    assert completion.usage.prompt_tokens_details.cached_tokens == 4
    assert completion.usage.completion_tokens_details.reasoning_tokens == 2


def test_openai_reads_a_stream():
    with openai_client(Provider(RESPONSE)) as client:
        chunks = list(client.chat.completions.create(**HELLO, stream=True, stream_options={"include_usage": True}))
    for chunk in chunks:
        type(chunk).model_validate(chunk.model_dump(exclude_unset=True))
    deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
    assert "".join(delta.content or "" for delta in deltas) == "It is «drei» 🎉"
    calls = [call for delta in deltas for call in delta.tool_calls or ()]
    assert "".join(call.function.arguments for call in calls) == '{"a": 1, "b": 2}'
    assert (calls[0].function.name, calls[0].id) == ("add", "call_1")
    assert chunks[-1].usage.total_tokens == 18


def test_openai_accumulates_a_stream():
    with (
        openai_client(Provider(RESPONSE)) as client,
        client.chat.completions.stream(**HELLO, stream_options={"include_usage": True}) as stream,
    ):
        completion = stream.get_final_completion()
    assert completion.choices[0].message.content == "It is «drei» 🎉"
    assert completion.choices[0].message.tool_calls[0].function.name == "add"


def test_a_stream_counts_tokens_only_when_asked():
    with openai_client(Provider(RESPONSE)) as client:
        chunks = list(client.chat.completions.create(**HELLO, stream=True))
    assert [chunk.usage for chunk in chunks if chunk.usage] == []


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, openai.BadRequestError),
        (401, openai.AuthenticationError),
        (404, openai.NotFoundError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
    ],
)
def test_openai_raises_its_own_errors(status, error):
    with openai_client(Provider(status)) as client, pytest.raises(error, match="No") as raised:
        client.chat.completions.create(**HELLO)
    assert raised.value.body["message"] == "No."


def test_groq_reads_an_answer():
    provider = Provider(RESPONSE)
    with groq_client(provider) as client:
        completion = client.chat.completions.create(**HELLO)
    assert provider.call.dialect == "groq"
    assert completion.choices[0].message.reasoning == "hm, 1 + 2"
    assert completion.choices[0].message.tool_calls[0].function.name == "add"


def test_groq_reads_a_stream():
    with groq_client(Provider(RESPONSE)) as client:
        chunks = list(client.chat.completions.create(**HELLO, stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "It is «drei» 🎉"
    assert chunks[-1].x_groq.usage.total_tokens == 18


def test_groq_raises_its_own_errors():
    with groq_client(Provider(429)) as client, pytest.raises(groq.RateLimitError, match="No"):
        client.chat.completions.create(**HELLO)


# --- nothing is lost --------------------------------------------------------------------------------------------------

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40).filter(
    lambda text: "Fix the errors" not in text and not text.lstrip().startswith("<")
)
NAME = st.from_regex(r"[a-z_]{1,12}", fullmatch=True)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAME, inner, max_size=3),
    max_leaves=6,
)
ARGS = st.dictionaries(NAME, JSON, max_size=3).map(json.dumps)
PICTURE = st.builds(BinaryContent, st.binary(min_size=1, max_size=30), st.sampled_from(["image/png", "image/jpeg"]))
SOUND = st.builds(BinaryContent, st.binary(min_size=1, max_size=30), st.sampled_from(["audio/wav", "audio/mpeg"]))
PAPER = st.builds(BinaryContent, st.binary(max_size=30), st.sampled_from(["application/pdf", "text/csv"]))
CONTENT = st.lists(
    TEXT
    | PICTURE
    | SOUND
    | PAPER
    | st.builds(ImageUrl, NAME.map("https://example.com/{}.png".format))
    | st.builds(UnknownPart, st.fixed_dictionaries({"type": st.just("hologram"), "data": JSON})),
    max_size=4,
)
UNTIMED = {"timestamp": st.just(NO_TIMESTAMP)}


@st.composite
def answer_parts(draw):
    """Parts in the order in which the format has them, texts joined."""
    parts = []
    if draw(st.booleans()):
        parts.append(ThinkingPart(draw(TEXT)))
    elif draw(st.booleans()):
        parts += draw(st.lists(st.builds(ThinkingPart, TEXT, TEXT), min_size=1, max_size=2))
    if draw(st.booleans()):
        parts += [NativeToolCallPart("web_search", draw(ARGS)), NativeToolReturnPart("web_search", {"output": "x"})]
    if draw(st.booleans()):
        parts.append(TextPart(draw(TEXT)))
    ids = draw(st.lists(NAME, unique=True, max_size=3))
    parts += [ToolCallPart(draw(NAME), draw(ARGS), call_id) for call_id in ids]
    if draw(st.booleans()):
        parts.append(FilePart(draw(PICTURE)))
    if draw(st.booleans()):
        parts.append(UnknownPart({"annotations": [draw(st.fixed_dictionaries({"url": TEXT}))]}))
    return parts or [TextPart("")]


@st.composite
def conversations(draw):
    """Requests and responses in turn; every call is answered by a return or a retry."""
    messages, open_calls = [], []
    for _ in range(draw(st.integers(1, 3))):
        parts = [SystemPromptPart(draw(TEXT))] if draw(st.booleans()) else []
        for call in open_calls:
            kind = draw(st.sampled_from([ToolReturnPart, RetryPromptPart]))
            named = {"tool_name": call.tool_name, "tool_call_id": call.tool_call_id, "timestamp": NO_TIMESTAMP}
            parts.append(kind(content=draw(TEXT), **named))
        parts.append(draw(st.builds(UserPromptPart, TEXT | CONTENT, **UNTIMED)))
        if draw(st.booleans()):
            parts.append(draw(st.builds(RetryPromptPart, TEXT, **UNTIMED)))
        response = ModelResponse(draw(answer_parts()), timestamp=NO_TIMESTAMP)
        open_calls = [part for part in response.parts if isinstance(part, ToolCallPart)]
        messages += [ModelRequest(parts), response]
    return messages


TOOLS = st.lists(
    st.builds(
        ToolDefinition,
        NAME,
        st.none() | TEXT,
        st.dictionaries(NAME, JSON, max_size=2),
        strict=st.none() | st.booleans(),
    ),
    max_size=2,
    unique_by=lambda tool: tool.name,
)
SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "max_tokens": st.integers(1, 9999),
        "temperature": st.floats(0, 2),
        "top_p": st.floats(0, 1),
        "seed": st.integers(0, 99),
        "parallel_tool_calls": st.booleans(),
        "logit_bias": st.dictionaries(st.integers(0, 9).map(str), st.integers(-100, 100)),
    },
)
CALLS = st.builds(
    ModelCall,
    messages=conversations(),
    model=NAME,
    tools=TOOLS,
    tool_choice=st.sampled_from([None, "auto", "required", "none", ("a",), ("a", "b")]),
    settings=SETTINGS,
    output_schema=st.none() | st.just(OutputSchema()) | st.builds(OutputSchema, st.just({"type": "object"}), NAME),
    stream=st.booleans(),
    system_role=st.none(),
    extras=st.fixed_dictionaries({}, optional={"n": st.just(1), "stop": st.lists(TEXT), "metadata": JSON}),
)


@given(CALLS)
@settings(max_examples=60, deadline=None)
def test_calls_come_back(call):
    assert codec.decode_call(request(codec.encode_call(call).body, "https://proxy.example/chat/completions")) == call


def test_developer_prompts_stay_developer_prompts():
    call = ModelCall([ModelRequest([SystemPromptPart("Be brief.")])], "o1", system_role="developer")
    body = codec.encode_call(call).body
    assert json.loads(body)["messages"] == [{"role": "developer", "content": "Be brief."}]
    assert codec.decode_call(request(body)) == call


USAGE = st.builds(
    Usage,
    request_tokens=st.integers(0, 999),
    response_tokens=st.integers(0, 999),
    total_tokens=st.integers(0, 9999),
    details=st.none()
    | st.dictionaries(
        st.sampled_from(
            [
                "cache_read_tokens",
                "cache_write_tokens",
                "reasoning_tokens",
                "input_audio_tokens",
                "output_audio_tokens",
                "input_image_tokens",
                "accepted_prediction_tokens",
                "num_sources",
            ]
        ),
        st.integers(0, 99),
        min_size=1,
    ),
)
ANSWERS = st.builds(
    ModelResponse,
    parts=answer_parts(),
    model_name=NAME,
    timestamp=st.integers(0, 2**33).map(lambda seconds: datetime.fromtimestamp(seconds, tz=UTC)),
    finish_reason=st.sampled_from(["stop", "length", "tool_call", "content_filter", "error"]),
    usage=USAGE,
    provider_response_id=NAME,
)


def everything(response: ModelResponse):
    """The response with the fields that its comparison leaves out."""
    return response, response.finish_reason, response.usage, response.provider_response_id


@given(ANSWERS)
@settings(max_examples=60, deadline=None)
def test_answers_come_back(answer):
    call = ModelCall([], "gpt-4o")
    assert everything(decoded(codec.encode_answer(call, answer), call).response) == everything(answer)


@given(ANSWERS, st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_streamed_answers_come_back(answer, rng):
    answer.parts = [part for part in answer.parts if part != TextPart("")]
    call = ModelCall([], "gpt-4o", stream=True)
    encoded = codec.encode_answer(call, answer)
    body = b"".join(encoded.chunks)
    decoder = codec.stream_decoder(call, encoded.headers)
    while body:
        size = rng.randint(1, 60)
        decoder.feed(body[:size])
        body = body[size:]
    decoder.close()
    assert decoder.finished
    assert everything(decoder.answer.response) == everything(answer)


def test_the_same_answer_has_the_same_ids_every_time():
    call = ModelCall([ModelRequest([UserPromptPart("hi")])], "gpt-4o")
    answer = ModelResponse([ToolCallPart("add", {"a": 1}), ToolCallPart("add", {"a": 1})], timestamp=NO_TIMESTAMP)
    later = replace(call, messages=[ModelRequest([UserPromptPart("hi", timestamp=NO_TIMESTAMP)])])
    assert codec.encode_answer(call, answer) == codec.encode_answer(later, answer)
    first, second = decoded(codec.encode_answer(call, answer)).response.parts
    assert first.tool_call_id != second.tool_call_id


FIELDS = ("role", "content", "tool_calls", "function", "type", "text", "reasoning_details", "name", "id", "arguments")
WORDS = ("", "assistant", "text", "tool", "reasoning.text", "function", "{}", "hi")
SHAPES = st.recursive(
    st.sampled_from([None, True, 0, 1.5, *WORDS]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4),
    max_leaves=12,
)


@given(SHAPES)
@settings(max_examples=150, deadline=None)
def test_no_message_breaks_the_reader(message):
    body = json.dumps({"messages": [message, {"role": "assistant", "content": message, "tool_calls": message}]})
    call = codec.decode_call(request(body.encode()))
    assert codec.encode_call(call).body == body.encode()
    answer = {"choices": [{"message": message, "finish_reason": message}], "usage": message, "created": message}
    assert codec.decode_answer(None, 200, (), json.dumps(answer).encode()).response is not None
    chunk = {"choices": [{"delta": message, "finish_reason": message}], "usage": message, "id": message}
    event = f"data: {json.dumps(chunk)}\n\n"
    assert codec.decode_answer(None, 200, (), (event + event).encode()).response is not None
