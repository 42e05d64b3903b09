from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from pathlib import Path

import cohere
import httpx
import pytest
import yaml
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
from replay_agent.wire.cohere import codec
from tests.wire import generated as g
from tests.wire.conversations import claims

URL = "https://api.cohere.com/v2/chat"
WEATHER = ToolDefinition(
    "get_weather", "Tells the weather.", {"type": "object", "properties": {"city": {"type": "string"}}}
)
SSE_HEADERS = (("content-type", "text/event-stream"),)


def user(content):
    return UserPromptPart(content, timestamp=NO_TIMESTAMP)


def returned(content, call_id="t1", name="get_weather"):
    return ToolReturnPart(name, content, call_id, timestamp=NO_TIMESTAMP)


def retried(content, call_id="t1", name="get_weather"):
    return RetryPromptPart(content, tool_name=name, tool_call_id=call_id, timestamp=NO_TIMESTAMP)


def response(*parts, **fields):
    return ModelResponse(list(parts), timestamp=NO_TIMESTAMP, **fields)


def call_of(*messages, **fields):
    return ModelCall(list(messages) or [ModelRequest([user("hi")])], model="command-r", **fields)


def request(body):
    return Request("POST", URL, body=body if isinstance(body, bytes) else json.dumps(body).encode())


def decoded(call):
    return codec.decode_call(request(codec.encode_call(call).body))


def body_of(call):
    return json.loads(codec.encode_call(call).body)


def read(value, status=200, call=None):
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return codec.decode_answer(call, status, (), body)


def event(kind, **fields):
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


def delta(kind, index=None, **message):
    return event(kind, **({} if index is None else {"index": index}), delta={"message": message})


def text_block(index, *texts, kind="text"):
    return b"".join(
        [
            delta("content-start", index, content={"type": kind, kind: ""}),
            *(delta("content-delta", index, content={kind: text}) for text in texts),
            event("content-end", index=index),
        ]
    )


def end(reason="COMPLETE", **fields):
    return event("message-end", delta={"finish_reason": reason, **fields}) + b"data: [DONE]\n\n"


START = event("message-start", id="r1", delta={"message": {"role": "assistant"}})

# --- claiming ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", [URL, "http://localhost:8/proxy/v2/chat", f"{URL}/"])
def test_claims_version_2_on_any_host(url):
    assert claims(codec, Request("POST", url, body=b'{"messages": []}'))


@pytest.mark.parametrize(
    ("method", "url", "body"),
    [
        ("POST", "https://api.cohere.com/v2/embed", b'{"texts": []}'),
        ("POST", "https://api.cohere.com/v2/rerank", b'{"documents": []}'),
        ("POST", "https://api.cohere.com/v1/chat", b'{"message": "hi"}'),
        ("POST", "https://api.openai.com/v1/chat/completions", b'{"messages": []}'),
        ("GET", URL, b""),
        ("POST", URL, b'{"message": "hi"}'),
        ("POST", URL, b"messages"),
    ],
)
def test_leaves_other_traffic_alone(method, url, body):
    assert not claims(codec, Request(method, url, body=body))


# --- calls ------------------------------------------------------------------------------------------------------------

