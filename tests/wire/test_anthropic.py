from __future__ import annotations

import base64
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise

import anthropic
import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replay_agent.calls import Answer, AnswerError, ModelCall, OutputSchema, ToolDefinition
from replay_agent.exceptions import UserError, WireError
from replay_agent.framing.aws_frames import encode_frame
from replay_agent.messages import (
    NO_TIMESTAMP,
    AudioUrl,
    BinaryContent,
    DocumentUrl,
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
    ThinkingPart,
    ToolCallPart,
    ToolCallPartDelta,
    ToolReturnPart,
    UnknownPart,
    UserPromptPart,
)
from replay_agent.traffic import Request
from replay_agent.usage import Usage
from replay_agent.wire.anthropic import codec
from replay_agent.wire.registry import codec_for, codec_named
from tests.wire.conversations import as_it_is, calls, claims, json_values, response_parts, texts

MESSAGES = "https://api.anthropic.com/v1/messages"
PNG = b"\x89PNG"
PNG_64 = base64.b64encode(PNG).decode()


def request(body: object, url: str = MESSAGES, method: str = "POST") -> Request:
    return Request(method, url, body=json.dumps(body).encode())


def read(*messages: object, **more: object) -> ModelCall:
    return codec.decode_call(request({"model": "m", "max_tokens": 9, "messages": messages, **more}))


def written(*messages: ModelRequest | ModelResponse, **more: object) -> dict:
    return json.loads(codec.encode_call(ModelCall(list(messages), "m", **more)).body)


def user(*blocks: object) -> dict:
    return {"role": "user", "content": list(blocks)}


def assistant(*blocks: object) -> dict:
    return {"role": "assistant", "content": list(blocks)}


def prompt(content: object) -> UserPromptPart:
    return UserPromptPart(content, NO_TIMESTAMP)


def said(*parts: object) -> ModelResponse:
    return ModelResponse(list(parts), timestamp=NO_TIMESTAMP)


def message(*blocks: object, **more: object) -> dict:
    usage = {"input_tokens": 3, "output_tokens": 2}
    base = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "content": list(blocks)}
    return {**base, "stop_reason": "end_turn", "usage": usage, **more}


def answer(body: object, status: int = 200) -> Answer:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return codec.decode_answer(None, status, (), data)


def parts(*blocks: object) -> list[object]:
    return answer(message(*blocks)).response.parts


def sse(*events: dict) -> bytes:
    return b"".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events)


def opened(index: int, block: dict) -> dict:
    return {"type": "content_block_start", "index": index, "content_block": block}


def piece(index: int, kind: str, **delta: object) -> dict:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **delta}}


def closed(index: int) -> dict:
    return {"type": "content_block_stop", "index": index}


START = {"type": "message_start", "message": message(stop_reason=None, usage={"input_tokens": 5, "output_tokens": 1})}
END = [
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 7}},
    {"type": "message_stop"},
]

# --- whose traffic ----------------------------------------------------------------------------------------------------

VERTEX = "https://eu.test/v1/projects/p/locations/l/publishers/anthropic/models/claude-x:"
BEDROCK = "https://bedrock-runtime.us-east-1.amazonaws.com/model/us.anthropic.claude-x-v1%3A0/invoke"
BODY = {"model": "m", "max_tokens": 1, "messages": []}
IN_PATH = {"anthropic_version": "vertex-2023-10-16", "max_tokens": 1, "messages": []}


@pytest.mark.parametrize(
    ("url", "body"),
    [
        (MESSAGES, BODY),
        (MESSAGES + "?beta=true", BODY),
        ("http://localhost:8787/anthropic/v1/messages", BODY),
        ("https://gateway.test/api/anthropic/v1/messages", BODY),
        (VERTEX + "rawPredict", IN_PATH),
        (VERTEX + "streamRawPredict", IN_PATH),
        (BEDROCK, IN_PATH),
    ],
)
def test_its_traffic_is_claimed(url, body):
    assert claims(codec, request(body, url))
    assert codec_for(request(body, url)) is codec


@pytest.mark.parametrize(
    ("url", "body", "method"),
    [
        (MESSAGES + "/count_tokens", BODY, "POST"),
        (MESSAGES + "/batches", {"requests": []}, "POST"),
        ("https://api.anthropic.com/v1/files", BODY, "POST"),
        ("https://api.anthropic.com/v1/models", BODY, "GET"),
        (MESSAGES, BODY, "GET"),
        ("https://api.openai.com/v1/threads/t/messages", {"role": "user", "content": "hi"}, "POST"),
        ("https://eu.test/publishers/mistralai/models/mistral:rawPredict", {"messages": []}, "POST"),
        ("https://eu.test/publishers/anthropic/models/count-tokens:rawPredict", IN_PATH, "POST"),
        (MESSAGES, [], "POST"),
    ],
)
def test_other_traffic_is_not_claimed(url, body, method):
    assert not claims(codec, request(body, url, method))


def test_a_body_that_is_no_json_is_not_claimed():
    assert not claims(codec, Request("POST", MESSAGES, body=b"{"))


