from __future__ import annotations

import json

import pytest

from replay_agent.traffic import Request
from replay_agent.wire.gemini import codec

VERTEX = "https://x-aiplatform.googleapis.com/v1/projects/p/locations/l/publishers/google/models/g:generateContent"
STUDIO = "https://generativelanguage.googleapis.com/v1beta/models/g:generateContent"
INT = "?%24alt=json%3Benum-encoding%3Dint"


def call(url=VERTEX, **fields):
    body = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}], **fields}
    return codec.decode_call(Request("POST", url + INT, body=json.dumps(body).encode()))


def answer(candidate, url=VERTEX, **fields):
    body = json.dumps({"candidates": [{"content": {"role": "model", "parts": [{"text": "a"}]}, **candidate}], **fields})
    return codec.decode_answer(call(url), 200, (), body.encode()).response


@pytest.mark.parametrize(
    ("number", "vertex", "studio"),
    [
        (0, None, None),
        (1, "stop", "stop"),
        (2, "length", "length"),
        (3, "content_filter", "content_filter"),
        (6, "content_filter", "error"),
        (9, "error", "content_filter"),
        (10, "content_filter", "error"),
        (999, None, None),
        (True, None, None),
        (-1, None, None),
    ],
)
def test_reasons_are_numbered_by_each_service(number, vertex, studio):
    assert answer({"finishReason": number}).finish_reason == vertex
    assert answer({"finishReason": number}, STUDIO).finish_reason == studio


@pytest.mark.parametrize(("mode", "choice"), [(1, "auto"), (2, "required"), (3, "none"), (0, None), (7, None)])
def test_the_mode_of_tools(mode, choice):
    assert call(toolConfig={"functionCallingConfig": {"mode": mode}}).tool_choice == choice
    assert call(tool_config={"function_calling_config": {"mode": mode}}).tool_choice == choice


def test_modalities():
    details = [{"modality": number, "tokenCount": number} for number in (1, 2, 3, 4, 5)]
    usage = answer({}, usageMetadata={"promptTokenCount": 15, "promptTokensDetails": details}).usage
    assert usage.details == {
        "text_prompt_tokens": 1,
        "image_prompt_tokens": 2,
        "video_prompt_tokens": 3,
        "input_audio_tokens": 4,
        "document_prompt_tokens": 5,
    }


SCHEMA = {
    "type": 6,
    "properties": {
        "type": {"type": 1},
        "many": {"type": 5, "items": {"type": 3}},
        "either": {"any_of": [{"type": 2}, {"type": 4}]},
    },
}


def test_types_of_schemas():
    (tool,) = call(tools=[{"functionDeclarations": [{"name": "f", "parameters": SCHEMA}]}]).tools
    assert tool.parameters_json_schema == {
        "type": "OBJECT",
        "properties": {
            "type": {"type": "STRING"},
            "many": {"type": "ARRAY", "items": {"type": "INTEGER"}},
            "either": {"any_of": [{"type": "NUMBER"}, {"type": "BOOLEAN"}]},
        },
    }


@pytest.mark.parametrize("url", [VERTEX, STUDIO])
@pytest.mark.parametrize(
    ("asked", "read"),
    [
        ({"type": 6, "properties": {"a": {"type": 3}}}, {"type": "OBJECT", "properties": {"a": {"type": "INTEGER"}}}),
        ({"type": 5, "items": {"type": 1}}, {"type": "ARRAY", "items": {"type": "STRING"}}),
        ({"anyOf": [{"type": 2}, {"type": 7}]}, {"anyOf": [{"type": "NUMBER"}, {"type": "NULL"}]}),
        ({"type": "STRING", "enum": ["1"]}, {"type": "STRING", "enum": ["1"]}),
        ({"type": 99}, {"type": 99}),
    ],
)
@pytest.mark.parametrize("name", ["responseSchema", "response_schema"])
def test_types_of_the_wanted_answer(url, asked, read, name):
    config = {"responseMimeType": "application/json", name: asked}
    assert call(url, generationConfig=config).output_schema.schema == read


def test_harms():
    settings = [{"category": 1, "threshold": 4, "method": 1}, {"category": "HARM_CATEGORY_HARASSMENT", "threshold": 99}]
    assert call(safetySettings=settings).settings["gemini_safety_settings"] == [
        {"category": "HARM_CATEGORY_HATE_SPEECH", "threshold": "BLOCK_NONE", "method": "SEVERITY"},
        {"category": "HARM_CATEGORY_HARASSMENT", "threshold": 99},
    ]
    studio = call(STUDIO, safetySettings=[{"category": 8, "threshold": 3}]).settings["gemini_safety_settings"]
    assert studio == [{"category": "HARM_CATEGORY_HATE_SPEECH", "threshold": "BLOCK_ONLY_HIGH"}]


@pytest.mark.parametrize("ratings", [[{"category": 1, "probability": 4, "severity": 2}, 7], None, "low"])
def test_a_blocked_prompt(ratings):
    body = json.dumps({"promptFeedback": {"blockReason": 1, "safetyRatings": ratings}}).encode()
    response = codec.decode_answer(call(), 200, (), body).response
    assert response.finish_reason == "content_filter"
    feedback = response.parts[0].raw["response"]["promptFeedback"]
    assert feedback["blockReason"] == "SAFETY"
    if isinstance(ratings, list):
        assert feedback["safetyRatings"] == [
            {"category": "HARM_CATEGORY_HATE_SPEECH", "probability": "HIGH", "severity": "HARM_SEVERITY_LOW"},
            7,
        ]


def test_arguments_keep_their_numbers():
    called = {"functionCall": {"name": "f", "args": {"mode": 2, "type": 6, "finishReason": 1}}}
    (part,) = answer({"content": {"role": "model", "parts": [called]}}).parts
    assert part.args_as_dict() == {"mode": 2, "type": 6, "finishReason": 1}


def test_numbers_are_written_as_they_came():
    body = {
        "contents": [],
        "toolConfig": {"functionCallingConfig": {"mode": 2}},
        "generationConfig": {"responseMimeType": "application/json", "responseSchema": {"type": 6}},
    }
    sent = json.dumps(body, indent=1).encode()
    read = codec.decode_call(Request("POST", VERTEX, body=sent))
    assert codec.encode_call(read).body == sent
    read.settings["max_tokens"] = 5
    assert json.loads(codec.encode_call(read).body)["tool_config"]["function_calling_config"]["mode"] == "ANY"