MESSAGES = [
    (
        [ModelRequest([SystemPromptPart("a"), SystemPromptPart("b"), user("hi")])],
        [{"role": "system", "content": "a"}, {"role": "system", "content": "b"}, {"role": "user", "content": "hi"}],
    ),
    (
        [ModelRequest([user(["a", UnknownPart({"type": "document", "document": {}})])])],
        [{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "document", "document": {}}]}],
    ),
    (
        [
            ModelRequest([user("hi")]),
            response(ThinkingPart("hm"), TextPart("so"), ToolCallPart("get_weather", '{"city":"Paris"}', "t1")),
            ModelRequest([returned("sunny"), retried("again"), user("and?")]),
        ],
        [
            {"role": "user", "content": "hi"},
            {
                "role": "assistant",
                "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "so"}],
                "tool_calls": [
                    {
                        "id": "t1",
                        "type": "function",
                        "function": {"name": "get_weather", "arguments": '{"city":"Paris"}'},
                    }
                ],
            },
            {"role": "tool", "tool_call_id": "t1", "content": "sunny"},
            {"role": "tool", "tool_call_id": "t1", "content": "again\n\nFix the errors and try again."},
            {"role": "user", "content": "and?"},
        ],
    ),
    (
        [
            ModelRequest([user("hi")]),
            response(
                UnknownPart({"tool_plan": "I will look."}),
                ToolCallPart("f", "{}", "t1"),
                UnknownPart({"citations": [{"start": 0}]}),
            ),
            ModelRequest([returned([UnknownPart({"type": "document", "document": {"data": "x"}})], name="f")]),
        ],
        [
            {"role": "user", "content": "hi"},
            {
                "role": "assistant",
                "tool_plan": "I will look.",
                "tool_calls": [{"id": "t1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
                "citations": [{"start": 0}],
            },
            {"role": "tool", "tool_call_id": "t1", "content": [{"type": "document", "document": {"data": "x"}}]},
        ],
    ),
    (
        [ModelRequest([user("hi"), UnknownPart({"role": "observer", "content": "x"})])],
        [{"role": "user", "content": "hi"}, {"role": "observer", "content": "x"}],
    ),
]


@pytest.mark.parametrize(("messages", "wire"), MESSAGES)
def test_messages_both_ways(messages, wire):
    call = call_of(*messages)
    assert body_of(call) == {"model": "command-r", "messages": wire}
    assert codec.decode_call(request({"model": "command-r", "messages": wire})) == call


def test_a_whole_call_is_written_as_the_contract_says():
    settings = {"max_tokens": 5, "temperature": 0.0, "top_p": 0.9, "seed": 7, "presence_penalty": 0.1}
    call = call_of(tools=[WEATHER], settings={**settings, "frequency_penalty": 0.2, "parallel_tool_calls": True})
    assert codec.encode_call(call).path == "/v2/chat"
    assert body_of(call) == {
        "model": "command-r",
        "messages": [{"role": "user", "content": "hi"}],
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
        "max_tokens": 5,
        "temperature": 0.0,
        "p": 0.9,
        "seed": 7,
        "presence_penalty": 0.1,
        "frequency_penalty": 0.2,
    }


def test_texts_of_an_answer_are_joined_by_a_blank_line():
    history = [ModelRequest([user("hi")]), response(TextPart("a"), ToolCallPart("f", {}, "t1"), TextPart("b"))]
    assert body_of(call_of(*history))["messages"][1]["content"] == [{"type": "text", "text": "a\n\nb"}]


def test_an_answer_that_says_nothing_is_left_out():
    history = [ModelRequest([user("hi")]), response(TextPart("")), ModelRequest([user("hello?")])]
    assert [message["role"] for message in body_of(call_of(*history))["messages"]] == ["user", "user"]


@pytest.mark.parametrize(
    ("choice", "word"), [("required", "REQUIRED"), ("none", "NONE"), (("f",), "REQUIRED"), ("auto", None), (None, None)]
)
def test_tool_choice(choice, word):
    assert body_of(call_of(tools=[WEATHER], tool_choice=choice)).get("tool_choice") == word


@pytest.mark.parametrize("wanted", [OutputSchema(), OutputSchema({"type": "object"})])
def test_a_wanted_schema_both_ways(wanted):
    call = call_of(output_schema=wanted)
    assert body_of(call)["response_format"]["type"] == "json_object"
    assert decoded(call) == call


@pytest.mark.parametrize("content", [ImageUrl("https://x/a.png"), BinaryContent(b"", "image/png")])
def test_prompts_of_more_than_text_are_refused(content):
    with pytest.raises(RuntimeError, match="multi-modal"):
        codec.encode_call(call_of(ModelRequest([user(["see", content])])))


STRANGE = {
    "model": "command-a-vision",
    "messages": [
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw=="}}]},
        {"role": "system", "content": [{"type": "text", "text": "x"}]},
        {"role": "assistant", "content": "plain", "tool_calls": [{"function": 1}], "tool_plan": "p"},
    ],
    "tools": [{"type": "function", "function": {"name": "f"}}, {"type": "new"}],
    "tool_choice": "SOMETIMES",
    "response_format": {"type": "text"},
    "stream": True,
    "temperature": "hot",
    "k": 3,
}


def test_a_strange_body_is_read():
    call = codec.decode_call(request(STRANGE))
    assert call.messages == [
        ModelRequest([user([BinaryContent(b"\x89PNG", "image/png")]), UnknownPart(STRANGE["messages"][1])]),
        response(UnknownPart({"tool_plan": "p"}), TextPart("plain"), UnknownPart({"tool_calls": [{"function": 1}]})),
    ]
    assert call.tools == [ToolDefinition("f", None, {"type": "object", "properties": {}})]
    kept = ("tool_choice", "response_format", "temperature", "k")
    assert call.extras == {**{key: STRANGE[key] for key in kept}, "tools": [{"type": "new"}]}
    assert call.stream


def test_a_body_comes_back_byte_for_byte():
    raw = json.dumps(STRANGE, indent=1).encode()
    assert codec.encode_call(codec.decode_call(request(raw))).body == raw


def test_an_edited_call_keeps_what_it_can():
    call = codec.decode_call(request(STRANGE))
    body = body_of(replace(call, messages=[ModelRequest([user("hi")])]))
    assert {key: body[key] for key in ("tool_choice", "k", "stream")} == {
        "tool_choice": "SOMETIMES",
        "k": 3,
        "stream": True,
    }
    assert body["tools"][1] == {"type": "new"}


def test_calls_without_ids_get_them_by_place():
    history = [ModelRequest([user("hi")]), response(ToolCallPart("f", {})), ModelRequest([returned("1", None, "f")])]
    messages = body_of(call_of(*history))["messages"]
    assert (messages[1]["tool_calls"][0]["id"], messages[2]["tool_call_id"]) == ("call_1", "call_1")


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
    {"name": 1},
    {"function": 1},
    {"function": {"name": "f", "arguments": 1}},
]