def test_it_is_known_by_name():
    assert codec_named("anthropic") is codec


# --- calls, both ways -------------------------------------------------------------------------------------------------

BLOCKS = [
    (prompt("hi"), {"type": "text", "text": "hi"}),
    (prompt([BinaryContent(PNG, "image/png")]), {
        "type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG_64},
    }),
    (prompt([ImageUrl("https://x.test/a.png")]), {
        "type": "image", "source": {"type": "url", "url": "https://x.test/a.png"},
    }),
    (prompt([BinaryContent(b"%PDF", "application/pdf")]), {
        "type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERg=="},
    }),
    (prompt([BinaryContent("é".encode(), "text/plain")]), {
        "type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "é"},
    }),
    (prompt([DocumentUrl("https://x.test/a.pdf")]), {
        "type": "document", "source": {"type": "url", "url": "https://x.test/a.pdf"},
    }),
    (UnknownPart({"type": "search_result", "title": "t"}), {"type": "search_result", "title": "t"}),
    (RetryPromptPart("no", timestamp=NO_TIMESTAMP), {"type": "text", "text": "no\n\nFix the errors and try again."}),
]  # fmt: skip


@pytest.mark.parametrize(("part", "block"), BLOCKS)
def test_user_blocks_both_ways(part, block):
    assert read(user(block)).messages == [ModelRequest([part])]
    assert written(ModelRequest([part]))["messages"] == [user(block)]


RESPONSE_BLOCKS = [
    (TextPart("hi"), {"type": "text", "text": "hi"}),
    (ThinkingPart("hm", "sig"), {"type": "thinking", "thinking": "hm", "signature": "sig"}),
    (ThinkingPart("", "blob", "redacted_thinking"), {"type": "redacted_thinking", "data": "blob"}),
    (ToolCallPart("add", {"a": 1}, "t1"), {"type": "tool_use", "id": "t1", "name": "add", "input": {"a": 1}}),
    (NativeToolCallPart("web_search", {"query": "q"}, "s1"), {
        "type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "q"},
    }),
    (NativeToolCallPart("advisor", {}, "s1"), {
        "type": "server_tool_use", "id": "s1", "name": "advisor", "input": {},
    }),
    (NativeToolCallPart("code_execution", {"code": "1"}, "s1"), {
        "type": "server_tool_use", "id": "s1", "name": "code_execution", "input": {"code": "1"},
    }),
    (NativeToolCallPart("code_execution", {"command": "ls"}, "s1"), {
        "type": "server_tool_use", "id": "s1", "name": "bash_code_execution", "input": {"command": "ls"},
    }),
    (NativeToolCallPart("code_execution", {"command": "view", "path": "/a"}, "s1"), {
        "type": "server_tool_use", "id": "s1", "name": "text_editor_code_execution",
        "input": {"command": "view", "path": "/a"},
    }),
    (NativeToolCallPart("tool_search", {"queries": ["q"]}, "s1"), {
        "type": "server_tool_use", "id": "s1", "name": "tool_search_tool_bm25", "input": {"query": "q"},
    }),
    (NativeToolCallPart("mcp_server:wiki", {"action": "call_tool", "tool_name": "ask", "tool_args": {"q": 1}}, "m1"), {
        "type": "mcp_tool_use", "id": "m1", "name": "ask", "server_name": "wiki", "input": {"q": 1},
    }),
    (NativeToolReturnPart("web_search", [{"title": "t"}], "s1"), {
        "type": "web_search_tool_result", "tool_use_id": "s1", "content": [{"title": "t"}],
    }),
    (NativeToolReturnPart("web_fetch", {"type": "web_fetch_result"}, "s1"), {
        "type": "web_fetch_tool_result", "tool_use_id": "s1", "content": {"type": "web_fetch_result"},
    }),
    (NativeToolReturnPart("code_execution", {"type": "bash_code_execution_result", "stdout": ""}, "s1"), {
        "type": "bash_code_execution_tool_result", "tool_use_id": "s1",
        "content": {"type": "bash_code_execution_result", "stdout": ""},
    }),
    (NativeToolReturnPart("code_execution", {"type": "code_execution_result"}, "s1"), {
        "type": "code_execution_tool_result", "tool_use_id": "s1", "content": {"type": "code_execution_result"},
    }),
    (NativeToolReturnPart("tool_search", {"tool_references": []}, "s1"), {
        "type": "tool_search_tool_result", "tool_use_id": "s1", "content": {"tool_references": []},
    }),
    (NativeToolReturnPart("mcp_server", {"content": [], "is_error": False}, "m0"), {
        "type": "mcp_tool_result", "tool_use_id": "m0", "content": [], "is_error": False,
    }),
    (FilePart(BinaryContent(PNG, "image/png")), {
        "type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG_64},
    }),
    (UnknownPart({"type": "compaction", "content": "so far"}), {"type": "compaction", "content": "so far"}),
    (UnknownPart({"type": "container_upload", "file_id": "f"}), {"type": "container_upload", "file_id": "f"}),
]  # fmt: skip


