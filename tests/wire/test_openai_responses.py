from __future__ import annotations

import base64
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import httpx2
import openai
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replay_agent.calls import Answer, AnswerError, ModelCall, OutputSchema, ToolDefinition
from replay_agent.exceptions import UserError, WireError
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
    TextPartDelta,
    ThinkingPart,
    ToolCallPart,
    ToolCallPartDelta,
    ToolReturnPart,
    UnknownPart,
    UserPromptPart,
)
from replay_agent.traffic import Request
from replay_agent.usage import Usage
from replay_agent.wire.openai_responses import codec
from replay_agent.wire.registry import codec_for, codec_named
from tests.wire.conversations import as_json, calls, claims, json_values, response_parts, texts

RESPONSES = "https://api.openai.com/v1/responses"
PNG = b"\x89PNG"
PNG_64 = base64.b64encode(PNG).decode()
INVITATION = "\n\nFix the errors and try again."


def request(body: object, url: str = RESPONSES, method: str = "POST") -> Request:
    return Request(method, url, body=json.dumps(body).encode())


def read(*items: object, **more: object) -> ModelCall:
    return codec.decode_call(request({"model": "m", "input": items, **more}))


def written(*messages: ModelRequest | ModelResponse, **more: object) -> dict:
    return json.loads(codec.encode_call(ModelCall(list(messages), "m", **more)).body)


def prompt(content: object) -> UserPromptPart:
    return UserPromptPart(content, NO_TIMESTAMP)


def said(*parts: object) -> ModelResponse:
    return ModelResponse(list(parts), timestamp=NO_TIMESTAMP)


def response(*items: object, **more: object) -> dict:
    usage = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}
    base = {"id": "resp_1", "object": "response", "created_at": 0, "model": "gpt", "status": "completed"}
    return {**base, "error": None, "incomplete_details": None, "output": list(items), "usage": usage, **more}


def answer(body: object, status: int = 200) -> Answer:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return codec.decode_answer(None, status, (), data)


def parts(*items: object) -> list[object]:
    return answer(response(*items)).response.parts


def sse(*events: dict) -> bytes:
    return b"".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events)


def event(kind: str, index: int | None = None, **more: object) -> dict:
    place = {} if index is None else {"output_index": index}
    return {"type": f"response.{kind}", **place, **more}


def message(*content: dict, **more: object) -> dict:
    return {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": content, **more}


def text(value: str) -> dict:
    return {"type": "output_text", "text": value, "annotations": []}


# --- whose traffic ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "body"),
    [
        (RESPONSES, {"model": "m", "input": "hi"}),
        ("http://localhost:8787/openai/responses", {"model": "m", "input": []}),
        ("https://x.openai.azure.com/openai/responses?api-version=1", {"model": "m", "input": "hi"}),
        ("https://openrouter.ai/api/v1/responses", {"model": "m", "prompt": {"id": "p"}}),
        (RESPONSES, {"model": "m", "previous_response_id": "resp_1"}),
    ],
)
def test_its_traffic_is_claimed(url, body):
    assert claims(codec, request(body, url))
    assert codec_for(request(body, url)) is codec


@pytest.mark.parametrize(
    ("url", "body", "method"),
    [
        (RESPONSES, {"input": "hi"}, "GET"),
        (RESPONSES + "/resp_1/cancel", {}, "POST"),
        (RESPONSES + "/compact", {"model": "m", "input": []}, "POST"),
        (RESPONSES + "/input_tokens", {"model": "m", "input": []}, "POST"),
        ("https://api.openai.com/v1/conversations", {"items": []}, "POST"),
        ("https://api.openai.com/v1/chat/completions", {"model": "m", "messages": []}, "POST"),
        ("https://survey.test/responses", {"answers": [1]}, "POST"),
        (RESPONSES, ["input"], "POST"),
    ],
)
def test_other_traffic_is_not_claimed(url, body, method):
    assert not claims(codec, request(body, url, method))


def test_a_body_that_is_no_json_is_not_claimed():
    assert not claims(codec, Request("POST", RESPONSES, body=b"input"))


def test_it_is_known_by_name():
    assert codec_named("openai_responses") is codec


# --- calls, both ways -------------------------------------------------------------------------------------------------

CONTENT = [
    ([BinaryContent(PNG, "image/png")], {"type": "input_image", "image_url": f"data:image/png;base64,{PNG_64}"}),
    ([ImageUrl("https://x.test/a.png")], {"type": "input_image", "image_url": "https://x.test/a.png"}),
    ([BinaryContent(b"%PDF", "application/pdf")], {
        "type": "input_file", "filename": "file.pdf", "file_data": "data:application/pdf;base64,JVBERg==",
    }),
    ([DocumentUrl("https://x.test/a.pdf")], {"type": "input_file", "file_url": "https://x.test/a.pdf"}),
    ([BinaryContent(b"RIFF", "audio/wav")], {
        "type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"},
    }),
    ([UnknownPart({"type": "input_image", "file_id": "f"})], {"type": "input_image", "file_id": "f"}),
]  # fmt: skip


@pytest.mark.parametrize(("content", "piece"), CONTENT)
def test_prompts_both_ways(content, piece):
    item = {"role": "user", "content": [piece]}
    assert read(item).messages == [ModelRequest([prompt(content)])]
    assert written(ModelRequest([prompt(content)]))["input"] == [item]


