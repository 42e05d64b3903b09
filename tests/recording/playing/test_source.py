from __future__ import annotations

import pytest

from replay_agent.recording.cassettes.parts.header import Header
from replay_agent.recording.cassettes.parts.item import new_item
from replay_agent.recording.cassettes.store import load, save
from replay_agent.recording.matching.fingerprint import fingerprint
from replay_agent.recording.playing.source import Source, Sources


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


@pytest.fixture
def journal(tmp_path, chat, keying):
    path = tmp_path / "journal.yaml"
    save(
        path,
        Header(keying=keying.scheme),
        [new_item(each, keying(each.request)) for each in [chat("one"), chat("new")]],
    )
    return Source(load(path), keying)


@pytest.mark.parametrize("plays", [True, False])
def test_sources_are_numbered_alike_in_all_processes(source, journal, plays):
    sources = Sources(source if plays else None)
    sources.follow([journal])
    assert (sources.number(journal), sources.numbered(1)) == (1, journal)
    assert sources.numbered(0) is (source if plays else None)
    assert sources.numbered(2) is None


def test_the_cassette_goes_before_a_journal(source, journal, talk, keying):
    sources = Sources(source)
    sources.follow([journal])
    key = keying(talk[0].request)
    assert [sources.find(key) for _ in range(4)] == [(source, 0), (source, 2), (journal, 0), None]


def test_what_only_a_journal_has_is_found_there(source, journal, chat, keying):
    sources = Sources(source)
    sources.follow([journal])
    asked = chat("new").request
    assert sources.key_of(fingerprint(asked)) == keying(asked)
    assert sources.find(keying(asked)) == (journal, 1)
    assert sources.key_of(fingerprint(chat("never").request)) is None


def test_what_is_left_at_an_address_is_given_once(source, journal, talk):
    sources = Sources(source)
    sources.follow([journal])
    url = talk[0].request.url
    assert sources.next_at("https://api.example.org/elsewhere") is None
    given = [sources.next_at(url) for _ in range(6)]
    assert given == [(source, 0), (source, 1), (source, 2), (journal, 0), (journal, 1), None]


def test_no_sources_are_false():
    assert not Sources()
    assert list(Sources()) == []
