from __future__ import annotations

import json

import pytest

from replay_agent.faults import fault
from replay_agent.faults.plan import Plan
from replay_agent.provider.script import Script
from replay_agent.traffic import Failure, Phase, Request

HELLO = {"role": "user", "content": "hello"}


def asked(*messages):
    body = json.dumps({"model": "gpt-4o", "messages": [HELLO, *messages]}).encode()
    return Request("POST", "https://api.openai.com/v1/chat/completions", (("content-type", "application/json"),), body)


ANSWER = Script(["hi"]).outcome(asked())
SECOND = ({"role": "assistant", "content": "hi"}, {"role": "user", "content": "and?"})


def struck(plan, *requests):
    return [plan.tampered(request, ANSWER) is not None for request in requests]


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ({}, [True, False, False, False]),
        ({"call": 2}, [False, True, False, False]),
        ({"times": 2}, [True, True, False, False]),
        ({"times": None}, [True, True, True, True]),
        ({"call": 2, "times": None}, [False, True, True, True]),
        ({"call": 2, "times": 2}, [False, True, True, False]),
        ({"turn": 2}, [False, False, True, False]),
        ({"turn": 2, "times": None}, [False, False, True, True]),
        ({"when": "hello", "call": 3}, [False, False, True, False]),
        ({"when": "nobody says this"}, [False] * 4),
        ({"when": lambda call: len(call.messages) > 1}, [False, False, True, False]),
    ],
)
def test_a_fault_strikes_when_it_should(when, expected):
    plan = Plan([fault("refused", **when)])
    assert struck(plan, asked(), asked(), asked(*SECOND), asked(*SECOND)) == expected
    assert plan.struck is any(expected)


def test_the_first_of_several_strikes_and_then_the_next():
    plan = Plan([fault("refused"), fault("overloaded")])
    assert plan.tampered(asked(), ANSWER).kind == "ConnectError"
    assert plan.tampered(asked(), ANSWER).status == 529
    assert plan.unstruck_text("test_it") == ""


def test_what_has_not_struck_is_told():
    plan = Plan([fault("truncated"), fault("refused", call=7)])
    assert struck(plan, asked()) == [False]
    text = plan.unstruck_text("test_it")
    for words in ("test_it: 2 of 2 faults did not strike", "truncated()", "refused(call=7)", "1 calls came"):
        assert words in text


def test_other_traffic_is_left_alone():
    plan = Plan([fault("refused")])
    assert plan.tampered(Request("GET", "https://example.org"), ANSWER) is None
    assert plan.tampered(asked(), Failure("ReadError", Phase.HEAD)) is None