@pytest.mark.parametrize("field", ["model", "tools", "tool_choice", "response_format", "stream"])
@pytest.mark.parametrize("value", ODD)
def test_odd_fields_do_no_harm(field, value):
    codec.encode_call(replace(codec.decode_call(request({"messages": [], field: value})), stream=False))


@pytest.mark.parametrize("field", ["content", "tool_calls", "tool_plan", "citations", "tool_call_id"])
@pytest.mark.parametrize("value", [*ODD, [*ODD]])
@pytest.mark.parametrize("role", ["user", "assistant", "system", "tool", None])
def test_odd_messages_do_no_harm(field, value, role):
    call = codec.decode_call(request({"messages": [{"role": role, field: value}]}))
    codec.encode_call(replace(call, model="m"))
    read({"message": {field: value}})


settings = st.fixed_dictionaries(
    {}, optional={"max_tokens": st.integers(1, 9999), "top_p": st.floats(0, 1), "seed": st.integers(0, 9)}
)


@st.composite
def answers(draw, turn=0):
    parts = [UnknownPart({"tool_plan": draw(g.texts)})] if draw(st.booleans()) else []
    parts += draw(st.lists(g.texts.map(ThinkingPart), max_size=2))
    parts += draw(st.lists(g.texts.map(TextPart), max_size=1))
    numbers = range(draw(st.integers(0 if len(parts) else 1, 2)))
    parts += [ToolCallPart(draw(g.names), draw(g.any_texts), f"t{turn}_{number}") for number in numbers]
    citations = st.lists(g.json_objects, min_size=1, max_size=2)
    return [*parts, UnknownPart({"citations": draw(citations)})] if draw(st.booleans()) else parts


calls = st.builds(
    ModelCall,
    g.histories(answers, prompt=g.prompts(g.any_texts, st.just(UnknownPart({"type": "new"}))), result=g.reasons),
    model=st.just("command-r"),
    tools=g.tool_lists,
    tool_choice=st.sampled_from([None, "required", "none"]),
    settings=settings,
    output_schema=st.none() | st.builds(OutputSchema, st.none() | g.schemas),
    stream=st.booleans(),
    extras=st.sampled_from([{}, {"k": 3}, {"documents": ["a"]}]),
)


@given(calls)
def test_calls_come_back(call):
    assert decoded(call) == call


# --- answers ----------------------------------------------------------------------------------------------------------


