"""Recordings that have lost a request's body or its address."""

from __future__ import annotations

import json

import pytest

from replay_agent.calls import ModelCall
from replay_agent.messages import ModelRequest, ModelResponse, TextPart, ToolCallPart, UserPromptPart
from replay_agent.report.conversation.transcript import Transcript
from replay_agent.traffic import Chunk, Failure, Interaction, Phase, Request, Response
from replay_agent.usage import Usage
from replay_agent.wire.registry import CODECS, codec_named
from tests.report.conversation.test_transcript import CHAT, JSON, SSE, reply, stream

MESSAGE = {"type": "message", "role": "assistant", "model": "m", "content": [{"type": "text", "text": "hello"}]}
TEXT = {"role": "assistant", "content": "hello"}
BEDROCK = {"output": {"message": {"role": "assistant", "content": [{"text": "hello"}]}}, "stopReason": "end_turn"}
ANSWERED = [
    (
        "https://r.openai.azure.com/openai/deployments/d/chat/completions",
        {"choices": [{"message": TEXT}]},
        "openai_chat",
    ),
    ("https://api.mistral.ai/v1/chat/completions", {"choices": [{"message": TEXT}]}, "mistral"),
    ("https://api.anthropic.com/v1/messages", MESSAGE, "anthropic"),
    (
        "https://api.openai.com/v1/responses",
        {"object": "response", "output": [{**MESSAGE, "content": [{"type": "output_text", "text": "hello"}]}]},
        "openai_responses",
    ),
    (
        "https://g.example/v1beta/models/gemini-2.5-pro:generateContent",
        {"candidates": [{"content": {"role": "model", "parts": [{"text": "hello"}]}}]},
        "gemini",
    ),
    ("https://b.example/model/amazon.nova-lite-v1%3A0/converse", BEDROCK, "bedrock"),
    ("https://b.example/model/amazon.nova-lite-v1%3A0/invoke", BEDROCK, "bedrock"),
    (
        "https://api.cohere.com/v2/chat",
        {"id": "i", "message": {"content": [{"type": "text", "text": "hello"}]}},
        "cohere",
    ),
    ("http://localhost:11434/api/chat", {"model": "m", "message": TEXT, "done": True}, "ollama"),
]


@pytest.mark.parametrize("body", [b"", b"null", b"REDACTED", b"{}", b'{"messages": "**REDACTED**"}', b'{"a": 1', b"[]"])
@pytest.mark.parametrize(("url", "answer", "format"), ANSWERED)
def test_an_answer_is_read_where_the_request_is_gone(url, answer, format, body):
    outcome = Response(200, JSON, (Chunk(json.dumps(answer).encode()),))
    transcript = Transcript.from_interactions([Interaction(Request("POST", url, JSON, body), outcome)])
    (exchange,) = transcript.exchanges
    assert (exchange.format, exchange.call.messages) == (format, [])
    assert exchange.answer.response.parts == [TextPart("hello")]
    assert len(transcript.messages) == 1


def test_a_stream_is_read_where_the_request_is_gone():
    outcome = Response(200, SSE, stream({"content": "hel"}, {"content": "lo"}))
    (exchange,) = Transcript.from_interactions([Interaction(Request("POST", CHAT, JSON, b""), outcome)]).exchanges
    assert exchange.answer.response.parts == [TextPart("hello")]
    assert (exchange.call.stream, exchange.partial) == (True, False)


def events(*documents):
    return b"".join(b"data: %s\n\n" % json.dumps(each).encode() for each in documents)


