from __future__ import annotations

import base64
import contextlib
import io
import json
from dataclasses import replace
from pathlib import Path

import boto3
import pytest
import yaml
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st
from urllib3 import HTTPResponse

from replay_agent.calls import Answer, AnswerError, ModelCall, OutputSchema, ToolDefinition
from replay_agent.exceptions import WireError
from replay_agent.framing.aws_frames import encode_frame
from replay_agent.messages import (
    NO_TIMESTAMP,
    AudioUrl,
    BinaryContent,
    FilePart,
    ImageUrl,
    ModelRequest,
    ModelResponse,
    NativeToolCallPart,
    NativeToolReturnPart,
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
from replay_agent.wire.bedrock import codec
from tests.wire import generated as g
from tests.wire.conversations import claims

HOST = "https://bedrock-runtime.us-east-1.amazonaws.com"
CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
PNG = BinaryContent(b"\x89PNG", "image/png")
PDF = BinaryContent(b"%PDF", "application/pdf")
WEATHER = ToolDefinition(
    "get_weather", "Tells the weather.", {"type": "object", "properties": {"city": {"type": "string"}}}
)
STREAM_HEADERS = (("content-type", "application/vnd.amazon.eventstream"), ("x-amzn-requestid", "req-1"))


def user(*content, **fields):
    return UserPromptPart(content[0] if len(content) == 1 else list(content), timestamp=NO_TIMESTAMP, **fields)


def returned(content, call_id="t1", name="get_weather"):
    return ToolReturnPart(name, content, call_id, timestamp=NO_TIMESTAMP)


def retried(content, call_id="t1", name="get_weather"):
    return RetryPromptPart(content, tool_name=name, tool_call_id=call_id, timestamp=NO_TIMESTAMP)


def response(*parts):
    return ModelResponse(list(parts), timestamp=NO_TIMESTAMP)


def request(body, model=CLAUDE, verb="converse"):
    path = f"/model/{model.replace(':', '%3A')}/{verb}"
    return Request("POST", HOST + path, body=body if isinstance(body, bytes) else json.dumps(body).encode())


def decoded(call):
    encoded = codec.encode_call(call)
    return codec.decode_call(Request("POST", HOST + encoded.path, body=encoded.body))


def body_of(call):
    return json.loads(codec.encode_call(call).body)


def event(name, payload):
    headers = {":event-type": name, ":content-type": "application/json", ":message-type": "event"}
    return encode_frame(headers, json.dumps(payload).encode())


def read_stream(*frames, call=None):
    return codec.decode_answer(call, 200, STREAM_HEADERS, b"".join(frames))


def block(index, *deltas, start=None):
    at = {"contentBlockIndex": index}
    first = [event("contentBlockStart", {"start": start, **at})] if start else []
    middle = [event("contentBlockDelta", {"delta": delta, **at}) for delta in deltas]
    return b"".join([*first, *middle, event("contentBlockStop", at)])


STOP = event("messageStop", {"stopReason": "end_turn"})

# --- claiming ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["converse", "converse-stream"])
def test_claims_converse_on_any_host(verb):
    assert claims(codec, Request("POST", f"http://localhost:8/proxy/model/m/{verb}", body=b'{"messages": []}'))


@pytest.mark.parametrize(
    ("method", "url", "body"),
    [
        ("POST", f"{HOST}/model/cohere.embed-v4%3A0/invoke", b'{"texts": ["a"]}'),
        ("POST", f"{HOST}/model/m/count-tokens", b'{"input": {}}'),
        ("POST", f"{HOST}/model/m/invoke-with-response-stream", b'{"messages": []}'),
        ("GET", f"{HOST}/model/m/converse", b""),
        ("POST", f"{HOST}/model/m/converse", b"no json"),
        ("POST", f"{HOST}/converse", b"{}"),
    ],
)
def test_leaves_other_traffic_alone(method, url, body):
    assert not claims(codec, Request(method, url, body=body))


# --- calls ------------------------------------------------------------------------------------------------------------

MESSAGES = [
    ([ModelRequest([user("hi")])], [{"role": "user", "content": [{"text": "hi"}]}]),
    (
        [ModelRequest([user("what is", PNG, PDF, PDF)])],
        [
            {
                "role": "user",
                "content": [
                    {"text": "what is"},
                    {"image": {"format": "png", "source": {"bytes": "iVBORw=="}}},
                    {"document": {"name": "Document 1", "format": "pdf", "source": {"bytes": "JVBERg=="}}},
                    {"document": {"name": "Document 2", "format": "pdf", "source": {"bytes": "JVBERg=="}}},
                ],
            }
        ],
    ),
    (
        [
            ModelRequest([user("hi")]),
            response(TextPart("let me see"), ToolCallPart("get_weather", {"city": "Paris"}, "t1")),
            ModelRequest([returned("sunny"), user("and?")]),
        ],
        [
            {"role": "user", "content": [{"text": "hi"}]},
            {
                "role": "assistant",
                "content": [
                    {"text": "let me see"},
                    {"toolUse": {"toolUseId": "t1", "name": "get_weather", "input": {"city": "Paris"}}},
                ],
            },
            {
                "role": "user",
                "content": [{"toolResult": {"toolUseId": "t1", "content": [{"text": "sunny"}], "status": "success"}}],
            },
            {"role": "user", "content": [{"text": "and?"}]},
        ],
    ),
    (
        [
            ModelRequest([user("hi")]),
            response(ToolCallPart("get_weather", {}, "t1")),
            ModelRequest([retried("no such city")]),
        ],
        [
            {"role": "user", "content": [{"text": "hi"}]},
            {"role": "assistant", "content": [{"toolUse": {"toolUseId": "t1", "name": "get_weather", "input": {}}}]},
            {
                "role": "user",
                "content": [
                    {
                        "toolResult": {
                            "toolUseId": "t1",
                            "content": [{"text": "no such city\n\nFix the errors and try again."}],
                            "status": "error",
                        }
                    }
                ],
            },
        ],
    ),
    (
        [
            ModelRequest([user("hi")]),
            response(
                ThinkingPart("hm", "sig"),
                ThinkingPart("", "cmVk", "redacted_content"),
                ThinkingPart("aloud"),
                FilePart(PNG),
            ),
        ],
        [
            {"role": "user", "content": [{"text": "hi"}]},
            {
                "role": "assistant",
                "content": [
                    {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "sig"}}},
                    {"reasoningContent": {"redactedContent": "cmVk"}},
                    {"reasoningContent": {"reasoningText": {"text": "aloud"}}},
                    {"image": {"format": "png", "source": {"bytes": "iVBORw=="}}},
                ],
            },
        ],
    ),
    (
        [ModelRequest([user("cached", UnknownPart({"cachePoint": {"type": "default"}}))])],
        [{"role": "user", "content": [{"text": "cached"}, {"cachePoint": {"type": "default"}}]}],
    ),
    (
        [ModelRequest([user("hi"), UnknownPart({"role": "tool-admin", "content": [{"x": 1}]})])],
        [{"role": "user", "content": [{"text": "hi"}]}, {"role": "tool-admin", "content": [{"x": 1}]}],
    ),
]


