from __future__ import annotations

import base64
import contextlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import yaml
from google import genai
from google.genai import errors, types
from hypothesis import given
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
    ToolReturnPart,
    UnknownPart,
    UserPromptPart,
)
from replay_agent.traffic import Request
from replay_agent.usage import Usage
from replay_agent.wire.gemini import codec
from tests.wire import generated as g
from tests.wire.conversations import claims

STUDIO = "https://generativelanguage.googleapis.com/v1beta/models/"
VERTEX = "https://europe-west4-aiplatform.googleapis.com/v1/projects/p/locations/l/publishers/google/models/"
PNG = BinaryContent(b"\x89PNG", "image/png")
PNG_DATA = "iVBORw=="
WEATHER = ToolDefinition(
    "get_weather", "Tells the weather.", {"type": "object", "properties": {"city": {"type": "string"}}}
)
JSON_HEADERS = (("content-type", "application/json; charset=UTF-8"),)
SSE_HEADERS = (("content-type", "text/event-stream"),)


def user(*content):
    return UserPromptPart(content[0] if len(content) == 1 else list(content), timestamp=NO_TIMESTAMP)


def returned(content, call_id=None, name="get_weather"):
    return ToolReturnPart(name, content, call_id, timestamp=NO_TIMESTAMP)


def retried(content, call_id=None, name="get_weather"):
    return RetryPromptPart(content, tool_name=name, tool_call_id=call_id, timestamp=NO_TIMESTAMP)


def response(*parts, **fields):
    return ModelResponse(list(parts), timestamp=NO_TIMESTAMP, **fields)


def call_of(*parts, **fields):
    return ModelCall([ModelRequest(list(parts) or [user("hi")])], model="gemini-2.5-flash", **fields)


def request(body, method="generateContent", base=STUDIO):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Request("POST", f"{base}gemini-2.5-flash:{method}", body=raw)


def decoded(call):
    encoded = codec.encode_call(call)
    return codec.decode_call(Request("POST", STUDIO + encoded.path, body=encoded.body))


def body_of(call):
    return json.loads(codec.encode_call(call).body)


def read(value, status=200, call=None, headers=JSON_HEADERS):
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return codec.decode_answer(call, status, headers, body)


def candidate(*parts, **fields):
    return {"candidates": [{"content": {"role": "model", "parts": list(parts)}, "index": 0, **fields}]}


def events(*chunks):
    return b"".join(b"data: " + json.dumps(chunk).encode() + b"\r\n\r\n" for chunk in chunks)


def parts_of(answer):
    return answer.response.parts


# --- claiming ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        f"{STUDIO}gemini-2.5-flash:generateContent",
        f"{STUDIO}gemini-2.5-flash:streamGenerateContent?alt=sse",
        f"{VERTEX}gemini-2.5-flash:streamGenerateContent",
        "https://generativelanguage.googleapis.com/v1beta/tunedModels/mine:generateContent",
        "http://127.0.0.1:8000/gemini-1.5-flash:generateContent",
    ],
)
def test_claims_generate_content_on_any_host(url):
    assert claims(codec, Request("POST", url, body=b'{"contents": []}'))


@pytest.mark.parametrize(
    ("query", "extras", "kind"),
    [
        ("?alt=sse", {"alt": "sse"}, "text/event-stream"),
        ("?$alt=sse", {"alt": "sse"}, "text/event-stream"),
        ("?%24alt=sse&key=x", {"alt": "sse"}, "text/event-stream"),
        ("?$alt=sse;enum-encoding=int", {"alt": "sse"}, "text/event-stream"),
        ("?alt=sse&$alt=json", {"alt": "sse"}, "text/event-stream"),
        ("?%24alt=json%3Benum-encoding%3Dint", {}, "application/json; charset=UTF-8"),
        ("?$alt=json", {}, "application/json; charset=UTF-8"),
        ("?alt=", {}, "application/json; charset=UTF-8"),
        ("", {}, "application/json; charset=UTF-8"),
    ],
)
def test_the_shape_of_a_stream_is_asked_for_by_either_name(query, extras, kind):
    asked = codec.decode_call(
        Request("POST", f"{STUDIO}gemini-2.5-flash:streamGenerateContent{query}", body=b'{"contents": []}')
    )
    assert asked.extras == extras
    written = codec.encode_answer(asked, ModelResponse([TextPart("Paris")]))
    assert dict(written.headers)["content-type"] == kind


@pytest.mark.parametrize(
    ("method", "url", "body"),
    [
        ("POST", f"{STUDIO}gemini:countTokens", b'{"contents": []}'),
        ("POST", f"{STUDIO}text-embedding-004:embedContent", b'{"content": {}}'),
        ("POST", f"{STUDIO}text-embedding-004:batchEmbedContents", b'{"requests": []}'),
        ("POST", f"{VERTEX}text-embedding-005:predict", b'{"instances": []}'),
        ("POST", f"{VERTEX}claude:rawPredict", b'{"messages": []}'),
        ("POST", "https://generativelanguage.googleapis.com/v1beta/cachedContents", b'{"contents": []}'),
        ("POST", "https://cloudcode-pa.googleapis.com/v1internal:generateContent", b'{"request": {"contents": []}}'),
        ("POST", f"{STUDIO}gemini:generateContent", b'{"messages": []}'),
        ("POST", f"{STUDIO}gemini:generateContent", b"contents"),
        ("GET", f"{STUDIO}gemini:generateContent", b'{"contents": []}'),
    ],
)
def test_leaves_other_traffic_alone(method, url, body):
    assert not claims(codec, Request(method, url, body=body))


# --- calls ------------------------------------------------------------------------------------------------------------

