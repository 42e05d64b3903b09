"""Models that are invoked with the bodies of Converse."""

from __future__ import annotations

import base64
import json

import pytest

from replay_agent.framing.aws_frames import encode_frame
from replay_agent.messages import ModelResponse, TextPart, ToolCallPart
from replay_agent.traffic import Request
from replay_agent.usage import Usage
from replay_agent.wire.bedrock import codec
from replay_agent.wire.bedrock.calls import is_converse
from replay_agent.wire.registry import codec_for

HOST = "https://bedrock-runtime.us-east-1.amazonaws.com"
BODY = {
    "schemaVersion": "messages-v1",
    "system": [{"text": "Be brief."}],
    "messages": [{"role": "user", "content": [{"text": "hi"}]}],
    "inferenceConfig": {"max_new_tokens": 50, "top_p": 0.5, "temperature": 0, "topK": 20},
}


def invoked(body=BODY, model="us.amazon.nova-lite-v1:0", verb="invoke"):
    return Request("POST", f"{HOST}/model/{model}/{verb}", body=json.dumps(body).encode())


@pytest.mark.parametrize("verb", ["invoke", "invoke-with-response-stream"])
@pytest.mark.parametrize(
    "body",
    [
        BODY,
        {"messages": BODY["messages"]},
        {"messages": [{"role": "user", "content": [{"image": {"format": "png", "source": {"bytes": "aGk="}}}]}]},
        {"messages": [{"role": "user", "content": [{"toolResult": {"toolUseId": "t", "content": []}}]}]},
    ],
)
def test_a_body_of_converse_is_one_wherever_it_is_sent(body, verb):
    found = codec_for(invoked(body, verb=verb))
    assert found is codec
    call = codec.decode_call(invoked(body, verb=verb))
    assert (call.model, call.stream) == ("us.amazon.nova-lite-v1:0", verb != "invoke")
    assert codec.encode_call(call).path.endswith(verb)
    assert json.loads(codec.encode_call(call).body) == body


def test_settings_by_other_names():
    call = codec.decode_call(invoked())
    assert call.settings == {"max_tokens": 50, "top_p": 0.5, "temperature": 0}
    assert call.extras["inferenceConfig"] == {"topK": 20}


@pytest.mark.parametrize(
    "body",
    [
        {"inputText": "hi"},
        {"prompt": "hi"},
        {"message": "hi"},
        {"messages": []},
        {"messages": [{"role": "user", "content": "hi"}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]},
        {"messages": BODY["messages"], "anthropic_version": "bedrock-2023-05-31"},
        {"messages": [7]},
        {"messages": "hi"},
    ],
)
def test_other_bodies_are_not(body):
    assert not is_converse(body)
    assert codec_for(invoked(body, "meta.llama3-8b")) is not codec


USAGE = {"inputTokens": 3, "outputTokens": 2, "totalTokens": 5, "cacheReadInputTokenCount": 4}


def chunk(event):
    data = base64.b64encode(json.dumps(event).encode()).decode()
    return encode_frame({":event-type": "chunk", ":message-type": "event"}, json.dumps({"bytes": data}).encode())


def test_streams_within_frames():
    call = codec.decode_call(invoked(verb="invoke-with-response-stream"))
    events = [
        {"messageStart": {"role": "assistant"}},
        {"contentBlockDelta": {"delta": {"text": "hel"}, "contentBlockIndex": 0}},
        {"contentBlockDelta": {"delta": {"text": "lo"}, "contentBlockIndex": 0}},
        {"contentBlockStop": {"contentBlockIndex": 0}},
        {"messageStop": {"stopReason": "max_tokens"}},
        {"metadata": {"usage": USAGE}, "amazon-bedrock-invocationMetrics": {"inputTokenCount": 3}},
    ]
    response = codec.decode_answer(call, 200, (), b"".join(map(chunk, events))).response
    assert response.parts == [TextPart("hello")]
    assert (response.finish_reason, response.usage.request_tokens) == ("length", 7)


@pytest.mark.parametrize("event", [{}, {"odd": {}}, {"messageStart": 7}, {"contentBlockDelta": {"delta": 7}}])
def test_odd_events_do_no_harm(event):
    codec.decode_answer(None, 200, (), chunk(event))


@pytest.mark.parametrize("verb", ["invoke", "invoke-with-response-stream"])
def test_answers_come_back(verb):
    call = codec.decode_call(invoked(verb=verb))
    parts = [TextPart("a"), ToolCallPart("f", {"a": 1}, "t1")]
    written = codec.encode_answer(call, ModelResponse(parts, finish_reason="tool_call", usage=Usage(0, 1, 2, 3)))
    read = codec.decode_answer(call, written.status, written.headers, b"".join(written.chunks)).response
    assert [part.part_kind for part in read.parts] == ["text", "tool-call"]
    assert read.parts[1].args_as_dict() == {"a": 1}
    assert (read.finish_reason, read.usage) == ("tool_call", Usage(0, 1, 2, 3))
