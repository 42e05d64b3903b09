from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_agent.framing.http1 import RequestReader, ResponseReader, head_bytes, piece_bytes, trailing_bytes
from replay_agent.traffic import Request, Response

BASE = "https://api.example.org"


def read_request(*pieces):
    reader = RequestReader()
    for piece in pieces:
        reader.feed(piece)
    return reader


def read_response(wire, method="GET"):
    reader = ResponseReader(method)
    return reader, reader.feed(wire)


REQUESTS = [
    (b"GET /x?y=1 HTTP/1.1\r\nHost: a\r\n\r\n", Request("GET", BASE + "/x?y=1", (("Host", "a"),))),
    (
        b"POST /x HTTP/1.1\r\nContent-Length: 3\r\nA: 1\r\nA: 2\r\n\r\nabc",
        Request("POST", BASE + "/x", (("Content-Length", "3"), ("A", "1"), ("A", "2")), b"abc"),
    ),
    (
        b"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;ext=1\r\nde\r\n0\r\n\r\n",
        Request("POST", BASE + "/x", (("Transfer-Encoding", "chunked"),), b"abcde"),
    ),
    (b"GET http://proxied.example/z HTTP/1.1\r\n\r\n", Request("GET", "http://proxied.example/z")),
]


@pytest.mark.parametrize(("wire", "request_"), REQUESTS)
def test_request_is_read(wire, request_):
    reader = read_request(wire)
    assert reader.complete
    assert reader.request(BASE) == request_
    assert reader.sent == wire


@pytest.mark.parametrize(("wire", "request_"), REQUESTS)
def test_request_is_read_byte_by_byte(wire, request_):
    reader = read_request(*(wire[i : i + 1] for i in range(len(wire))))
    assert reader.complete
    assert reader.request(BASE) == request_


@pytest.mark.parametrize("cut", range(len(REQUESTS[2][0])))
def test_cut_request_is_not_complete(cut):
    assert not read_request(REQUESTS[2][0][:cut]).complete


def test_expectant_client_is_noticed():
    head = b"PUT /x HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    assert read_request(head).waits_for_continue
    assert not read_request(head, b"ab").waits_for_continue


RESPONSES = [
    (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", "GET", b"abc"),
    (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\nT: x\r\n\r\n",
        "GET",
        b"abc",
    ),
    (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
        "GET",
        b"x",
    ),
    (b"HTTP/1.1 204 No Content\r\n\r\n", "GET", b""),
    (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", "GET", b""),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", "HEAD", b""),
    (b"HTTP/1.0 200\r\nContent-Length: 0\r\n\r\n", "GET", b""),
]


@pytest.mark.parametrize(("wire", "method", "body"), RESPONSES)
def test_response_is_read(wire, method, body):
    reader, pieces = read_response(wire, method)
    assert b"".join(pieces) == body
    assert reader.complete


@pytest.mark.parametrize(("wire", "method", "body"), RESPONSES)
def test_response_is_read_byte_by_byte(wire, method, body):
    reader = ResponseReader(method)
    pieces = [piece for i in range(len(wire)) for piece in reader.feed(wire[i : i + 1])]
    assert b"".join(pieces) == body
    assert reader.complete


def test_head_keeps_order_case_repeats_and_latin_1():
    reader, _ = read_response(b"HTTP/1.1 200 F\xefne\r\nX-A: caf\xe9\r\nset-Cookie: 1\r\nset-Cookie: 2\r\n\r\n")
    assert reader.head == Response(
        200, (("X-A", "café"), ("set-Cookie", "1"), ("set-Cookie", "2")), reason="Fïne", http_version="HTTP/1.1"
    )


def test_body_without_length_ends_with_the_connection():
    reader, pieces = read_response(b"HTTP/1.1 200 OK\r\n\r\nabc")
    assert pieces == [b"abc"]
    assert not reader.complete
    assert reader.at_end()


@pytest.mark.parametrize(
    "wire",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        b"HTTP/1.1 200 OK\r\nTransf",
        b"",
    ],
)
def test_short_response_is_not_whole(wire):
    reader, _ = read_response(wire)
    assert not reader.complete
    assert not reader.at_end()


def test_broken_chunk_size_ends_reading():
    reader, pieces = read_response(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc")
    assert pieces == []
    assert reader.complete


HEADERS = st.sampled_from([(("Transfer-Encoding", "chunked"),), (("Content-Length", "{}"),), ()])


@given(st.lists(st.binary(min_size=1, max_size=9), max_size=6), HEADERS, st.integers(1, 7))
def test_what_is_written_reads_back(pieces, headers, step):
    length = str(sum(map(len, pieces)))
    headers = tuple((name, value.format(length)) for name, value in headers)
    head = Response(200, headers, reason="OK")
    wire = head_bytes(head) + b"".join(piece_bytes(head, piece) for piece in pieces) + trailing_bytes(head)
    reader = ResponseReader("GET")
    found = [piece for at in range(0, len(wire), step) for piece in reader.feed(wire[at : at + step])]
    assert reader.head == head
    assert b"".join(found) == b"".join(pieces)
    assert reader.at_end()


def test_http_2_is_written_as_http_1():
    assert head_bytes(Response(404, (("a", "b"),), http_version="HTTP/2")) == b"HTTP/1.1 404 Not Found\r\na: b\r\n\r\n"


def test_unknown_status_has_no_reason():
    assert head_bytes(Response(599)) == b"HTTP/1.1 599 \r\n\r\n"