GEMINI = {"candidates": [{"content": {"role": "model", "parts": [{"text": "hello"}]}}]}
STREAMED = {
    "anthropic": (
        "https://api.anthropic.com/v1/messages",
        SSE,
        events(
            {"type": "message_start", "message": {**MESSAGE, "content": []}},
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "hello"}},
        ),
    ),
    "gemini": (
        "https://g.example/v1beta/models/gemini-2.5-pro:streamGenerateContent",
        JSON,
        json.dumps([GEMINI]).encode(),
    ),
    "openai_responses": (
        "https://api.openai.com/v1/responses",
        SSE,
        events({"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "hello"}),
    ),
    "ollama": (
        "http://localhost:11434/api/chat",
        (("content-type", "application/x-ndjson"),),
        b'{"message": {"content": "hel"}, "done": false}\n{"message": {"content": "lo"}, "done": true}\n',
    ),
    "mistral": (
        "https://api.mistral.ai/v1/chat/completions",
        SSE,
        events({"choices": [{"index": 0, "delta": {"content": "hello"}}]}),
    ),
}


@pytest.mark.parametrize("format", STREAMED)
def test_a_stream_of_any_format_is_read_where_the_request_is_gone(format):
    url, headers, body = STREAMED[format]
    asked = Request("POST", url, JSON, b"")
    (exchange,) = Transcript.from_interactions([Interaction(asked, Response(200, headers, (Chunk(body),)))]).exchanges
    assert (exchange.format, exchange.answer.response.parts) == (format, [TextPart("hello")])


def test_what_a_request_still_says_is_read():
    body = b'{"model": "gpt-4o", "messages": "REDACTED", "max_tokens": 5}'
    (exchange,) = Transcript.from_interactions([Interaction(Request("POST", CHAT, JSON, body), reply(TEXT))]).exchanges
    assert (exchange.call.model, exchange.call.settings) == ("gpt-4o", {"max_tokens": 5})


@pytest.mark.parametrize(
    "outcome",
    [
        Response(200, JSON, (Chunk(b'{"ok": true}'),)),
        Response(200, JSON, ()),
        Response(200, (("content-type", "text/html"),), (Chunk(b"<html>"),)),
        Response(200, SSE, (Chunk(b"data: tick\n\n"),)),
        Response(404, JSON, (Chunk(b'{"error": "no"}'),)),
        Failure("timeout", Phase.CONNECT, "slow"),
    ],
)
@pytest.mark.parametrize("url", [url for url, _, _ in ANSWERED])
def test_other_answers_say_nothing_of_a_lost_request(url, outcome):
    transcript = Transcript.from_interactions([Interaction(Request("POST", url, JSON, b""), outcome)])
    (traffic,) = transcript.unknown
    assert traffic.kind or traffic.reason


BLOTTED = ["**REDACTED**", "", "REDACTED/v1", "https://llm.example/v1/ask", "http://[::1", "https://gateway.example/"]
FORMATS = sorted({codec.name for codec in CODECS} - {"mistral"})
"""Mistral's is a dialect of chat completions, which only its address or its client tells."""


def written(format, parts, *, stream, url):
    codec = codec_named(format)
    call = ModelCall(model="m", messages=[ModelRequest([UserPromptPart("hello?")])], stream=stream)
    usage = Usage(request_tokens=3, response_tokens=2, total_tokens=5)
    answer = codec.encode_answer(call, ModelResponse(parts, model_name="m", finish_reason="stop", usage=usage))
    asked = codec.encode_call(call)
    outcome = Response(answer.status, answer.headers, tuple(map(Chunk, answer.chunks)))
    return Interaction(Request("POST", url, JSON, asked.body), outcome)


@pytest.mark.parametrize("url", BLOTTED)
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("format", FORMATS)
def test_a_call_is_read_where_its_address_is_gone(format, streamed, url):
    transcript = Transcript.from_interactions([written(format, [TextPart("Hello.")], stream=streamed, url=url)])
    (exchange,) = transcript.exchanges
    assert (exchange.format, exchange.url) == (format, url)
    assert exchange.answer.response.parts == [TextPart("Hello.")]
    assert transcript.usage.total_tokens == 5
    assert exchange.call.model in ("m", None)  # some formats name the model in the address only


@pytest.mark.parametrize("format", FORMATS)
def test_a_tool_call_is_read_where_its_address_is_gone(format):
    call = ToolCallPart("look_up", {"city": "Paris"}, "call_1")
    transcript = Transcript.from_interactions([written(format, [call], stream=False, url="**REDACTED**")])
    assert [part.tool_name for part in transcript.tool_calls] == ["look_up"]
    assert transcript.exchanges[0].format == format


def sent(url, body, answer):
    outcome = Response(200, JSON, (Chunk(json.dumps(answer).encode()),))
    return Transcript.from_interactions([Interaction(Request("POST", url, JSON, json.dumps(body).encode()), outcome)])


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ({"messages": [{"role": "user", "content": "hi"}]}, {"ok": True}),
        ({"messages": [{"role": "user", "content": "hi"}]}, {"id": 7, "state": "queued"}),
        ({"messages": ["a", "b"]}, {"accepted": 2}),
        ({"contents": [{"parts": [{"text": "hi"}]}]}, {"name": "stores/1", "usageMetadata": {"totalTokenCount": 9}}),
        ({"input": "hi"}, {"object": "list", "data": [{"embedding": [0.5]}]}),
        ({"input": {"q": 1}}, {"output": "done"}),
        ({"query": "hi"}, {"choices": [{"message": {"content": "hello"}}]}),
    ],
)
def test_other_traffic_is_no_call(body, answer):
    assert sent("https://app.example/api", body, answer).exchanges == []


def test_a_refusal_without_an_address_tells_no_format():
    outcome = Response(429, JSON, (Chunk(b'{"error": {"message": "slow down"}}'),))
    body = b'{"model": "m", "messages": [{"role": "user", "content": "hi"}]}'
    transcript = Transcript.from_interactions([Interaction(Request("POST", "REDACTED", JSON, body), outcome)])
    assert (transcript.exchanges, len(transcript.unknown)) == ([], 1)


def test_what_a_provider_stores_has_its_name():
    url = "https://g.example/v1beta/cachedContents"
    (traffic,) = sent(url, {"contents": []}, {"usageMetadata": {"totalTokenCount": 9}}).unknown
    assert traffic.kind == "gemini_cached_contents"