CONTENTS = [
    ([ModelRequest([user("hi")])], [{"role": "user", "parts": [{"text": "hi"}]}]),
    (
        [ModelRequest([user("what is", PNG)])],
        [{"role": "user", "parts": [{"text": "what is"}, {"inlineData": {"data": PNG_DATA, "mimeType": "image/png"}}]}],
    ),
    (
        [
            ModelRequest(
                [user(ImageUrl("https://x/a.png"), AudioUrl("https://x/a.wav"), DocumentUrl("https://x/a.pdf"))]
            )
        ],
        [
            {
                "role": "user",
                "parts": [
                    {"fileData": {"fileUri": "https://x/a.png", "mimeType": "image/png"}},
                    {"fileData": {"fileUri": "https://x/a.wav", "mimeType": "audio/wav"}},
                    {"fileData": {"fileUri": "https://x/a.pdf", "mimeType": "application/pdf"}},
                ],
            }
        ],
    ),
    (
        [
            ModelRequest([user("hi")]),
            response(TextPart("let me see"), ToolCallPart("get_weather", {"city": "Paris"})),
            ModelRequest([returned("sunny"), returned({"a": 1}), retried("no such city"), user("and?")]),
        ],
        [
            {"role": "user", "parts": [{"text": "hi"}]},
            {
                "role": "model",
                "parts": [{"text": "let me see"}, {"functionCall": {"name": "get_weather", "args": {"city": "Paris"}}}],
            },
            {
                "role": "user",
                "parts": [
                    {"functionResponse": {"name": "get_weather", "response": {"return_value": "sunny"}}},
                    {"functionResponse": {"name": "get_weather", "response": {"a": 1}}},
                    {
                        "functionResponse": {
                            "name": "get_weather",
                            "response": {"call_error": "no such city\n\nFix the errors and try again."},
                        }
                    },
                    {"text": "and?"},
                ],
            },
        ],
    ),
    (
        [
            ModelRequest([user("hi")]),
            response(
                ThinkingPart("hm"),
                NativeToolCallPart("code_execution", {"language": "PYTHON", "code": "1"}),
                NativeToolReturnPart("code_execution", {"outcome": "OUTCOME_OK", "output": "1"}),
                NativeToolCallPart("web_search", {"queries": ["x"]}, "n1"),
                NativeToolReturnPart("web_search", {"search_suggestions": "y"}, "n1"),
                FilePart(PNG),
            ),
        ],
        [
            {"role": "user", "parts": [{"text": "hi"}]},
            {
                "role": "model",
                "parts": [
                    {"text": "hm", "thought": True},
                    {"executableCode": {"language": "PYTHON", "code": "1"}},
                    {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}},
                    {"toolCall": {"toolType": "GOOGLE_SEARCH_WEB", "args": {"queries": ["x"]}, "id": "n1"}},
                    {
                        "toolResponse": {
                            "toolType": "GOOGLE_SEARCH_WEB",
                            "response": {"search_suggestions": "y"},
                            "id": "n1",
                        }
                    },
                    {"inlineData": {"data": PNG_DATA, "mimeType": "image/png"}},
                ],
            },
        ],
    ),
    (
        [
            ModelRequest(
                [user("see", UnknownPart({"fileData": {"fileUri": "https://youtu.be/x", "mimeType": "video/mp4"}}))]
            )
        ],
        [
            {
                "role": "user",
                "parts": [{"text": "see"}, {"fileData": {"fileUri": "https://youtu.be/x", "mimeType": "video/mp4"}}],
            }
        ],
    ),
]


def without_ids(call):
    return replace(call, extras={key: value for key, value in call.extras.items() if key != "functionCallIds"})


@pytest.mark.parametrize(("messages", "wire"), CONTENTS)
def test_contents_both_ways(messages, wire):
    call = ModelCall(messages, model="gemini-2.5-flash")
    assert body_of(call) == {"contents": wire}
    assert without_ids(codec.decode_call(request({"contents": wire}))) == call


def test_a_whole_call_is_written_as_the_contract_says():
    nested = {
        "type": "object",
        "title": "Args",
        "properties": {"when": {"type": "string", "format": "date", "title": "When", "default": "x"}},
        "additionalProperties": False,
    }
    call = call_of(
        SystemPromptPart("Be brief."),
        SystemPromptPart("Be kind."),
        user("hi"),
        tools=[ToolDefinition("f", "", nested), ToolDefinition("g", "G.", {"type": "object", "properties": {}})],
        tool_choice="required",
        settings={
            "max_tokens": 5,
            "temperature": 0.0,
            "top_p": 0.9,
            "presence_penalty": 0.1,
            "frequency_penalty": 0.2,
            "gemini_safety_settings": [{"category": "C", "threshold": "T"}],
        },
    )
    assert body_of(call) == {
        "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
        "system_instruction": {"role": "user", "parts": [{"text": "Be brief."}, {"text": "Be kind."}]},
        "tools": {
            "function_declarations": [
                {
                    "name": "f",
                    "description": "",
                    "parameters": {
                        "type": "object",
                        "properties": {"when": {"type": "string", "description": "Format: date"}},
                    },
                },
                {"name": "g", "description": "G."},
            ]
        },
        "tool_config": {"function_calling_config": {"mode": "ANY", "allowed_function_names": ["f", "g"]}},
        "generation_config": {
            "max_output_tokens": 5,
            "temperature": 0.0,
            "top_p": 0.9,
            "presence_penalty": 0.1,
            "frequency_penalty": 0.2,
        },
        "safety_settings": [{"category": "C", "threshold": "T"}],
    }


def test_what_is_empty_is_left_out():
    history = [ModelRequest([SystemPromptPart("a")]), response(TextPart("")), ModelRequest([user("hi")])]
    assert body_of(ModelCall(history, model="m")) == {
        "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
        "system_instruction": {"role": "user", "parts": [{"text": "a"}]},
    }


@pytest.mark.parametrize(
    ("stream", "extras", "path"),
    [
        (False, {}, "gemini-2.5-flash:generateContent"),
        (True, {}, "gemini-2.5-flash:streamGenerateContent"),
        (True, {"alt": "sse"}, "gemini-2.5-flash:streamGenerateContent?alt=sse"),
    ],
)
def test_the_model_is_in_the_path(stream, extras, path):
    call = call_of(stream=stream, extras=extras)
    assert codec.encode_call(call).path == path
    assert decoded(call) == call


@pytest.mark.parametrize(
    ("choice", "mode"),
    [
        ("auto", {"mode": "AUTO"}),
        ("none", {"mode": "NONE"}),
        ("required", {"mode": "ANY", "allowed_function_names": ["get_weather"]}),
        (("other",), {"mode": "ANY", "allowed_function_names": ["other"]}),
    ],
)
def test_tool_choice_both_ways(choice, mode):
    call = call_of(tools=[WEATHER], tool_choice=choice)
    assert body_of(call)["tool_config"] == {"function_calling_config": mode}
    assert decoded(call) == call


def test_any_function_is_a_required_one():
    body = {"contents": [], "toolConfig": {"functionCallingConfig": {"mode": "ANY"}}}
    assert codec.decode_call(request(body)).tool_choice == "required"


def test_both_spellings_mean_the_same():
    camel = {
        "contents": [
            {"role": "user", "parts": [{"inlineData": {"mimeType": "image/png", "data": PNG_DATA}}, {"text": "x"}]},
            {
                "role": "model",
                "parts": [{"functionCall": {"name": "f", "args": {"a_b": 1}}, "thoughtSignature": "QQ=="}],
            },
            {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"c_d": 1}}}]},
        ],
        "systemInstruction": {"parts": [{"text": "s"}]},
        "generationConfig": {"maxOutputTokens": 5, "stopSequences": ["x"]},
        "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}},
        "tools": [{"functionDeclarations": [{"name": "f", "parametersJsonSchema": {"type": "object"}}]}],
        "safetySettings": [],
    }
    snake = {
        "contents": [
            {"role": "user", "parts": [{"inline_data": {"mime_type": "image/png", "data": PNG_DATA}}, {"text": "x"}]},
            {
                "role": "model",
                "parts": [{"function_call": {"name": "f", "args": {"a_b": 1}}, "thought_signature": "QQ=="}],
            },
            {"role": "user", "parts": [{"function_response": {"name": "f", "response": {"c_d": 1}}}]},
        ],
        "system_instruction": {"parts": [{"text": "s"}]},
        "generation_config": {"max_output_tokens": 5, "stop_sequences": ["x"]},
        "tool_config": {"function_calling_config": {"mode": "ANY", "allowed_function_names": ["f"]}},
        "tools": [{"function_declarations": [{"name": "f", "parameters_json_schema": {"type": "object"}}]}],
        "safety_settings": [],
    }
    call = codec.decode_call(request(camel))
    assert call == codec.decode_call(request(snake))
    assert call.messages[1].parts == [ThinkingPart("", "QQ=="), ToolCallPart("f", {"a_b": 1})]
    assert (call.tool_choice, call.settings["max_tokens"]) == ("required", 5)
    assert call.extras == {"generationConfig": {"stopSequences": ["x"]}, "functionCallIds": True}