@pytest.mark.parametrize(("messages", "wire"), MESSAGES)
def test_messages_both_ways(messages, wire):
    call = ModelCall(messages, model=CLAUDE)
    assert body_of(call) == {"messages": wire, "system": [], "inferenceConfig": {}}
    assert codec.decode_call(request({"messages": wire, "system": [], "inferenceConfig": {}})) == call


def test_a_whole_call_is_written_as_the_contract_says():
    call = ModelCall(
        [ModelRequest([SystemPromptPart("Be "), SystemPromptPart("brief."), user("hi")])],
        model="anthropic.claude-3",
        tools=[WEATHER],
        tool_choice="required",
        settings={"max_tokens": 5, "temperature": 0.5, "top_p": 0.9, "parallel_tool_calls": True},
    )
    assert body_of(call) == {
        "messages": [{"role": "user", "content": [{"text": "hi"}]}],
        "system": [{"text": "Be brief."}],
        "inferenceConfig": {"maxTokens": 5, "temperature": 0.5, "topP": 0.9},
        "toolConfig": {
            "tools": [
                {
                    "toolSpec": {
                        "name": "get_weather",
                        "description": "Tells the weather.",
                        "inputSchema": {"json": WEATHER.parameters_json_schema},
                    }
                }
            ],
            "toolChoice": {"any": {}},
        },
    }


@pytest.mark.parametrize(
    ("choice", "wire"),
    [("auto", {"auto": {}}), ("required", {"any": {}}), (("get_weather",), {"tool": {"name": "get_weather"}})],
)
def test_tool_choice_both_ways(choice, wire):
    call = ModelCall([ModelRequest([user("hi")])], model=CLAUDE, tools=[WEATHER], tool_choice=choice)
    assert body_of(call)["toolConfig"]["toolChoice"] == wire
    assert decoded(call) == call


@pytest.mark.parametrize(("model", "choice"), [("us.amazon.nova-pro-v1:0", "auto"), (CLAUDE, "none"), (CLAUDE, None)])
def test_tool_choice_is_left_out(model, choice):
    call = ModelCall([ModelRequest([user("hi")])], model=model, tools=[WEATHER], tool_choice=choice)
    assert "toolChoice" not in body_of(call)["toolConfig"]


@pytest.mark.parametrize(
    ("model", "stream", "path"),
    [
        (CLAUDE, False, "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse"),
        (
            "arn:aws:bedrock:us-east-1:1:inference-profile/x",
            True,
            "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fx/converse-stream",
        ),
    ],
)
def test_the_model_is_in_the_path(model, stream, path):
    call = ModelCall([ModelRequest([user("hi")])], model=model, stream=stream)
    assert codec.encode_call(call).path == path
    assert decoded(call) == call


