from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from datetime import UTC, datetime

import httpx
import ollama
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_agent.calls import Answer, AnswerError, ModelCall, OutputSchema, ToolDefinition
from replay_agent.exceptions import WireError
from replay_agent.messages import (
    NO_TIMESTAMP,
    BinaryContent,
    ImageUrl,
    ModelRequest,
    ModelResponse,
    PartDeltaEvent,
    PartStartEvent,
    RetryPromptPart,
    SystemPromptPart,
    TextPart,
    TextPartDelta,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UnknownPart,
    UserPromptPart,
)
from replay_agent.traffic import Request
from replay_agent.usage import Usage
from replay_agent.wire.ollama import codec
from tests.wire import generated as g
from tests.wire.conversations import claims

URL = "http://localhost:11434/api/chat"
PNG = BinaryContent(b"\x89PNG\r\n\x1a\n", "image/png")
PNG_DATA = "iVBORw0KGgo="
WEATHER = ToolDefinition(
    "get_weather", "Tells the weather.", {"type": "object", "properties": {"city": {"type": "string"}}}
)
NOON = datetime(2026, 5, 27, 12, 0, 0, 123456, tzinfo=UTC)


def user(content):
    return UserPromptPart(content, timestamp=NO_TIMESTAMP)


def returned(content, call_id=None, name="get_weather"):
    return ToolReturnPart(name, content, call_id, timestamp=NO_TIMESTAMP)


def retried(content, call_id=None, name="get_weather"):
    return RetryPromptPart(content, tool_name=name, tool_call_id=call_id, timestamp=NO_TIMESTAMP)


def response(*parts, timestamp=NO_TIMESTAMP, **fields):
    return ModelResponse(list(parts), timestamp=timestamp, **fields)


def call_of(*messages, **fields):
    return ModelCall(list(messages) or [ModelRequest([user("hi")])], model="qwen3", **fields)


def request(body):
    return Request("POST", URL, body=body if isinstance(body, bytes) else json.dumps(body).encode())


def decoded(call):
    return codec.decode_call(request(codec.encode_call(call).body))


def body_of(call):
    return json.loads(codec.encode_call(call).body)


def read(value, status=200, call=None):
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return codec.decode_answer(call, status, (), body)


def lines(*values):
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)


def said(**message):
    return {"model": "qwen3", "message": {"role": "assistant", **message}, "done": False}


DONE = {"model": "qwen3", "message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop"}

# --- claiming ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", [URL, "https://ollama.com/api/chat", "http://proxy/ollama/api/chat/"])
def test_claims_chat_on_any_host(url):
    assert claims(codec, Request("POST", url, body=b'{"model": "m", "messages": []}'))


@pytest.mark.parametrize(
    ("method", "url", "body"),
    [
        ("POST", "http://localhost:11434/api/embed", b'{"model": "m", "input": "x"}'),
        ("POST", "http://localhost:11434/api/show", b'{"model": "m"}'),
        ("POST", "http://localhost:11434/v1/chat/completions", b'{"model": "m", "messages": []}'),
        ("POST", "http://localhost:3000/api/chat", b'{"id": "x", "messages": []}'),
        ("POST", URL, b'{"model": 1, "messages": []}'),
        ("POST", URL, b"nonsense"),
        ("GET", URL, b'{"model": "m", "messages": []}'),
    ],
)
def test_leaves_other_traffic_alone(method, url, body):
    assert not claims(codec, Request(method, url, body=body))


# --- calls ------------------------------------------------------------------------------------------------------------

MESSAGES = [
    (
        [ModelRequest([SystemPromptPart("a"), user("hi")])],
        [{"role": "system", "content": "a"}, {"role": "user", "content": "hi"}],
    ),
    ([ModelRequest([user(["see", PNG])])], [{"role": "user", "content": "see", "images": [PNG_DATA]}]),
    ([ModelRequest([user([PNG])])], [{"role": "user", "content": "", "images": [PNG_DATA]}]),
    (
        [
            ModelRequest([user("hi")]),
            response(ThinkingPart("hm"), TextPart("so"), ToolCallPart("get_weather", {"city": "Paris"})),
            ModelRequest([returned("sunny"), retried("again"), user("and?")]),
        ],
        [
            {"role": "user", "content": "hi"},
            {
                "role": "assistant",
                "content": "so",
                "thinking": "hm",
                "tool_calls": [{"function": {"name": "get_weather", "arguments": {"city": "Paris"}}}],
            },
            {"role": "tool", "content": "sunny", "tool_name": "get_weather"},
            {"role": "tool", "content": "again\n\nFix the errors and try again.", "tool_name": "get_weather"},
            {"role": "user", "content": "and?"},
        ],
    ),
    (
        [
            ModelRequest([user("hi"), UnknownPart({"role": "observer", "content": "x"})]),
            response(UnknownPart({"audio": "x"})),
        ],
        [
            {"role": "user", "content": "hi"},
            {"role": "observer", "content": "x"},
            {"role": "assistant", "content": "", "audio": "x"},
        ],
    ),
]


