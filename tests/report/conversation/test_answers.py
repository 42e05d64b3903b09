from __future__ import annotations

import pytest

from replay_agent.calls import Answer, AnswerError, ModelCall
from replay_agent.exceptions import WireError
from replay_agent.report.conversation.answers import failure_text, read_answer
from replay_agent.traffic import Chunk, Failure, Phase, Response, StreamEnd
from replay_agent.wire.registry import codec_named

CHAT = codec_named("openai_chat")
JSON = (("content-type", "application/json"),)


def test_failures_say_when():
    texts = [failure_text(Failure("X", phase)) for phase in Phase]
    assert texts == [
        "X while connecting",
        "X while the request was sent",
        "X before an answer came",
        "X in the middle of the answer",
    ]


def test_a_failure_is_an_error_without_a_status():
    answer, partial = read_answer(CHAT, ModelCall([], model="m"), Failure("ReadTimeout", Phase.HEAD, "slow"))
    assert (answer, partial) == (Answer(error=AnswerError(None, "ReadTimeout before an answer came: slow")), False)


def test_a_body_that_broke_off_is_a_part():
    broken = Response(200, JSON, (Chunk(b'{"choices": [{"mess'),), end=StreamEnd.CLOSED)
    assert read_answer(CHAT, ModelCall([], model="m"), broken) == (Answer(), True)


def test_a_whole_body_that_is_no_answer_is_an_error():
    with pytest.raises(WireError):
        read_answer(CHAT, ModelCall([], model="m"), Response(200, JSON, (Chunk(b'{"choices": [{"mess'),)))
