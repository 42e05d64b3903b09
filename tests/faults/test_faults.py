"""Every fault on an answer of every format, streamed and whole: what becomes of it, read by our own codecs."""

from __future__ import annotations

import gzip
import json
import time
from dataclasses import replace

import pytest

from replay_agent.calls import ModelCall, ToolDefinition
from replay_agent.faults import FAULTS, fault
from replay_agent.faults.fault import Answered, response_of
from replay_agent.messages import ModelRequest, ModelResponse, TextPart, ToolCallPart, UserPromptPart
from replay_agent.traffic import Chunk, Failure, Phase, Request, Response, StreamEnd, header
from replay_agent.wire.registry import CODECS, codec_named

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TEXT = ModelResponse([TextPart("one two three four five")], finish_reason="stop")
CALLING = ModelResponse([ToolCallPart("get_weather", {"city": "Oslo"}, "call_1")], finish_reason="tool_call")
NAMES = [name for name in FAULTS if name != "http_status"]
STATUSES = {"rate_limited": 429, "rate_limited_until": 429, "quota": 429, "context_overflow": 400, "overloaded": 529}
STATUSES |= {"unauthorized": 401, "server_error": 500, "bad_gateway": 502}


def answered(codec, *, stream=False, said=TEXT):
    call = ModelCall([ModelRequest([UserPromptPart("hi")])], "claude", [ToolDefinition("get_weather", "", SCHEMA)])
    encoded = codec.encode_call(replace(call, stream=stream))
    request = Request("POST", f"https://model.example/v1{encoded.path}", encoded.headers, encoded.body)
    read = codec.decode_call(request)
    return Answered(codec, request, read, response_of(codec.encode_answer(read, said)))


def laid(name, codec, *, stream=False, said=TEXT, **options):
    return fault(name, **options).lay(answered(codec, stream=stream, said=said))


def error_in(codec, outcome, *, stream=False):
    call = answered(codec, stream=stream).call
    return codec.decode_answer(call, outcome.status, outcome.headers, outcome.body).error


@pytest.fixture(params=CODECS, ids=lambda codec: codec.name)
def codec(request):
    return request.param


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_every_fault_can_be_laid_quickly_or_says_that_it_cannot(codec, name, stream):
    begun = time.perf_counter()
    for said in (TEXT, CALLING):
        outcome = laid(name, codec, stream=stream, said=said)
        assert outcome is None or isinstance(outcome, Response | Failure)
    assert time.perf_counter() - begun < 0.5


@pytest.mark.parametrize(("name", "status"), STATUSES.items())
def test_a_refusal_speaks_as_the_provider_does(codec, name, status):
    outcome = laid(name, codec)
    assert outcome.status == status
    assert error_in(codec, outcome).status == status
    assert error_in(codec, outcome).message


def test_retry_after_in_both_spellings(codec):
    assert header(laid("rate_limited", codec, retry_after=7).headers, "Retry-After") == "7"
    assert header(laid("rate_limited_until", codec).headers, "retry-after").endswith("GMT")
    assert header(laid("quota", codec).headers, "retry-after") is None


@pytest.mark.parametrize("name", ["openai_chat", "openai_responses"])
def test_codes_stand_where_openai_puts_them(name):
    codec = codec_named(name)
    for each, code in (("quota", "insufficient_quota"), ("context_overflow", "context_length_exceeded")):
        assert json.loads(laid(each, codec).body)["error"]["code"] == code


def test_an_error_in_a_stream_is_the_providers_own(codec):
    if codec.name == "mistral":
        pytest.skip("Mistral tells of no error in a stream; what is sent is the body of its refusals")
    outcome = laid("error_event", codec, stream=True, after=2)
    assert outcome.status == 200
    assert error_in(codec, outcome, stream=True).message
    assert laid("error_event", codec) is None


def test_a_stream_may_be_cut_truncated_stalled_or_reset_after_so_many_events(codec):
    for name, kind in (("cut", "RemoteProtocolError"), ("reset_in_body", "ReadError"), ("stall", "Stalled")):
        outcome = laid(name, codec, stream=True, after=2)
        assert (len(outcome.chunks), outcome.end) == (2, StreamEnd.FAILED)
        assert (outcome.failure.kind, outcome.failure.phase) == (kind, Phase.BODY)
    truncated = laid("truncated", codec, stream=True, after=2)
    assert (len(truncated.chunks), truncated.end) == (2, StreamEnd.COMPLETE)
    assert laid("cut", codec, stream=True, after=999) is None


def test_half_of_a_stream_comes_without_a_number(codec):
    whole = len(answered(codec, stream=True).response.chunks)
    assert 1 <= len(laid("cut", codec, stream=True).chunks) <= whole // 2 + 1


def test_the_same_seed_corrupts_the_same_event(codec):
    one, two = (laid("corrupted", codec, stream=True, seed=5) for _ in range(2))
    assert one == two
    assert one.body != answered(codec, stream=True).response.body


@pytest.mark.parametrize("stream", [False, True])
def test_what_the_model_says_is_changed(codec, stream):
    def said(name, healthy):
        outcome = laid(name, codec, stream=stream, said=healthy)
        call = answered(codec, stream=stream).call
        return codec.decode_answer(call, outcome.status, outcome.headers, outcome.body).response

    assert [part.tool_name for part in said("unknown_tool", CALLING).parts] == ["no_such_tool"]
    assert said("invalid_arguments", CALLING).parts[0].args_as_dict() == {"no_such_argument": [0]}
    assert said("length", TEXT).finish_reason == "length"
    cut = "".join(part.content for part in said("length", TEXT).parts)
    assert TEXT.parts[0].content.startswith(cut)
    empty = said("empty_answer", TEXT)
    assert empty is None or not any(getattr(part, "content", "") for part in empty.parts)
    for name in ("unknown_tool", "invalid_arguments", "duplicate_call_id", "bad_tool_json"):
        assert laid(name, codec, stream=stream) is None


def test_a_call_comes_twice_under_one_id():
    outcome = laid("duplicate_call_id", codec_named("openai_chat"), said=CALLING)
    calls = json.loads(outcome.body)["choices"][0]["message"]["tool_calls"]
    assert [call["id"] for call in calls] == ["call_1", "call_1"]


def test_a_compressed_answer_is_cut_as_what_it_holds():
    codec = codec_named("openai_chat")
    plain = answered(codec, stream=True)
    packed = replace(
        plain.response,
        headers=(*plain.response.headers, ("content-encoding", "gzip")),
        chunks=(Chunk(gzip.compress(plain.response.body)),),
    )
    outcome = fault("cut", after=2).lay(Answered.by(codec, plain.request, plain.call, packed))
    assert [chunk.data for chunk in outcome.chunks] == [chunk.data for chunk in plain.response.chunks[:2]]
    assert header(outcome.headers, "content-encoding") is None


@pytest.mark.parametrize(("name", "late"), [("read_timeout", 9000), ("slow_first_token", 9000)])
def test_a_delay_of_so_many_seconds_is_one_of_the_first_piece(name, late):
    outcome = laid(name, codec_named("anthropic"), stream=True, seconds=9)
    assert outcome.chunks[0].offset_ms == late
