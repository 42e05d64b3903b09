"""Looking up: owed answers first, then what is recorded; a key is computed only where no spelling tells it."""

from __future__ import annotations

import json
from threading import RLock

import pytest

from replay_agent.recording.cassettes.parts.header import Header
from replay_agent.recording.cassettes.parts.item import new_item
from replay_agent.recording.cassettes.store import load, save
from replay_agent.recording.playing.disturbance import Owed
from replay_agent.recording.playing.lookup import Lookup, outcome_for
from replay_agent.recording.playing.source import Source
from replay_agent.traffic import Chunk, Failure, Interaction, Phase, Request, Response


@pytest.fixture
def source(tmp_path, chat, keying):
    path = tmp_path / "c.yaml"
    talk = [chat("one"), chat("two"), chat("one")]
    save(path, Header(keying=keying.scheme), [new_item(each, keying(each.request)) for each in talk])
    return Source(load(path), keying)


def lookup_in(source, keying, owed=None, *, matches_headers=False):
    lookup = Lookup(keying, owed or Owed(), RLock(), matches_headers=matches_headers)
    lookup.sources.play(source)
    return lookup


def test_what_is_spelled_as_recorded_needs_no_key_computed(source, chat, keying):
    lookup = lookup_in(source, keying)
    keying.asked = 0
    key = lookup.key(chat("one").request)
    assert lookup.find(key) == (source, 0)
    assert keying.asked == 0
    lookup.key(chat("three").request)
    assert keying.asked == 1


def test_where_headers_count_no_spelling_tells_the_key(source, chat, keying):
    lookup = lookup_in(source, keying, matches_headers=True)
    keying.asked = 0
    lookup.key(chat("one").request)
    assert keying.asked == 1


def test_what_is_owed_goes_first(source, chat, keying):
    key = keying(chat("one").request)
    owed = Owed()
    lookup = lookup_in(source, keying, owed)
    found = lookup.find(key)
    owed.put(key.digest, found, delivered=False)
    assert [lookup.find(key) for _ in range(3)] == [(source, 0), (source, 2), None]


def test_the_next_at_an_address_is_what_is_owed_there_then_what_is_left(source, chat, keying):
    owed = Owed()
    lookup = lookup_in(source, keying, owed)
    first = lookup.find(keying(chat("one").request))
    owed.put("x", first, delivered=False)
    url = chat("one").request.url
    assert [lookup.next_at(url) for _ in range(4)] == [(source, 0), (source, 1), (source, 2), None]
    assert lookup.next_at("https://elsewhere.example/") is None


class Recorded:
    """A source of one message of JSON-RPC."""

    def __init__(self, request, outcome):
        self._interaction = Interaction(request, outcome)

    def interaction(self, index):
        return self._interaction


def message(**fields):
    return json.dumps({"jsonrpc": "2.0", **fields}).encode()


def rpc(id):
    return Request("POST", "https://mcp.example/mcp", (), message(id=id, method="tools/list"))


@pytest.mark.parametrize("id", [7, "seven", 1, "1"])
def test_a_message_is_answered_under_its_own_number(id):
    answer = Response(200, (("content-type", "application/json"),), (Chunk(message(id=1, result={})),))
    found = outcome_for(rpc(id), answer, Recorded(rpc(1), answer), 0)
    assert json.loads(found.body) == {"jsonrpc": "2.0", "id": id, "result": {}}


def test_other_outcomes_are_handed_out_as_they_are():
    answer = Response(200, (), (Chunk(b"{}"),))
    plain = Request("POST", "https://api.example.org", (), b'{"id": 3}')
    failure = Failure("ReadTimeout", Phase.HEAD)
    assert outcome_for(plain, answer, Recorded(plain, answer), 0) is answer
    assert outcome_for(rpc(3), failure, Recorded(rpc(1), failure), 0) is failure
