"""JSON-RPC messages: what numbers or traces them is no part of what they ask for."""

from __future__ import annotations

import copy
import json

import pytest

from replay_agent.recording.meaning.key import meaning
from replay_agent.traffic import Request

CALL = {
    "jsonrpc": "2.0",
    "id": 3,
    "method": "tools/call",
    "params": {
        "name": "add",
        "arguments": {"a": 2, "b": 3, "id": "7", "_meta": {"traceparent": "x"}, "progressToken": 1},
        "_meta": {"progressToken": 3, "tenant": "t"},
    },
}


def digest(*messages, batch=False):
    body = list(messages) if batch or len(messages) > 1 else messages[0]
    headers = (("content-type", "application/json"),)
    return meaning()(Request("POST", "http://localhost:8000/mcp", headers, json.dumps(body).encode())).digest


def edited(edit, message=CALL):
    message = copy.deepcopy(message)
    edit(message)
    return message


@pytest.mark.parametrize(
    "edit",
    [
        lambda call: call.update(id=2),
        lambda call: call.update(id="3"),
        lambda call: call.update(id="b7a1-uuid"),
        lambda call: call["params"]["_meta"].update(progressToken=99),
        lambda call: call["params"]["_meta"].update(progressToken="p"),
        lambda call: call["params"]["_meta"].pop("progressToken"),
        lambda call: call["params"]["_meta"].update(traceparent="00-4bf9-00f0-01"),
        lambda call: call["params"]["_meta"].update(tracestate="v", baggage="k=v"),
        lambda call: call["params"]["_meta"].update({"sentry-trace": "1", "x-b3-spanid": "2", "b3": "3"}),
        lambda call: call["params"]["_meta"].update({"example.com/requestId": "r"}),
    ],
)
def test_what_numbers_and_traces_a_call_does_not_count(edit):
    assert digest(edited(edit)) == digest(CALL)
    other = {"jsonrpc": "2.0", "id": 9, "method": "ping"}
    assert digest(edited(edit), other) == digest(CALL, {**other, "id": 10})


@pytest.mark.parametrize(
    "edit",
    [
        lambda call: call["params"]["arguments"].update(a=40),
        lambda call: call["params"]["arguments"].update(id="8"),
        lambda call: call["params"]["arguments"].update(progressToken=2),
        lambda call: call["params"]["arguments"].update(_meta={"traceparent": "y"}),
        lambda call: call["params"].update(name="sub"),
        lambda call: call["params"]["_meta"].update(tenant="u"),
        lambda call: call.update(method="tools/list"),
        lambda call: call.pop("id"),
        lambda call: call.update(jsonrpc="1.0"),
    ],
)
def test_what_a_call_asks_for_counts(edit):
    assert digest(edited(edit)) != digest(CALL)


def test_a_batch_is_no_single_message_and_has_an_order():
    other = edited(lambda call: call["params"].update(name="sub"))
    assert digest(CALL) != digest(CALL, batch=True)
    assert digest(CALL, other) != digest(other, CALL)
    assert digest(CALL, other) != digest(CALL, CALL)


def test_a_client_without_meta_asks_as_one_that_only_traces():
    bare = edited(lambda call: call["params"].pop("_meta"))
    traced = edited(lambda call: call["params"].update(_meta={"traceparent": "x", "progressToken": 1}))
    assert digest(bare) == digest(traced)


@pytest.mark.parametrize(
    ("method", "name"), [("notifications/cancelled", "requestId"), ("notifications/progress", "progressToken")]
)
def test_a_notification_names_a_request_by_its_number(method, name):
    one, other = ({"jsonrpc": "2.0", "method": method, "params": {name: n, "reason": "r"}} for n in (1, 2))
    assert digest(one) == digest(other)
    assert digest(one) != digest({**one, "params": {name: 1, "reason": "s"}})


def test_an_answer_of_the_client_says_which_question_it_answers():
    one, other = ({"jsonrpc": "2.0", "id": n, "result": {}} for n in (1, 2))
    assert digest(one) != digest(other)


@pytest.mark.parametrize("body", [{"id": 1}, {"jsonrpc": "2.0", "id": 1}, {"method": "m", "id": 1}, [1], "jsonrpc"])
def test_what_is_no_json_rpc_keeps_its_ids(body):
    other = json.loads(json.dumps(body).replace("1", "2").replace('jsonrpc"', 'jsonrpc "'))
    assert digest(body) != digest(other)
