from __future__ import annotations

from replay_agent.calls import Answer, AnswerError, Exchange, ModelCall
from replay_agent.faults.sweep.effects import executed
from replay_agent.messages import ModelRequest, ModelResponse, TextPart, ToolCallPart, ToolReturnPart, UserPromptPart

ASKED = ModelRequest([UserPromptPart("go")])
CALLED = ModelResponse([ToolCallPart("book", '{"city": "Oslo"}', "1")])
DONE = ModelRequest([ToolReturnPart("book", "ok", "1")])
SAID = ModelResponse([TextPart("done")])
BOOKED = 'book({"city": "Oslo"})'


def exchange(*messages, response=None, error=None):
    return Exchange(0, "openai_chat", ModelCall(list(messages)), Answer(response, error))


FIRST = exchange(ASKED, response=CALLED)
SECOND = exchange(ASKED, CALLED, DONE, response=SAID)
FAILED = exchange(ASKED, CALLED, DONE, error=AnswerError(500, "x"))


def test_a_tool_whose_return_is_sent_was_executed():
    assert executed([FIRST, SECOND]) == {BOOKED: 1}
    assert executed([FIRST]) == {}


def test_the_same_request_once_more_is_no_execution():
    assert executed([FIRST, FAILED, FAILED, SECOND]) == {BOOKED: 1}


def test_a_run_that_starts_over_executes_again():
    assert executed([FIRST, FAILED, FIRST, SECOND]) == {BOOKED: 2}


def test_the_same_call_twice_in_one_answer():
    twice = ModelResponse([*CALLED.parts, *CALLED.parts])
    both = ModelRequest([*DONE.parts, *DONE.parts])
    assert executed([exchange(ASKED, response=twice), exchange(ASKED, twice, both, response=SAID)]) == {BOOKED: 2}