REQUEST_ITEMS = [
    (prompt("hi"), {"role": "user", "content": "hi"}),
    (RetryPromptPart("no", timestamp=NO_TIMESTAMP), {"role": "user", "content": f"no{INVITATION}"}),
    (ToolReturnPart("", "4", "c9", NO_TIMESTAMP), {"type": "function_call_output", "call_id": "c9", "output": "4"}),
    (RetryPromptPart("no", None, "c9", NO_TIMESTAMP), {
        "type": "function_call_output", "call_id": "c9", "output": f"no{INVITATION}",
    }),
    (ToolReturnPart("", ["see", BinaryContent(PNG, "image/png")], "c9", NO_TIMESTAMP), {
        "type": "function_call_output", "call_id": "c9",
        "output": [{"type": "input_text", "text": "see"}, CONTENT[0][1]],
    }),
    (UnknownPart({"type": "mcp_approval_response", "approve": True}), {
        "type": "mcp_approval_response", "approve": True,
    }),
    (UnknownPart({"type": "additional_tools", "role": "developer", "tools": []}), {
        "type": "additional_tools", "role": "developer", "tools": [],
    }),
]  # fmt: skip


@pytest.mark.parametrize(("part", "item"), REQUEST_ITEMS)
def test_request_items_both_ways(part, item):
    assert read(item).messages == [ModelRequest([part])]
    assert written(ModelRequest([part]))["input"] == [item]


RESPONSE_ITEMS = [
    ([TextPart("hi")], {"role": "assistant", "content": "hi"}),
    ([ToolCallPart("add", '{"a": 1}', "c1")], {
        "type": "function_call", "call_id": "c1", "name": "add", "arguments": '{"a": 1}',
    }),
    ([ThinkingPart("hm", "sig", "rs_1")], {
        "type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}],
        "encrypted_content": "sig",
    }),
    ([ThinkingPart("a", None, "rs_1"), ThinkingPart("b", None, "rs_1")], {
        "type": "reasoning", "id": "rs_1",
        "summary": [{"type": "summary_text", "text": "a"}, {"type": "summary_text", "text": "b"}],
    }),
    ([ThinkingPart("", "sig", "rs_1")], {
        "type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "sig",
    }),
    ([ThinkingPart("", None, "rs_1")], {"type": "reasoning", "id": "rs_1", "summary": []}),
    ([UnknownPart({"type": "refusal", "refusal": "no"})], {
        "type": "message", "role": "assistant", "content": [{"type": "refusal", "refusal": "no"}],
    }),
    ([
        NativeToolCallPart("web_search", {"type": "search", "query": "q"}, "ws_1"),
        NativeToolReturnPart("web_search", {"status": "completed", "sources": [{"type": "url", "url": "https://x.test"}]}, "ws_1"),
    ], {
        "type": "web_search_call", "id": "ws_1", "status": "completed",
        "action": {"type": "search", "query": "q", "sources": [{"type": "url", "url": "https://x.test"}]},
    }),
    ([
        NativeToolCallPart("file_search", {"queries": ["q"]}, "fs_1"),
        NativeToolReturnPart("file_search", {"status": "completed", "results": []}, "fs_1"),
    ], {"type": "file_search_call", "id": "fs_1", "status": "completed", "queries": ["q"], "results": []}),
    ([
        NativeToolCallPart("code_execution", {"container_id": "c", "code": "1"}, "ci_1"),
        FilePart(BinaryContent(PNG, "image/png")),
        NativeToolReturnPart("code_execution", {"status": "completed", "logs": ["1"]}, "ci_1"),
    ], {
        "type": "code_interpreter_call", "id": "ci_1", "status": "completed", "container_id": "c", "code": "1",
        "outputs": [
            {"type": "logs", "logs": "1"}, {"type": "image", "url": f"data:image/png;base64,{PNG_64}"},
        ],
    }),
    ([
        NativeToolCallPart("image_generation", {}, "ig_1"),
        FilePart(BinaryContent(PNG, "image/webp")),
        NativeToolReturnPart(
            "image_generation", {"status": "completed", "output_format": "webp", "size": "1x1"}, "ig_1"
        ),
    ], {
        "type": "image_generation_call", "id": "ig_1", "status": "completed", "output_format": "webp", "size": "1x1",
        "result": PNG_64,
    }),
    ([
        NativeToolCallPart("mcp_server:wiki", {"action": "list_tools"}, "mcpl_1"),
        NativeToolReturnPart("mcp_server:wiki", {"tools": [], "error": None}, "mcpl_1"),
    ], {"type": "mcp_list_tools", "id": "mcpl_1", "server_label": "wiki", "tools": [], "error": None}),
    ([
        NativeToolCallPart(
            "mcp_server:wiki", {"action": "call_tool", "tool_name": "ask", "tool_args": {"q": 1}}, "mcp_1"
        ),
        NativeToolReturnPart("mcp_server:wiki", {"output": "o", "error": None}, "mcp_1"),
    ], {
        "type": "mcp_call", "id": "mcp_1", "server_label": "wiki", "name": "ask", "arguments": '{"q":1}',
        "output": "o", "error": None,
    }),
    ([NativeToolCallPart("tool_search", {"queries": ["q"]}, "ts_1")], {
        "type": "tool_search_call", "id": "ts_1", "call_id": "ts_1", "execution": "server", "status": "completed",
        "arguments": {"paths": ["q"]},
    }),
    ([UnknownPart({"type": "compaction", "id": "cmp_1", "encrypted_content": "x"})], {
        "type": "compaction", "id": "cmp_1", "encrypted_content": "x",
    }),
    ([UnknownPart({"type": "item_reference", "id": "rs_9"})], {"type": "item_reference", "id": "rs_9"}),
    ([UnknownPart({"type": "mcp_approval_request", "id": "a"})], {"type": "mcp_approval_request", "id": "a"}),
]  # fmt: skip


@pytest.mark.parametrize(("spoken", "item"), RESPONSE_ITEMS)
def test_response_items_both_ways(spoken, item):
    assert read(item).messages == [said(*spoken)]
    assert written(said(*spoken))["input"] == [item]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("spoken", [spoken for spoken, _ in RESPONSE_ITEMS])