@pytest.mark.parametrize("data", ["-_-_", "+/+/", "-_-_aa==", "-_-_aa"])
def test_data_in_either_alphabet(data):
    body = {"contents": [{"role": "user", "parts": [{"inlineData": {"mimeType": "x/y", "data": data}}]}]}
    (prompt,) = codec.decode_call(request(body)).messages[0].parts
    assert prompt.content[0].data.startswith(base64.b64decode("+/+/"))


def test_a_signature_is_the_same_in_either_alphabet():
    signed = {"functionCall": {"name": "f", "args": {}}, "thoughtSignature": "-_-_"}
    history = codec.decode_call(request({"contents": [{"role": "model", "parts": [signed]}]})).messages
    answer = read(candidate({**signed, "thoughtSignature": "+/+/"}))
    assert history[0].parts == parts_of(answer)


STRANGE = {
    "contents": [
        {
            "role": "user",
            "parts": [{"text": "hi", "partMetadata": {"a": 1}}, {"videoMetadata": {"fps": 1}, "fileData": {}}],
        },
        {"parts": [{"text": "second"}]},
        {"role": "model", "parts": [{"functionCall": {"name": "f", "id": "c1"}}, {"newKind": 1}]},
        {
            "role": "function",
            "parts": [
                {
                    "functionResponse": {
                        "name": "f",
                        "id": "c1",
                        "response": {"return_value": 1},
                        "scheduling": "SILENT",
                        "parts": [
                            {"inlineData": {"mimeType": "image/png", "data": PNG_DATA}},
                            {"fileData": {"fileUri": "u"}},
                        ],
                    }
                }
            ],
        },
    ],
    "tools": [
        {"googleSearch": {}},
        {
            "functionDeclarations": [
                {"name": "f", "parameters": {"type": "OBJECT"}},
                {"name": "g", "behavior": "NON_BLOCKING"},
            ],
            "codeExecution": {},
        },
    ],
    "toolConfig": {"functionCallingConfig": {"mode": "VALIDATED"}, "includeServerSideToolInvocations": True},
    "cachedContent": "cachedContents/1",
    "generationConfig": {"responseMimeType": "application/json", "responseSchema": {"type": "OBJECT"}, "topK": 5},
}


def test_a_strange_body_is_read():
    call = codec.decode_call(request(STRANGE))
    first, made, last = call.messages
    assert first.parts == [
        user("hi", UnknownPart({"partMetadata": {"a": 1}}), UnknownPart({"videoMetadata": {"fps": 1}, "fileData": {}})),
        user("second"),
    ]
    assert made.parts == [ToolCallPart("f", {}, "c1"), UnknownPart({"newKind": 1})]
    assert last.parts == [
        returned(
            [1, PNG, UnknownPart({"fileData": {"fileUri": "u"}}), UnknownPart({"scheduling": "SILENT"})], "c1", "f"
        )
    ]
    nothing = {"type": "object", "properties": {}}
    assert call.tools == [ToolDefinition("f", None, {"type": "OBJECT"}), ToolDefinition("g", None, nothing)]
    assert call.tool_choice is None
    assert call.output_schema == OutputSchema({"type": "OBJECT"})
    assert call.extras == {
        "cachedContent": "cachedContents/1",
        "generationConfig": {"topK": 5},
        "toolConfig": STRANGE["toolConfig"],
        "tools": [{"googleSearch": {}}, {"codeExecution": {}}],
        "functionDeclarations": {"g": {"behavior": "NON_BLOCKING"}},
        "functionCallIds": True,
    }


def test_a_body_comes_back_byte_for_byte():
    raw = json.dumps(STRANGE, indent=1).encode()
    assert codec.encode_call(codec.decode_call(request(raw))).body == raw


def test_an_edited_call_keeps_what_it_can():
    edited = replace(codec.decode_call(request(STRANGE)), settings={"temperature": 1.0})
    again = decoded(edited)
    nothing = {"type": "object", "properties": {}}
    assert replace(again, messages=[]) == replace(
        edited, messages=[], tools=[ToolDefinition("f", None, nothing), ToolDefinition("g", None, nothing)]
    )
    assert again.messages[1:] == edited.messages[1:]


def test_a_declared_answer_makes_a_function_no_less_a_tool():
    declared = {"name": "f", "parameters_json_schema": {"type": "object"}, "response_json_schema": {"type": "string"}}
    body = {"contents": [{"role": "user", "parts": [{"text": "x"}]}], "tools": [{"functionDeclarations": [declared]}]}
    assert codec.decode_call(request(body)).tools == [ToolDefinition("f", None, {"type": "object"})]


def test_ids_go_back_to_the_gemini_model_that_made_them():
    made = response(ToolCallPart("f", {}, "c1"), model_name="gemini-3-pro")
    foreign = response(ToolCallPart("f", {}, "c2"), model_name="gpt-4o")
    history = [
        ModelRequest([user("a")]),
        made,
        ModelRequest([returned(1, "c1")]),
        foreign,
        ModelRequest([returned(2, "c2")]),
    ]
    contents = body_of(ModelCall(history, model="m"))["contents"]
    ids = [
        part.get("functionCall", part.get("functionResponse", {})).get("id") for c in contents for part in c["parts"]
    ]
    assert ids == [None, "c1", "c1", None, None]


def test_a_signature_is_written_with_the_part_that_it_signs():
    history = [
        ModelRequest([user("a")]),
        response(ThinkingPart("hm", "YQ=="), ThinkingPart("", "Yg=="), ToolCallPart("f", {}), ThinkingPart("", "Yw==")),
    ]
    call = ModelCall(history, model="m", extras={"functionCallIds": True})
    assert body_of(call)["contents"][1]["parts"] == [
        {"text": "hm", "thought": True, "thoughtSignature": "YQ=="},
        {"functionCall": {"name": "f", "args": {}}, "thoughtSignature": "Yg=="},
        {"text": "", "thoughtSignature": "Yw=="},
    ]


