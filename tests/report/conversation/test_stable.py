"""What two recordings of one run differ in has the same name in both."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from replay_agent.calls import Answer, AnswerError, Exchange, ModelCall
from replay_agent.messages import (
    NO_TIMESTAMP,
    BinaryContent,
    FilePart,
    ImageUrl,
    ModelRequest,
    ModelResponse,
    NativeToolCallPart,
    NativeToolReturnPart,
    RetryPromptPart,
    SystemPromptPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UnknownPart,
    UserPromptPart,
)
from replay_agent.report.conversation.stable import stable_exchange, stable_outcome, stable_request
from replay_agent.report.conversation.volatile import EVERYTHING, Placeholders
from replay_agent.traffic import Chunk, Failure, Phase, Request, Response

NOW = datetime(2026, 11, 27, tzinfo=UTC)
PICTURE = BinaryContent(b"png", "image/png")


def made(date, number):
    """An exchange as two recordings would have it, each on a date and with ids of its own."""
    call_id, native_id, answer_id = f"call_{number:09}", f"srvtoolu_{number:09}", f"resp_{number:09}"
    messages = [
        ModelRequest(
            [
                SystemPromptPart(f"Today is {date}."),
                UserPromptPart(f"Since {date}?", timestamp=NOW),
                UserPromptPart(["Look:", ImageUrl(f"https://x.test/{date}.png"), PICTURE], timestamp=NOW),
                UnknownPart({"made": date}),
            ]
        ),
        ModelResponse(
            [
                ThinkingPart(f"It is {date}.", signature=f"sig{number}", id=f"rs_{number:09}"),
                TextPart(f"On {date}."),
                ToolCallPart("look", {"on": date}, call_id),
                NativeToolCallPart("search", {"on": date}, native_id),
                NativeToolReturnPart("search", [date], native_id),
                FilePart(PICTURE),
                UnknownPart({"on": date}),
            ],
            timestamp=NOW,
            provider_response_id=answer_id,
        ),
        ModelRequest(
            [
                ToolReturnPart("look", {"on": date}, call_id, timestamp=NOW),
                RetryPromptPart(f"not {date}", tool_name="look", tool_call_id=call_id, timestamp=NOW),
            ]
        ),
    ]
    call = ModelCall(messages, "m", previous_response_id=answer_id, extras={"user": date})
    response = ModelResponse(
        [TextPart(f"{call_id} on {date}")], timestamp=NOW, provider_response_id=f"resp_1{number:09}"
    )
    return Exchange(3, "openai_chat", call, Answer(response, AnswerError(500, f"down since {date}")))


def stable(date, number):
    return stable_exchange(made(date, number), Placeholders(EVERYTHING))


def test_two_recordings_of_one_run_are_the_same():
    assert stable("2026-11-26", 7) == stable("2026-11-27", 8)


def test_nothing_volatile_is_left():
    shown = repr(stable("2026-11-26", 7))
    assert "2026-11-2" not in shown
    assert "000000007" not in shown
    assert "sig7" not in shown


def test_names_follow_the_order_of_appearance_and_reach_into_text():
    exchange = stable("2026-11-26", 7)
    asked, answered, returned = exchange.call.messages
    assert asked.parts[0].content == "Today is <date 1>."
    assert answered.parts[2].tool_call_id == returned.parts[0].tool_call_id == "<call 1>"
    assert answered.parts[3].tool_call_id == answered.parts[4].tool_call_id == "<call 2>"
    assert exchange.answer.response.parts[0].content == "<call 1> on <date 1>"
    assert exchange.call.previous_response_id == answered.provider_response_id == "<response 1>"
    assert exchange.answer.error.message == "down since <date 1>"


def test_times_go_and_content_stays():
    asked, answered, returned = stable("2026-11-26", 7).call.messages
    parts = [*asked.parts[1:3], *returned.parts]
    assert {part.timestamp for part in parts} | {answered.timestamp} == {NO_TIMESTAMP}
    assert asked.parts[2].content == ["Look:", ImageUrl("https://x.test/<date 1>.png"), PICTURE]
    assert answered.parts[5] == FilePart(PICTURE)


def test_what_differs_in_more_than_ids_and_times_stays_different():
    names = Placeholders(EVERYTHING)
    exchange = made("2026-11-26", 7)
    exchange.call.messages[1].parts[2].args["on"] = "Monday"
    assert stable_exchange(exchange, names) != stable("2026-11-26", 7)


def test_an_exchange_without_ids_and_answer_keeps_its_holes():
    call = ModelCall([ModelRequest([RetryPromptPart("again", timestamp=NOW)])])
    exchange = stable_exchange(Exchange(0, "f", call, Answer()), Placeholders())
    assert exchange.answer == Answer()
    assert exchange.call.previous_response_id is None
    assert exchange.call.messages[0].parts[0].tool_call_id is None


def test_the_exchange_given_is_left_as_it_was():
    exchange = made("2026-11-26", 7)
    stable_exchange(exchange, Placeholders(EVERYTHING))
    assert exchange == made("2026-11-26", 7)


@pytest.mark.parametrize("body", [b"on 2026-11-26", b"\xff 2026-11-26", b""])
def test_other_requests_keep_no_headers_and_bytes_that_are_no_text(body):
    request = Request("GET", "https://x.test/2026-11-26", (("date", "now"),), body)
    named = stable_request(request, Placeholders(EVERYTHING))
    assert (named.method, named.url, named.headers) == ("GET", "https://x.test/<date 1>", ())
    assert named.body == (b"on <date 1>" if body.startswith(b"on") else body)


def test_other_answers_keep_neither_headers_nor_pace():
    cut = Failure("ReadError", Phase.BODY, after_ms=9)
    outcome = Response(200, (("date", "now"),), (Chunk(b"on 2026-", 1), Chunk(b"11-26", 2)), waited_ms=4, failure=cut)
    named = stable_outcome(outcome, Placeholders(EVERYTHING))
    assert named.chunks == (Chunk(b"on <date 1>"),)
    assert (named.headers, named.waited_ms, named.failure) == ((), 0, Failure("ReadError", Phase.BODY))
    assert stable_outcome(Response(204), Placeholders()).chunks == ()


def test_a_failure_keeps_its_words_and_not_its_time():
    failure = Failure("ConnectError", Phase.CONNECT, "down since 2026-11-26", 12)
    named = stable_outcome(failure, Placeholders(EVERYTHING))
    assert named == Failure("ConnectError", Phase.CONNECT, "down since <date 1>")