@pytest.mark.parametrize(("part", "block"), RESPONSE_BLOCKS)
@pytest.mark.parametrize("stream", [False, True])
def test_assistant_blocks_both_ways(part, block, stream):
    assert read(assistant(block)).messages == [said(part)]
    assert written(said(part))["messages"] == [assistant(block)]
    encoded = codec.encode_answer(ModelCall([], stream=stream), said(part))
    assert answer(b"".join(encoded.chunks)).response.parts == [part]


def test_an_mcp_result_is_named_after_its_call():
    call = {"type": "mcp_tool_use", "id": "m", "name": "ask", "server_name": "wiki", "input": {}}
    result = {"type": "mcp_tool_result", "tool_use_id": "m", "content": "ok", "is_error": False}
    assert [part.tool_name for part in parts(call, result)] == ["mcp_server:wiki", "mcp_server:wiki"]


def test_the_agents_body_is_the_contracts():
    schema = {"type": "object", "properties": {}}
    call = ModelCall(
        [
            ModelRequest([SystemPromptPart("Be brief."), SystemPromptPart("Be kind."), UserPromptPart("2 + 2?")]),
            ModelResponse([TextPart("I add."), ToolCallPart("add", '{"a":2}', "t1")]),
            ModelRequest([
                ToolReturnPart("add", {"sum": 4}, "t1"),
                RetryPromptPart("no", "add", "t2"),
                RetryPromptPart("again"),
            ]),
        ],
        model="claude-x",
        tools=[ToolDefinition("add", "Adds.", schema), ToolDefinition("result", None, schema)],
        tool_choice="required",
        settings={"max_tokens": 7, "temperature": 0.5, "top_p": 0.9, "parallel_tool_calls": False, "seed": 1},
        extras={"metadata": {"user_id": "u"}},
    )  # fmt: skip
    encoded = codec.encode_call(call)
    assert encoded.path == "/v1/messages"
    assert json.loads(encoded.body) == {
        "max_tokens": 7,
        "model": "claude-x",
        "messages": [
            user({"type": "text", "text": "2 + 2?"}),
            assistant(
                {"type": "text", "text": "I add."},
                {"type": "tool_use", "id": "t1", "name": "add", "input": {"a": 2}},
            ),
            user(
                {"type": "tool_result", "tool_use_id": "t1", "content": '{"sum":4}', "is_error": False},
                {
                    "type": "tool_result",
                    "tool_use_id": "t2",
                    "content": "no\n\nFix the errors and try again.",
                    "is_error": True,
                },
                {"type": "text", "text": "again\n\nFix the errors and try again."},
            ),
        ],
        "stream": False,
        "system": "Be brief.Be kind.",
        "tools": [
            {"name": "add", "description": "Adds.", "input_schema": schema},
            {"name": "result", "input_schema": schema},
        ],
        "tool_choice": {"type": "any", "disable_parallel_tool_use": True},
        "temperature": 0.5,
        "top_p": 0.9,
        "metadata": {"user_id": "u"},
    }


def test_a_bare_call_has_the_default_limit():
    assert written(ModelRequest([SystemPromptPart("s")])) == {
        "max_tokens": 1024,
        "model": "m",
        "messages": [user()],
        "stream": False,
        "system": "s",
    }


def test_a_choice_without_tools_is_not_sent():
    assert "tool_choice" not in written(tool_choice="auto")


@pytest.mark.parametrize(
    ("choice", "wire"),
    [
        ("auto", {"type": "auto"}),
        ("required", {"type": "any"}),
        ("none", {"type": "none"}),
        (("add",), {"type": "tool", "name": "add"}),
    ],
)
def test_tool_choices_both_ways(choice, wire):
    tool = ToolDefinition("add", "", {"type": "object"})
    assert written(tools=[tool], tool_choice=choice)["tool_choice"] == wire
    assert read(tools=[{"name": "add", "input_schema": {}}], tool_choice=wire).tool_choice == choice


def test_several_names_require_any_tool():
    tool = ToolDefinition("add", "", {"type": "object"})
    assert written(tools=[tool], tool_choice=("add", "sub"))["tool_choice"] == {"type": "any"}


def test_a_wanted_schema_goes_both_ways():
    schema = {"type": "object"}
    config = {"format": {"type": "json_schema", "schema": schema}}
    assert written(output_schema=OutputSchema(schema))["output_config"] == config
    call = read(output_config={**config, "effort": "low"})
    assert call.output_schema == OutputSchema(schema)
    assert call.extras == {"output_config.effort": "low"}