def test_an_error_result_is_a_retry():
    body = {"contents": [{"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"error": "no"}}}]}]}
    assert codec.decode_call(request(body)).messages[0].parts == [retried("no", name="f")]


def test_an_unnamed_retry_is_a_prompt():
    call = call_of(RetryPromptPart("Call a tool.", timestamp=NO_TIMESTAMP))
    text = "Call a tool.\n\nFix the errors and try again."
    assert body_of(call)["contents"] == [{"role": "user", "parts": [{"text": text}]}]


def test_a_schema_gemini_cannot_take_is_an_error():
    schema = {"type": "object", "properties": {"x": {"type": "object", "additionalProperties": True}}}
    with pytest.raises(UserError, match="Additional properties"):
        codec.encode_call(call_of(tools=[ToolDefinition("f", None, schema)]))


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b'{"contents": 1}', b'{"contents": [1]}', b"\xff", b"[" * 100_000, b'{"contents":[' * 300],
)
def test_a_malformed_call_is_a_wire_error(body):
    with pytest.raises(WireError):
        codec.decode_call(request(body))


ODD = [None, 1, "x", [], {}, [1], {"x": 1}, [{}], {"parts": 1}, [None], {"name": 1}, True]


@pytest.mark.parametrize("field", ["systemInstruction", "tools", "toolConfig", "generationConfig", "safetySettings"])
@pytest.mark.parametrize("value", ODD)
def test_odd_fields_do_no_harm(field, value):
    call = codec.decode_call(request({"contents": [], field: value}))
    codec.encode_call(replace(call, model="m"))


KINDS = [
    "text",
    "thought",
    "functionCall",
    "functionResponse",
    "inlineData",
    "fileData",
    "executableCode",
    "codeExecutionResult",
    "toolCall",
    "toolResponse",
    "thoughtSignature",
]


@pytest.mark.parametrize("key", KINDS)
@pytest.mark.parametrize("value", ODD)
@pytest.mark.parametrize("role", ["user", "model"])
def test_odd_parts_do_no_harm(key, value, role):
    call = codec.decode_call(request({"contents": [{"role": role, "parts": [{key: value}]}]}))
    codec.encode_call(replace(call, model="m"))
    read(candidate({key: value}))


settings = st.fixed_dictionaries(
    {},
    optional={
        "max_tokens": st.integers(1, 9999),
        "temperature": st.floats(0, 1),
        "top_p": st.floats(0, 1),
        "seed": st.integers(0, 9),
        "presence_penalty": st.floats(0, 1),
        "gemini_safety_settings": st.just([{"category": "C"}]),
    },
)


def signed(part):
    return g.signatures.map(lambda signature: [ThinkingPart("", signature), part])


def groups(call_ids):
    """Parts of a turn, each with the signature before it if it has one."""
    single = st.one_of(
        g.texts.map(TextPart),
        st.builds(lambda name, args: ToolCallPart(name, args, next(call_ids)), g.names, g.json_objects),
        g.images.map(FilePart),
        st.builds(lambda code: NativeToolCallPart("code_execution", {"language": "PYTHON", "code": code}), g.any_texts),
        st.builds(
            lambda out: NativeToolReturnPart("code_execution", {"outcome": "OUTCOME_OK", "output": out}), g.any_texts
        ),
        st.builds(lambda a: NativeToolCallPart("file_search", a, "n1"), g.json_objects),
        st.builds(lambda v: NativeToolReturnPart("google_maps", v, "n1"), g.json_values),
    )
    return st.one_of(
        single.map(lambda part: [part]),
        single.flatmap(signed),
        st.builds(lambda text, signature: [ThinkingPart(text, signature)], g.texts, st.none() | g.signatures),
        st.just([UnknownPart({"newKind": {"x": 1}})]),
    )


def answers(turn, *, prefix="c"):
    call_ids = (f"{prefix}{turn}_{number}" for number in range(100))
    return st.lists(groups(call_ids), min_size=1, max_size=4).map(
        lambda lists: [part for group in lists for part in group]
    )


contents = g.json_values.filter(
    lambda value: not (isinstance(value, dict) and value.keys() in ({"return_value"}, {"call_error"}, {"error"}))
)
documents = st.builds(
    BinaryContent, st.binary(max_size=9), st.sampled_from(["application/pdf", "audio/wav", "video/mp4"])
)
calls = st.builds(
    ModelCall,
    g.histories(answers, prompt=g.prompts(g.any_texts, g.images, documents), result=contents),
    model=st.just("gemini-2.5-flash"),
    tools=g.tool_lists,
    settings=settings,
    output_schema=st.none() | st.builds(OutputSchema, st.none() | g.schemas),
    stream=st.booleans(),
    extras=st.sampled_from(
        [
            {},
            {"cachedContent": "x"},
            {"alt": "sse"},
            {"tools": [{"googleSearch": {}}]},
            {"generationConfig": {"topK": 1}},
        ]
    ),
)


def has_ids(call):
    made = [part for message in call.messages for part in message.parts]
    return any(getattr(p, "tool_call_id", None) or getattr(p, "signature", None) for p in made)


@given(calls)
def test_calls_come_back(call):
    call = replace(call, extras={**call.extras, **({"functionCallIds": True} if has_ids(call) else {})})
    assert decoded(call) == call


# --- answers ----------------------------------------------------------------------------------------------------------

PARTS = [
    ({"text": "hi"}, [TextPart("hi")]),
    ({"text": ""}, []),
    ({"text": "hi", "thoughtSignature": "QQ=="}, [ThinkingPart("", "QQ=="), TextPart("hi")]),
    ({"text": "", "thoughtSignature": "QQ=="}, [ThinkingPart("", "QQ==")]),
    ({"thoughtSignature": "QQ=="}, [ThinkingPart("", "QQ==")]),
    ({"text": "hm", "thought": True}, [ThinkingPart("hm")]),
    ({"text": "hm", "thought": True, "thoughtSignature": "QQ=="}, [ThinkingPart("hm", "QQ==")]),
    ({"inlineData": {"data": PNG_DATA, "mimeType": "image/png"}}, [FilePart(PNG)]),
    (
        {"inlineData": {"data": PNG_DATA, "mimeType": "image/png"}, "thought": True},
        [UnknownPart({"inlineData": {"data": PNG_DATA, "mimeType": "image/png"}, "thought": True})],
    ),
    (
        {"inlineData": {"data": "!", "mimeType": "image/png"}},
        [UnknownPart({"inlineData": {"data": "!", "mimeType": "image/png"}})],
    ),
    ({"functionCall": {"name": "f", "args": {"a": 1}, "id": "c1"}}, [ToolCallPart("f", {"a": 1}, "c1")]),
    ({"functionCall": {"name": "f"}}, [ToolCallPart("f", {})]),
    ({"functionCall": {"name": "f", "args": [1]}}, [UnknownPart({"functionCall": {"name": "f", "args": [1]}})]),
    (
        {"executableCode": {"language": "PYTHON", "code": "1", "id": "e1"}},
        [NativeToolCallPart("code_execution", {"language": "PYTHON", "code": "1"}, "e1")],
    ),
    (
        {"codeExecutionResult": {"outcome": "OUTCOME_OK"}},
        [NativeToolReturnPart("code_execution", {"outcome": "OUTCOME_OK"})],
    ),
    ({"toolCall": {"toolType": "URL_CONTEXT", "args": {"x": 1}}}, [NativeToolCallPart("web_fetch", {"x": 1})]),
    ({"toolResponse": {"toolType": "GOOGLE_MAPS", "id": "n1"}}, [NativeToolReturnPart("google_maps", None, "n1")]),
    ({"text": "hi", "partMetadata": {"a": 1}}, [TextPart("hi"), UnknownPart({"partMetadata": {"a": 1}})]),
    ({"newKind": 1, "thoughtSignature": "QQ=="}, [ThinkingPart("", "QQ=="), UnknownPart({"newKind": 1})]),
    ("text", [UnknownPart("text")]),
]


@pytest.mark.parametrize(("raw", "parts"), PARTS)
def test_parts_are_read(raw, parts):
    assert parts_of(read(candidate(raw))) == parts


def test_texts_of_one_object_stay_apart():
    assert parts_of(read(candidate({"text": "a"}, {"text": "b"}))) == [TextPart("a"), TextPart("b")]


@pytest.mark.parametrize(
    ("word", "finish"),
    [
        ("STOP", "stop"),
        ("MAX_TOKENS", "length"),
        ("SAFETY", "content_filter"),
        ("RECITATION", "content_filter"),
        ("BLOCKLIST", "content_filter"),
        ("PROHIBITED_CONTENT", "content_filter"),
        ("SPII", "content_filter"),
        ("MODEL_ARMOR", "content_filter"),
        ("IMAGE_SAFETY", "content_filter"),
        ("MALFORMED_FUNCTION_CALL", "error"),
        ("UNEXPECTED_TOOL_CALL", "error"),
        ("LANGUAGE", "error"),
        ("NO_IMAGE", "error"),
        ("OTHER", None),
        ("FINISH_REASON_UNSPECIFIED", None),
        ("SOMETHING_NEW", None),
    ],
)
def test_finish_reasons(word, finish):
    assert read(candidate({"text": "a"}, finishReason=word)).response.finish_reason == finish


def test_a_blocked_prompt_is_a_content_filter():
    feedback = {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 4}}
    for answer in (read(feedback), read(events(feedback), headers=SSE_HEADERS)):
        assert answer.response.finish_reason == "content_filter"
        assert parts_of(answer) == [UnknownPart({"response": {"promptFeedback": {"blockReason": "SAFETY"}}})]
        assert answer.response.usage == Usage(0, 4)