def test_a_wanted_schema_both_ways():
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    call = ModelCall(
        [ModelRequest([user("hi")])],
        model=CLAUDE,
        output_schema=OutputSchema(schema, name="City", description="A city."),
    )
    text_format = body_of(call)["outputConfig"]["textFormat"]
    assert json.loads(text_format["structure"]["jsonSchema"].pop("schema")) == schema
    assert text_format == {
        "type": "json_schema",
        "structure": {"jsonSchema": {"name": "City", "description": "A city."}},
    }
    assert decoded(call) == call


STRANGE = {
    "messages": [
        {
            "role": "user",
            "content": [
                {"text": "hi"},
                {"document": {"name": "Report", "format": "pdf", "source": {"bytes": "JVBERg=="}}},
            ],
        },
        {"role": "assistant", "content": [{"toolUse": {"toolUseId": "t1", "name": "f", "input": {}}}]},
        {"role": "user", "content": [{"toolResult": {"toolUseId": "t1", "content": [{"json": {"a": 1}}]}}]},
    ],
    "system": [{"text": "a"}, {"cachePoint": {"type": "default"}}, {"text": "b"}],
    "inferenceConfig": {"temperature": 0.0, "stopSequences": ["x"]},
    "toolConfig": {
        "tools": [
            {"toolSpec": {"name": "f", "inputSchema": {"json": {"type": "object"}}, "strict": True}},
            {"cachePoint": {"type": "default"}},
        ],
        "toolChoice": {"auto": {}},
    },
    "additionalModelRequestFields": {"thinking": {"type": "enabled"}},
}


def test_a_body_comes_back_byte_for_byte():
    raw = json.dumps(STRANGE, indent=1).encode()
    call = codec.decode_call(request(raw, "amazon.nova"))
    assert codec.encode_call(call).body == raw


def test_an_edited_call_keeps_what_it_can():
    call = codec.decode_call(request(STRANGE, "amazon.nova"))
    edited = replace(call, settings={"temperature": 1.0})
    body = body_of(edited)
    assert body["inferenceConfig"] == {"temperature": 1.0, "stopSequences": ["x"]}
    assert body["system"] == [{"text": "ab"}, {"cachePoint": {"type": "default"}}]
    assert body["toolConfig"]["tools"] == STRANGE["toolConfig"]["tools"]
    assert body["additionalModelRequestFields"] == {"thinking": {"type": "enabled"}}


def test_json_results_are_read_as_they_are():
    call = codec.decode_call(request(STRANGE))
    assert call.messages[2].parts == [returned({"a": 1}, name="f")]
    assert call.tools[0].strict is True
    assert call.settings == {"temperature": 0.0}


def test_results_with_media_both_ways():
    history = [
        ModelRequest([user("hi")]),
        response(ToolCallPart("f", {}, "t1")),
        ModelRequest([returned(["see", PNG, {"a": 1}], name="f")]),
    ]
    call = ModelCall(history, model=CLAUDE)
    assert body_of(call)["messages"][2]["content"][0]["toolResult"]["content"] == [
        {"text": "see"},
        {"image": {"format": "png", "source": {"bytes": "iVBORw=="}}},
        {"json": {"a": 1}},
    ]
    assert decoded(call) == call


def test_calls_without_ids_get_them_by_place():
    history = [
        ModelRequest([user("hi")]),
        response(ToolCallPart("f", {}), ToolCallPart("g", {})),
        ModelRequest([returned("2", None, "g"), returned("1", None, "f")]),
    ]
    messages = body_of(ModelCall(history, model=CLAUDE))["messages"]
    assert [block["toolUse"]["toolUseId"] for block in messages[1]["content"]] == ["call_1", "call_2"]
    assert [message["content"][0]["toolResult"]["toolUseId"] for message in messages[2:]] == ["call_2", "call_1"]


def test_an_unnamed_retry_is_a_prompt():
    call = ModelCall([ModelRequest([RetryPromptPart("Call a tool.", timestamp=NO_TIMESTAMP)])], model=CLAUDE)
    assert body_of(call)["messages"] == [
        {"role": "user", "content": [{"text": "Call a tool.\n\nFix the errors and try again."}]}
    ]


@pytest.mark.parametrize(
    "content", [AudioUrl("https://x/a.wav"), ImageUrl("https://x/a.png"), BinaryContent(b"", "audio/wav")]
)
def test_media_that_cannot_be_sent_are_refused(content):
    with pytest.raises(NotImplementedError):
        codec.encode_call(ModelCall([ModelRequest([user("hi", content)])], model=CLAUDE))


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b'{"messages": 1}', b'{"messages": [1]}', b"\xff", b"[" * 100_000, b'{"messages":[{"a":' * 300],
)
def test_a_malformed_call_is_a_wire_error(body):
    with pytest.raises(WireError):
        codec.decode_call(request(body))


