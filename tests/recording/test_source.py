from __future__ import annotations

import pytest

from replay_agent.recording.cassettes.document import Header, new_item
from replay_agent.recording.cassettes.store import load, save
from replay_agent.recording.matching.fingerprint import fingerprint
from replay_agent.recording.source import Source


@pytest.fixture
def talk(chat):
    return [chat("one"), chat("two"), chat("one")]


@pytest.fixture
def source(tmp_path, talk, keying):
    path = tmp_path / "c.yaml"
    save(path, Header(keying=keying.scheme), [new_item(each, keying(each.request)) for each in talk])
    return Source(load(path), keying)


def test_answers_are_found_each_once_in_order(source, talk, keying):
    key = keying(talk[0].request)
    assert [source.find(key) for _ in range(3)] == [0, 2, None]
    assert source.count(key) == 2
    assert source.played == {0, 2}
    assert source.leftovers() == [1]


def test_last_answer_repeats_where_it_may(source, talk, keying):
    repeating = Source(source.cassette, keying, repeats=True)
    assert [repeating.find(keying(talk[1].request)) for _ in range(3)] == [1, 1, 1]


def test_key_is_known_by_the_spelling_of_a_recorded_request(source, talk, keying):
    known = source.key_of(fingerprint(talk[1].request))
    assert known == keying(talk[1].request)
    assert source.key_of("unknown") is None


def test_nothing_is_played_before_anything_was_asked(source):
    assert source.played == frozenset()


def test_what_was_recorded_is_read(source, talk):
    assert source.interaction(1) == talk[1]
    assert source.outcome(1) == talk[1].outcome
    assert b"two" in source.item(1).source
