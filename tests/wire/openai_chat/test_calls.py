from __future__ import annotations

import json

import pytest

from replay_agent.calls import ModelCall, OutputSchema, ToolDefinition
from replay_agent.messages import ModelRequest, TextPart, UserPromptPart
from replay_agent.traffic import Request
from replay_agent.wire.openai_chat import codec
from replay_agent.wire.openai_chat.calls import read_call, write_call
from replay_agent.wire.openai_chat.dialects import ANYONE, DIALECTS, dialect_named

MESSAGES = [{"role": "user", "content": "hi"}]
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}
TOOL = {"type": "function", "function": {"name": "add", "description": "Adds.", "parameters": SCHEMA}}


def read(fields, name=None):
    return read_call({"model": "m", "messages": MESSAGES, **fields}, dialect_named(name), "openai_chat")


def written(call, dialect=ANYONE):
    body = write_call(call, dialect)
    return {key: value for key, value in body.items() if key not in ("model", "messages")}


BOTH_WAYS = [
    ({"stream": False}, {}),
    ({"stream": True, "stream_options": {"include_usage": True}}, {"stream": True}),
    ({"stream": True}, {"stream": True, "extras": {"stream_options": None}}),
    (
        {"stream": True, "stream_options": {"include_usage": False}},
        {"stream": True, "extras": {"stream_options": {"include_usage": False}}},
    ),
    ({"n": 1}, {"extras": {"n": 1}}),
    ({"tools": [TOOL]}, {"tools": [ToolDefinition("add", "Adds.", SCHEMA)]}),
    (
        {"tools": [{"type": "function", "function": {"name": "add", "parameters": SCHEMA, "strict": True}}]},
        {"tools": [ToolDefinition("add", None, SCHEMA, strict=True)]},
    ),
    (
        {"tools": [TOOL, {"type": "web_search"}]},
        {"tools": [ToolDefinition("add", "Adds.", SCHEMA)], "extras": {"tools": [{"type": "web_search"}]}},
    ),
    ({"tools": []}, {"extras": {"tools": []}}),
    ({"tool_choice": "auto"}, {"tool_choice": "auto"}),
    ({"tool_choice": "none"}, {"tool_choice": "none"}),
    ({"tool_choice": "required"}, {"tool_choice": "required"}),
    ({"tool_choice": {"type": "function", "function": {"name": "add"}}}, {"tool_choice": ("add",)}),
    (
        {
            "tool_choice": {
                "type": "allowed_tools",
                "allowed_tools": {
                    "mode": "required",
                    "tools": [{"type": "function", "function": {"name": name}} for name in "ab"],
                },
            }
        },
        {"tool_choice": ("a", "b")},
    ),
    (
        {"tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": []}}},
        {"extras": {"tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": []}}}},
    ),
    ({"response_format": {"type": "json_object"}}, {"output_schema": OutputSchema()}),
    (
        {"response_format": {"type": "json_schema", "json_schema": {"name": "A", "schema": SCHEMA, "strict": True}}},
        {"output_schema": OutputSchema(SCHEMA, "A", strict=True)},
    ),
    ({"response_format": {"type": "text"}}, {"extras": {"response_format": {"type": "text"}}}),
    (
        {"max_tokens": 9, "temperature": 0.5, "seed": 3, "parallel_tool_calls": False, "logit_bias": {"1": 2}},
        {
            "settings": {
                "max_tokens": 9,
                "parallel_tool_calls": False,
                "temperature": 0.5,
                "seed": 3,
                "logit_bias": {"1": 2},
            }
        },
    ),
    ({"temperature": None, "top_p": "high"}, {"extras": {"temperature": None, "top_p": "high"}}),
    (
        {"max_completion_tokens": 9, "stop": ["x"], "reasoning_effort": "low"},
        {
            "settings": {"max_tokens": 9},
            "extras": {"max_completion_tokens": True, "stop": ["x"], "reasoning_effort": "low"},
        },
    ),
    (
        {"max_tokens": 7, "max_completion_tokens": 9},
        {"settings": {"max_tokens": 7}, "extras": {"max_completion_tokens": 9}},
    ),
    ({"max_completion_tokens": None}, {"extras": {"max_completion_tokens": None}}),
    ({"max_completion_tokens": "many"}, {"extras": {"max_completion_tokens": "many"}}),
]