def test_a_filtered_candidate_has_no_parts():
    answer = read({"candidates": [{"finishReason": "SAFETY", "safetyRatings": [{"blocked": True}]}]})
    assert (parts_of(answer), answer.response.finish_reason) == ([], "content_filter")


def test_why_an_answer_was_filtered_is_kept():
    answer = read({"candidates": [{"finishReason": "MODEL_ARMOR", "finishMessage": "It violated a filter."}]})
    assert parts_of(answer) == [UnknownPart({"response": {"candidates": [{"finishMessage": "It violated a filter."}]}})]


def test_usage_counts_thoughts_and_tools():
    metadata = {
        "promptTokenCount": 100,
        "candidatesTokenCount": 20,
        "totalTokenCount": 170,
        "thoughtsTokenCount": 7,
        "toolUsePromptTokenCount": 43,
        "cachedContentTokenCount": 11,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 60}, {"modality": "AUDIO", "tokenCount": 40}],
        "candidatesTokensDetails": [{"modality": "AUDIO", "tokenCount": 5}],
        "toolUsePromptTokensDetails": [{"modality": "TEXT", "tokenCount": 43}],
        "cacheTokensDetails": [{"modality": "TEXT", "tokenCount": 11}],
        "trafficType": "ON_DEMAND",
    }
    details = {
        "cache_read_tokens": 11,
        "reasoning_tokens": 7,
        "tool_use_prompt_tokens": 43,
        "text_prompt_tokens": 60,
        "input_audio_tokens": 40,
        "text_cache_tokens": 11,
        "output_audio_tokens": 5,
        "text_tool_use_prompt_tokens": 43,
    }
    assert read({**candidate({"text": "a"}), "usageMetadata": metadata}).response.usage == Usage(
        0, 143, 27, 170, details
    )


def test_the_last_usage_of_a_stream_counts():
    chunks = [
        {**candidate({"text": "a"}), "usageMetadata": {"promptTokenCount": 169, "cachedContentTokenCount": 5}},
        {
            **candidate({"text": "b"}),
            "usageMetadata": {"promptTokenCount": 79, "candidatesTokenCount": 12, "totalTokenCount": 91},
        },
    ]
    answer = read(events(*chunks), headers=SSE_HEADERS)
    assert answer.response.usage == Usage(0, 79, 12, 91, {"cache_read_tokens": 5})


def test_model_id_and_time_are_read():
    answer = read(
        {
            **candidate({"text": "a"}),
            "modelVersion": "g-1",
            "responseId": "r",
            "createTime": "2026-05-27T16:53:45.443719123Z",
        }
    )
    made = answer.response
    assert (made.model_name, made.provider_response_id) == ("g-1", "r")
    assert made.timestamp == datetime(2026, 5, 27, 16, 53, 45, 443719, tzinfo=UTC)


def test_the_requested_model_stands_in():
    assert read(candidate({"text": "a"}), call=call_of()).response.model_name == "gemini-2.5-flash"


GROUNDING = {
    "webSearchQueries": ["q"],
    "groundingChunks": [{"web": {"uri": "u"}}],
    "searchEntryPoint": {"renderedContent": "r"},
}
PAGES = {"urlMetadata": [{"retrievedUrl": "https://a", "urlRetrievalStatus": "URL_RETRIEVAL_STATUS_SUCCESS"}]}


def test_a_search_told_of_beside_the_content_is_a_native_tool():
    answer = read(candidate({"text": "a"}, groundingMetadata=GROUNDING, urlContextMetadata=PAGES))
    assert parts_of(answer) == [
        TextPart("a"),
        NativeToolCallPart("web_fetch", {"urls": ["https://a"]}),
        NativeToolReturnPart("web_fetch", PAGES),
        NativeToolCallPart("web_search", {"queries": ["q"]}),
        NativeToolReturnPart("web_search", {key: GROUNDING[key] for key in ("groundingChunks", "searchEntryPoint")}),
    ]


def test_retrieved_files_are_a_native_tool():
    metadata = {"groundingChunks": [{"retrievedContext": {"text": "x"}}]}
    assert parts_of(read(candidate({"text": "a"}, groundingMetadata=metadata)))[1:] == [
        NativeToolCallPart("file_search", {}),
        NativeToolReturnPart("file_search", metadata),
    ]