def test_an_answer_is_read():
    message = {
        "role": "assistant",
        "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "a"}, {"type": "new"}],
        "tool_plan": "plan",
        "tool_calls": [{"id": "t1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}],
    }
    usage = {
        "billed_units": {"input_tokens": 1.0, "output_tokens": 9},
        "tokens": {"input_tokens": 496.0, "output_tokens": 11},
        "cached_tokens": 144,
    }
    answer = read(
        {"id": "r1", "finish_reason": "TOOL_CALL", "message": message, "usage": usage}, call=call_of()
    ).response
    assert answer.parts == [
        UnknownPart({"tool_plan": "plan"}),
        ThinkingPart("hm"),
        TextPart("a"),
        UnknownPart({"type": "new"}),
        ToolCallPart("f", '{"a": 1}', "t1"),
    ]
    assert (answer.provider_response_id, answer.model_name, answer.finish_reason) == ("r1", "command-r", "tool_call")
    assert answer.usage == Usage(0, 496, 11, 507, {"cache_read_tokens": 144, "input_tokens": 1, "output_tokens": 9})


@pytest.mark.parametrize(
    ("usage", "wanted"),
    [
        (None, None),
        ({}, Usage()),
        ({"tokens": {"input_tokens": 0, "output_tokens": 3}}, Usage(0, 0, 3, 3)),
        ({"tokens": {"output_tokens": 3}}, Usage(0, None, 3)),
        ({"tokens": 1, "billed_units": []}, Usage()),
    ],
)
def test_usage_that_says_little(usage, wanted):
    assert read({"message": {}, "usage": usage}).response.usage == wanted


@pytest.mark.parametrize(
    ("word", "finish"),
    [
        ("COMPLETE", "stop"),
        ("STOP_SEQUENCE", "stop"),
        ("MAX_TOKENS", "length"),
        ("TOOL_CALL", "tool_call"),
        ("ERROR", "error"),
        ("NEW", None),
    ],
)
def test_finish_reasons(word, finish):
    assert read({"message": {}, "finish_reason": word}).response.finish_reason == finish
    assert read(START + end(word)).response.finish_reason == finish


CALL = {"id": "t1", "type": "function", "function": {"name": "f", "arguments": ""}}
STREAMS = [
    (text_block(0, "a", "b") + text_block(1, "c"), [TextPart("ab"), TextPart("c")]),
    (text_block(0, "h", "m", kind="thinking") + text_block(1, "a"), [ThinkingPart("hm"), TextPart("a")]),
    (delta("content-start", 0, content={"type": "text", "text": "early"}), [TextPart("early")]),
    (
        delta("tool-plan-delta", tool_plan="I ")
        + delta("tool-plan-delta", tool_plan="look.")
        + delta("tool-call-start", 0, tool_calls=CALL)
        + delta("tool-call-delta", 0, tool_calls={"function": {"arguments": '{"a"'}})
        + delta("tool-call-delta", 0, tool_calls={"function": {"arguments": ": 1}"}})
        + event("tool-call-end", index=0),
        [UnknownPart({"tool_plan": "I look."}), ToolCallPart("f", '{"a": 1}', "t1")],
    ),
    (delta("tool-call-start", 0, tool_calls=CALL) + event("tool-call-end", index=0), [ToolCallPart("f", "{}", "t1")]),
    (
        text_block(0, "a")
        + delta("citation-start", 0, citations={"start": 0})
        + event("citation-end", index=0)
        + delta("citation-start", 1, citations=[{"start": 1}]),
        [TextPart("a"), UnknownPart({"citations": [{"start": 0}, {"start": 1}]})],
    ),
    (event("debug", prompt="x"), [UnknownPart({"event": {"type": "debug", "prompt": "x"}})]),
    (delta("tool-call-start", 0, tool_calls={"new": 1}), [UnknownPart({"tool_calls": [{"new": 1}]})]),
    (
        delta("tool-call-delta", 9, tool_calls={"function": {"arguments": "x"}}),
        [
            UnknownPart(
                {
                    "event": {
                        "type": "tool-call-delta",
                        "index": 9,
                        "delta": {"message": {"tool_calls": {"function": {"arguments": "x"}}}},
                    }
                }
            )
        ],
    ),
    (delta("content-start", 0, content={"type": "new", "x": 1}), [UnknownPart({"type": "new", "x": 1})]),
]


@pytest.mark.parametrize(("body", "parts"), STREAMS)
def test_streams_are_read(body, parts):
    answer = read(START + body + end()).response
    assert (answer.parts, answer.provider_response_id, answer.finish_reason) == (parts, "r1", "stop")


def test_a_stream_is_read_event_by_event():
    decoder = codec.stream_decoder(call_of(), SSE_HEADERS)
    assert decoder.feed(START) == []
    assert decoder.feed(delta("content-delta", 0, content={"text": "a"})) == [PartStartEvent(0, TextPart("a"))]
    assert decoder.feed(delta("content-delta", 0, content={"text": "b"})) == [PartDeltaEvent(0, TextPartDelta("b"))]
    assert not decoder.finished
    decoder.feed(end(usage={"tokens": {"input_tokens": 1, "output_tokens": 2}}))
    assert decoder.close() == []
    assert decoder.finished
    assert decoder.answer.response.usage == Usage(0, 1, 2, 3)


def test_a_cut_stream_is_unfinished():
    body = START + text_block(0, "a") + end()
    decoder = codec.stream_decoder(None, ())
    decoder.feed(body[: body.index(b"message-end") + 40])
    decoder.close()
    assert (decoder.finished, decoder.answer.response.parts) == (False, [TextPart("a")])


def test_an_empty_stream_is_a_response_without_parts():
    assert read(b"", call=call_of(stream=True)).response.parts == []


@pytest.mark.parametrize("headers", [SSE_HEADERS, (("content-type", "application/json"),)])
def test_the_content_type_may_lie(headers):
    for body in (START + text_block(0, "a") + end(), b'{"message": {"content": [{"type": "text", "text": "a"}]}}'):
        assert codec.decode_answer(call_of(stream=True), 200, headers, body).response.parts == [TextPart("a")]


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, b'{"id": "x", "message": "invalid api token"}', AnswerError(401, "invalid api token")),
        (502, b"<html><title>Bad Gateway</title></html>", AnswerError(502, "Bad Gateway")),
        (200, b'{"message": "too many tokens"}', AnswerError(None, "too many tokens")),
        (200, b"<html>Log in</html>", AnswerError(None, "Log in")),
        (200, b'data: {"message": "too many tokens"}\n\n', AnswerError(None, "too many tokens")),
    ],
)
def test_refusals(status, body, error):
    assert read(body, status) == Answer(None, error)