@pytest.mark.parametrize(("messages", "wire"), MESSAGES)
def test_messages_both_ways(messages, wire):
    call = call_of(*messages)
    body = {"model": "qwen3", "messages": wire, "stream": False}
    assert body_of(call) == body
    assert codec.decode_call(request(body)) == call


def test_a_whole_call_both_ways():
    settings = {
        "max_tokens": 5,
        "temperature": 0.0,
        "top_p": 0.9,
        "seed": 7,
        "presence_penalty": 0.1,
        "frequency_penalty": 0.2,
    }
    call = call_of(
        tools=[WEATHER],
        settings=settings,
        output_schema=OutputSchema({"type": "object"}),
        stream=True,
        extras={"think": True, "options": {"num_ctx": 4096}},
    )
    assert codec.encode_call(call).path == "/api/chat"
    assert body_of(call) == {
        "model": "qwen3",
        "messages": [{"role": "user", "content": "hi"}],
        "stream": True,
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "get_weather",
                    "description": "Tells the weather.",
                    "parameters": WEATHER.parameters_json_schema,
                },
            }
        ],
        "options": {
            "num_predict": 5,
            "temperature": 0.0,
            "top_p": 0.9,
            "seed": 7,
            "presence_penalty": 0.1,
            "frequency_penalty": 0.2,
            "num_ctx": 4096,
        },
        "format": {"type": "object"},
        "think": True,
    }
    assert decoded(call) == call


@pytest.mark.parametrize(("stream", "streams"), [({}, True), ({"stream": None}, True), ({"stream": False}, False)])
def test_a_call_streams_unless_it_says_otherwise(stream, streams):
    assert codec.decode_call(request({"model": "m", "messages": [], **stream})).stream is streams


def test_results_are_named_by_their_calls():
    body = {
        "model": "m",
        "messages": [
            {"role": "assistant", "tool_calls": [{"id": "c1", "function": {"name": "f", "arguments": {}}}]},
            {"role": "tool", "content": "x", "tool_call_id": "c1"},
            {"role": "tool", "content": "y"},
        ],
    }
    history = codec.decode_call(request(body)).messages
    assert history[1].parts == [returned("x", "c1", "f"), returned("y", None, "")]


@pytest.mark.parametrize("content", [ImageUrl("https://x/a.png"), BinaryContent(b"", "audio/wav")])
def test_media_that_cannot_be_sent_are_refused(content):
    with pytest.raises(NotImplementedError):
        codec.encode_call(call_of(ModelRequest([user(["see", content])])))


def test_a_body_comes_back_byte_for_byte():
    raw = json.dumps(
        {"model": "m", "messages": [{"role": "user", "content": "x", "images": ["!"]}], "format": "", "keep_alive": 0},
        indent=1,
    ).encode()
    call = codec.decode_call(request(raw))
    assert call.messages[0].parts == [user(["x", UnknownPart("!")])]
    assert codec.encode_call(call).body == raw


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b"{}", b'{"messages": 1}', b'{"messages": [1]}', b"\xff", b"[" * 100_000]
)
def test_a_malformed_call_is_a_wire_error(body):
    with pytest.raises(WireError):
        codec.decode_call(request(body))


ODD = [
    None,
    1,
    "x",
    [],
    {},
    [1],
    {"x": 1},
    [{}],
    [None],
    {"function": 1},
    [{"function": {"name": "f", "arguments": 1}}],
]


@pytest.mark.parametrize("field", ["model", "tools", "options", "format", "stream", "think"])
@pytest.mark.parametrize("value", ODD)
def test_odd_fields_do_no_harm(field, value):
    codec.encode_call(replace(codec.decode_call(request({"messages": [], field: value})), stream=False))


@pytest.mark.parametrize("field", ["content", "thinking", "tool_calls", "images", "tool_name"])
@pytest.mark.parametrize("value", ODD)
@pytest.mark.parametrize("role", ["user", "assistant", "system", "tool", None])
def test_odd_messages_do_no_harm(field, value, role):
    call = codec.decode_call(request({"messages": [{"role": role, field: value}]}))
    codec.encode_call(replace(call, model="m"))
    read({"message": {field: value}})


png_images = st.binary(max_size=20).map(lambda data: BinaryContent(b"\x89PNG" + data, "image/png"))
prompts = (
    g.any_texts
    | st.tuples(st.lists(g.texts, max_size=1), st.lists(png_images, min_size=1, max_size=2)).map(
        lambda two: [*two[0], *two[1]]
    )
).map(user)