def test_answers_both_ways(spoken, stream):
    encoded = codec.encode_answer(ModelCall([], stream=stream), said(*spoken))
    assert answer(b"".join(encoded.chunks)).response.parts == spoken


def test_the_agents_body():
    schema = {"type": "object", "properties": {}}
    call = ModelCall(
        [
            ModelRequest([SystemPromptPart("Be brief."), SystemPromptPart("Be kind."), UserPromptPart("2 + 2?")]),
            ModelResponse([TextPart("I add."), ToolCallPart("add", {"a": 2}, "c1")]),
            ModelRequest([ToolReturnPart("add", {"sum": 4}, "c1"), SystemPromptPart("More.")]),
        ],
        model="gpt-x",
        tools=[ToolDefinition("add", "Adds.", schema), ToolDefinition("sub", None, schema, strict=True)],
        tool_choice="required",
        settings={"max_tokens": 7, "temperature": 0.5, "top_p": 0.9, "parallel_tool_calls": False, "seed": 1},
        previous_response_id="resp_0",
        extras={"store": False},
    )
    encoded = codec.encode_call(call)
    assert encoded.path == "/responses"
    function = {"type": "function", "parameters": schema}
    assert json.loads(encoded.body) == {
        "model": "gpt-x",
        "input": [
            {"role": "user", "content": "2 + 2?"},
            {"role": "assistant", "content": "I add."},
            {"type": "function_call", "call_id": "c1", "name": "add", "arguments": '{"a":2}'},
            {"type": "function_call_output", "call_id": "c1", "output": '{"sum":4}'},
            {"role": "system", "content": "More."},
        ],
        "stream": False,
        "instructions": "Be brief.\n\nBe kind.",
        "previous_response_id": "resp_0",
        "max_output_tokens": 7,
        "temperature": 0.5,
        "top_p": 0.9,
        "parallel_tool_calls": False,
        "tools": [
            {**function, "name": "add", "description": "Adds.", "strict": False},
            {**function, "name": "sub", "description": None, "strict": True},
        ],
        "tool_choice": "required",
        "store": False,
    }


@pytest.mark.parametrize("role", ["system", "developer"])
def test_the_role_of_system_prompts_is_kept(role):
    call = read({"role": role, "content": "s"}, {"role": "user", "content": "hi"})
    assert call.messages == [ModelRequest([SystemPromptPart("s"), prompt("hi")])]
    assert call.system_role == role
    assert json.loads(codec.encode_call(replace(call)).body)["input"][0] == {"role": role, "content": "s"}


def test_instructions_are_a_system_prompt():
    call = read({"role": "user", "content": "hi"}, instructions="s")
    assert call.messages == [ModelRequest([SystemPromptPart("s"), prompt("hi")])]
    assert call.system_role is None
    assert call.extras == {}


def test_the_input_may_be_a_text():
    call = codec.decode_call(request({"model": "m", "input": "hi", "instructions": "s"}))
    assert call.messages == [ModelRequest([SystemPromptPart("s"), prompt("hi")])]


def test_items_are_sorted_into_turns():
    call = read(
        {"role": "user", "content": "a"},
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {"type": "function_call", "call_id": "c1", "name": "add", "arguments": "{}"},
        {"type": "function_call", "call_id": "c2", "name": "sub", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "2"}]},
        {"type": "function_call_output", "call_id": "c1", "output": "1"},
        {"role": "user", "content": "b"},
        message(text("c")),
    )
    assert call.messages == [
        ModelRequest([prompt("a")]),
        said(ThinkingPart("", None, "rs_1"), ToolCallPart("add", "{}", "c1"), ToolCallPart("sub", "{}", "c2")),
        ModelRequest([
            ToolReturnPart("sub", "2", "c2", NO_TIMESTAMP), ToolReturnPart("add", "1", "c1", NO_TIMESTAMP), prompt("b"),
        ]),
        said(TextPart("c")),
    ]  # fmt: skip


def test_calls_of_the_clients_machine_are_tool_calls():
    call = read(
        {"type": "custom_tool_call", "call_id": "c1", "name": "sh", "input": "ls"},
        {"type": "custom_tool_call_output", "call_id": "c1", "output": "a"},
        {"type": "computer_call", "id": "x", "call_id": "c2", "action": {"type": "click"}, "status": "completed"},
        {"type": "computer_call_output", "call_id": "c2", "output": {"type": "computer_screenshot"}},
        {"type": "tool_search_call", "call_id": "c3", "execution": "client", "arguments": {"queries": ["q"]}},
        {"type": "tool_search_output", "call_id": "c3", "execution": "client", "tools": []},
    )
    assert [message.parts for message in call.messages] == [
        [ToolCallPart("sh", '{"input":"ls"}', "c1")],
        [ToolReturnPart("sh", "a", "c1", NO_TIMESTAMP)],
        [ToolCallPart("computer", '{"action":{"type":"click"}}', "c2")],
        [ToolReturnPart("computer", {"type": "computer_screenshot"}, "c2", NO_TIMESTAMP)],
        [ToolCallPart("search_tools", '{"queries":["q"]}', "c3")],
        [ToolReturnPart("search_tools", {"tools": []}, "c3", NO_TIMESTAMP)],
    ]


def test_a_shell_in_a_container_is_the_providers():
    hosted = {"type": "shell_call", "call_id": "c1", "action": {}, "environment": {"type": "container_reference"}}
    output = {"type": "shell_call_output", "call_id": "c1", "output": []}
    expected = [
        NativeToolCallPart("shell", {"action": {}, "environment": {"type": "container_reference"}}, "c1"),
        NativeToolReturnPart("shell", {"output": []}, "c1"),
    ]
    assert parts(hosted, output) == expected
    assert read(hosted, output).messages == [said(*expected)]


