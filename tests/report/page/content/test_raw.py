from __future__ import annotations

import gzip

import pytest

from replay_agent.report.page.content.raw import body_bound, pace_of, raw_of, took_ms
from replay_agent.traffic import Chunk, Frame, Interaction, Request, Response, Sender, StreamEnd
from tests.report.page.samples import JSON, answer, call, cut_off, streamed, user

ASKED = call(user("hi"))


def body_of(response):
    body = raw_of(Interaction(ASKED, response)).answered_body
    return None if body is None else (body.text, body.left_out)


def test_both_sides_are_told():
    raw = raw_of(Interaction(ASKED, answer("hello")))
    assert raw.asked == f"POST {ASKED.url}"
    assert raw.asked_headers == list(JSON)
    assert raw.answered == "200 OK"
    assert "hello" in raw.answered_body.text


def test_a_failure_is_told():
    raw = raw_of(Interaction(ASKED, cut_off()))
    assert raw.answered == "ReadTimeout before an answer came: timed out"
    assert raw.answered_body is None


@pytest.mark.parametrize(
    ("headers", "data", "shown"),
    [
        ((), b"", None),
        ((("content-encoding", "gzip"),), gzip.compress(b"words", mtime=0), ("words", 0)),
        ((("content-encoding", "gzip"),), b"no gzip", ("6e 6f 20 67 7a 69 70", 0)),
        ((("content-encoding", "unheard"),), b"a", ("61", 0)),
        ((), b"\xff\xfe\x00", ("ff fe 00", 0)),
        ((), "half a char: é".encode()[:-1], ("half a char: ", 0)),
        ((), b"x" * 20_000, ("x" * 16_000, 4_000)),
    ],
    ids=["nothing", "packed", "damaged", "an encoding unheard of", "bytes", "cut off", "long"],
)
def test_bodies_are_decoded_and_bounded(headers, data, shown):
    assert body_of(Response(200, headers, (Chunk(data),))) == shown


@pytest.mark.parametrize(("interactions", "longest"), [(0, 16_000), (5, 16_000), (10, 8_000), (1_000, 500)])
def test_a_test_of_many_requests_has_less_of_each(interactions, longest):
    assert body_bound(interactions) == longest
    assert len(raw_of(Interaction(ASKED, answer("a" * 20_000)), longest).answered_body.text) == longest


def test_many_headers_are_counted():
    many = tuple((f"x-{number}", "v" * 5_000) for number in range(100))
    headers = raw_of(Interaction(Request("GET", "https://a.example/", many), answer("a"))).asked_headers
    assert headers[-1] == ("...", "40 more")
    assert all(len(value) <= 1_000 for _, value in headers)


def test_the_end_of_a_stream_is_told():
    assert raw_of(Interaction(ASKED, Response(200, end=StreamEnd.CLOSED))).answered == "200, closed by the client"


def test_a_session_is_told_by_its_messages():
    frames = (Frame(Sender.CLIENT, b"hi"), Frame(Sender.SERVER, b"\xffho"))
    assert body_of(Response(101, frames=frames)) == ("> hi\n< \ufffdho", 0)


def test_the_pace_of_a_stream():
    interaction = Interaction(ASKED, streamed("a", "b", "c"))
    assert [at for at, _ in pace_of(interaction)] == [0, 93, 193, 293, 393]
    assert sum(size for _, size in pace_of(interaction)) == len(interaction.outcome.body)
    assert took_ms(interaction) == 400


def test_a_thousand_pieces_are_few_bars():
    interaction = Interaction(ASKED, streamed(*"abcde" * 200, step=7))
    assert len(pace_of(interaction)) <= 60
    assert sum(size for _, size in pace_of(interaction)) == len(interaction.outcome.body)


@pytest.mark.parametrize("outcome", [answer("in one piece"), cut_off()])
def test_what_is_no_stream_has_no_pace(outcome):
    assert pace_of(Interaction(ASKED, outcome)) == []


def test_a_failure_took_its_time():
    assert took_ms(Interaction(ASKED, cut_off())) == 5_000