def test_results_are_named_after_their_calls():
    call = read(
        assistant({"type": "tool_use", "id": "t1", "name": "add", "input": {}}),
        user(
            {"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "4"}]},
            {"type": "tool_result", "tool_use_id": "t9", "content": "?", "is_error": True},
        ),
    )
    assert call.messages[1].parts == [
        ToolReturnPart("add", "4", "t1", NO_TIMESTAMP),
        RetryPromptPart("?", None, "t9", NO_TIMESTAMP),
    ]


def test_a_result_may_hold_images():
    blocks = [{"type": "text", "text": "see"}, BLOCKS[1][1], {"type": "tool_reference", "tool_name": "x"}]
    call = read(user({"type": "tool_result", "tool_use_id": "t1", "content": blocks}))
    [part] = call.messages[0].parts
    assert part.content == ["see", BinaryContent(PNG, "image/png"), UnknownPart(blocks[2])]
    assert written(ModelRequest([part]))["messages"][0]["content"][0]["content"] == blocks


def test_system_prompts_may_be_blocks_and_messages():
    call = read(
        user({"type": "text", "text": "hi"}),
        {"role": "system", "content": [{"type": "text", "text": "b"}, {"type": "tool_addition"}]},
        system=[{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}],
    )
    assert call.messages == [
        ModelRequest([SystemPromptPart("a"), prompt("hi")]),
        ModelRequest([SystemPromptPart("b"), UnknownPart({"type": "tool_addition"})]),
    ]


def test_a_system_prompt_before_the_assistant_is_a_request():
    call = read(assistant({"type": "text", "text": "hello"}), system="s")
    assert call.messages == [ModelRequest([SystemPromptPart("s")]), said(TextPart("hello"))]


def test_strings_stand_for_text_blocks():
    call = read({"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"})
    assert call.messages == [ModelRequest([prompt("hi")]), said(TextPart("hello"))]


def test_tools_of_the_provider_are_extras():
    search = {"type": "web_search_20250305", "name": "web_search", "max_uses": 2}
    call = read(tools=[search, {"name": "add", "description": "d", "input_schema": {}, "defer_loading": True}])
    assert call.tools == [ToolDefinition("add", "d", {})]
    assert call.extras == {"tools": [search], "tools[add].defer_loading": True}
    edited = replace(call, model="other")
    body = json.loads(codec.encode_call(edited).body)
    assert body["tools"] == [{"name": "add", "description": "d", "input_schema": {}, "defer_loading": True}, search]


def test_what_has_no_place_is_kept_by_its_path():
    block = {"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}}
    call = read(user(block), thinking={"type": "enabled"}, stop_sequences=["x"])
    assert call.extras == {
        "messages[0].content[0].cache_control": {"type": "ephemeral"},
        "thinking": {"type": "enabled"},
        "stop_sequences": ["x"],
    }
    edited = json.loads(codec.encode_call(replace(call, model="other")).body)
    assert edited["messages"] == [user(block)]
    assert edited["thinking"] == {"type": "enabled"}


def test_an_unchanged_call_is_written_as_it_was_read():
    body = b'{ "messages": [{"role": "user", "content": "hi"}], "model": "m", "system": [], "odd": null }'
    call = codec.decode_call(Request("POST", MESSAGES, body=body))
    assert codec.encode_call(call).body == body
    call.messages[0].parts[0].content = "ho"
    assert b"ho" in codec.encode_call(call).body


@pytest.mark.parametrize("stream", [False, True])
def test_the_address_may_name_the_model(stream):
    url = VERTEX + ("streamRawPredict" if stream else "rawPredict")
    call = codec.decode_call(request(IN_PATH, url))
    assert (call.model, call.stream) == ("claude-x", stream)
    assert json.loads(codec.encode_call(call).body) == IN_PATH
    bedrock = codec.decode_call(request(IN_PATH, BEDROCK + ("-with-response-stream" if stream else "")))
    assert (bedrock.model, bedrock.stream) == ("us.anthropic.claude-x-v1:0", stream)


def test_a_stream_asked_for_later_is_asked_for():
    call = read()
    call.stream = True
    assert json.loads(codec.encode_call(call).body)["stream"] is True


@pytest.mark.parametrize("args", ["{", "[1]", "7"])
def test_arguments_that_are_no_object_are_wrapped(args):
    [block] = written(said(ToolCallPart("add", args, "t")))["messages"][0]["content"]
    assert block["input"] == {"invalid_json": args}


def test_calls_without_ids_get_those_of_their_places():
    body = written(said(ToolCallPart("add", {})), ModelRequest([ToolReturnPart("add", "1")]))
    assert body["messages"][0]["content"][0]["id"] == body["messages"][1]["content"][0]["tool_use_id"] == "call_1"


@pytest.mark.parametrize(
    "content",
    [AudioUrl("https://x.test/a.mp3"), BinaryContent(b"", "audio/wav"), BinaryContent(b"\xff", "text/plain")],
)
def test_media_without_a_block_are_refused(content):
    with pytest.raises(UserError):
        codec.encode_call(ModelCall([ModelRequest([prompt([content])])]))


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'{"messages": 1}', b"[" * 5000, b'{"a":' * 1000])
def test_a_body_that_is_no_call_is_a_wire_error(body):
    with pytest.raises(WireError) as caught:
        codec.decode_call(Request("POST", MESSAGES, body=body))
    assert caught.value.format == "anthropic"