ODD = [None, 1, "x", [], {}, [1], {"x": 1}, [{}], {"toolSpec": 1}, [None], {"name": 1}]


@pytest.mark.parametrize("field", ["system", "toolConfig", "inferenceConfig", "outputConfig"])
@pytest.mark.parametrize("value", ODD)
def test_odd_fields_do_no_harm(field, value):
    call = codec.decode_call(request({"messages": [], field: value}))
    codec.encode_call(replace(call, model="m"))


@pytest.mark.parametrize(
    "key", ["text", "toolUse", "toolResult", "image", "document", "reasoningContent", "citationsContent"]
)
@pytest.mark.parametrize("value", ODD)
@pytest.mark.parametrize("role", ["user", "assistant"])
def test_odd_blocks_are_kept(key, value, role):
    call = codec.decode_call(request({"messages": [{"role": role, "content": [{key: value}]}]}))
    assert len(call.messages[0].parts) <= 2
    codec.encode_call(replace(call, model="m"))


settings = st.fixed_dictionaries(
    {}, optional={"max_tokens": st.integers(1, 9999), "temperature": st.floats(0, 1), "top_p": st.floats(0, 1)}
)


def answers(turn, args=g.json_objects):
    parts = st.one_of(
        g.texts.map(TextPart),
        st.builds(ThinkingPart, g.texts, st.none() | g.signatures),
        g.signatures.map(lambda signature: ThinkingPart("", signature, "redacted_content")),
        st.builds(lambda name, args: ToolCallPart(name, args, ""), g.names, args),
        g.images.map(FilePart),
        st.just(UnknownPart({"guardContent": {"text": {"text": "x"}}})),
        st.builds(lambda a: NativeToolCallPart("code_execution", a, "n1"), g.json_objects),
        st.builds(
            lambda v: NativeToolReturnPart(
                "code_execution", {"content": [{"json": v}], "type": "nova_code_interpreter_result"}, "n1"
            ),
            g.json_values,
        ),
    )
    return st.lists(parts, min_size=1, max_size=4).map(lambda parts: numbered(parts, turn))


def numbered(parts, turn):
    """Return parts whose tool calls have ids of their own."""
    return [
        replace(part, tool_call_id=f"t{turn}_{number}") if isinstance(part, ToolCallPart) else part
        for number, part in enumerate(parts)
    ]


documents = st.builds(
    BinaryContent, st.binary(max_size=9), st.sampled_from(["application/pdf", "text/csv", "text/plain"])
)
calls = st.builds(
    ModelCall,
    g.histories(
        answers,
        prompt=g.prompts(g.any_texts, g.images, documents),
        result=g.reasons,
        system=st.lists(g.texts.map(SystemPromptPart), max_size=1),
    ),
    model=st.sampled_from([CLAUDE, "amazon.nova-lite-v1:0"]),
    tools=g.tool_lists,
    settings=settings,
    output_schema=st.none() | st.builds(OutputSchema, g.schemas, st.none() | g.names),
    stream=st.booleans(),
    extras=st.sampled_from([{}, {"requestMetadata": {"a": "b"}}, {"guardrailConfig": {"x": [1]}}]),
)


@given(calls)
def test_calls_come_back(call):
    assert decoded(call) == call


# --- answers ----------------------------------------------------------------------------------------------------------


def read_json(value, status=200, call=None):
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return codec.decode_answer(call, status, (("content-type", "application/json"),), body)


def message(*blocks, reason="end_turn", **fields):
    return {"output": {"message": {"role": "assistant", "content": list(blocks)}}, "stopReason": reason, **fields}


BLOCKS = [
    ({"text": "hi"}, [TextPart("hi")]),
    ({"text": ""}, []),
    (
        {"toolUse": {"toolUseId": "t1", "name": "f", "input": {"a": 1}, "type": "tool_use"}},
        [ToolCallPart("f", {"a": 1}, "t1")],
    ),
    ({"toolUse": {"toolUseId": "t1", "name": "f", "input": "oops"}}, [ToolCallPart("f", "oops", "t1")]),
    ({"toolUse": {"toolUseId": "t1", "name": "f", "input": [1]}}, [ToolCallPart("f", "[1]", "t1")]),
    (
        {
            "toolUse": {
                "toolUseId": "t1",
                "name": "nova_code_interpreter",
                "input": {"snippet": "1"},
                "type": "server_tool_use",
            }
        },
        [NativeToolCallPart("code_execution", {"snippet": "1"}, "t1")],
    ),
    (
        {"toolResult": {"toolUseId": "t1", "content": [{"json": 1}], "type": "nova_code_interpreter_result"}},
        [
            NativeToolReturnPart(
                "code_execution", {"content": [{"json": 1}], "type": "nova_code_interpreter_result"}, "t1"
            )
        ],
    ),
    ({"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s"}}}, [ThinkingPart("hm", "s")]),
    ({"reasoningContent": {"redactedContent": "cmVk"}}, [ThinkingPart("", "cmVk", "redacted_content")]),
    ({"reasoningContent": {"new": 1}}, [UnknownPart({"reasoningContent": {"new": 1}})]),
    ({"image": {"format": "png", "source": {"bytes": "iVBORw=="}}}, [FilePart(PNG)]),
    (
        {"citationsContent": {"content": [{"text": "a"}, {"text": "b"}], "citations": [{"title": "T"}]}},
        [TextPart("ab"), UnknownPart({"citationsContent": {"citations": [{"title": "T"}]}})],
    ),
    ({"video": {"format": "mp4"}}, [UnknownPart({"video": {"format": "mp4"}})]),
    ("text", [UnknownPart("text")]),
]


