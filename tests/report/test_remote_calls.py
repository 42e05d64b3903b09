"""What changed between two bodies of JSON-RPC."""

from __future__ import annotations

import json

import pytest

from replay_agent.report.compare import ArgumentChanged, RemoteCallAdded, RemoteCallChanged, RemoteCallRemoved
from replay_agent.report.json_diff import ABSENT
from replay_agent.report.remote_calls import compare_remote_calls, named_calls
from replay_agent.report.render import headline, render_change


def message(method, number=1, **params):
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


def add(number=1, name="add", **arguments):
    return message("tools/call", number, name=name, arguments=arguments, _meta={"progressToken": number})


@pytest.mark.parametrize(
    ("before", "after", "lines", "sentence"),
    [
        (add(a=2), add(7, a=40), ["tool `add`: argument a 2 -> 40"], "The argument a of tool `add` changed now."),
        (add(a=2), add(), ["tool `add`: argument a: removed, was 2"], "The argument a of tool `add` changed now."),
        (
            add(f={"to": ["x", "y"]}),
            add(f={"to": ["x", "z"]}),
            ['tool `add`: argument f.to[1] "y" -> "z"'],
            "The argument f.to[1] of tool `add` changed now.",
        ),
        (
            message("resources/read", uri="file:///a"),
            message("resources/read", uri="file:///b"),
            ['method `resources/read`: parameter uri "file:///a" -> "file:///b"'],
            "The parameter uri of method `resources/read` changed now.",
        ),
        (
            message("prompts/get", name="greet", arguments={"who": "A"}),
            message("prompts/get", name="greet", arguments={"who": "B"}),
            ['prompt `greet`: argument who "A" -> "B"'],
            "The argument who of prompt `greet` changed now.",
        ),
        (add(a=1), add(name="sub", a=1), ["tool `add` -> tool `sub`"], "The tool `add` gave way to tool `sub` now."),
        (message("ping"), message("tools/list"), ["method `ping` -> method `tools/list`"], None),
        (
            {"jsonrpc": "2.0", "id": 1, "result": {"action": "accept"}},
            {"jsonrpc": "2.0", "id": 1, "result": {"action": "decline"}},
            ['answer to the server: result.action "accept" -> "decline"'],
            None,
        ),
        (add(), add(name="\x1b[2Jx"), ["tool `add` -> tool `\u241b[2Jx`"], None),
    ],
)
def test_a_change_of_one_call_is_told(before, after, lines, sentence):
    changes = compare_remote_calls(before, after)
    assert [line for change in changes for line in render_change(change)] == lines
    assert sentence is None or headline(changes, "now") == sentence


def test_what_numbers_and_traces_is_no_change():
    traced = add(9, a=1)
    traced["params"]["_meta"]["traceparent"] = "00-1"
    assert compare_remote_calls(add(1, a=1), traced) == []


def test_calls_of_a_batch_find_their_partners():
    before = [add(1, a=1), message("ping", 2), message("old", 3)]
    after = [message("ping", 1), add(2, a=2), message("new", 3), message("newer", 4)]
    assert compare_remote_calls(before, after) == [
        ArgumentChanged("tool `add`", "argument a", 1, 2),
        RemoteCallChanged("method `old`", "method `new`"),
        RemoteCallAdded("method `newer`"),
    ]
    assert compare_remote_calls(after, [after[0]]) == [
        RemoteCallRemoved("tool `add`"),
        RemoteCallRemoved("method `new`"),
        RemoteCallRemoved("method `newer`"),
    ]


def test_comparing_changes_neither_body():
    one, other = add(1, a=1), add(2, b=2)
    kept = json.dumps([one, other])
    changes = compare_remote_calls(one, other)
    assert {change.name: (change.before, change.after) for change in changes} == {
        "argument a": (1, ABSENT),
        "argument b": (ABSENT, 2),
    }
    assert json.dumps([one, other]) == kept


@pytest.mark.parametrize("body", [None, ABSENT, 1, "x", [], {}, {"method": "ping", "id": 1}, [1, {"jsonrpc": "1.0"}]])
def test_what_is_no_json_rpc_is_left_to_others(body):
    assert compare_remote_calls(body, add()) is None
    assert compare_remote_calls(add(), body) is None
    assert named_calls(body) == ""


def test_a_body_names_what_it_calls():
    assert named_calls(add()) == "tool `add`"
    assert named_calls([add(), message("ping")]) == "tool `add`, method `ping`"
