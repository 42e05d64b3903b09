from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError, replace

import pytest

from replay_agent.traffic import Chunk, Failure, Interaction, Phase, Pieces, Request, Response, StreamEnd, header

HEADERS = (("Content-Type", "text/plain"), ("set-cookie", "a=1"), ("Set-Cookie", "b=2"), ("x-empty", ""))


@pytest.mark.parametrize(
    ("name", "value"),
    [("content-type", "text/plain"), ("SET-COOKIE", "a=1"), ("x-empty", ""), ("x-other", None), ("", None)],
)
def test_a_header_is_found_in_any_case_and_the_first_one_counts(name, value):
    assert header(HEADERS, name) == value


@pytest.mark.parametrize("chunks", [(), (b"",), (b"one",), (b"on", b"", b"e\x00\xff")])
def test_the_body_is_its_pieces_joined(chunks):
    assert Response(200, chunks=tuple(Chunk(data, 5) for data in chunks)).body == b"".join(chunks)


def test_a_response_is_whole_unless_it_is_said_otherwise():
    assert Response(200).end is StreamEnd.COMPLETE
    assert Response(200).failure is None


@pytest.mark.parametrize("value", [Request("GET", "https://a.test"), Chunk(b""), Failure("ReadTimeout", Phase.HEAD)])
def test_values_do_not_change(value):
    with pytest.raises(FrozenInstanceError):
        setattr(value, next(iter(type(value).__dataclass_fields__)), "other")


def test_fields_that_are_only_kept_take_no_part_in_comparison():
    request, outcome = Request("GET", "https://a.test"), Response(204)
    assert Interaction(request, outcome, extra={"later": 1}) == Interaction(request, outcome)
    assert Interaction(request, outcome, test="t") != Interaction(request, outcome)


@pytest.mark.parametrize("word", [*Phase, *StreamEnd])
def test_words_of_a_cassette_read_back_as_themselves(word):
    assert type(word)(word.value) is word


CHUNKS = (Chunk(b"one"), Chunk(b"", 3), Chunk(b"two", 3))


def times_of_chunks():
    return [chunk.offset_ms for chunk in CHUNKS]


def pieces():
    return Pieces([chunk.data for chunk in CHUNKS], times_of_chunks)


@pytest.mark.parametrize(
    "look",
    [tuple, len, bool, hash, repr, lambda found: found[1], lambda found: found[-1], lambda found: found[1:]],
    ids=["tuple", "len", "bool", "hash", "repr", "first", "last", "slice"],
)
def test_pieces_look_like_the_tuple_of_their_chunks(look):
    assert look(pieces()) == look(CHUNKS)


@pytest.mark.parametrize("other", [CHUNKS, pieces(), pickle.loads(pickle.dumps(pieces()))])
def test_a_response_is_the_same_whatever_holds_its_pieces(other):
    assert Response(200, chunks=pieces()) == Response(200, chunks=other)
    assert Response(200, chunks=other) == Response(200, chunks=pieces())
    assert Response(200, chunks=pieces()).pieces == [b"one", b"", b"two"]


@pytest.mark.parametrize("other", [CHUNKS[:2], (*CHUNKS[:2], replace(CHUNKS[2], offset_ms=4)), list(CHUNKS), None])
def test_other_pieces_are_others(other):
    assert pieces() != other


def test_no_chunk_is_made_before_somebody_asks():
    def times():
        raise AssertionError("asked")

    assert Response(200, chunks=Pieces([b"a", b"b"], times)).body == b"ab"