@pytest.mark.parametrize(("fields", "values"), BOTH_WAYS)
def test_both_ways(fields, values):
    expected = ModelCall([ModelRequest([UserPromptPart("hi")])], "m", **values)
    call = read(fields)
    call.messages[0].parts[0].timestamp = expected.messages[0].parts[0].timestamp
    assert call == expected
    assert written(call) == {"stream": False, **fields}


def test_fields_inside_messages_keep_their_place():
    blocks = [{"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}}]
    call = read({"messages": [{"role": "user", "content": blocks, "name": "Ann"}]})
    assert call.extras == {
        "messages[0].content[0].cache_control": {"type": "ephemeral"},
        "messages[0].name": "Ann",
    }
    assert write_call(call, ANYONE)["messages"] == [{"role": "user", "content": blocks, "name": "Ann"}]


def test_reasoning_effort_is_a_setting_of_openai():
    call = ModelCall([], "o3", settings={"openai_reasoning_effort": "low", "timeout": 3.0})
    assert written(call) == {"stream": False, "reasoning_effort": "low"}


@pytest.mark.parametrize(("name", "asks"), [("openai", True), ("groq", False), ("huggingface", False), (None, True)])
def test_usage_is_asked_for_where_it_must_be(name, asks):
    assert ("stream_options" in written(ModelCall([], "m", stream=True), dialect_named(name))) is asks


def test_a_changed_call_is_written_anew():
    body = json.dumps({"model": "m", "messages": MESSAGES, "stop": "x"}).encode()
    call = codec.decode_call(Request("POST", "https://api.openai.com/v1/chat/completions", body=body))
    call.messages[0].parts[0].content = "bye"
    assert json.loads(codec.encode_call(call).body) == {
        "model": "m",
        "messages": [{"role": "user", "content": "bye"}],
        "stream": False,
        "stop": "x",
    }


def test_a_history_for_a_strict_provider_loses_only_what_it_refuses():
    wire = [{"role": "assistant", "content": "a", "annotations": [{"url": "u"}]}]
    call = read({"messages": wire}, "openai")
    assert call.messages[0].parts[0] == TextPart("a")
    assert call.extras == {}
    assert write_call(call, DIALECTS["openai"])["messages"] == [{"role": "assistant", "content": "a"}]


def test_a_changed_limit_keeps_its_name():
    call = read({"max_completion_tokens": 9})
    call.settings["max_tokens"] = 10
    assert written(call)["max_completion_tokens"] == 10
    assert "max_tokens" not in written(call)


CUSTOM = {"type": "custom", "custom": {"name": "calc"}}
CALLED = {"id": "c1", "type": "custom", "custom": {"name": "calc", "input": 'say "4 + 4"\n'}}


@pytest.mark.parametrize(
    "tools", [[CUSTOM], [CUSTOM, {"type": "function", "function": {"name": "f", "parameters": {}}}]]
)
def test_a_custom_tool_is_called_with_a_text(tools):
    body = {
        "model": "m",
        "messages": [
            {"role": "user", "content": "hi"},
            {"role": "assistant", "tool_calls": [CALLED]},
            {"role": "tool", "tool_call_id": "c1", "content": "8"},
        ],
        "tools": tools,
    }
    call = read_call(body, ANYONE, "openai_chat")
    made, answered = call.messages[1].parts[0], call.messages[2].parts[0]
    assert (made.tool_name, made.args_as_dict(), made.tool_call_id) == ("calc", {"input": 'say "4 + 4"\n'}, "c1")
    assert answered.tool_name == "calc"
    again = write_call(call, ANYONE)
    assert again["messages"] == body["messages"]
    assert sorted(tool["type"] for tool in again["tools"]) == sorted(tool["type"] for tool in tools)


@pytest.mark.parametrize("custom", [None, [], "calc", {"name": 7, "input": "a"}, {"name": "calc", "input": [1]}, {}])
def test_what_is_no_custom_call_is_kept_as_it_came(custom):
    message = {"role": "assistant", "tool_calls": [{"id": "c1", "type": "custom", "custom": custom}]}
    call = read_call({"model": "m", "messages": [message]}, ANYONE, "openai_chat")
    assert [part.part_kind for part in call.messages[0].parts] == ["unknown"]
