from __future__ import annotations

import json

import pytest

from replay_agent.report.recorded.answers import changed_answers
from replay_agent.traffic import Chunk, Failure, Interaction, Phase, Request, Response

REQUEST = Request(
    "POST",
    "https://api.openai.com/v1/chat/completions",
    body=json.dumps({"model": "m", "messages": [{"role": "user", "content": "hi"}]}).encode(),
)


def said(content=None, *, calls=(), id="chatcmpl-1", request=REQUEST):
    message = {"role": "assistant", "content": content}
    if calls:
        message["tool_calls"] = [
            {"id": f"call_{id}", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
            for name, arguments in calls
        ]
    body = {
        "id": id,
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "message": message}],
    }
    return Interaction(request, Response(200, chunks=(Chunk(json.dumps(body).encode()),)))


def test_the_words_that_changed_are_shown():
    lines = changed_answers(said("It is on its way to you."), said("It is not on its way to you."))
    assert lines[0] == "assistant's text:"
    assert "{+not +}" in lines[1]


def test_the_same_words_under_another_id_are_no_change():
    assert changed_answers(said("yes", id="chatcmpl-1"), said("yes", id="chatcmpl-2")) == []


def test_another_argument_of_a_tool_is_shown():
    before, after = said(calls=[("look_up", {"city": "Oslo"})]), said(calls=[("look_up", {"city": "Bergen"})])
    lines = changed_answers(before, after)
    assert "look_up" in lines[0]
    assert "Bergen" in "\n".join(lines)


def test_another_tool_is_shown():
    lines = "\n".join(changed_answers(said(calls=[("a", {})]), said(calls=[("b", {})])))
    assert "call of a" in lines
    assert "call of b" in lines


@pytest.mark.parametrize(
    "other",
    [
        Interaction(Request("GET", "https://a.example/"), Response(200)),
        Interaction(REQUEST, Failure("ReadTimeout", Phase.HEAD)),
        Interaction(REQUEST, Response(200, chunks=(Chunk(b"{"),))),
    ],
)
def test_what_is_no_answer_is_compared_with_nothing_that_raises(other):
    changed_answers(said("yes"), other)
    changed_answers(other, said("yes"))
    assert changed_answers(other, other) == []


def test_colour_is_given_if_asked():
    assert "\x1b[32m" in "\n".join(changed_answers(said("yes I can"), said("yes I may"), colour=True))