@pytest.mark.parametrize(
    "content",
    [
        None,
        7,
        [7],
        [None],
        [[]],
        [{}],
        [{"type": "text"}],
        [{"type": ["x"]}],
        [{"type": "image", "source": {"type": "base64", "data": "%", "media_type": "image/png"}}],
        [{"type": "image", "source": {"type": []}}],
        [{"type": "document", "source": {"type": "file", "file_id": "f"}}],
        [{"type": "tool_result"}],
        [{"type": "tool_result", "tool_use_id": 1}],
        [{"type": "tool_result", "tool_use_id": "t", "content": 3, "is_error": True}],
        [{"type": "tool_use", "id": "t", "name": "n", "input": 7}],
        [{"type": "x_tool_result"}],
        [{"type": "mcp_tool_use", "id": "t", "name": "n", "input": {}}],
    ],
)
@pytest.mark.parametrize("role", ["user", "assistant", "system", None])
def test_odd_content_survives(role, content):
    call = read({"role": role, "content": content}, "no message", {"role": "user"})
    again = codec.decode_call(request(json.loads(codec.encode_call(replace(call)).body)))
    assert again.messages == call.messages or role in ("system", None)


# --- answers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stop", "reason"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_call"),
        ("refusal", "content_filter"),
        ("compaction", "stop"),
        ("pause_turn", None),
        ("unheard_of", None),
        (None, None),
    ],
)
def test_stop_reasons_are_mapped(stop, reason):
    assert answer(message(stop_reason=stop)).response.finish_reason == reason


@pytest.mark.parametrize(("sent", "args"), [(None, {}), ("", {}), ({}, {}), ('{"a": 1}', '{"a": 1}')])
def test_gateways_may_send_other_input(sent, args):
    assert parts({"type": "tool_use", "id": "t", "name": "n", "input": sent}) == [ToolCallPart("n", args, "t")]


def test_a_message_is_a_response():
    response = answer(message({"type": "text", "text": "hi"})).response
    assert response == ModelResponse([TextPart("hi")], "claude", NO_TIMESTAMP)
    assert response.provider_response_id == "msg_1"
    assert response.usage == Usage(0, 3, 2, 5)


def test_cached_tokens_are_input_tokens():
    usage = {
        "input_tokens": 10,
        "cache_read_input_tokens": 20,
        "cache_creation_input_tokens": 30,
        "cache_creation": {"ephemeral_5m_input_tokens": 30, "ephemeral_1h_input_tokens": 0},
        "output_tokens": 5,
        "output_tokens_details": {"thinking_tokens": 2},
        "server_tool_use": {"web_search_requests": 1},
        "service_tier": "standard",
        "speed": None,
    }
    details = {
        "cache_read_tokens": 20,
        "cache_write_tokens": 30,
        "reasoning_tokens": 2,
        "ephemeral_5m_input_tokens": 30,
        "web_search_requests": 1,
    }
    assert answer(message(usage=usage)).response.usage == Usage(0, 60, 5, 65, details)


def test_compactions_are_counted_and_advisors_are_not():
    def iteration(kind, tokens):
        return {"type": kind, "input_tokens": tokens, "output_tokens": 1}

    top = {"input_tokens": 10, "output_tokens": 1}
    compacted = [iteration("compaction", 100), iteration("message", 10)]
    usage = answer(message(usage={**top, "iterations": compacted})).response.usage
    assert (usage.request_tokens, usage.response_tokens) == (110, 2)
    assert usage.details["compaction_input_tokens"] == 100
    advised = [iteration("message", 10), iteration("advisor_message", 500)]
    usage = answer(message(usage={**top, "iterations": advised})).response.usage
    assert (usage.request_tokens, usage.response_tokens) == (10, 1)
    assert usage.details == {
        "message_iterations": 1,
        "advisor_iterations": 1,
        "advisor_input_tokens": 500,
        "advisor_output_tokens": 1,
    }


@pytest.mark.parametrize("usage", [None, {}, {"input_tokens": "3"}, {"iterations": [1, {"type": 2}]}, []])
def test_odd_usage_is_no_error(usage):
    answer(message(usage=usage))


def test_usage_goes_both_ways():
    usage = Usage(0, 60, 5, 65, {"cache_read_tokens": 20, "reasoning_tokens": 2, "web_search_requests": 1, "odd": 4})
    for stream in (False, True):
        encoded = codec.encode_answer(ModelCall([], stream=stream), replace(said(TextPart("x")), usage=usage))
        assert answer(b"".join(encoded.chunks)).response.usage == usage


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (404, {"type": "error", "error": {"type": "not_found_error", "message": "model: x"}}, "model: x"),
        (529, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, "Overloaded"),
        (403, {"message": "no access"}, "no access"),
        (502, b"<html><head><title>Bad Gateway</title></head><body>x</body></html>", "Bad Gateway"),
        (500, b"", None),
        (500, b"\xff\xfe", None),
    ],
)
def test_refusals_of_any_shape(status, body, error):
    got = answer(body, status)
    assert got.response is None
    assert got.error.status == status
    assert error is None or got.error.message == error


def test_an_error_in_a_200_has_the_status_of_its_type():
    body = {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}
    assert answer(body) == Answer(error=AnswerError(529, "busy"))
    assert answer(sse(body)) == Answer(error=AnswerError(529, "busy"))


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"content": 1}', b"[" * 9000, b"nothing"])
def test_an_answer_that_is_none_is_a_wire_error(body):
    with pytest.raises(WireError):
        answer(body)


