"""Recorded traffic, decoded."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from decimal import Decimal

import pytest

from replay_agent.calls import AnswerError
from replay_agent.exceptions import UserError
from replay_agent.messages import ModelRequest, ModelResponse, TextPart, ToolCallPart
from replay_agent.report.conversation.transcript import Transcript
from replay_agent.traffic import Chunk, Failure, Interaction, Phase, Request, Response, StreamEnd

CHAT = "https://api.openai.com/v1/chat/completions"
JSON = (("content-type", "application/json"),)
SSE = (("content-type", "text/event-stream"),)


def asked(*messages, url=CHAT, **fields):
    body = {"model": "gpt-4o", "messages": list(messages), **fields}
    return Request("POST", url, JSON, json.dumps(body).encode())


def user(text):
    return {"role": "user", "content": text}


def reply(message, id="chatcmpl-1", created=1_732_270_000, **usage):
    tokens = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110, **usage}
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": "stop"}
    body = {
        "id": id,
        "object": "chat.completion",
        "created": created,
        "model": "gpt-4o",
        "choices": [choice],
        "usage": tokens,
    }
    return Response(200, JSON, (Chunk(json.dumps(body).encode()),))


def stream(*deltas, done=True):
    events = [{"id": "c", "model": "gpt-4o", "choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    if done:
        events.append({"id": "c", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    lines = [f"data: {json.dumps(event)}\n\n" for event in events] + (["data: [DONE]\n\n"] if done else [])
    return tuple(Chunk(line.encode(), number) for number, line in enumerate(lines))


def tool_call(call_id):
    function = {"name": "lookup", "arguments": '{"city": "Paris"}'}
    return {"content": None, "tool_calls": [{"id": call_id, "type": "function", "function": function}]}


def run(call_id="call_1", id="chatcmpl-1", created=1_732_270_000, note="at 2026-11-21T10:00:01Z"):
    first = [user("How big is Paris?")]
    second = [
        *first,
        {"role": "assistant", **tool_call(call_id)},
        {"role": "tool", "tool_call_id": call_id, "content": f"2 million {note}"},
    ]
    return [
        Interaction(asked(*first), reply(tool_call(call_id), id, created)),
        Interaction(asked(*second), reply({"content": "2 million."}, id + "b", created + 2)),
    ]


PING = Interaction(Request("GET", "https://example.com/ping"), Response(204))


def test_a_run_is_read():
    transcript = Transcript.from_interactions(run())
    assert len(transcript) == 2
    assert [exchange.interaction for exchange in transcript.exchanges] == [0, 1]
    assert {exchange.format for exchange in transcript.exchanges} == {"openai_chat"}
    assert [type(message) for message in transcript.messages] == [ModelRequest, ModelResponse] * 2
    assert transcript.tool_calls == [ToolCallPart("lookup", '{"city": "Paris"}', "call_1")]
    assert (transcript.usage.requests, transcript.usage.request_tokens, transcript.usage.response_tokens) == (
        2,
        200,
        20,
    )
    assert transcript.cost == Decimal("0.0007")
    assert transcript.unknown == []


def test_nothing_is_an_empty_transcript():
    transcript = Transcript.from_interactions([])
    assert len(transcript) == 0
    assert transcript
    assert transcript.messages == []
    assert transcript.conversations == []
    assert transcript.cost is None


def test_several_conversations_have_no_one_history():
    transcript = Transcript.from_interactions(
        [Interaction(asked(user("A")), reply({"content": "a"})), Interaction(asked(user("B")), reply({"content": "b"}))]
    )
    with pytest.raises(UserError, match=r"2 conversations.*\.transcript\.conversations"):
        _ = transcript.messages
    assert [conversation.messages[1].parts for conversation in transcript.conversations] == [
        [TextPart("a")],
        [TextPart("b")],
    ]
    assert transcript.usage.requests == 2


def test_other_traffic_is_listed():
    transcript = Transcript.from_interactions([PING, *run()])
    [traffic] = transcript.unknown
    assert (traffic.interaction, traffic.request.url, traffic.reason) == (0, "https://example.com/ping", None)
    assert [exchange.interaction for exchange in transcript.exchanges] == [1, 2]
    assert len(transcript) == 3


@pytest.mark.parametrize(
    "interaction",
    [
        Interaction(asked(user("A")), Response(200, JSON, (Chunk(b"not json"),))),
        Interaction(asked(user("A")), Response(200, (*JSON, ("content-encoding", "gzip")), (Chunk(b"not gzip"),))),
        Interaction(asked(user("A")), Response(200, (*JSON, ("content-encoding", "pack200")), (Chunk(b"x"),))),
        Interaction(Request("POST", CHAT, (("content-encoding", "br"),), b"\xff"), Response(200)),
    ],
)
def test_what_cannot_be_read_is_listed_with_the_reason(interaction):
    transcript = Transcript.from_interactions([interaction])
    assert transcript.exchanges == []
    assert transcript.unknown[0].reason


def test_content_encodings_are_undone():
    [first, _] = run()
    headers = (*JSON, ("content-encoding", "gzip"))
    request = replace(first.request, headers=headers, body=gzip.compress(first.request.body))
    response = Response(200, headers, (Chunk(gzip.compress(first.outcome.body)),))
    transcript = Transcript.from_interactions([Interaction(request, response)])
    assert transcript.tool_calls == [ToolCallPart("lookup", '{"city": "Paris"}', "call_1")]


def test_a_refusal_is_an_error():
    body = json.dumps({"error": {"message": "slow down", "type": "rate_limit"}}).encode()
    turns = [
        Interaction(asked(user("A")), Response(429, JSON, (Chunk(body),))),
        Interaction(asked(user("A")), reply({"content": "a"})),
    ]
    transcript = Transcript.from_interactions(turns)
    assert transcript.exchanges[0].answer.error == AnswerError(429, "slow down")
    [conversation] = transcript.conversations
    assert [exchange.interaction for exchange in conversation.retries] == [0]
    assert transcript.usage.requests == 1


def test_a_transport_failure_is_an_error():
    failure = Failure("ConnectTimeout", Phase.CONNECT, "timed out")
    [exchange] = Transcript.from_interactions([Interaction(asked(user("A")), failure)]).exchanges
    assert exchange.answer.error == AnswerError(None, "ConnectTimeout while connecting: timed out")
    assert exchange.answer.response is None


def test_streams_are_read():
    chunks = stream({"role": "assistant", "content": "Par"}, {"content": "is."})
    [exchange] = Transcript.from_interactions(
        [Interaction(asked(user("A"), stream=True), Response(200, SSE, chunks))]
    ).exchanges
    assert exchange.answer.response.parts == [TextPart("Paris.")]
    assert not exchange.partial


@pytest.mark.parametrize("end", [StreamEnd.CLOSED, StreamEnd.ABANDONED, StreamEnd.COMPLETE])
def test_a_stream_that_was_not_read_to_its_end_is_partial(end):
    response = Response(200, SSE, stream({"content": "Par"}, done=False), end=end)
    [exchange] = Transcript.from_interactions([Interaction(asked(user("A"), stream=True), response)]).exchanges
    assert exchange.partial
    assert exchange.answer.response.parts == [TextPart("Par")]


def test_a_stream_that_broke_has_both_answer_and_error():
    failure = Failure("ReadError", Phase.BODY, "reset")
    response = Response(200, SSE, stream({"content": "Par"}, done=False), end=StreamEnd.FAILED, failure=failure)
    [exchange] = Transcript.from_interactions([Interaction(asked(user("A"), stream=True), response)]).exchanges
    assert exchange.answer.response.parts == [TextPart("Par")]
    assert exchange.answer.error.message == "ReadError in the middle of the answer: reset"


def test_a_body_that_broke_is_an_error_without_answer():
    failure = Failure("ReadError", Phase.BODY)
    response = Response(200, JSON, (Chunk(b'{"id": "ch'),), end=StreamEnd.FAILED, failure=failure)
    [exchange] = Transcript.from_interactions([Interaction(asked(user("A")), response)]).exchanges
    assert exchange.partial
    assert exchange.answer.response is None
    assert "ReadError" in exchange.answer.error.message


def test_two_recordings_of_one_run_compare_equal():
    one = Transcript.from_interactions([PING, *run()])
    other = Transcript.from_interactions(
        [PING, *run("call_9x", "chatcmpl-9", 1_799_000_000, "at 2027-01-01T09:09:09Z")]
    )
    assert one != other
    assert one.stable() == other.stable()
    assert one.stable().stable() == one.stable()


def test_a_run_that_says_something_else_stays_different():
    one = Transcript.from_interactions(run())
    other = Transcript.from_interactions(run(note="at noon"))
    assert one.stable() != other.stable()


def test_stable_names_are_readable():
    stable = Transcript.from_interactions(run()).stable()
    assert stable.tool_calls[0].tool_call_id == "<call 1>"
    assert stable.messages[2].parts[0].tool_call_id == "<call 1>"
    assert stable.messages[2].parts[0].content == "2 million at <time 1>"
    assert stable.messages[1].provider_response_id == "<response 1>"
    assert stable.usage == Transcript.from_interactions(run()).usage


def test_other_traffic_is_made_stable_too():
    def traffic(day, pace):
        url = f"https://example.com/weather?day={day}"
        body = json.dumps({"at": f"{day}T10:00:00Z"}).encode()
        response = Response(200, (("date", day),), (Chunk(body[:3], pace), Chunk(body[3:], pace)))
        failure = Failure("ReadError", Phase.HEAD, f"since {day}", pace)
        return Transcript.from_interactions(
            [Interaction(Request("GET", url, (("x-day", day),)), response), Interaction(Request("GET", url), failure)]
        )

    assert traffic("2026-11-21", 5) != traffic("2026-11-22", 9)
    assert traffic("2026-11-21", 5).stable() == traffic("2026-11-22", 9).stable()


def test_known_traffic_has_its_name():
    embedding = Request("POST", "https://api.openai.com/v1/embeddings", JSON, b'{"input": "a"}')
    (traffic,) = Transcript.from_interactions([Interaction(embedding, reply({}))]).unknown
    assert traffic.kind == "openai_embeddings"