@pytest.mark.parametrize(("raw", "parts"), BLOCKS)
def test_blocks_are_read(raw, parts):
    assert read_json(message(raw)).response.parts == parts


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("tool_use", "tool_call"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("guardrail_intervened", "content_filter"),
        ("content_filtered", "content_filter"),
        ("malformed_tool_use", "error"),
        ("something_new", None),
    ],
)
def test_finish_reasons(reason, finish):
    assert read_json(message(reason=reason)).response.finish_reason == finish
    assert read_stream(event("messageStop", {"stopReason": reason})).response.finish_reason == finish


def test_usage_counts_cached_input():
    usage = {"inputTokens": 22, "outputTokens": 13, "totalTokens": 2527, "cacheReadInputTokens": 2000}
    usage |= {"cacheWriteInputTokens": 492, "serverToolUsage": {"searches": 2}, "cacheDetails": [{"inputTokens": 9}]}
    details = {"cache_read_tokens": 2000, "cache_write_tokens": 492, "searches": 2}
    assert read_json(message(usage=usage)).response.usage == Usage(0, 2514, 13, 2527, details)


def test_the_request_id_names_the_answer():
    answer = codec.decode_answer(ModelCall([], model="m"), 200, STREAM_HEADERS, STOP)
    assert (answer.response.provider_response_id, answer.response.model_name) == ("req-1", "m")


def test_what_stands_beside_the_message_is_kept():
    answer = read_json(message({"text": "a"}, trace={"guardrail": {}}, metrics={"latencyMs": 5}))
    assert answer.response.parts == [TextPart("a"), UnknownPart({"trace": {"guardrail": {}}})]


def test_a_stream_is_read_event_by_event():
    decoder = codec.stream_decoder(None, STREAM_HEADERS)
    assert decoder.feed(event("messageStart", {"role": "assistant", "p": "abc"})) == []
    assert decoder.feed(event("contentBlockDelta", {"delta": {"text": "a"}, "contentBlockIndex": 0})) == [
        PartStartEvent(0, TextPart("a"))
    ]
    assert decoder.feed(event("contentBlockDelta", {"delta": {"text": "b"}, "contentBlockIndex": 0})) == [
        PartDeltaEvent(0, TextPartDelta("b"))
    ]
    assert not decoder.finished
    decoder.feed(STOP)
    assert decoder.finished
    usage = {"inputTokens": 1, "outputTokens": 2, "totalTokens": 3}
    decoder.feed(event("metadata", {"usage": usage, "metrics": {"latencyMs": 1}}))
    assert decoder.close() == []
    assert decoder.answer.response.parts == [TextPart("ab")]
    assert decoder.answer.response.usage == Usage(0, 1, 2, 3)


STREAMS = [
    (block(0, {"text": "a"}, {"text": "b"}) + block(1, {"text": "c"}), [TextPart("ab"), TextPart("c")]),
    (
        block(
            0,
            {"toolUse": {"input": '{"a"'}},
            {"toolUse": {"input": ":1}"}},
            start={"toolUse": {"toolUseId": "t", "name": "f"}},
        ),
        [ToolCallPart("f", '{"a":1}', "t")],
    ),
    (block(0, start={"toolUse": {"toolUseId": "t", "name": "f"}}), [ToolCallPart("f", "{}", "t")]),
    (
        block(
            0,
            {"reasoningContent": {"text": "h"}},
            {"reasoningContent": {"text": "m"}},
            {"reasoningContent": {"signature": "s"}},
        ),
        [ThinkingPart("hm", "s")],
    ),
    (block(0, {"reasoningContent": {"redactedContent": "cmVk"}}), [ThinkingPart("", "cmVk", "redacted_content")]),
    (
        block(
            0,
            {"toolUse": {"input": "{}"}},
            start={"toolUse": {"toolUseId": "t", "name": "nova_code_interpreter", "type": "server_tool_use"}},
        ),
        [NativeToolCallPart("code_execution", "{}", "t")],
    ),
    (
        block(
            0,
            {"toolResult": [{"json": 1}]},
            start={"toolResult": {"toolUseId": "t", "type": "nova_code_interpreter_result"}},
        ),
        [
            NativeToolReturnPart(
                "code_execution", {"type": "nova_code_interpreter_result", "content": [{"json": 1}]}, "t"
            )
        ],
    ),
    (block(0, {"image": {"source": {"bytes": "iVBORw=="}}}, start={"image": {"format": "png"}}), [FilePart(PNG)]),
    (
        block(0, {"image": {"error": {"message": "no"}}}, start={"image": {"format": "png"}}),
        [UnknownPart({"image": {"format": "png", "error": {"message": "no"}}})],
    ),
    (
        block(0, {"text": "a"}, {"citation": {"title": "T"}}, {"text": "b"}),
        [TextPart("ab"), UnknownPart({"citationsContent": {"citations": [{"title": "T"}]}})],
    ),
    (block(0, {"newDelta": 1}), [UnknownPart({"newDelta": 1})]),
    (block(0, {"toolUse": {"input": "{}"}}), [UnknownPart({"toolUse": {"input": "{}"}})]),
    (event("newEvent", {"a": 1}), [UnknownPart({"event": "newEvent", "payload": {"a": 1}})]),
    (
        event("contentBlockStart", {"start": {"new": 1}}),
        [UnknownPart({"event": "contentBlockStart", "payload": {"start": {"new": 1}}})],
    ),
]


