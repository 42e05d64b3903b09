from __future__ import annotations

import json

import pytest

from replay_agent.report.comparison.trials.drifts import drift_between, nearest_of
from replay_agent.traffic import Request

URL = "https://api.openai.com/v1/chat/completions"


def request(content="hello", **more):
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": content}], **more}
    return Request("POST", URL, (("content-type", "application/json"),), json.dumps(body).encode())


CAUSES = [
    ("tags: a, b, c", "tags: c, a, b", "order"),
    ("one\ntwo", "two\none", "order"),
    ("today is 2026-11-27", "today is 2026-11-28", "clock"),
    ("it is 10:00:01", "it is 12:04:05", "clock"),
    ("id 3f2504e0-4f89-11d3-9a0c-0305e82c3301", "id 9f2504e0-4f89-11d3-9a0c-0305e82c3302", "uuid"),
    ("hello", "goodbye", "other"),
]


@pytest.mark.parametrize(("before", "after", "cause"), CAUSES)
def test_a_cause_is_known_by_what_differs(before, after, cause):
    drift = drift_between(request(before), request(after), "since then")
    assert drift.cause == cause
    assert drift.field == "$.messages[0].content"
    assert drift.turn == 1
    assert drift.told()[0].startswith("The user prompt")
    assert bool(drift.remedy) == (cause != "other")


def tool(name):
    return {"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": {}}}}


def test_tools_in_another_order_are_a_matter_of_order():
    before, after = request(tools=[tool("a"), tool("b")]), request(tools=[tool("b"), tool("a")])
    assert drift_between(before, after, "since then").cause == "order"


def test_what_does_not_count_is_left_out():
    before, after = request(metadata={"trace": "a"}, seed=1), request(metadata={"trace": "b"}, seed=2)
    drift = drift_between(before, after, "since then", ["$.metadata.trace"])
    assert "seed" in drift.headline
    assert drift.field == "$.seed"


def test_requests_that_differ_in_nothing_that_is_shown_say_so():
    assert "header" in drift_between(request(), request(), "since then").headline


def test_other_traffic_has_no_turn():
    before, after = (Request("GET", f"https://example.com/?q={word}") for word in ("a", "b"))
    drift = drift_between(before, after, "since then")
    assert (drift.turn, drift.field) == (0, "")


def test_the_nearest_is_found_where_there_is_one():
    others = [request("something else altogether"), request("hello you")]
    assert nearest_of(request("hello"), others) == 1
    assert nearest_of(Request("GET", "https://example.com/"), others) is None
    assert nearest_of(request(), []) is None