@st.composite
def answers(draw, turn=0, *, ids=True):
    parts = draw(st.lists(g.texts.map(ThinkingPart), max_size=1)) + draw(st.lists(g.texts.map(TextPart), max_size=1))
    numbers = range(draw(st.integers(0, 2)))
    calls = [
        ToolCallPart(draw(g.names), draw(g.json_objects), f"t{turn}_{number}" if ids else None) for number in numbers
    ]
    return parts + calls + draw(st.lists(st.just(UnknownPart({"audio": "x"})), max_size=1))


settings = st.fixed_dictionaries(
    {}, optional={"max_tokens": st.integers(1, 9999), "top_p": st.floats(0, 1), "seed": st.integers(0, 9)}
)
calls = st.builds(
    ModelCall,
    g.histories(answers, prompt=prompts, result=g.reasons),
    model=st.just("qwen3"),
    tools=g.tool_lists,
    settings=settings,
    output_schema=st.none() | st.builds(OutputSchema, st.none() | g.schemas),
    stream=st.booleans(),
    extras=st.sampled_from([{}, {"think": "high"}, {"options": {"num_ctx": 1}}, {"keep_alive": 0}]),
)


@given(calls)
def test_calls_come_back(call):
    assert decoded(call) == call


# --- answers ----------------------------------------------------------------------------------------------------------


def test_an_answer_is_read():
    message = {
        "role": "assistant",
        "content": "a",
        "thinking": "hm",
        "tool_calls": [
            {"function": {"index": 0, "name": "f", "arguments": {"a": 1}}},
            {"function": {"name": "g"}},
            {"new": 1},
        ],
    }
    body = {
        **DONE,
        "created_at": "2026-05-27T12:00:00.123456789Z",
        "message": message,
        "prompt_eval_count": 26,
        "eval_count": 5,
    }
    answer = read(body).response
    assert answer.parts == [
        ThinkingPart("hm"),
        TextPart("a"),
        ToolCallPart("f", {"a": 1}),
        ToolCallPart("g", {}),
        UnknownPart({"tool_calls": [{"new": 1}]}),
    ]
    assert (answer.model_name, answer.timestamp, answer.finish_reason) == ("qwen3", NOON, "stop")
    assert answer.usage == Usage(0, 26, 5, 31)


@pytest.mark.parametrize(("word", "finish"), [("stop", "stop"), ("length", "length"), ("load", None), (None, None)])
def test_finish_reasons(word, finish):
    assert read({**DONE, "done_reason": word}).response.finish_reason == finish


STREAM = lines(
    said(content="", thinking="h"),
    said(content="", thinking="m"),
    said(content="a"),
    said(content="b"),
    said(content="", tool_calls=[{"function": {"name": "f", "arguments": {}}}]),
    {**DONE, "prompt_eval_count": 1, "eval_count": 2},
)
STREAMED = [ThinkingPart("hm"), TextPart("ab"), ToolCallPart("f", {})]


def test_a_stream_is_read():
    answer = read(STREAM).response
    assert (answer.parts, answer.finish_reason, answer.usage) == (STREAMED, "stop", Usage(0, 1, 2, 3))


def test_a_stream_is_read_line_by_line():
    decoder = codec.stream_decoder(None, ())
    assert decoder.feed(lines(said(content="a"))) == [PartStartEvent(0, TextPart("a"))]
    assert decoder.feed(lines(said(content="b"))) == [PartDeltaEvent(0, TextPartDelta("b"))]
    assert not decoder.finished
    assert decoder.feed(lines(DONE)) == []
    assert decoder.finished
    assert decoder.close() == []


@given(st.lists(st.integers(0, len(STREAM)), max_size=8).map(sorted))
def test_boundaries_do_not_matter(cuts):
    decoder = codec.stream_decoder(None, ())
    for start, stop in zip([0, *cuts], [*cuts, len(STREAM)], strict=True):
        decoder.feed(STREAM[start:stop])
    decoder.close()
    assert decoder.answer == read(STREAM)


def test_a_cut_stream_is_unfinished():
    decoder = codec.stream_decoder(None, ())
    decoder.feed(STREAM[:-5])
    decoder.close()
    assert (decoder.finished, decoder.answer.response.parts) == (False, STREAMED)


def test_an_empty_stream_is_a_response_without_parts():
    assert read(b"", call=call_of(stream=True)).response.parts == []


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (404, b'{"error": "model not found"}', AnswerError(404, "model not found")),
        (502, b"<html><title>Bad Gateway</title></html>", AnswerError(502, "Bad Gateway")),
        (200, b'{"error": "out of memory"}', AnswerError(None, "out of memory")),
        (200, b"<html>Log in</html>", AnswerError(None, "Log in")),
    ],
)
def test_refusals(status, body, error):
    assert read(body, status) == Answer(None, error)