@pytest.mark.parametrize(("frames", "parts"), STREAMS)
def test_streamed_blocks_are_read(frames, parts):
    assert read_stream(frames, STOP).response.parts == parts


@pytest.mark.parametrize(
    ("model", "text"),
    [
        ("qwen.qwen3-32b-v1:0", "a\n"),
        ("us.deepseek.r1-v1:0", "a\n"),
        ("moonshot.kimi-k2-thinking", "a\n"),
        ("deepseek.v3-v1:0", "\n\na\n"),
        (CLAUDE, "\n\na\n"),
    ],
)
def test_blank_lines_before_the_text_of_some_models(model, text):
    frames = block(0, {"reasoningContent": {"text": "hm"}}) + block(
        1, {"text": "\n"}, {"text": "\n"}, {"text": "a"}, {"text": "\n"}
    )
    answer = read_stream(frames, STOP, call=ModelCall([], model=model))
    assert answer.response.parts == [ThinkingPart("hm"), TextPart(text)]


def test_a_stream_that_stops_early_is_unfinished():
    decoder = codec.stream_decoder(None, STREAM_HEADERS)
    decoder.feed(block(0, {"text": "a"}))
    decoder.close()
    assert (decoder.finished, decoder.answer.response.parts) == (False, [TextPart("a")])


def test_an_empty_stream_is_a_response_without_parts():
    assert read_stream().response.parts == []


def exception(name, payload=b'{"message": "slow down"}'):
    headers = {":message-type": "exception", ":exception-type": name, ":content-type": "application/json"}
    return encode_frame(headers, payload)


@pytest.mark.parametrize(
    ("frame", "error"),
    [
        (exception("throttlingException"), AnswerError(429, "slow down")),
        (exception("modelStreamErrorException"), AnswerError(424, "slow down")),
        (exception("internalServerException", b""), AnswerError(500, "internalServerException")),
        (exception("newException", b'{"message": "x"}'), AnswerError(None, "x")),
        (
            encode_frame({":message-type": "error", ":error-code": "InternalError", ":error-message": "boom"}, b""),
            AnswerError(None, "boom"),
        ),
    ],
)
def test_an_error_inside_a_stream(frame, error):
    assert read_stream(frame) == Answer(None, error)
    broken = read_stream(block(0, {"text": "a"}), frame)
    assert (broken.response.parts, broken.error) == ([TextPart("a")], error)


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, b'{"message": "invalid model"}', AnswerError(400, "invalid model")),
        (403, b'{"Message": "no access"}', AnswerError(403, "no access")),
        (502, b"<html><title>Bad Gateway</title></html>", AnswerError(502, "Bad Gateway")),
        (500, b"", AnswerError(500, "status 500 without a message")),
        (200, b'{"message": "not really"}', AnswerError(None, "not really")),
        (200, b"<html><body>Log in</body></html>", AnswerError(None, "Log in")),
    ],
)
def test_refusals(status, body, error):
    assert read_json(body, status) == Answer(None, error)


def test_json_answers_a_stream_whatever_the_headers_say():
    answer = codec.decode_answer(None, 200, STREAM_HEADERS, json.dumps(message({"text": "a"})).encode())
    assert answer.response.parts == [TextPart("a")]


def test_frames_answer_whatever_the_headers_say():
    answer = codec.decode_answer(None, 200, (("content-type", "application/json"),), block(0, {"text": "a"}) + STOP)
    assert answer.response.parts == [TextPart("a")]


@pytest.mark.parametrize(
    "body", [b"", b"  ", b"{", b"[1]", b"nonsense", b"\x00\x00\x00\x10", STOP[:-1], STOP[:-1] + b"\0"]
)
def test_a_malformed_answer_is_a_wire_error(body):
    with pytest.raises(WireError):
        read_json(body)


