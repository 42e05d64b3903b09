from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from replay_agent.calls import AnswerError, ModelCall
from replay_agent.exceptions import WireError
from replay_agent.messages import (
    NO_TIMESTAMP,
    BinaryContent,
    FilePart,
    NativeToolCallPart,
    NativeToolReturnPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    UnknownPart,
)
from replay_agent.wire.openai_chat import codec

CALL = ModelCall([], "gpt-4o")


def read(body, status=200):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return codec.decode_answer(CALL, status, (), data)


def message(fields, finish="stop", **more):
    return read({"choices": [{"index": 0, "message": fields, "finish_reason": finish}], **more}).response


@pytest.mark.parametrize(
    ("fields", "parts"),
    [
        ({"content": "a"}, [TextPart("a")]),
        ({"content": ""}, [TextPart("")]),
        ({"content": None}, []),
        ({}, []),
        ({"content": "", "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "{}"}}]}, "c"),
        ({"content": None, "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "{}"}}]}, "c"),
        ({"content": "<think>hm</think>a"}, [ThinkingPart("hm"), TextPart("a")]),
        ({"content": "<think>hm"}, [TextPart("hm")]),
        ({"reasoning": "hm", "content": "a"}, [ThinkingPart("hm"), TextPart("a")]),
        ({"reasoning": {"effort": 1}, "content": "a"}, [UnknownPart({"reasoning": {"effort": 1}}), TextPart("a")]),
        ({"content": "a", "annotations": [], "refusal": None, "audio": None}, [TextPart("a")]),
        (
            {"content": "a", "annotations": [{"url": "u"}]},
            [TextPart("a"), UnknownPart({"annotations": [{"url": "u"}]})],
        ),
        ({"content": 7}, [UnknownPart({"content": 7})]),
        ({"tool_calls": "?"}, [UnknownPart({"tool_calls": "?"})]),
        ({"tool_calls": [{"id": "c", "function": {"name": "f", "arguments": {"a": 1}}}]}, {"a": 1}),
        ({"tool_calls": [{"id": "c", "function": {"name": "f"}}]}, "{}"),
        ({"tool_calls": [{"id": "c", "function": {"name": "f", "arguments": ""}}]}, ""),
        ({"tool_calls": [{"id": "c", "function": {"name": "f", "arguments": [1]}}]}, "[1]"),
        (
            {"content": "a", "function_call": {"name": "", "arguments": ""}, "audio": {"data": "", "expires_at": 0}},
            [TextPart("a")],
        ),
        (
            {"executed_tools": [{"index": 0, "type": "python", "arguments": "1+1", "output": "2"}], "content": "2"},
            [
                NativeToolCallPart("code_execution", "1+1"),
                NativeToolReturnPart("code_execution", {"output": "2"}),
                TextPart("2"),
            ],
        ),
        (
            {"audio": {"data": "cGl4ZWw=", "transcript": "a"}},
            [FilePart(BinaryContent(b"pixel", "audio/wav")), UnknownPart({"audio": {"transcript": "a"}})],
        ),
    ],
)
def test_parts_of_a_message(fields, parts):
    if not isinstance(parts, list):
        parts = [ToolCallPart("f", "{}" if parts == "c" else parts, "c")]
    assert message(fields).parts == parts


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("tool_calls", "tool_call"),
        ("function_call", "tool_call"),
        ("content_filter", "content_filter"),
        ("error", "error"),
        ("model_length", "length"),
        ("eos_token", "stop"),
        ("STOP", "stop"),
        ("guardrail_intervened", None),
        ("", "stop"),
        (None, None),
        ([], None),
        (7, None),
    ],
)
def test_finish_reasons(word, reason):
    assert message({"content": "a"}, word).finish_reason == reason


def test_an_unfinished_call_is_one():
    assert message({"tool_calls": [{"id": "c", "function": {"name": "f"}}]}, "").finish_reason == "tool_call"


CHOICE = {"index": 0, "message": {"role": "assistant", "content": "a"}}


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({}, None),
        ({"finish_reason": None}, None),
        ({"finish_details": {"type": "max_tokens"}}, "length"),
        ({"finish_details": {"type": "stop", "stop": "<|fim_suffix|>"}}, "stop"),
        ({"finish_details": {"type": "content_filter"}}, "content_filter"),
        ({"finish_details": {"type": "whatever"}}, None),
        ({"finish_details": ["stop"]}, None),
        ({"finish_details": "length"}, "length"),
        ({"finish_reason": "stop", "finish_details": {"type": "max_tokens"}}, "stop"),
    ],
)
def test_an_end_without_a_reason_has_none(said, reason):
    body = json.dumps({"id": "c", "choices": [{**CHOICE, **said}]}).encode()
    assert codec.decode_answer(None, 200, (), body).response.finish_reason == reason
    chunk = {"id": "c", "choices": [{"index": 0, "delta": {"content": "a"}, **said}]}
    stream = f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n".encode()
    assert codec.decode_answer(None, 200, (), stream).response.finish_reason == reason