@pytest.mark.parametrize("block", [7, None, [], {}, {"type": []}, {"type": "tool_use"}, {"type": "new", "x": 1}])
def test_unheard_of_blocks_are_unknown_parts(block):
    assert parts(block) == [UnknownPart(block)]


# --- streams ----------------------------------------------------------------------------------------------------------

STREAM = [
    START,
    {"type": "ping"},
    opened(0, {"type": "thinking", "thinking": "", "signature": ""}),
    piece(0, "thinking_delta", thinking="h"),
    piece(0, "thinking_delta", thinking="m"),
    piece(0, "signature_delta", signature="sig"),
    closed(0),
    opened(1, {"type": "text", "text": ""}),
    piece(1, "text_delta", text="It is "),
    piece(1, "citations_delta", citation={"type": "char_location"}),
    piece(1, "text_delta", text="“4” 🌍"),
    closed(1),
    opened(2, {"type": "tool_use", "id": "t1", "name": "add", "input": {}}),
    piece(2, "input_json_delta", partial_json=""),
    piece(2, "input_json_delta", partial_json='{"a": {}'),
    piece(2, "input_json_delta", partial_json=', "b": "}"}'),
    closed(2),
    opened(3, {"type": "tool_use", "id": "t2", "name": "now", "input": {}}),
    closed(3),
    opened(4, {"type": "server_tool_use", "id": "s1", "name": "tool_search_tool_regex", "input": {}}),
    piece(4, "input_json_delta", partial_json='{"pattern": "x"}'),
    closed(4),
    opened(5, {"type": "compaction", "content": None}),
    piece(5, "compaction_delta", content="so far"),
    closed(5),
    {
        "type": "message_delta",
        "delta": {"stop_reason": "tool_use", "stop_sequence": None},
        "usage": {"input_tokens": 6, "cache_read_input_tokens": 4, "output_tokens": 7},
    },
    {"type": "message_stop"},
]
STREAMED = [
    ThinkingPart("hm", "sig"),
    TextPart("It is “4” 🌍"),
    ToolCallPart("add", {"a": {}, "b": "}"}, "t1"),
    ToolCallPart("now", {}, "t2"),
    NativeToolCallPart("tool_search", {"queries": ["x"]}, "s1"),
    UnknownPart({"type": "compaction", "content": "so far"}),
]


def test_a_stream_is_a_response():
    response = answer(sse(*STREAM)).response
    assert response == ModelResponse(STREAMED, "claude", NO_TIMESTAMP)
    assert response.finish_reason == "tool_call"
    assert response.usage == Usage(0, 10, 7, 17, {"cache_read_tokens": 4})
    assert response.provider_response_id == "msg_1"


@given(cuts=st.lists(st.integers(0, len(sse(*STREAM))), max_size=30))
def test_a_stream_may_be_cut_anywhere(cuts):
    body = sse(*STREAM)
    edges = [0, *sorted(cuts), len(body)]
    decoder = codec.stream_decoder(None, ())
    for start, end in pairwise(edges):
        decoder.feed(body[start:end])
    decoder.close()
    assert decoder.answer.response.parts == STREAMED
    assert decoder.finished


def test_a_call_shows_once_and_grows_whole():
    decoder = codec.stream_decoder(None, ())
    events = decoder.feed(sse(*STREAM[12:17]))
    assert events == [
        PartStartEvent(0, ToolCallPart("add", {}, "t1")),
        PartDeltaEvent(0, ToolCallPartDelta(args_delta={"a": {}, "b": "}"})),
    ]


def test_events_come_with_the_bytes():
    decoder = codec.stream_decoder(None, ())
    assert decoder.feed(sse(START)) == []
    assert decoder.answer.response.parts == []
    [event] = decoder.feed(sse(opened(0, {"type": "text", "text": ""}), piece(0, "text_delta", text="a")))
    assert event == PartStartEvent(0, TextPart("a"))
    assert not decoder.finished


def test_a_cut_stream_keeps_what_came():
    decoder = codec.stream_decoder(None, ())
    decoder.feed(sse(*STREAM[:15]) + b"event: content_block_delta\ndata: {")
    decoder.close()
    assert decoder.answer.response.parts[2] == ToolCallPart("add", '{"a": {}', "t1")
    assert not decoder.finished


def test_an_empty_stream_has_no_response():
    assert codec.decode_answer(ModelCall([], stream=True), 200, (), b"") == Answer()
    assert answer(b": hello\n\n") == Answer()


def test_a_stream_that_breaks_keeps_what_came():
    error = {"type": "error", "error": {"type": "api_error", "message": "broke"}}
    got = answer(sse(*STREAM[:9], error))
    assert got.error == AnswerError(500, "broke")
    assert got.response.parts == [ThinkingPart("hm", "sig"), TextPart("It is ")]