@pytest.mark.parametrize("payload", [b"[]", b"nonsense", b'"x"', b"[" * 10_000])
def test_an_event_that_is_no_object_is_a_wire_error(payload):
    frame = encode_frame({":message-type": "event", ":event-type": "messageStop"}, payload)
    with pytest.raises(WireError):
        read_stream(frame)


@given(
    st.sampled_from(["contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata"]),
    g.json_objects,
)
def test_odd_events_raise_nothing_else(name, payload):
    with contextlib.suppress(WireError):
        read_stream(
            event(name, payload),
            event("contentBlockDelta", {"delta": payload}),
            event("contentBlockStart", {"start": payload}),
        )


def test_three_thousand_pieces_are_one_text():
    frames = [event("contentBlockDelta", {"delta": {"text": "abc "}, "contentBlockIndex": 0}) for _ in range(3000)]
    assert read_stream(*frames, STOP).response.parts == [TextPart("abc " * 3000)]


ANSWERED = ModelCall([ModelRequest([user("hi")])], model=CLAUDE)


def sent(answer, stream, call=ANSWERED):
    encoded = codec.encode_answer(replace(call, stream=stream), answer)
    assert encoded == codec.encode_answer(replace(call, stream=stream), answer)
    return codec.decode_answer(call, encoded.status, encoded.headers, b"".join(encoded.chunks)).response


answered = st.builds(
    lambda parts, usage, reason: ModelResponse(
        parts, model_name=CLAUDE, timestamp=NO_TIMESTAMP, usage=usage, finish_reason=reason, provider_response_id="r"
    ),
    st.lists(answers(0), max_size=2).map(lambda lists: numbered([part for parts in lists for part in parts], 0)),
    g.usages("cache_read_tokens", "cache_write_tokens", "searches"),
    st.sampled_from(["stop", "length", "tool_call", "content_filter", "error"]),
)


def told(response):
    return response, response.usage, response.finish_reason, response.provider_response_id


@given(answered)
def test_answers_come_back(answer):
    assert told(sent(answer, stream=False)) == told(answer)


def as_streamed(part):
    """Streams carry arguments as text."""
    if isinstance(part, ToolCallPart | NativeToolCallPart) and isinstance(part.args, dict):
        return replace(part, args=part.args_as_json_str())
    return part


def same_args(part):
    is_call = isinstance(part, ToolCallPart | NativeToolCallPart)
    return replace(part, args=json.loads(part.args)) if is_call and isinstance(part.args, str) else part


@given(answered)
def test_streamed_answers_come_back(answer):
    back = sent(answer, stream=True)
    assert all(isinstance(part.args, str) for part in back.parts if isinstance(part, ToolCallPart))
    assert told(replace(back, parts=[same_args(part) for part in back.parts])) == told(answer)


@given(answered, st.lists(st.floats(0, 1), max_size=6))
def test_boundaries_do_not_matter(answer, places):
    stream = b"".join(codec.encode_answer(replace(ANSWERED, stream=True), answer).chunks)
    cuts = sorted(int(place * len(stream)) for place in places)
    decoder = codec.stream_decoder(ANSWERED, STREAM_HEADERS)
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        decoder.feed(stream[start:end])
    decoder.close()
    assert decoder.answer == codec.decode_answer(ANSWERED, 200, STREAM_HEADERS, stream)


def test_calls_in_an_answer_get_ids_by_place():
    history = [ModelRequest([user("hi")]), response(ToolCallPart("f", {}, "t1")), ModelRequest([returned("x")])]
    back = sent(response(ToolCallPart("f", {}), ToolCallPart("f", {})), False, ModelCall(history, model=CLAUDE))
    assert [part.tool_call_id for part in back.parts] == ["call_2", "call_3"]


@pytest.mark.parametrize(
    ("parts", "finish"), [([TextPart("a")], "stop"), ([ToolCallPart("f", {}, "t")], "tool_call"), ([], "stop")]
)
def test_an_answer_without_a_reason_gets_the_likely_one(parts, finish):
    assert sent(response(*parts), stream=False).finish_reason == finish


# --- the AWS SDK ------------------------------------------------------------------------------------------------------


def client(answer):
    """A real client whose requests are answered by a function of the decoded call."""
    sdk = boto3.client(
        "bedrock-runtime",
        region_name="us-east-1",
        aws_access_key_id="replay",
        aws_secret_access_key="replay",
        config=Config(retries={"max_attempts": 0}),
    )

    def before_send(request, **kwargs):
        body = request.body if isinstance(request.body, bytes) else (request.body or "").encode()
        asked = Request(request.method, request.url, body=body)
        assert claims(codec, asked)
        encoded = answer(codec.decode_call(asked))
        raw = HTTPResponse(
            body=io.BytesIO(b"".join(encoded.chunks)),
            headers=dict(encoded.headers),
            status=encoded.status,
            preload_content=False,
        )
        return AWSResponse(request.url, encoded.status, dict(encoded.headers), raw)

    sdk.meta.events.register("before-send.bedrock-runtime.*", before_send)
    return sdk


