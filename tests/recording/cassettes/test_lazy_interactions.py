"""Interactions that are read when they are asked for."""

from __future__ import annotations

import pytest

from replay_agent.recording.cassettes import store
from replay_agent.recording.cassettes.lazy_interactions import LazyInteractions
from replay_agent.recording.cassettes.parts.header import Header
from replay_agent.recording.cassettes.parts.item import new_item
from replay_agent.recording.meaning.key import meaning
from replay_agent.traffic import Chunk, Interaction, Request, Response

RECORDED = [
    Interaction(
        Request("POST", f"https://a.example/{number}", (("content-type", "application/json"),), b'{"ask": "why"}'),
        Response(200, (), (Chunk(b"because"),)),
    )
    for number in range(4)
]


@pytest.fixture
def cassette(tmp_path):
    path, key = tmp_path / "cassette.yaml", meaning()
    items = [new_item(interaction, key(interaction.request)) for interaction in RECORDED]
    store.save(path, Header(keying=key.scheme), items)
    return store.load(path)


def test_it_is_a_sequence_of_what_was_recorded(cassette):
    unread = LazyInteractions(cassette)
    assert len(unread) == 4
    assert list(unread) == RECORDED
    assert unread[-1] == RECORDED[3]
    assert unread[1:3] == RECORDED[1:3]
    with pytest.raises(IndexError):
        unread[4]


def test_an_item_is_read_once(cassette):
    unread = LazyInteractions(cassette)
    assert unread[2] is unread[2]


def test_lines_of_a_request_hold_its_words_alone(cassette):
    lines = LazyInteractions(cassette).request_lines(1)
    assert b"https://a.example/1" in lines
    assert b"why" in lines
    assert b"because" not in lines


def test_lines_of_a_foreign_cassette_hold_the_words_too(tmp_path):
    path = tmp_path / "foreign.yaml"
    path.write_text(
        "interactions:\n- request: {method: POST, uri: 'https://a.example/x', body: why, headers: {}}\n"
        "  response: {status: {code: 200, message: OK}, headers: {}, body: {string: because}}\nversion: 1\n"
    )
    lines = LazyInteractions(store.load(path)).request_lines(0)
    assert lines == b"POST https://a.example/x why"