def test_an_error_at_the_end_of_a_stream():
    answer = read(START + text_block(0, "a") + end("ERROR", error="out of breath"))
    assert (answer.response.parts, answer.error) == ([TextPart("a")], AnswerError(None, "out of breath"))
    assert answer.response.finish_reason == "error"


@pytest.mark.parametrize("body", [b"", b" ", b"{", b"data: nonsense\n\ndata: {}\n\n", b'{"a":' * 1000])
def test_a_malformed_answer_is_a_wire_error(body):
    with pytest.raises(WireError):
        read(body)


kinds = st.sampled_from(
    [
        "message-start",
        "content-start",
        "content-delta",
        "tool-plan-delta",
        "tool-call-start",
        "tool-call-delta",
        "tool-call-end",
        "citation-start",
        "message-end",
        "new",
    ]
)


@given(st.lists(st.tuples(kinds, g.json_values, g.json_objects), max_size=4))
def test_odd_events_raise_nothing_else(odd):
    body = b"".join(
        event(kind, index=value, delta={"message": {**message, "tool_calls": value, "content": value}})
        + event(kind, delta=value)
        for kind, value, message in odd
    )
    with contextlib.suppress(WireError):
        read(body)


@given(st.binary(max_size=60))
def test_garbage_raises_nothing_else(body):
    with contextlib.suppress(WireError):
        read(body)


def sent(answer, *, stream):
    call = call_of(stream=stream)
    encoded = codec.encode_answer(call, answer)
    assert encoded == codec.encode_answer(call, answer)
    return codec.decode_answer(call, encoded.status, encoded.headers, b"".join(encoded.chunks)).response


def told(made):
    return made, made.usage, made.finish_reason, made.provider_response_id


answered = st.builds(
    lambda parts, usage, reason: response(
        *parts, model_name="command-r", usage=usage, finish_reason=reason, provider_response_id="r"
    ),
    answers(),
    g.usages("cache_read_tokens", "input_tokens", "output_tokens", "search_units").filter(
        lambda usage: usage.request_tokens and usage.response_tokens
    ),
    st.sampled_from(["stop", "length", "tool_call", "error"]),
)


@given(answered)
def test_answers_come_back(answer):
    assert told(sent(answer, stream=False)) == told(answer)


@given(answered.filter(lambda a: all(not isinstance(p, ToolCallPart) or p.args for p in a.parts)))
def test_streamed_answers_come_back(answer):
    assert told(sent(answer, stream=True)) == told(answer)


@given(answered, st.data())
def test_boundaries_do_not_matter(answer, data):
    body = b"".join(codec.encode_answer(call_of(stream=True), answer).chunks)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=6)))
    decoder = codec.stream_decoder(None, SSE_HEADERS)
    for start, stop in zip([0, *cuts], [*cuts, len(body)], strict=True):
        decoder.feed(body[start:stop])
    decoder.close()
    assert decoder.answer == read(body)


# --- Cohere's SDK -----------------------------------------------------------------------------------------------------