def test_searches_without_ids_get_their_results_in_order():
    def search(name):
        return {"type": "tool_search_call", "id": name, "call_id": None, "arguments": {"paths": ["p"]}}

    def found(call_id=None):
        return {"type": "tool_search_output", "id": "o", "call_id": call_id, "status": "completed", "tools": []}

    got = parts(search("a"), search("b"), found(), found(), found(), found("z"))
    assert [part.tool_call_id for part in got] == ["a", "b", "a", "b", "o", "z"]
    assert {part.tool_name for part in got} == {"tool_search"}


@pytest.mark.parametrize(
    ("choice", "wire"),
    [
        ("auto", "auto"),
        ("required", "required"),
        ("none", "none"),
        (("add",), {"type": "function", "name": "add"}),
        (("add", "sub"), {
            "type": "allowed_tools", "mode": "required",
            "tools": [{"type": "function", "name": "add"}, {"type": "function", "name": "sub"}],
        }),
    ],
)  # fmt: skip
def test_tool_choices_both_ways(choice, wire):
    tool = ToolDefinition("add", "", {})
    assert written(tools=[tool], tool_choice=choice)["tool_choice"] == wire
    call = read(tools=[{"type": "function", "name": "add", "parameters": {}}], tool_choice=wire)
    assert call.tool_choice == choice


def test_other_choices_are_extras():
    choice = {"type": "web_search_preview"}
    call = read(tools=[{"type": "web_search_preview"}], tool_choice=choice)
    assert call.tool_choice is None
    assert call.extras == {"tools": [{"type": "web_search_preview"}], "tool_choice": choice}


@pytest.mark.parametrize(
    ("schema", "wire"),
    [
        (OutputSchema(), {"type": "json_object"}),
        (OutputSchema({"type": "object"}, "City", True, "d"), {
            "type": "json_schema", "name": "City", "schema": {"type": "object"}, "strict": True, "description": "d",
        }),
    ],
)  # fmt: skip
def test_wanted_schemas_both_ways(schema, wire):
    assert written(output_schema=schema)["text"] == {"format": wire}
    call = read(text={"format": wire, "verbosity": "low"})
    assert call.output_schema == schema
    assert call.extras == {"text.verbosity": "low"}


