"""Requests that no model answers, on both sides."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from replay_agent.report.comparison.other_traffic import differences_of
from replay_agent.report.conversation.transcript import Transcript
from replay_agent.traffic import Chunk, Failure, Interaction, Phase, Request, Response

URL = "https://search.example/find"


def traffic(body, answer='{"hits": 3}', url=URL, status=200):
    headers = (("content-type", "application/json"),)
    return Interaction(
        Request("POST", url, headers, body.encode()), Response(status, headers, (Chunk(answer.encode()),))
    )


def found(old, new):
    sides = [Transcript.from_interactions(side).unknown for side in (old, new)]
    return [(each.kind, each.subject, each.turn) for each in differences_of(*sides)]


ONE, OTHER = traffic('{"q": "cats"}'), traffic('{"q": "dogs"}', '{"hits": 9}')
PLACE = "POST search.example/find"


def test_what_is_the_same_is_no_difference_in_any_order():
    assert found([ONE, OTHER], [OTHER, ONE]) == []
    spelled = traffic(json.dumps({"q": "cats"}, indent=2))
    assert found([ONE], [spelled]) == []


@pytest.mark.parametrize(
    ("new", "kinds"),
    [
        (traffic('{"q": "mice"}'), [("request_changed", PLACE, 0)]),
        (traffic('{"q": "cats"}', '{"hits": 4}'), [("response_changed", PLACE, 0)]),
        (traffic('{"q": "cats"}', "no JSON"), [("response_changed", PLACE, 0)]),
        (traffic('{"q": "cats"}', status=500), [("failure_changed", PLACE, 0)]),
        (replace(ONE, outcome=Failure("ReadTimeout", Phase.HEAD)), [("failure_changed", PLACE, 0), ("response_changed", PLACE, 0)]),
    ],
)  # fmt: skip
def test_what_changed_is_named(new, kinds):
    assert found([ONE], [new]) == kinds


def test_what_one_side_has_is_named():
    assert found([ONE], [ONE, OTHER]) == [("request_added", PLACE, 0)]
    assert found([ONE, OTHER], [OTHER]) == [("request_removed", PLACE, 0)]


def test_the_same_change_is_said_once():
    old = [traffic(json.dumps({"q": n, "lang": "en"})) for n in range(5)]
    new = [traffic(json.dumps({"q": n, "lang": "de"})) for n in range(5)]
    assert found(old, new) == [("request_changed", PLACE, 0)]


def call(arguments, id):
    return traffic(
        json.dumps(
            {"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": "add", "arguments": arguments}}
        ),
        json.dumps({"jsonrpc": "2.0", "id": id, "result": {"content": []}}),
        "https://mcp.example/mcp",
    )


def test_a_call_over_mcp_is_told_by_its_arguments():
    assert [each[0] for each in found([call({"a": 1}, 1)], [call({"a": 2}, 1)])] == ["request_changed"]
    assert found([call({"a": 1}, 1)], [call({"a": 1}, 7)]) == []


def test_requests_for_a_token_do_not_count():
    def token(secret, answer):
        form = (("content-type", "application/x-www-form-urlencoded"),)
        body = f"grant_type=refresh_token&refresh_token={secret}".encode()
        said = Response(200, (), (Chunk(f'{{"access_token": "{answer}"}}'.encode()),))
        return Interaction(Request("POST", "https://auth.example/token", form, body), said)

    assert found([token("a", "b")], [token("c", "d")]) == []
    assert found([ONE], [ONE, token("c", "d")]) == []