def test_unheard_of_events_are_kept():
    new_event = {"type": "new_event", "x": 1}
    new_delta = piece(0, "new_delta", y=2)
    body = sse(START, new_event, opened(0, {"type": "text", "text": ""}), new_delta, *END) + b"data: {no json\n\n"
    assert answer(body).response.parts == [UnknownPart(new_event), UnknownPart(new_delta), UnknownPart("{no json")]


def test_the_event_line_may_name_the_type():
    events = [{**event} for event in (START, opened(0, {"type": "text", "text": "hi"}), *END)]
    lines = [f"event: {event.pop('type')}\ndata: {json.dumps(event)}\n\n" for event in events]
    assert answer("".join(lines).encode()).response.parts == [TextPart("hi")]


def test_metrics_of_bedrock_say_nothing_new():
    metrics = b'data: {"amazon-bedrock-invocationMetrics": {"inputTokenCount": 1}}\n\n'
    assert answer(sse(START) + metrics).response.parts == []


def test_a_message_may_answer_a_streaming_request():
    body = json.dumps(message({"type": "text", "text": "hi"})).encode()
    decoder = codec.stream_decoder(ModelCall([], stream=True), (("content-type", "text/event-stream"),))
    events = [*decoder.feed(body[:5]), *decoder.feed(body[5:]), *decoder.close()]
    assert events == [PartStartEvent(0, TextPart("hi"))]
    assert decoder.finished


@pytest.mark.parametrize(
    "event",
    [
        7,
        [],
        {"type": []},
        {"type": "message_start"},
        {"type": "message_delta", "delta": 1, "usage": 2},
        {"type": "content_block_start", "index": 0},
        {"type": "content_block_start", "index": [], "content_block": {"type": "tool_use"}},
        {"type": "content_block_delta", "index": 0, "delta": 1},
        {"type": "content_block_delta", "index": 9, "delta": {"type": "input_json_delta"}},
        {"type": "content_block_delta", "index": 9, "delta": {"type": "compaction_delta"}},
        {"type": "content_block_stop"},
        {"type": "error"},
        {"error": "x"},
    ],
)
def test_odd_events_are_no_error(event):
    decoder = codec.stream_decoder(None, ())
    for _ in range(2):
        decoder.feed(f"data: {json.dumps(event)}\n\n".encode())
        decoder.feed(sse(opened(0, {"type": "tool_use", "id": "a", "name": "n", "input": {}})))
    decoder.close()
    assert decoder.answer is not None


# --- the provider's own SDK -------------------------------------------------------------------------------------------


def client(handle: Callable[[httpx2.Request], httpx2.Response]) -> anthropic.Anthropic:
    http = httpx2.Client(transport=httpx2.MockTransport(handle))
    return anthropic.Anthropic(api_key="k", http_client=http, max_retries=0)


def answering(response: ModelResponse) -> anthropic.Anthropic:
    def handle(asked: httpx2.Request) -> httpx2.Response:
        sent = Request(asked.method, str(asked.url), body=asked.content)
        assert claims(codec, sent)
        encoded = codec.encode_answer(codec.decode_call(sent), response)
        return httpx2.Response(encoded.status, headers=list(encoded.headers), content=b"".join(encoded.chunks))

    return client(handle)