def test_what_has_no_place_is_kept_by_its_path():
    piece = {"type": "input_text", "text": "hi", "prompt_cache_breakpoint": {}}
    call = read(
        {"role": "user", "content": [piece, CONTENT[1][1]]},
        {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": "{}", "namespace": "n"},
        tools=[{"type": "web_search"}, {"type": "function", "name": "f", "parameters": None, "defer_loading": True}],
        reasoning={"effort": "low"},
    )
    assert call.extras == {
        "input[0].content[0].prompt_cache_breakpoint": {},
        "input[1].namespace": "n",
        "tools": [{"type": "web_search"}],
        "tools[f].defer_loading": True,
        "reasoning": {"effort": "low"},
    }
    edited = json.loads(codec.encode_call(replace(call, model="other")).body)
    assert edited["input"][0]["content"][0] == piece
    assert edited["tools"][0] == {"type": "web_search"}
    assert edited["tools"][1]["defer_loading"] is True


def test_an_unchanged_call_is_written_as_it_was_read():
    body = b'{"input": [{"content": "hi",  "role": "user"}], "model": "m", "instructions": null}'
    call = codec.decode_call(Request("POST", RESPONSES, body=body))
    assert codec.encode_call(call).body == body
    call.stream = True
    assert json.loads(codec.encode_call(call).body)["stream"] is True


def test_calls_without_ids_get_those_of_their_places():
    items = written(said(ToolCallPart("add", {})), ModelRequest([ToolReturnPart("add", "1")]))["input"]
    assert items[0]["call_id"] == items[1]["call_id"] == "call_1"


def test_audio_by_address_is_refused():
    with pytest.raises(UserError):
        codec.encode_call(ModelCall([ModelRequest([prompt([AudioUrl("https://x.test/a.mp3")])])]))


@pytest.mark.parametrize("body", [b"", b"[]", b'"input"', b"[" * 5000, b'{"a":' * 1000])
def test_a_body_that_is_no_call_is_a_wire_error(body):
    with pytest.raises(WireError) as caught:
        codec.decode_call(Request("POST", RESPONSES, body=body))
    assert caught.value.format == "openai_responses"


@pytest.mark.parametrize(
    "item",
    [
        None,
        7,
        [],
        {},
        {"type": []},
        {"role": "user"},
        {"role": "user", "content": [7, {"type": "input_image"}, {"type": "input_file", "file_data": "x"}]},
        {"role": "user", "content": [{"type": "input_image", "image_url": "data:text/plain,x"}]},
        {"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "%", "format": "wav"}}]},
        {"role": "assistant", "content": None},
        {"role": [], "content": 3},
        {"role": "system", "content": [7]},
        {"type": "message", "content": "x"},
        {"type": "function_call", "call_id": [], "name": "f", "arguments": "{}"},
        {"type": "function_call", "call_id": "c", "name": 3},
        {"type": "function_call_output"},
        {"type": "function_call_output", "call_id": [], "output": 3},
        {"type": "function_call_output", "call_id": "c", "output": {"a": 1}},
        {"type": "tool_search_call", "arguments": 7},
        {"type": "tool_search_call", "execution": "client"},
        {"type": "mcp_call", "arguments": "{"},
        {"type": "code_interpreter_call", "outputs": [7, {"type": "logs"}]},
        {"type": "image_generation_call", "result": "%"},
        {"type": "web_search_call", "action": 7},
        {"type": "reasoning", "summary": [7], "content": {}},
        {"type": "shell_call", "environment": {"type": []}},
    ],
)
def test_odd_items_survive(item):
    call = read(item)
    assert codec.decode_call(Request("POST", RESPONSES, body=codec.encode_call(call).body)) == call
    assert json.loads(codec.encode_call(replace(call)).body)["model"] == "m"
    answer(response(item))


# --- answers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "details", "reason"),
    [
        ("completed", None, "stop"),
        ("incomplete", {"reason": "max_output_tokens"}, "length"),
        ("incomplete", {"reason": "content_filter"}, "content_filter"),
        ("incomplete", {"reason": "new"}, None),
        ("failed", None, "error"),
        ("cancelled", None, "error"),
        ("queued", None, None),
        ("in_progress", None, None),
        (None, None, None),
        ([], 7, None),
    ],
)
def test_states_are_mapped(status, details, reason):
    body = response(status=status, incomplete_details=details)
    assert answer(body).response.finish_reason == reason


def test_a_response_is_a_response():
    got = answer(response(message(text("hi")), created_at=1000.5)).response
    assert got == ModelResponse([TextPart("hi")], "gpt", datetime.fromtimestamp(1000.5, UTC))
    assert got.provider_response_id == "resp_1"
    assert got.finish_reason == "stop"
    assert got.usage == Usage(0, 3, 2, 5)


@pytest.mark.parametrize("created", [None, "now", True, 1e40, -1e30, float("inf")])
def test_an_odd_time_is_no_time(created):
    assert answer(response(created_at=created)).response.timestamp == NO_TIMESTAMP


def test_a_queued_answer_needs_no_output():
    got = answer({"object": "response", "id": "resp_1", "status": "queued", "background": True})
    assert got == Answer(ModelResponse([], timestamp=NO_TIMESTAMP))
    assert got.response.provider_response_id == "resp_1"


def test_a_refusal_is_no_text():
    refusal = {"type": "refusal", "refusal": "I can't."}
    got = answer(response(message(refusal))).response
    assert got.parts == [UnknownPart(refusal)]
    assert got.finish_reason == "content_filter"


@pytest.mark.parametrize(("sent", "args"), [(None, ""), ("", ""), ({"a": 1}, {"a": 1})])
def test_gateways_may_send_other_arguments(sent, args):
    call = {"type": "function_call", "call_id": "c", "name": "n", "arguments": sent}
    assert parts(call) == [ToolCallPart("n", args, "c")]


def test_empty_text_is_no_part():
    assert parts(message(text(""), text("a"), {"type": "output_text", "text": None})) == [TextPart("a")]


def test_reasoning_is_shown_by_its_summary_or_itself():
    summary, content = [{"type": "summary_text", "text": "s"}], [{"type": "reasoning_text", "text": "r"}]
    item = {"type": "reasoning", "id": "rs_1"}
    assert parts({**item, "summary": summary, "content": content}) == [ThinkingPart("s", None, "rs_1")]
    assert parts({**item, "summary": [], "content": content}) == [ThinkingPart("r", None, "rs_1")]


def test_usage_is_read_with_its_details():
    usage = {
        "input_tokens": 10,
        "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 1, "text_tokens": 5},
        "output_tokens": 3,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 13,
        "num_searches": 2,
        "cost": 0.5,
        "is_byok": False,
    }
    details = {
        "cache_read_tokens": 4,
        "cache_write_tokens": 1,
        "reasoning_tokens": 0,
        "num_searches": 2,
        "text_tokens": 5,
    }
    assert answer(response(usage=usage)).response.usage == Usage(0, 10, 3, 13, details)


@pytest.mark.parametrize("usage", [None, [], {}, {"input_tokens": "3", "input_tokens_details": 7}])
def test_odd_usage_is_no_error(usage):
    answer(response(usage=usage))


def test_usage_goes_both_ways():
    details = {"cache_read_tokens": 4, "reasoning_tokens": 2, "odd": 4}
    usage = Usage(0, 60, 5, 65, details)
    for stream in (False, True):
        encoded = codec.encode_answer(ModelCall([], stream=stream), replace(said(TextPart("x")), usage=usage))
        assert answer(b"".join(encoded.chunks)).response.usage == usage


@pytest.mark.parametrize("reason", ["stop", "length", "content_filter", "error"])
@pytest.mark.parametrize("stream", [False, True])
def test_finish_reasons_go_both_ways(reason, stream):
    spoken = replace(said(TextPart("x")), finish_reason=reason)
    encoded = codec.encode_answer(ModelCall([], stream=stream), spoken)
    assert answer(b"".join(encoded.chunks)).response.finish_reason == reason


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, {"error": {"message": "no such model", "type": "invalid_request_error", "code": None}}, "no such model"),
        (401, {"detail": "unauthorized"}, "unauthorized"),
        (502, b"<html><title>Bad Gateway</title></html>", "Bad Gateway"),
        (500, b"", None),
    ],
)
def test_refusals_of_any_shape(status, body, error):
    got = answer(body, status)
    assert got.response is None
    assert got.error.status == status
    assert error is None or got.error.message == error


def test_a_failed_answer_has_an_error():
    error = {"code": "rate_limit_exceeded", "message": "slower"}
    got = answer(response(status="failed", error=error))
    assert got.error == AnswerError(429, "slower")
    assert got.response.finish_reason == "error"
    assert answer({"error": {"message": "busy", "code": 503}}) == Answer(error=AnswerError(503, "busy"))


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"output": 1}', b"[" * 9000, b"nothing"])
def test_an_answer_that_is_none_is_a_wire_error(body):
    with pytest.raises(WireError):
        answer(body)


# --- streams ----------------------------------------------------------------------------------------------------------

