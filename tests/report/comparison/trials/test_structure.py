from __future__ import annotations

import json

import pytest

from replay_agent.report.comparison.sources.runs import Run
from replay_agent.report.comparison.trials.structure import compare_structure
from replay_agent.traffic import Chunk, Failure, Interaction, Phase, Request, Response

URL = "https://api.openai.com/v1/chat/completions"
JSON = (("content-type", "application/json"),)


def called(name, arguments, number=1):
    written = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return {"id": f"call_{number}", "type": "function", "function": {"name": name, "arguments": written}}


def said(text=None, calls=(), reason=None, refusal=None):
    message = {"role": "assistant", "content": text, "tool_calls": list(calls) or None, "refusal": refusal}
    finish = reason or ("tool_calls" if calls else "stop")
    return {"model": "gpt-4o", "choices": [{"index": 0, "finish_reason": finish, "message": message}]}


def run(*answers, question="Capital?", schema=False, status=200):
    """A conversation in which these answers were given, one after the other."""
    messages = [{"role": "user", "content": question}]
    interactions = []
    for answer in answers:
        body = {"model": "gpt-4o", "messages": list(messages)}
        if schema:
            body["response_format"] = {"type": "json_object"}
        request = Request("POST", URL, JSON, json.dumps(body).encode())
        outcome = answer
        if not isinstance(answer, Failure):
            outcome = Response(status, JSON, (Chunk(json.dumps(answer).encode()),))
            message = answer["choices"][0]["message"] if "choices" in answer else {}
            messages.append(message)
            calls = message.get("tool_calls") or ()
            messages += [{"role": "tool", "tool_call_id": each["id"], "content": f"result of {each}"} for each in calls]
        interactions.append(Interaction(request, outcome, "test"))
    return Run("test", interactions)


SEARCH = said(calls=[called("search", {"query": "Paris", "most": 3})])
BOTH = said(calls=[called("search", {"query": "a"}), called("look_up", {"id": 1}, 2)])
SAME = {
    "words": (run(said("Paris")), run(said("It is Paris, of course."))),
    "values of arguments": (
        run(SEARCH, said("ok")),
        run(said(calls=[called("search", {"most": 5, "query": "Lyon"}, 7)]), said("fine")),
    ),
    "values of a result": (
        run(said('{"name": "Paris", "tags": []}'), schema=True),
        run(said('{"tags": ["big"], "name": "Lyon"}'), schema=True),
    ),
    "text beside a call": (run(SEARCH), run(said("Let me see.", calls=[called("search", {"query": "x", "most": 1})]))),
    "nothing": (run(SEARCH, said("ok")), run(SEARCH, said("ok"))),
}


@pytest.mark.parametrize("what", SAME)
def test_what_is_no_structure_never_counts(what):
    found = compare_structure(*SAME[what])
    assert found.deviations == []
    assert found.asked_otherwise == []
    assert bool(found.worded) == (what != "nothing")


OTHER = {
    "another tool": (run(SEARCH), run(said(calls=[called("look_up", {"query": "Paris", "most": 3})])), "tools", 1),
    "one tool less": (run(BOTH), run(said(calls=[called("search", {"query": "a"})])), "tools", 1),
    "another order": (
        run(BOTH),
        run(said(calls=[called("look_up", {"id": 1}), called("search", {"query": "a"}, 2)])),
        "tools",
        1,
    ),
    "no tool": (run(SEARCH, said("ok")), run(said("Paris")), "tools", 1),
    "an argument more": (
        run(SEARCH),
        run(said(calls=[called("search", {"query": "a", "most": 1, "page": 2})])),
        "arguments",
        1,
    ),
    "an argument less": (run(SEARCH), run(said(calls=[called("search", {"query": "a"})])), "arguments", 1),
    "an argument of another kind": (
        run(SEARCH),
        run(said(calls=[called("search", {"query": ["a"], "most": 3})])),
        "arguments",
        1,
    ),
    "arguments that are none": (run(SEARCH), run(said(calls=[called("search", "not json")])), "arguments", 1),
    "a field of the result": (
        run(said('{"name": "Paris"}'), schema=True),
        run(said('{"city": "Paris"}'), schema=True),
        "result",
        1,
    ),
    "a result that is none": (
        run(said('{"name": "Paris"}'), schema=True),
        run(said("Paris!"), schema=True),
        "result",
        1,
    ),
    "an answer that is cut": (run(said("Paris")), run(said("Par", reason="length")), "finish_reason", 1),
    "a refusal": (run(said("Paris")), run(said(None, refusal="I cannot.")), "finish_reason", 1),
    "an error": (run(said("Paris")), run({"error": {"message": "no"}}, status=500), "failure", 1),
    "a connection that breaks": (run(said("Paris")), run(Failure("ReadTimeout", Phase.HEAD)), "failure", 1),
    "a turn more": (run(SEARCH, said("ok")), run(SEARCH, SEARCH, said("ok")), "tools", 2),
    "a turn less": (run(SEARCH, said("ok")), run(SEARCH), "turns", 2),
    "silence": (run(said("Paris")), run(said("")), "answer", 1),
}


@pytest.mark.parametrize("what", OTHER)
def test_what_is_done_otherwise_is_told_with_its_turn(what):
    before, after, kind, turn = OTHER[what]
    found = compare_structure(before, after).deviations
    assert (kind, turn) in {(each.kind, each.turn) for each in found}
    assert all(each.text for each in found)


def test_a_conversation_that_is_new_is_told():
    before, other = run(said("Paris")), run(said("Oslo"), question="And of Norway?")
    after = Run("test", [*before.interactions, *other.interactions])
    assert [each.kind for each in compare_structure(before, after).deviations] == ["conversations"]
    assert [each.kind for each in compare_structure(after, before).deviations] == ["conversations"]


def test_what_is_asked_otherwise_is_told():
    found = compare_structure(run(said("Paris")), run(said("Paris"), question="The capital?"))
    assert found.deviations == []
    assert found.asked_otherwise == ["user prompt changed (turn 1)"]