ASKED = {"model": "claude", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
SPOKEN = replace(
    said(
        ThinkingPart("I think.", "sig"),
        ThinkingPart("", "blob", "redacted_thinking"),
        TextPart("It is four, “4” 🌍.\n"),
        NativeToolCallPart("web_search", {"query": "q"}, "s1"),
        NativeToolReturnPart("web_search", [], "s1"),
        ToolCallPart("add", {"a": 1, "b": "two words"}, "t1"),
        ToolCallPart("now", {}, "t2"),
    ),
    usage=Usage(0, 9, 4, 13, {"cache_read_tokens": 3}),
)


def test_the_sdk_reads_our_message():
    got = answering(SPOKEN).messages.create(**ASKED)
    assert [block.type for block in got.content] == [
        "thinking",
        "redacted_thinking",
        "text",
        "server_tool_use",
        "web_search_tool_result",
        "tool_use",
        "tool_use",
    ]
    assert got.content[5].input == {"a": 1, "b": "two words"}
    assert (got.stop_reason, got.model, got.usage.input_tokens, got.usage.cache_read_input_tokens) == (
        "tool_use",
        "claude",
        6,
        3,
    )
    assert type(got).model_validate(got.model_dump()) == got


def test_the_sdk_reads_our_stream():
    with answering(SPOKEN).messages.stream(**ASKED) as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_message()
    whole = answering(SPOKEN).messages.create(**ASKED)
    assert [block.to_dict() for block in final.content] == [block.to_dict() for block in whole.content]
    assert final.usage.output_tokens == whole.usage.output_tokens == 4
    assert kinds[0] == "message_start"
    assert kinds[-1] == "message_stop"
    assert kinds.count("content_block_start") == kinds.count("content_block_stop") == 7
    assert kinds.count("text") > 1


def test_the_sdk_reads_our_raw_events():
    events = list(answering(SPOKEN).messages.create(**ASKED, stream=True))
    assert events[0].message.usage.output_tokens == 0
    assert events[-2].delta.stop_reason == "tool_use"


@pytest.mark.parametrize("stream", [False, True])
def test_the_sdk_for_bedrock_reads_our_answers(stream):
    def handle(asked: httpx2.Request) -> httpx2.Response:
        sent = Request(asked.method, str(asked.url), body=asked.content)
        assert codec_for(sent) is codec
        call = codec.decode_call(sent)
        assert (call.model, call.stream) == ("claude-x:0", stream)
        encoded = codec.encode_answer(call, SPOKEN)
        return httpx2.Response(encoded.status, headers=list(encoded.headers), content=b"".join(encoded.chunks))

    http = httpx2.Client(transport=httpx2.MockTransport(handle))
    bedrock = anthropic.AnthropicBedrock(
        aws_access_key="a", aws_secret_key="s", aws_region="us-east-1", http_client=http, max_retries=0
    )
    got = bedrock.messages.create(**{**ASKED, "model": "claude-x:0"}, stream=stream)
    if stream:
        assert [event.type for event in got][-1] == "message_stop"
    else:
        assert got.content[2].text == SPOKEN.parts[2].content


def test_framed_answers_are_read():
    call = ModelCall([], stream=True, dialect="bedrock")
    body = b"".join(codec.encode_answer(call, SPOKEN).chunks)
    decoder = codec.stream_decoder(call, ())
    for start in range(0, len(body), 7):
        decoder.feed(body[start : start + 7])
    decoder.close()
    assert decoder.answer.response.parts == SPOKEN.parts
    headers = {":message-type": "exception", ":exception-type": "throttlingException"}
    refused = codec.decode_answer(call, 200, (), encode_frame(headers, b'{"message": "slower"}'))
    assert refused == Answer(error=AnswerError(429, "slower"))


def test_a_broken_frame_is_a_wire_error():
    with pytest.raises(WireError):
        answer(b"\0" * 40)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, anthropic.BadRequestError),
        (401, anthropic.AuthenticationError),
        (404, anthropic.NotFoundError),
        (429, anthropic.RateLimitError),
        (500, anthropic.InternalServerError),
        (529, anthropic.InternalServerError),
    ],
)
def test_the_sdk_raises_our_errors(status, error):
    def handle(_: httpx2.Request) -> httpx2.Response:
        encoded = codec.encode_error(None, status, "no, never")
        return httpx2.Response(encoded.status, headers=list(encoded.headers), content=b"".join(encoded.chunks))

    with pytest.raises(error, match="no, never"):
        client(handle).messages.create(**ASKED)
    encoded = codec.encode_error(None, status, "no, never")
    assert codec.decode_answer(None, status, (), encoded.chunks[0]) == Answer(error=AnswerError(status, "no, never"))


def test_our_answers_are_the_same_on_every_run():
    for stream in (False, True):
        call = ModelCall([], "m", stream=stream)
        response = said(TextPart("a"), ToolCallPart("f", {}), NativeToolCallPart("web_search", {}))
        assert codec.encode_answer(call, response) == codec.encode_answer(call, response)


# --- properties -------------------------------------------------------------------------------------------------------

thoughts = st.builds(ThinkingPart, texts, st.none() | texts) | st.builds(
    ThinkingPart, st.just(""), texts, st.just("redacted_thinking")
)
unhurried = settings(max_examples=40)


@unhurried
@given(calls(thoughts, as_it_is))
def test_calls_survive_the_wire(call):
    body = codec.encode_call(call).body
    assert codec.decode_call(Request("POST", MESSAGES, body=body)) == call


@unhurried
@given(response_parts(thoughts, as_it_is), st.booleans(), st.integers(1, 40))
def test_answers_survive_the_wire(spoken, stream, size):
    response = ModelResponse(spoken, "claude", NO_TIMESTAMP, provider_response_id="msg_1")
    body = b"".join(codec.encode_answer(ModelCall([], stream=stream), response).chunks)
    decoder = codec.stream_decoder(None, ())
    for start in range(0, len(body), size):
        decoder.feed(body[start : start + size])
    decoder.close()
    got = decoder.answer.response
    assert got == response
    assert got.provider_response_id == "msg_1"


@unhurried
@given(st.lists(json_values, max_size=3), st.booleans())
def test_any_content_survives_the_wire(content, stream):
    read_parts = read(assistant(*content)).messages[0].parts
    encoded = codec.encode_answer(ModelCall([], stream=stream), said(*read_parts))
    assert answer(b"".join(encoded.chunks)).response.parts == read_parts


@unhurried
@given(st.dictionaries(st.sampled_from(["messages", "system", "tools", "tool_choice", "model", "stream"]), json_values))
def test_any_body_is_read_or_refused(body):
    try:
        call = codec.decode_call(request(body))
    except WireError:
        return
    assert json.loads(codec.encode_call(call).body) == body
    codec.encode_call(replace(call))


@unhurried
@given(st.binary(max_size=200), st.sampled_from([b"", b"data: ", b"event: message_start\ndata: "]))
def test_any_bytes_are_read_or_refused(data, before):
    with suppress(WireError):
        answer(before + data + b"\n\n")