REASONING = {
    "type": "reasoning",
    "id": "rs_1",
    "summary": [{"type": "summary_text", "text": "hm"}],
    "encrypted_content": "final",
}
CALL = {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "add", "arguments": '{"a":1}'}
SEARCH = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "q"}}
CUSTOM = {"type": "custom_tool_call", "id": "ct_1", "call_id": "c2", "name": "sh", "input": "ls"}
CREATED = event("created", response=response(status="in_progress", usage=None))
STREAM = [
    CREATED,
    event("in_progress", response=response(status="in_progress", usage=None)),
    event("output_item.added", 0, item={**REASONING, "summary": [], "encrypted_content": "first"}),
    event("reasoning_summary_part.added", 0, item_id="rs_1", summary_index=0, part={}),
    event("reasoning_summary_text.delta", 0, item_id="rs_1", summary_index=0, delta="h"),
    event("reasoning_summary_text.delta", 0, item_id="rs_1", summary_index=0, delta="m"),
    event("output_item.done", 0, item=REASONING),
    event("output_item.added", 1, item=message()),
    event("output_text.delta", 1, item_id="msg_1", content_index=0, delta="It is "),
    event("output_text.delta", 1, item_id="msg_1", content_index=0, delta="“4” 🌍"),
    event("output_text.annotation.added", 1, item_id="msg_1", content_index=0, annotation={}),
    event("output_item.done", 1, item=message(text("It is “4” 🌍"))),
    event("output_item.added", 2, item={**CALL, "arguments": ""}),
    event("function_call_arguments.delta", 2, item_id="fc_1", delta='{"a"'),
    event("function_call_arguments.delta", 2, item_id="fc_1", delta=":1}"),
    event("function_call_arguments.done", 2, item_id="fc_1", arguments='{"a":1}'),
    event("output_item.done", 2, item=CALL),
    event("output_item.added", 3, item={"type": "web_search_call", "id": "ws_1", "status": "in_progress"}),
    event("web_search_call.searching", 3, item_id="ws_1"),
    event("output_item.done", 3, item=SEARCH),
    event("output_item.added", 4, item={**CUSTOM, "input": ""}),
    event("custom_tool_call_input.delta", 4, item_id="ct_1", delta="ls"),
    event("output_item.done", 4, item=CUSTOM),
    event("completed", response=response(REASONING, message(text("It is “4” 🌍")), CALL, SEARCH, CUSTOM)),
]
STREAMED = [
    ThinkingPart("hm", "final", "rs_1"),
    TextPart("It is “4” 🌍"),
    ToolCallPart("add", '{"a":1}', "c1"),
    NativeToolCallPart("web_search", {"type": "search", "query": "q"}, "ws_1"),
    NativeToolReturnPart("web_search", {"status": "completed"}, "ws_1"),
    ToolCallPart("sh", '{"input":"ls"}', "c2"),
]


def test_a_stream_is_a_response():
    got = answer(sse(*STREAM)).response
    assert got == ModelResponse(STREAMED, "gpt", NO_TIMESTAMP)
    assert got.finish_reason == "stop"
    assert got.usage == Usage(0, 3, 2, 5)


@given(cuts=st.lists(st.integers(0, len(sse(*STREAM))), max_size=30))
def test_a_stream_may_be_cut_anywhere(cuts):
    body = sse(*STREAM)
    decoder = codec.stream_decoder(None, ())
    for start, end in pairwise([0, *sorted(cuts), len(body)]):
        decoder.feed(body[start:end])
    decoder.close()
    assert decoder.answer.response.parts == STREAMED
    assert decoder.finished


@pytest.mark.parametrize("kind", ["output_item.added", "output_item.done", "delta", "completed"])
def test_a_gateway_may_leave_out_events(kind):
    kept = [one for one in STREAM if not one["type"].endswith(kind)]
    got = answer(sse(*kept)).response
    assert sorted(map(str, got.parts)) == sorted(map(str, STREAMED))


def test_a_gateway_may_send_the_end_alone():
    assert answer(sse(STREAM[-1])).response.parts == STREAMED


def test_a_gateway_may_leave_out_indexes():
    bare = [{key: value for key, value in one.items() if key != "output_index"} for one in STREAM]
    assert answer(sse(*bare)).response.parts == STREAMED


def test_events_come_with_the_bytes():
    decoder = codec.stream_decoder(None, ())
    assert decoder.feed(sse(CREATED)) == []
    assert decoder.answer.response.parts == []
    assert decoder.feed(sse(*STREAM[7:12])) == [
        PartStartEvent(0, TextPart("It is ")),
        PartDeltaEvent(0, TextPartDelta("“4” 🌍")),
    ]
    assert decoder.feed(sse(*STREAM[12:17])) == [
        PartStartEvent(1, ToolCallPart("add", "", "c1")),
        PartDeltaEvent(1, ToolCallPartDelta(args_delta='{"a"')),
        PartDeltaEvent(1, ToolCallPartDelta(args_delta=":1}")),
    ]
    assert not decoder.finished


def test_the_finished_item_is_believed():
    body = sse(
        *STREAM[7:9],
        event("output_item.done", 1, item=message(text("Other"), text("more"))),
        *STREAM[12:14],
        event("output_item.done", 2, item={**CALL, "arguments": '{"b":2}'}),
    )
    assert answer(body).response.parts == [
        TextPart("Other"),
        TextPart("more"),
        ToolCallPart("add", '{"b":2}', "c1"),
    ]


def test_a_cut_stream_keeps_what_came():
    decoder = codec.stream_decoder(None, ())
    decoder.feed(sse(*STREAM[:14], *STREAM[20:22]) + b'data: {"type": "respon')
    decoder.close()
    assert decoder.answer.response.parts[2:] == [
        ToolCallPart("add", '{"a"', "c1"),
        ToolCallPart("sh", '{"input":"ls"}', "c2"),
    ]
    assert not decoder.finished