RICH = response(
    ThinkingPart("hm", "c2ln"),
    ThinkingPart("", base64.b64encode(b"hidden").decode(), "redacted_content"),
    TextPart("Grüße 🌍"),
    ToolCallPart("get_weather", {"city": "Paris"}, "t1"),
)
RICH.usage = Usage(0, 30, 5, 35, {"cache_read_tokens": 10})
ASKED = {"modelId": CLAUDE, "messages": [{"role": "user", "content": [{"text": "hi"}]}]}


def test_boto3_parses_our_answer():
    answer = client(lambda call: codec.encode_answer(call, RICH)).converse(**ASKED)
    content = answer["output"]["message"]["content"]
    assert content[0]["reasoningContent"]["reasoningText"] == {"text": "hm", "signature": "c2ln"}
    assert content[1]["reasoningContent"]["redactedContent"] == b"hidden"
    assert content[2:] == [
        {"text": "Grüße 🌍"},
        {"toolUse": {"toolUseId": "t1", "name": "get_weather", "input": {"city": "Paris"}}},
    ]
    assert answer["stopReason"] == "tool_use"
    assert answer["usage"]["inputTokens"] == 20
    assert answer["ResponseMetadata"]["RequestId"].startswith("req_")


def test_boto3_parses_our_stream():
    answer = client(lambda call: codec.encode_answer(call, RICH)).converse_stream(**ASKED)
    events = list(answer["stream"])
    texts = [e["contentBlockDelta"]["delta"].get("text", "") for e in events if "contentBlockDelta" in e]
    inputs = [e["contentBlockDelta"]["delta"].get("toolUse", {}) for e in events if "contentBlockDelta" in e]
    starts = [e["contentBlockStart"]["start"] for e in events if "contentBlockStart" in e]
    assert "".join(texts) == "Grüße 🌍"
    assert json.loads("".join(piece.get("input", "") for piece in inputs)) == {"city": "Paris"}
    assert starts == [{"toolUse": {"toolUseId": "t1", "name": "get_weather"}}]
    assert events[-2] == {"messageStop": {"stopReason": "tool_use"}}
    assert events[-1]["metadata"]["usage"]["totalTokens"] == 35


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "ValidationException"),
        (403, "AccessDeniedException"),
        (404, "ResourceNotFoundException"),
        (418, "ValidationException"),
        (429, "ThrottlingException"),
        (500, "InternalServerException"),
        (503, "ServiceUnavailableException"),
        (599, "InternalServerException"),
    ],
)
def test_boto3_raises_our_refusals(status, code):
    sdk = client(lambda call: codec.encode_error(call, status, "no luck"))
    with pytest.raises(getattr(sdk.exceptions, code)) as caught:
        sdk.converse(**ASKED)
    assert caught.value.response["Error"]["Message"] == "no luck"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    encoded = codec.encode_error(None, status, "no luck")
    assert codec.decode_answer(None, status, encoded.headers, encoded.chunks[0]).error == AnswerError(status, "no luck")


def test_boto3_raises_a_refused_stream():
    sdk = client(lambda call: codec.encode_error(call, 429, "slow down"))
    with pytest.raises(ClientError, match="slow down"):
        sdk.converse_stream(**ASKED)


def test_boto3_calls_are_read_whole():
    asked = []

    def answer(call):
        asked.append(call)
        return codec.encode_answer(call, RICH)

    client(answer).converse(
        **ASKED,
        system=[{"text": "Be brief."}],
        inferenceConfig={"maxTokens": 5},
        toolConfig={"tools": [{"toolSpec": {"name": "f", "inputSchema": {"json": {"type": "object"}}}}]},
    )
    assert asked == [
        ModelCall(
            [ModelRequest([SystemPromptPart("Be brief."), user("hi")])],
            model=CLAUDE,
            tools=[ToolDefinition("f", None, {"type": "object"})],
            settings={"max_tokens": 5},
        )
    ]


# --- recordings -------------------------------------------------------------------------------------------------------


def test_recorded_requests_come_back(real_cassettes: Path):
    seen = 0
    for path in sorted((real_cassettes / "bedrock").glob("*.yaml")):
        for interaction in yaml.load(path.read_text("utf-8"), yaml.CSafeLoader)["interactions"]:
            asked = interaction["request"]
            if "/converse" not in asked["uri"]:
                continue
            body = json.dumps(asked["parsed_body"]).encode() if "parsed_body" in asked else asked["body"].encode()
            call = codec.decode_call(Request(asked["method"], asked["uri"], body=body))
            assert codec.encode_call(call).body == body
            assert decoded(replace(call)) is not None
            seen += 1
    assert seen
