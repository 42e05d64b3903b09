from __future__ import annotations

import pytest

from replay_agent.recording.cassettes.parts.header import Header
from replay_agent.recording.cassettes.parts.item import new_item
from replay_agent.recording.cassettes.store import load, save
from replay_agent.recording.playing.disturbance import Owed
from replay_agent.recording.playing.source import Source


@pytest.fixture
def source(tmp_path, chat, keying):
    path = tmp_path / "c.yaml"
    save(
        path,
        Header(keying=keying.scheme),
        [new_item(each, keying(each.request)) for each in [chat("one"), chat("two")]],
    )
    return Source(load(path), keying)


def test_what_is_owed_is_paid_once(source):
    owed = Owed()
    owed.put("a", (source, 0), delivered=False)
    assert owed.pay("b") is None
    assert owed.pay("a") == (source, 0)
    assert owed.pay("a") is None


def test_what_was_owed_first_is_paid_first(source):
    owed = Owed()
    for index in (0, 1):
        owed.put("a", (source, index), delivered=False)
    assert [owed.pay("a"), owed.pay("a")] == [(source, 0), (source, 1)]


def test_what_the_client_knows_already_is_not_said_again(source, chat):
    owed = Owed()
    owed.put("a", (source, 0), delivered=True)
    owed.put("b", (source, 1), delivered=False)
    url = chat("one").request.url
    assert owed.next_at(url + "/other") is None
    assert owed.next_at(url) == (source, 1)
    assert owed.next_at(url) is None
    assert owed.pay("a") == (source, 0)