def test_an_error_inside_a_stream():
    answer = read(lines(said(content="a"), {"error": "out of memory"}))
    assert (answer.response.parts, answer.error) == ([TextPart("a")], AnswerError(None, "out of memory"))


@pytest.mark.parametrize("body", [b"", b" \n", b"{", b'{"a" 1}', b'{"message": {}} x', b'{"a":' * 1000])
def test_a_malformed_answer_is_a_wire_error(body):
    with pytest.raises(WireError):
        read(body)


@given(g.json_objects, g.json_objects)
def test_odd_answers_raise_nothing_else(fields, message):
    with contextlib.suppress(WireError):
        read({**fields, "message": message})
    with contextlib.suppress(WireError):
        read({**fields, "message": fields, "created_at": message, "tool_calls": message})


@given(st.binary(max_size=60))
def test_garbage_raises_nothing_else(body):
    with contextlib.suppress(WireError):
        read(body)


def sent(answer, *, stream):
    call = call_of(stream=stream)
    encoded = codec.encode_answer(call, answer)
    assert encoded == codec.encode_answer(call, answer)
    return codec.decode_answer(call, encoded.status, encoded.headers, b"".join(encoded.chunks)).response


answered = st.builds(
    lambda parts, usage, reason, timestamp: response(
        *parts, model_name="qwen3", usage=usage, finish_reason=reason, timestamp=timestamp
    ),
    answers(ids=False),
    g.usages(),
    st.sampled_from(["stop", "length"]),
    st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
)


@pytest.mark.parametrize("stream", [False, True])
@given(answer=answered)
def test_answers_come_back(stream, answer):
    back = sent(answer, stream=stream)
    assert (back, back.usage, back.finish_reason) == (answer, answer.usage, answer.finish_reason)


# --- Ollama's client --------------------------------------------------------------------------------------------------

RICH = response(
    ThinkingPart("hm"),
    TextPart("Grüße 🌍"),
    ToolCallPart("get_weather", {"city": "Paris"}, "t1"),
    usage=Usage(0, 30, 8, 38),
    timestamp=NOON,
)
ASKED = {"model": "qwen3", "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture
def client():
    """Make a real client whose requests are answered by a function of the decoded call."""

    def make(answer):
        def handle(http_request):
            asked = Request(http_request.method, str(http_request.url), body=http_request.content)
            assert claims(codec, asked)
            encoded = answer(codec.decode_call(asked))
            return httpx.Response(encoded.status, headers=list(encoded.headers), content=b"".join(encoded.chunks))

        return ollama.Client("http://localhost:11434", transport=httpx.MockTransport(handle))

    return make


def rich(call):
    return codec.encode_answer(call, RICH)


def test_ollama_parses_our_answer(client):
    answer = client(rich).chat(**ASKED)
    assert (answer.message.content, answer.message.thinking) == ("Grüße 🌍", "hm")
    assert answer.message.tool_calls[0].function.arguments == {"city": "Paris"}
    assert (answer.done, answer.done_reason, answer.eval_count) == (True, "stop", 8)
    assert answer.created_at == "2026-05-27T12:00:00.123456Z"


def test_ollama_parses_our_stream(client):
    chunks = list(client(rich).chat(**ASKED, stream=True))
    assert "".join(chunk.message.content or "" for chunk in chunks) == "Grüße 🌍"
    assert "".join(chunk.message.thinking or "" for chunk in chunks) == "hm"
    assert [call.function.name for chunk in chunks for call in chunk.message.tool_calls or []] == ["get_weather"]
    assert [chunk.done for chunk in chunks] == [False] * (len(chunks) - 1) + [True]


@pytest.mark.parametrize("status", [400, 404, 500])
def test_ollama_raises_our_refusals(client, status):
    sdk = client(lambda call: codec.encode_error(call, status, "no luck"))
    for stream in (False, True):
        with pytest.raises(ollama.ResponseError) as caught:
            list(sdk.chat(**ASKED, stream=stream))
        assert (caught.value.status_code, caught.value.error) == (status, "no luck")


def test_calls_of_ollama_are_read_whole(client):
    asked = []

    def answer(call):
        asked.append(call)
        return rich(call)

    messages = [{"role": "user", "content": "see", "images": [PNG.data]}]
    client(answer).chat(
        model="qwen3", messages=messages, format="json", options={"temperature": 0.5, "top_k": 3}, think=True
    )
    wanted = call_of(
        ModelRequest([user(["see", PNG])]),
        settings={"temperature": 0.5},
        output_schema=OutputSchema(),
        extras={"think": True, "options": {"top_k": 3}},
    )
    assert asked == [wanted]