def client(answer):
    """A real client whose requests are answered by a function of the decoded call."""

    def handle(http_request):
        asked = Request(http_request.method, str(http_request.url), body=http_request.content)
        assert claims(codec, asked)
        encoded = answer(codec.decode_call(asked))
        return httpx.Response(encoded.status, headers=list(encoded.headers), content=b"".join(encoded.chunks))

    return cohere.ClientV2("replay", httpx_client=httpx.Client(transport=httpx.MockTransport(handle)))


RICH = response(
    UnknownPart({"tool_plan": "I will look."}),
    ThinkingPart("hm"),
    TextPart("Grüße 🌍"),
    ToolCallPart("get_weather", {"city": "Paris"}, "t1"),
    UnknownPart({"citations": [{"start": 0, "end": 5, "text": "Grüße"}]}),
    usage=Usage(0, 30, 8, 38, {"cache_read_tokens": 2, "input_tokens": 3}),
)
ASKED = {"model": "command-r", "messages": [{"role": "user", "content": "hi"}]}


def rich(call):
    return codec.encode_answer(call, RICH)


def test_cohere_parses_our_answer():
    answer = client(rich).chat(**ASKED)
    assert [item.type for item in answer.message.content] == ["thinking", "text"]
    assert answer.message.content[1].text == "Grüße 🌍"
    assert answer.message.tool_plan == "I will look."
    (call,) = answer.message.tool_calls
    assert (call.id, call.function.name, call.function.arguments) == ("t1", "get_weather", '{"city":"Paris"}')
    assert answer.message.citations[0].text == "Grüße"
    assert answer.finish_reason == "TOOL_CALL"
    assert (answer.usage.tokens.input_tokens, answer.usage.billed_units.input_tokens) == (30, 3)


def test_cohere_parses_our_stream():
    events = list(client(rich).chat_stream(**ASKED))
    kinds = [event.type for event in events]
    content = [event.delta.message.content for event in events if event.type == "content-delta"]
    pieces = [event.delta.message.tool_calls for event in events if event.type == "tool-call-delta"]
    (start,) = [event.delta.message.tool_calls for event in events if event.type == "tool-call-start"]
    assert kinds[0] == "message-start"
    assert "".join(piece.text or "" for piece in content) == "Grüße 🌍"
    assert "".join(piece.thinking or "" for piece in content) == "hm"
    assert (start.id, start.function.name) == ("t1", "get_weather")
    assert "".join(piece.function.arguments for piece in pieces) == '{"city":"Paris"}'
    assert kinds.count("citation-start") == 1
    assert events[-1].delta.finish_reason == "TOOL_CALL"
    assert events[-1].delta.usage.tokens.output_tokens == 8


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, cohere.BadRequestError),
        (401, cohere.UnauthorizedError),
        (404, cohere.NotFoundError),
        (422, cohere.UnprocessableEntityError),
        (429, cohere.TooManyRequestsError),
        (500, cohere.InternalServerError),
        (503, cohere.ServiceUnavailableError),
    ],
)
def test_cohere_raises_our_refusals(status, kind):
    sdk = client(lambda call: codec.encode_error(call, status, "no luck"))
    options = {"max_retries": 0}
    for ask in (sdk.chat, lambda **asked: list(sdk.chat_stream(**asked))):
        with pytest.raises(kind) as caught:
            ask(**ASKED, request_options=options)
        assert (caught.value.status_code, caught.value.body["message"]) == (status, "no luck")


def test_calls_of_cohere_are_read_whole():
    asked = []

    def answer(call):
        asked.append(call)
        return rich(call)

    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    list(client(answer).chat_stream(**ASKED, tools=[tool], tool_choice="REQUIRED", temperature=0.5, k=3))
    assert asked == [
        call_of(
            tools=[ToolDefinition("f", None, {"type": "object"})],
            tool_choice="required",
            settings={"temperature": 0.5},
            stream=True,
            extras={"k": 3},
        )
    ]


# --- recordings -------------------------------------------------------------------------------------------------------


def test_recorded_requests_come_back(real_cassettes: Path):
    seen = 0
    for path in sorted((real_cassettes / "cohere").glob("*.yaml")):
        for interaction in yaml.load(path.read_text("utf-8"), yaml.CSafeLoader)["interactions"]:
            body = json.dumps(interaction["request"]["parsed_body"]).encode()
            call = codec.decode_call(Request("POST", interaction["request"]["uri"], body=body))
            assert codec.encode_call(call).body == body
            assert decoded(replace(call)) == call
            seen += 1
    assert seen