def test_a_refusal_is_kept_whole_or_cut():
    refusal = {"type": "refusal", "refusal": "I can't."}
    begun = [
        event("output_item.added", 0, item=message()),
        event("refusal.delta", 0, content_index=0, delta="I can"),
        event("refusal.delta", 0, content_index=0, delta="'t."),
    ]
    done = event("output_item.done", 0, item=message(refusal))
    for body in (sse(*begun), sse(*begun, done)):
        got = answer(body).response
        assert got.parts == [UnknownPart(refusal)]
        assert got.finish_reason == "content_filter"


def test_images_come_as_they_are_made():
    item = {"type": "image_generation_call", "id": "ig_1", "status": "generating", "result": PNG_64}
    body = sse(
        event("output_item.added", 0, item={**item, "result": None}),
        event("image_generation_call.partial_image", 0, item_id="ig_1", partial_image_b64="UklGRg=="),
        event("output_item.done", 0, item=item),
    )
    assert answer(body).response.parts == [
        NativeToolCallPart("image_generation", {}, "ig_1"),
        FilePart(BinaryContent(PNG, "image/png")),
        NativeToolReturnPart("image_generation", {"status": "completed"}, "ig_1"),
    ]


def test_raw_reasoning_is_streamed():
    item = {"type": "reasoning", "id": "rs_1", "summary": []}
    body = sse(
        event("output_item.added", 0, item=item),
        event("reasoning_text.delta", 0, item_id="rs_1", content_index=0, delta="h"),
        event("reasoning_text.delta", 0, item_id="rs_1", content_index=0, delta="m"),
        event("output_item.done", 0, item={**item, "content": [{"type": "reasoning_text", "text": "hm"}]}),
    )
    assert answer(body).response.parts == [ThinkingPart("hm", None, "rs_1")]


def test_an_empty_stream_has_no_response():
    assert codec.decode_answer(ModelCall([], stream=True), 200, (), b"") == Answer()
    assert answer(b": PROCESSING\n\n") == Answer()


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        ({"type": "error", "code": "server_error", "message": "broke"}, AnswerError(500, "broke")),
        ({"type": "error", "code": None, "message": "broke"}, AnswerError(None, "broke")),
        ({"type": "error", "error": {"code": "rate_limit_exceeded", "message": "m"}}, AnswerError(429, "m")),
        ({"type": "x", "error": {"code": 502, "message": "m"}}, AnswerError(502, "m")),
        (
            event("failed", response=response(status="failed", error={"code": "server_error", "message": "m"})),
            AnswerError(500, "m"),
        ),
    ],
)
def test_a_stream_that_breaks_keeps_what_came(sent, error):
    got = answer(sse(*STREAM[:9], sent))
    assert got.error == error
    assert got.response.parts == [ThinkingPart("hm", "final", "rs_1"), TextPart("It is ")]


def test_unheard_of_events_are_kept():
    new_event = {"type": "response.new.thing", "x": 1}
    body = sse(CREATED, new_event, {"type": "keepalive"}) + b"data: {no json\n\ndata: [DONE]\n\n"
    assert answer(body).response.parts == [UnknownPart(new_event), UnknownPart("{no json")]


def test_the_event_line_may_name_the_type():
    bare = [{**one} for one in STREAM]
    body = b"".join(f"event: {one.pop('type')}\ndata: {json.dumps(one)}\n\n".encode() for one in bare)
    assert answer(body).response.parts == STREAMED


def test_a_response_may_answer_a_streaming_request():
    body = json.dumps(response(message(text("hi")))).encode()
    decoder = codec.stream_decoder(ModelCall([], stream=True), (("content-type", "text/event-stream"),))
    assert [*decoder.feed(body[:5]), *decoder.feed(body[5:])] == []
    assert decoder.close() == [PartStartEvent(0, TextPart("hi"))]
    assert decoder.finished


def test_queued_answers_are_no_end():
    decoder = codec.stream_decoder(None, ())
    decoder.feed(sse(event("queued", response=response(status="queued"))))
    decoder.close()
    assert decoder.answer.response.finish_reason is None
    assert not decoder.finished


@pytest.mark.parametrize(
    "sent",
    [
        7,
        [],
        {},
        {"type": []},
        {"type": "response.created"},
        {"type": "response.completed", "response": {"output": [7, {}, {"id": []}]}},
        {"type": "response.completed", "response": {"output": 7}},
        {"type": "response.output_item.added"},
        {"type": "response.output_item.done"},
        {"type": "response.output_item.done", "output_index": [], "item": {"id": []}},
        {"type": "response.output_text.delta"},
        {"type": "response.function_call_arguments.delta", "output_index": 1, "delta": "x"},
        {"type": "response.image_generation_call.partial_image", "partial_image_b64": "%"},
        {"type": "error"},
        {"response": {"status": []}},
        event("output_item.added", 2, item={**CALL, "arguments": {"a": 1}}),
        {"response": {"status": "completed"}, "type": 0.5},
    ],
)
def test_odd_events_are_no_error(sent):
    decoder = codec.stream_decoder(None, ())
    for _ in range(2):
        decoder.feed(f"data: {json.dumps(sent)}\n\n".encode())
        decoder.feed(sse(*STREAM[12:14]))
    decoder.close()
    assert decoder.answer is not None


# --- the provider's own SDK -------------------------------------------------------------------------------------------


def client(handle: Callable[[httpx2.Request], httpx2.Response]) -> openai.OpenAI:
    http = httpx2.Client(transport=httpx2.MockTransport(handle))
    return openai.OpenAI(api_key="k", http_client=http, max_retries=0)


def answering(spoken: ModelResponse) -> openai.OpenAI:
    def handle(asked: httpx2.Request) -> httpx2.Response:
        sent = Request(asked.method, str(asked.url), body=asked.content)
        assert codec_for(sent) is codec
        encoded = codec.encode_answer(codec.decode_call(sent), spoken)
        return httpx2.Response(encoded.status, headers=list(encoded.headers), content=b"".join(encoded.chunks))

    return client(handle)