def test_a_search_in_the_content_is_not_told_twice():
    search = {"toolCall": {"toolType": "GOOGLE_SEARCH_WEB", "args": {"queries": ["q"]}, "id": "n1"}}
    assert parts_of(read(candidate(search, {"text": "a"}, groundingMetadata=GROUNDING))) == [
        NativeToolCallPart("web_search", {"queries": ["q"]}, "n1"),
        TextPart("a"),
        UnknownPart({"response": {"candidates": [{"groundingMetadata": GROUNDING}]}}),
    ]


def test_metadata_in_a_stream_comes_behind_the_text():
    chunks = [
        candidate({"text": "a"}, groundingMetadata={}, urlContextMetadata=PAGES),
        candidate({"text": "b"}, groundingMetadata=GROUNDING, finishReason="STOP"),
    ]
    kinds = [
        (part.part_kind, getattr(part, "content", "")) for part in parts_of(read(events(*chunks), headers=SSE_HEADERS))
    ]
    assert kinds[0] == ("text", "ab")
    assert [kind for kind, _ in kinds[1:]] == ["builtin-tool-call", "builtin-tool-return"] * 2


def test_other_candidates_and_new_fields_are_kept():
    body = candidate({"text": "a"}, citationMetadata={"x": 1}, avgLogprobs=-1.0)
    body["candidates"].append({"index": 1, "content": {"parts": [{"text": "b"}]}})
    body["modelStatus"] = {"y": 2}
    assert parts_of(read(body)) == [
        TextPart("a"),
        UnknownPart(
            {
                "response": {
                    "modelStatus": {"y": 2},
                    "candidates": [{"citationMetadata": {"x": 1}}, body["candidates"][1]],
                }
            }
        ),
    ]


STREAM = [
    {**candidate({"text": "hm", "thought": True}), "responseId": "r"},
    candidate({"text": "mm", "thought": True, "thoughtSignature": "QQ=="}),
    candidate({"text": "more", "thought": True}),
    candidate({"text": "a"}),
    candidate({"text": "b", "thoughtSignature": "Qg=="}),
    candidate(
        {"functionCall": {"name": "f", "args": {"x": 1}}, "thoughtSignature": "Qw=="},
        {"functionCall": {"name": "g", "args": {}}},
    ),
    {**candidate({"text": ""}, finishReason="STOP"), "usageMetadata": {"promptTokenCount": 1}},
]
STREAMED = [
    ThinkingPart("hmmm", "QQ=="),
    ThinkingPart("more"),
    TextPart("ab"),
    ThinkingPart("", "Qg=="),
    ThinkingPart("", "Qw=="),
    ToolCallPart("f", {"x": 1}),
    ToolCallPart("g", {}),
]
ARRAY = b"[" + b"\n,\r\n".join(json.dumps(chunk).encode() for chunk in STREAM) + b"\n]\n"


@pytest.mark.parametrize("body", [events(*STREAM), ARRAY, json.dumps(STREAM, indent=2).encode()])
@pytest.mark.parametrize("headers", [JSON_HEADERS, SSE_HEADERS, ()])
def test_streams_of_both_shapes_whatever_the_headers_say(body, headers):
    answer = read(body, headers=headers)
    assert parts_of(answer) == STREAMED
    assert answer.response.finish_reason == "stop"


@pytest.mark.parametrize("body", [events(*STREAM), ARRAY])
def test_byte_by_byte(body):
    decoder = codec.stream_decoder(None, ())
    found = [event for n in range(len(body)) for event in decoder.feed(body[n : n + 1])]
    found += decoder.close()
    assert decoder.finished
    assert decoder.answer == read(body)
    assert found[0] == PartStartEvent(0, ThinkingPart("hm"))
    assert PartDeltaEvent(2, TextPartDelta("b")) in found


@given(st.data())
def test_boundaries_do_not_matter(data):
    body = data.draw(st.sampled_from([events(*STREAM), ARRAY]))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=8)))
    decoder = codec.stream_decoder(None, ())
    for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True):
        decoder.feed(body[start:end])
    decoder.close()
    assert decoder.answer == read(body)


