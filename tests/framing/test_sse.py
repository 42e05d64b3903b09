from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_agent.framing.sse import ServerSentEvent, SSEDecoder, encode_event


def decoded(*pieces: bytes) -> list[ServerSentEvent]:
    decoder = SSEDecoder()
    events = [event for piece in pieces for event in decoder.feed(piece)]
    return events + decoder.close()


@pytest.mark.parametrize(
    ("body", "events"),
    [
        (b"data: a\n\n", [ServerSentEvent("a")]),
        (b"data:a\n\n", [ServerSentEvent("a")]),
        (b"data:  a\n\n", [ServerSentEvent(" a")]),
        (b"data\n\n", [ServerSentEvent("")]),
        (b"data: a\ndata: b\n\n", [ServerSentEvent("a\nb")]),
        (b"event: x\nid: 7\nretry: 10\ndata: a\n\n", [ServerSentEvent("a", "x", "7", 10)]),
        (b"retry: soon\ndata: a\n\n", [ServerSentEvent("a")]),
        (b"retry: \xc2\xb2\ndata: a\n\n", [ServerSentEvent("a")]),
        (b": ping\n\ndata: a\n\n", [ServerSentEvent("a")]),
        (b"unknown: x\ndata: a\n\n", [ServerSentEvent("a")]),
        (b"id: 7\n\n", []),
        (b"event: done\n\n", [ServerSentEvent("", "done")]),
        (b"data: a\r\n\r\ndata: b\r\r", [ServerSentEvent("a"), ServerSentEvent("b")]),
        (b"\xef\xbb\xbfdata: a\n\n", [ServerSentEvent("a")]),
        (b"data: \xff\n\n", [ServerSentEvent("\N{REPLACEMENT CHARACTER}")]),
        (b"data: a", [ServerSentEvent("a")]),
        (b"data: a\n", [ServerSentEvent("a")]),
        (b"", []),
    ],
)
def test_reads_what_the_standard_says(body, events):
    assert decoded(body) == events
    assert decoded(*(body[n : n + 1] for n in range(len(body)))) == events


def test_an_event_is_there_with_its_blank_line():
    decoder = SSEDecoder()
    assert decoder.feed(b"data: a\n") == []
    assert decoder.feed(b"\n") == [ServerSentEvent("a")]


def test_a_carriage_return_need_not_wait_for_a_newline():
    decoder = SSEDecoder()
    assert decoder.feed(b"data: a\r\r") == [ServerSentEvent("a")]
    assert decoder.feed(b"\ndata: b\r\n\r\n") == [ServerSentEvent("b")]


_EVENTS = st.lists(st.tuples(st.text(), st.sampled_from([None, "message", "error"])))


@given(_EVENTS)
def test_written_events_come_back(events):
    body = b"".join(encode_event(data, name) for data, name in events)
    unified = [(data.replace("\r\n", "\n").replace("\r", "\n"), name) for data, name in events]
    assert decoded(body) == [ServerSentEvent(data, name) for data, name in unified]


@given(_EVENTS, st.lists(st.integers(0, 400)))
def test_boundaries_do_not_matter(events, cuts):
    body = b"".join(encode_event(data, name) for data, name in events)
    edges = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    pieces = [body[start:end] for start, end in pairwise(edges)]
    assert decoded(*pieces) == decoded(body)


@given(st.binary(max_size=200))
def test_any_bytes_are_read(body):
    assert all(isinstance(event, ServerSentEvent) for event in decoded(body))