SPOKEN = replace(
    said(
        ThinkingPart("I think.", "sig", "rs_1"),
        TextPart("It is four, “4” 🌍.\n"),
        *(part for spoken, _ in RESPONSE_ITEMS[7:13] for part in spoken),
        ToolCallPart("add", '{"a": 1, "b": "two words"}', "c1"),
        ToolCallPart("now", "{}", "c2"),
    ),
    usage=Usage(0, 9, 4, 13, {"cache_read_tokens": 3}),
)


def test_the_sdk_reads_our_response():
    got = answering(SPOKEN).responses.create(model="gpt", input="hi")
    assert [item.type for item in got.output] == [
        "reasoning",
        "message",
        "web_search_call",
        "file_search_call",
        "code_interpreter_call",
        "image_generation_call",
        "mcp_list_tools",
        "mcp_call",
        "function_call",
        "function_call",
    ]
    assert got.output_text == SPOKEN.parts[1].content
    assert got.output[8].arguments == '{"a": 1, "b": "two words"}'
    assert (got.status, got.model, got.usage.input_tokens_details.cached_tokens) == ("completed", "gpt", 3)


def test_the_sdk_reads_our_stream():
    with answering(SPOKEN).responses.stream(model="gpt", input="hi") as stream:
        kinds = [one.type for one in stream]
        final = stream.get_final_response()
    whole = answering(SPOKEN).responses.create(model="gpt", input="hi")
    assert [item.id for item in final.output] == [item.id for item in whole.output]
    assert [item.to_dict() for item in final.output[2:8]] == [item.to_dict() for item in whole.output[2:8]]
    assert final.output_text == whole.output_text
    assert final.output[8].arguments == whole.output[8].arguments
    assert final.usage == whole.usage
    assert kinds[:2] == ["response.created", "response.in_progress"]
    assert kinds[-1] == "response.completed"
    assert kinds.count("response.output_item.added") == kinds.count("response.output_item.done") == 10
    assert kinds.count("response.output_text.delta") > 1
    assert kinds.count("response.function_call_arguments.delta") > 1


def test_the_sdk_reads_our_raw_events():
    events = list(answering(SPOKEN).responses.create(model="gpt", input="hi", stream=True))
    assert [one.sequence_number for one in events] == list(range(len(events)))
    assert events[-1].response.output_text == SPOKEN.parts[1].content


@pytest.mark.parametrize(
    ("reason", "kind"),
    [("length", "response.incomplete"), ("error", "response.failed"), ("stop", "response.completed")],
)
def test_the_sdk_learns_how_it_ended(reason, kind):
    spoken = replace(said(TextPart("x")), finish_reason=reason)
    events = list(answering(spoken).responses.create(model="gpt", input="hi", stream=True))
    assert events[-1].type == kind


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
def test_the_sdk_raises_our_errors(status, error):
    encoded = codec.encode_error(None, status, "no, never")

    def handle(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(encoded.status, headers=list(encoded.headers), content=b"".join(encoded.chunks))

    with pytest.raises(error, match="no, never"):
        client(handle).responses.create(model="gpt", input="hi")
    assert codec.decode_answer(None, status, (), encoded.chunks[0]) == Answer(error=AnswerError(status, "no, never"))


def test_our_answers_are_the_same_on_every_run():
    spoken = said(TextPart("a"), ToolCallPart("f", {}), ThinkingPart("x"), FilePart(BinaryContent(PNG, "image/png")))
    for stream in (False, True):
        call = ModelCall([], "m", stream=stream)
        assert codec.encode_answer(call, spoken) == codec.encode_answer(call, spoken)


# --- properties -------------------------------------------------------------------------------------------------------

ids = st.uuids().map("rs_{}".format)
thoughts = st.builds(ThinkingPart, texts, st.none() | texts, ids) | st.builds(ThinkingPart, st.just(""), texts, ids)
unhurried = settings(max_examples=40)


@unhurried
@given(calls(thoughts, as_json), st.none() | texts)
def test_calls_survive_the_wire(call, previous):
    call.previous_response_id = previous
    body = codec.encode_call(call).body
    assert codec.decode_call(Request("POST", RESPONSES, body=body)) == call


@unhurried
@given(response_parts(thoughts, as_json), st.booleans(), st.integers(1, 40), st.integers(0, 2**32))
def test_answers_survive_the_wire(spoken, stream, size, created):
    sent = ModelResponse(spoken, "gpt", datetime.fromtimestamp(created, UTC), provider_response_id="resp_1")
    body = b"".join(codec.encode_answer(ModelCall([], stream=stream), sent).chunks)
    decoder = codec.stream_decoder(None, ())
    for start in range(0, len(body), size):
        decoder.feed(body[start : start + size])
    decoder.close()
    got = decoder.answer.response
    assert got == sent
    assert got.provider_response_id == "resp_1"


@unhurried
@given(
    st.dictionaries(st.sampled_from(["input", "instructions", "tools", "tool_choice", "text", "stream"]), json_values)
)
def test_any_body_is_read(body):
    call = codec.decode_call(request(body))
    assert json.loads(codec.encode_call(call).body) == body
    codec.encode_call(replace(call))


@unhurried
@given(st.lists(json_values, max_size=3))
def test_any_output_is_read(items):
    assert [part for part in parts(*items) if isinstance(part, UnknownPart)] == [UnknownPart(item) for item in items]


@unhurried
@given(st.binary(max_size=200), st.sampled_from([b"", b"data: ", b"event: response.created\ndata: "]))
def test_any_bytes_are_read_or_refused(data, before):
    with suppress(WireError):
        answer(before + data + b"\n\n")