@pytest.mark.parametrize("body", [events(*STREAM), ARRAY])
def test_a_cut_stream_is_unfinished(body):
    decoder = codec.stream_decoder(None, ())
    decoder.feed(body[: len(body) // 2])
    decoder.close()
    assert not decoder.finished
    assert parts_of(decoder.answer)[0] == ThinkingPart("hmmm", "QQ==")
    assert read(body[: len(body) // 2]).response == decoder.answer.response


def test_an_empty_stream_is_a_response_without_parts():
    assert parts_of(read(b"", call=call_of(stream=True))) == []


def partial(call, **fields):
    return candidate({"functionCall": call, **fields})


def test_arguments_streamed_value_by_value():
    chunks = [
        partial({"name": "f", "id": "c1", "willContinue": True}, thoughtSignature="QQ=="),
        partial(
            {"partialArgs": [{"jsonPath": "$.city", "stringValue": "Par", "willContinue": True}], "willContinue": True}
        ),
        partial({"partialArgs": [{"jsonPath": "$.city", "stringValue": "is"}], "willContinue": True}),
        partial(
            {
                "partialArgs": [
                    {"jsonPath": "$.days[0].n", "numberValue": 1},
                    {"jsonPath": "$.days[1]['a b']", "boolValue": True},
                    {"jsonPath": "$.nothing", "nullValue": "NULL_VALUE"},
                ],
                "willContinue": True,
            }
        ),
        partial({}),
        candidate({"text": "done"}, finishReason="STOP"),
    ]
    args = {"city": "Paris", "days": [{"n": 1}, {"a b": True}], "nothing": None}
    assert parts_of(read(events(*chunks))) == [
        ThinkingPart("", "QQ=="),
        ToolCallPart("f", args, "c1"),
        TextPart("done"),
    ]


def test_three_thousand_pieces_are_one_text():
    chunks = [candidate({"text": "abc "}) for _ in range(3000)]
    for body in (events(*chunks), json.dumps(chunks).encode()):
        decoder = codec.stream_decoder(None, ())
        for start in range(0, len(body), 97):
            decoder.feed(body[start : start + 97])
        decoder.close()
        assert parts_of(decoder.answer) == [TextPart("abc " * 3000)]


ERROR = {"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}}


@pytest.mark.parametrize("body", [ERROR, [ERROR], events(ERROR), json.dumps(ERROR, indent=2).encode()])
def test_an_error_in_the_place_of_an_answer(body):
    assert read(body) == Answer(None, AnswerError(503, "overloaded"))


@pytest.mark.parametrize("join", [events, lambda *chunks: json.dumps(chunks).encode()])
def test_an_error_inside_a_stream(join):
    answer = read(join(candidate({"text": "a"}), ERROR))
    assert (parts_of(answer), answer.error) == ([TextPart("a")], AnswerError(503, "overloaded"))


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (404, ERROR, AnswerError(404, "overloaded")),
        (400, [{"error": {"code": 400, "message": "bad"}}], AnswerError(400, "bad")),
        (502, b"<html><head><title>Bad Gateway</title></head></html>", AnswerError(502, "Bad Gateway")),
        (429, b"slow down", AnswerError(429, "slow down")),
        (200, b"<!doctype html><html><body>Log in</body></html>", AnswerError(None, "Log in")),
        (200, b"upstream connect error", AnswerError(None, "upstream connect error")),
    ],
)
def test_refusals(status, body, error):
    assert read(body, status) == Answer(None, error)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" \n",
        b"{",
        b"[1]",
        b'["x"]',
        b"[[]]",
        b'[{"a" 1}]',
        b"data: nonsense\n\ndata: {}\n\n",
        b"data: []\n\n",
        b'{"candidates": [',
        b'{"a":' * 100_000,
        b"[" + b'{"a":' * 1000 + b"1" + b"}" * 1000 + b"]",
    ],
)
def test_a_malformed_answer_is_a_wire_error(body):
    with pytest.raises(WireError):
        decoder = codec.stream_decoder(None, ())
        decoder.feed(body)
        decoder.close()
        read(body)


@given(
    st.recursive(
        g.scalars,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "candidates",
                        "content",
                        "parts",
                        "text",
                        "functionCall",
                        "name",
                        "args",
                        "partialArgs",
                        "jsonPath",
                        "willContinue",
                        "usageMetadata",
                        "groundingMetadata",
                        "urlContextMetadata",
                        "urlMetadata",
                        "promptFeedback",
                        "error",
                    ]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_odd_answers_raise_nothing_else(value):
    with contextlib.suppress(WireError):
        read({"candidates": value})
    with contextlib.suppress(WireError):
        read(
            events(
                {"candidates": [{"content": {"parts": [value, {"functionCall": value}]}, "groundingMetadata": value}]}
            )
        )
    with contextlib.suppress(WireError):
        read(value)


@given(st.binary(max_size=60))
def test_garbage_raises_nothing_else(body):
    with contextlib.suppress(WireError):
        read(body)
    with contextlib.suppress(WireError):
        codec.decode_call(request(body))


def sent(answer, call):
    encoded = codec.encode_answer(call, answer)
    assert encoded == codec.encode_answer(call, answer)
    return codec.decode_answer(call, encoded.status, encoded.headers, b"".join(encoded.chunks)).response


SHAPES = [
    call_of(stream=False),
    call_of(stream=True),
    call_of(stream=True, extras={"alt": "sse"}),
]


@st.composite
def answered(draw, *, streamed):
    parts = draw(answers(0))
    if streamed:
        parts = [part for part, before in zip(parts, [None, *parts], strict=False) if not goes_on(before, part)]
    drawn = len(parts)
    if draw(st.booleans()):
        parts += [NativeToolCallPart("web_fetch", {"urls": ["https://a"]}), NativeToolReturnPart("web_fetch", PAGES)]
    if draw(st.booleans()) and not any(isinstance(part, NativeToolCallPart) for part in parts[:drawn]):
        queries = NativeToolCallPart("web_search", {"queries": ["q"]})
        parts += [queries, NativeToolReturnPart("web_search", {"groundingChunks": [{}]})]
    if draw(st.booleans()):
        parts += [UnknownPart({"response": {"modelStatus": 1, "candidates": [{"citationMetadata": {}}]}})]
    return response(
        *parts,
        model_name=draw(st.sampled_from(["gemini-2.5-flash", "other"])),
        usage=draw(
            g.usages(
                "cache_read_tokens",
                "reasoning_tokens",
                "tool_use_prompt_tokens",
                "text_prompt_tokens",
                "input_audio_tokens",
                "image_candidates_tokens",
                "text_tool_use_prompt_tokens",
            )
        ),
        finish_reason=draw(st.sampled_from(["stop", "length", "content_filter", "error"])),
        provider_response_id="r",
    )


def goes_on(before, part):
    """Whether a stream would make one of two parts in a row."""
    both = (TextPart, ThinkingPart)
    return isinstance(part, both) and type(part) is type(before) and bool(getattr(before, "content", ""))


def told(made):
    return made, made.usage, made.finish_reason, made.provider_response_id


@given(answered(streamed=False))
def test_answers_come_back(answer):
    assert told(sent(answer, SHAPES[0])) == told(answer)


@pytest.mark.parametrize("call", SHAPES[1:])
@given(answer=answered(streamed=True))
def test_streamed_answers_come_back(call, answer):
    assert told(sent(answer, call)) == told(answer)


@pytest.mark.parametrize("call", SHAPES)
def test_a_blocked_prompt_comes_back(call):
    blocked = response(
        UnknownPart({"response": {"promptFeedback": {"blockReason": "SAFETY"}}}), finish_reason="content_filter"
    )
    back = sent(blocked, call)
    assert (back.parts, back.finish_reason) == (blocked.parts, "content_filter")


@pytest.mark.parametrize("call", SHAPES)
def test_an_empty_answer_has_no_content(call):
    assert sent(response(finish_reason="content_filter"), call).parts == []


def test_a_stream_has_a_chunk_for_each_event():
    encoded = codec.encode_answer(SHAPES[2], response(TextPart("one two three")))
    assert len(encoded.chunks) == 3
    assert all(chunk.startswith(b"data: {") and chunk.endswith(b"\r\n\r\n") for chunk in encoded.chunks)
    assert b"".join(codec.encode_answer(SHAPES[1], response(TextPart("one two"))).chunks).startswith(b"[{")


def test_an_answer_without_an_id_gets_one_that_stays():
    one, other = (sent(response(TextPart(text)), SHAPES[0]).provider_response_id for text in ("a", "b"))
    assert one
    assert one != other


# --- Google's SDK -----------------------------------------------------------------------------------------------------


def client(answer):
    """A real client whose requests are answered by a function of the decoded call."""

    def handle(http_request):
        asked = Request(http_request.method, str(http_request.url), body=http_request.content)
        assert claims(codec, asked)
        encoded = answer(codec.decode_call(asked))
        return httpx.Response(encoded.status, headers=list(encoded.headers), content=b"".join(encoded.chunks))

    transport = httpx.MockTransport(handle)
    options = types.HttpOptions(
        httpx_client=httpx.Client(transport=transport), httpx_async_client=httpx.AsyncClient(transport=transport)
    )
    return genai.Client(api_key="replay", http_options=options)


RICH = response(
    ThinkingPart("hm"),
    TextPart("Grüße 🌍"),
    ThinkingPart("", "QUJD"),
    ToolCallPart("get_weather", {"city": "Paris"}, "c1"),
    NativeToolCallPart("code_execution", {"language": "PYTHON", "code": "1"}),
    NativeToolReturnPart("code_execution", {"outcome": "OUTCOME_OK", "output": "1"}),
    FilePart(PNG),
    NativeToolCallPart("web_search", {"queries": ["q"]}),
    NativeToolReturnPart("web_search", {"groundingChunks": [{"web": {"uri": "u"}}]}),
    usage=Usage(0, 30, 8, 38, {"reasoning_tokens": 3, "cache_read_tokens": 2, "text_prompt_tokens": 30}),
    finish_reason="stop",
)


def check(chunks):
    parts = [part for chunk in chunks for part in chunk.candidates[0].content.parts]
    last = chunks[-1]
    assert "".join(part.text for part in parts if part.text and not part.thought) == "Grüße 🌍"
    assert "".join(part.text for part in parts if part.thought) == "hm"
    (call,) = [part for part in parts if part.function_call]
    assert (call.function_call.name, call.function_call.args, call.thought_signature) == (
        "get_weather",
        {"city": "Paris"},
        b"ABC",
    )
    assert [part.executable_code.code for part in parts if part.executable_code] == ["1"]
    assert [part.inline_data.data for part in parts if part.inline_data] == [b"\x89PNG"]
    assert last.candidates[0].finish_reason == types.FinishReason.STOP
    assert last.candidates[0].grounding_metadata.web_search_queries == ["q"]
    assert last.usage_metadata.candidates_token_count == 5
    assert last.usage_metadata.prompt_tokens_details[0].modality == types.MediaModality.TEXT


def rich(call):
    return codec.encode_answer(call, RICH)


ASKED = {"model": "gemini-2.5-flash", "contents": "hi"}


def test_google_parses_our_answer():
    check([client(rich).models.generate_content(**ASKED)])


def test_google_parses_our_stream():
    check(list(client(rich).models.generate_content_stream(**ASKED)))


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_google_parses_our_answer_asynchronously(anyio_backend):
    models = client(rich).aio.models
    check([await models.generate_content(**ASKED)])
    check([chunk async for chunk in await models.generate_content_stream(**ASKED)])


@pytest.mark.parametrize(
    ("status", "kind", "name"),
    [
        (400, errors.ClientError, "INVALID_ARGUMENT"),
        (404, errors.ClientError, "NOT_FOUND"),
        (429, errors.ClientError, "RESOURCE_EXHAUSTED"),
        (418, errors.ClientError, "INVALID_ARGUMENT"),
        (500, errors.ServerError, "INTERNAL"),
        (503, errors.ServerError, "UNAVAILABLE"),
    ],
)
def test_google_raises_our_refusals(status, kind, name):
    models = client(lambda call: codec.encode_error(call, status, "no luck")).models
    for ask in (models.generate_content, lambda **asked: list(models.generate_content_stream(**asked))):
        with pytest.raises(kind) as caught:
            ask(**ASKED)
        assert (caught.value.code, caught.value.message, caught.value.status) == (status, "no luck", name)


def test_a_refused_array_is_an_array():
    encoded = codec.encode_error(call_of(stream=True), 429, "slow down")
    assert json.loads(encoded.chunks[0])[0]["error"]["code"] == 429
    assert read(encoded.chunks[0], 429) == Answer(None, AnswerError(429, "slow down"))


def test_calls_of_google_are_read_whole():
    asked = []

    def answer(call):
        asked.append(call)
        return rich(call)

    config = types.GenerateContentConfig(
        system_instruction="Be brief.",
        temperature=0.5,
        stop_sequences=["x"],
        tools=[
            types.Tool(
                function_declarations=[
                    types.FunctionDeclaration(name="f", description="F.", parameters_json_schema={"type": "object"})
                ]
            ),
            types.Tool(google_search=types.GoogleSearch()),
        ],
        tool_config=types.ToolConfig(function_calling_config=types.FunctionCallingConfig(mode="ANY")),
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
    )
    history = [
        types.Content(
            role="user", parts=[types.Part(text="hi"), types.Part.from_bytes(data=b"\x89PNG", mime_type="image/png")]
        ),
        types.Content(
            role="model",
            parts=[
                types.Part(function_call=types.FunctionCall(name="f", args={"a": 1}), thought_signature=b"\xfb\xff")
            ],
        ),
        types.Content(role="user", parts=[types.Part.from_function_response(name="f", response={"return_value": 2})]),
    ]
    list(client(answer).models.generate_content_stream(model="gemini-2.5-flash", contents=history, config=config))
    assert asked == [
        ModelCall(
            [
                ModelRequest([SystemPromptPart("Be brief."), user("hi", PNG)]),
                response(ThinkingPart("", "+/8="), ToolCallPart("f", {"a": 1})),
                ModelRequest([returned(2, name="f")]),
            ],
            model="gemini-2.5-flash",
            tools=[ToolDefinition("f", "F.", {"type": "object"})],
            tool_choice="required",
            settings={"temperature": 0.5},
            stream=True,
            extras={
                "alt": "sse",
                "generationConfig": {"stopSequences": ["x"]},
                "tools": [{"googleSearch": {}}],
                "functionCallIds": True,
            },
        )
    ]


# --- recordings -------------------------------------------------------------------------------------------------------


def recorded(folder: Path):
    for path in sorted((folder / "gemini").glob("*.yaml")):
        for interaction in yaml.load(path.read_text("utf-8"), yaml.CSafeLoader)["interactions"]:
            asked = interaction["request"]
            body = (
                json.dumps(asked["parsed_body"]).encode() if "parsed_body" in asked else (asked["body"] or "").encode()
            )
            told_back = interaction["response"]
            raw = json.dumps(told_back["parsed_body"]) if "parsed_body" in told_back else told_back["body"]["string"]
            yield (
                path.name,
                Request(asked["method"], asked["uri"], body=body),
                told_back["status"]["code"],
                raw.encode(),
            )


def test_recorded_requests_come_back(real_cassettes: Path):
    seen = 0
    for _, asked, _, _ in recorded(real_cassettes):
        if claims(codec, asked):
            assert codec.encode_call(codec.decode_call(asked)).body == asked.body
            seen += 1
    assert seen


def test_recorded_histories_hold_the_answers_before(real_cassettes: Path):
    before = {}
    compared = 0
    for name, asked, status, body in recorded(real_cassettes):
        if not claims(codec, asked):
            continue
        call = codec.decode_call(asked)
        made = [message for message in call.messages if isinstance(message, ModelResponse)]
        answer = before.get(name)
        if made and answer is not None and len(made) == answer[0] + 1:
            wanted = [(p.tool_name, p.args) for p in answer[1].parts if isinstance(p, ToolCallPart)]
            assert [(p.tool_name, p.args) for p in made[-1].parts if isinstance(p, ToolCallPart)] == wanted
            signatures = [p.signature for p in answer[1].parts if isinstance(p, ThinkingPart)]
            assert [p.signature for p in made[-1].parts if isinstance(p, ThinkingPart)] in (signatures, [])
            compared += 1
        before[name] = (len(made), codec.decode_answer(call, status, (), body).response) if status == 200 else None
    assert compared