def test_a_refusal_is_filtered_content():
    response = message({"content": None, "refusal": "No."})
    assert response.finish_reason == "content_filter"
    assert response.parts == [UnknownPart({"refusal": "No."})]


@pytest.mark.parametrize(
    ("created", "timestamp"),
    [
        (1735689600, datetime(2025, 1, 1, tzinfo=UTC)),
        (1735689600.0, datetime(2025, 1, 1, tzinfo=UTC)),
        (1735689600000, datetime(2025, 1, 1, tzinfo=UTC)),
        (0, NO_TIMESTAMP),
        (None, NO_TIMESTAMP),
        ("2025", NO_TIMESTAMP),
        (10**300, NO_TIMESTAMP),
        (-(10**300), NO_TIMESTAMP),
        (True, NO_TIMESTAMP),
    ],
)
def test_times(created, timestamp):
    assert message({"content": "a"}, created=created).timestamp == timestamp


def test_an_answer_without_candidates_has_no_parts():
    response = read({"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 0}}).response
    assert response.parts == []
    assert response.finish_reason is None
    assert response.usage.request_tokens == 1


@pytest.mark.parametrize(
    ("status", "body", "text"),
    [
        (400, {"error": {"message": "over"}}, "over"),
        (400, {"error": "over"}, "over"),
        (422, {"detail": [{"loc": ["body"], "msg": "over"}]}, '[{"loc":["body"],"msg":"over"}]'),
        (400, {"object": "error", "message": "over"}, "over"),
        (400, [{"error": {"message": "over", "code": 400}}], "over"),
        (502, b"<html><head><title>502 Bad Gateway</title></head></html>", "502 Bad Gateway"),
        (500, b"Internal Server Error", "Internal Server Error"),
        (500, b"\xff\xfe", "\N{REPLACEMENT CHARACTER}" * 2),
        (503, b"", "status 503 without a message"),
    ],
)
def test_refusals_of_any_shape(status, body, text):
    answer = read(body, status)
    assert answer.error == AnswerError(status, text)
    assert answer.response is None


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"error": {"message": "over", "code": 502}}, AnswerError(502, "over")),
        ({"error": {"message": "over", "code": "overloaded"}}, AnswerError(None, "over")),
        ({"object": "error", "message": "over", "code": 400}, AnswerError(400, "over")),
        ([{"error": {"code": 429, "message": "over"}}], AnswerError(429, "over")),
        (b"<!doctype html><title>Sign in</title>", AnswerError(None, "Sign in")),
        ({"choices": [{"error": {"code": 503, "message": "over"}, "message": {}}]}, AnswerError(503, "over")),
        ({"error": {"message": "over", "code": 400}, "choices": None}, AnswerError(400, "over")),
    ],
)
def test_errors_with_a_good_status(body, error):
    assert read(body).error == error


@pytest.mark.parametrize("body", [b"", b"  ", b"null", b'"hi"', b"[]", b"{}", b"{", b'{"choices": 1}', b"[" * 10_000])
def test_what_is_no_answer_is_a_wire_error(body):
    with pytest.raises(WireError):
        read(body)


def failed_tool_use(generation):
    return {"error": {"message": "no fit", "code": "tool_use_failed", "failed_generation": generation}}


@pytest.mark.parametrize(
    ("generation", "parts"),
    [
        ('{"name": "add", "arguments": {"a": 1}}', [ToolCallPart("add", {"a": 1})]),
        ("I would rather talk", [TextPart("I would rather talk")]),
        ('{"name": 1}', [TextPart('{"name": 1}')]),
        ("", []),
    ],
)
def test_groqs_failed_calls_are_answers_too(generation, parts):
    answer = read(failed_tool_use(generation), 400)
    assert answer.error == AnswerError(400, "no fit")
    assert answer.response.parts == parts
    assert answer.response.finish_reason == "error"
    assert answer.response.model_name == "gpt-4o"


def test_azures_content_filter_ends_the_turn():
    answer = read({"error": {"message": "filtered", "code": "content_filter", "innererror": {}}}, 400)
    assert answer.error == AnswerError(400, "filtered")
    assert answer.response.parts == []
    assert answer.response.finish_reason == "content_filter"
