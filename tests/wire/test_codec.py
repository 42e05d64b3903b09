"""What all codecs have in common: one reading of answers, one check of sources, nothing counted that was not said."""

from __future__ import annotations

import json

import pytest

from replay_agent.calls import ModelCall
from replay_agent.exceptions import WireError
from replay_agent.framing.aws_frames import encode_frame
from replay_agent.messages import ModelRequest, UserPromptPart
from replay_agent.traffic import Request
from replay_agent.wire.codec import Asked, is_stream, read_answer, unchanged_source
from replay_agent.wire.registry import CODECS, codec_named

CODEC_NAMES = [codec.name for codec in CODECS]

TEXT = {"role": "assistant", "content": "a"}
ANSWERS = {
    "anthropic": {"type": "message", "content": [{"type": "text", "text": "a"}]},
    "bedrock": {"output": {"message": {"role": "assistant", "content": [{"text": "a"}]}}, "stopReason": "end_turn"},
    "cohere": {"id": "i", "message": {"role": "assistant", "content": [{"type": "text", "text": "a"}]}},
    "gemini": {"candidates": [{"content": {"role": "model", "parts": [{"text": "a"}]}}]},
    "mistral": {"id": "i", "choices": [{"index": 0, "message": TEXT}]},
    "ollama": {"model": "m", "message": TEXT, "done": True},
    "openai_chat": {"id": "i", "choices": [{"index": 0, "message": TEXT}]},
    "openai_responses": {
        "object": "response",
        "output": [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "a"}]}],
    },
}
COUNTERS = {
    "anthropic": ("usage", "input_tokens", "output_tokens"),
    "bedrock": ("usage", "inputTokens", "outputTokens"),
    "cohere": ("usage.tokens", "input_tokens", "output_tokens"),
    "gemini": ("usageMetadata", "promptTokenCount", "candidatesTokenCount"),
    "mistral": ("usage", "prompt_tokens", "completion_tokens"),
    "ollama": ("", "prompt_eval_count", "eval_count"),
    "openai_chat": ("usage", "prompt_tokens", "completion_tokens"),
    "openai_responses": ("usage", "input_tokens", "output_tokens"),
}


def counted(name, counts):
    place, asked, answered = COUNTERS[name]
    names = {"in": asked, "out": answered}
    fields = {names[key]: count for key, count in counts.items()}
    for step in reversed(place.split(".") if place else []):
        fields = {step: fields}
    body = json.dumps({**ANSWERS[name], **fields}).encode()
    return codec_named(name).decode_answer(None, 200, (("content-type", "application/json"),), body).response.usage


@pytest.mark.parametrize("name", CODEC_NAMES)
@pytest.mark.parametrize(
    "counts", [{"in": 5}, {"out": 7}, {"in": 5, "out": 7}, {"in": 0, "out": 0}, {"in": None, "out": 7}]
)
def test_a_counter_that_is_not_there_is_not_zero(name, counts):
    usage = counted(name, counts)
    assert (usage.request_tokens, usage.response_tokens) == (counts.get("in"), counts.get("out"))
    if None in (counts.get("in"), counts.get("out")):
        assert not usage.total_tokens


@pytest.mark.parametrize(
    "name", [name for name in CODEC_NAMES if name not in ("bedrock", "openai_responses", "ollama")]
)
def test_an_end_that_is_not_told_is_none(name):
    answer = codec_named(name).decode_answer(None, 200, (), json.dumps(ANSWERS[name]).encode())
    assert answer.response.finish_reason is None


@pytest.mark.parametrize("name", CODEC_NAMES)
@pytest.mark.parametrize("body", [b"", b"  \n"])
def test_an_empty_answer_is_none(name, body):
    codec = codec_named(name)
    with pytest.raises(WireError, match="empty"):
        read_answer(codec, None, 200, (("content-type", "application/json"),), body)
    read_answer(codec, ModelCall([], stream=True), 200, (), b"")


@pytest.mark.parametrize("name", CODEC_NAMES)
@pytest.mark.parametrize("body", [b"", b"no", b'{"error": {"message": "no"}}', b"<html>", b"[]"])
def test_a_refusal_is_an_error_of_its_status(name, body):
    error = read_answer(codec_named(name), None, 418, (), body).error
    assert error is not None
    assert error.status == 418


@pytest.mark.parametrize(
    ("media_type", "streams"),
    [
        ("text/event-stream; charset=utf-8", True),
        ("application/vnd.amazon.eventstream", True),
        ("application/x-ndjson", True),
        ("application/json", False),
        ("", False),
    ],
)
def test_the_head_announces_a_stream(media_type, streams):
    assert is_stream((("Content-Type", media_type),)) is streams


def test_an_unchanged_call_is_written_as_it_came():
    call = ModelCall([ModelRequest([UserPromptPart("hi")])]).read_from(b'{"a": 1}')
    again = ModelCall(call.messages)
    assert unchanged_source(call, lambda body: again) == b'{"a": 1}'
    assert unchanged_source(call, lambda body: ModelCall([])) is None
    assert unchanged_source(again, lambda body: again) is None


@pytest.mark.parametrize("url", ["http://[", "", "no address", "https://x/%zz"])
def test_any_address_can_be_taken_apart(url):
    asked = Asked.by(Request("POST", url), {})
    assert [codec.name for codec in CODECS if codec.serves(asked)] == []


def test_frames_without_a_call_are_read():
    frame = encode_frame({":event-type": "messageStart", ":message-type": "event"}, b'{"role": "assistant"}')
    headers = (("content-type", "application/vnd.amazon.eventstream"),)
    assert codec_named("bedrock").decode_answer(None, 200, headers, frame).response.parts == []
