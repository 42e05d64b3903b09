from __future__ import annotations

import errno
import socket
from urllib.parse import urlsplit

import httpx
import pytest

from replay_agent.provider.server import serve
from replay_agent.wire.codec import EncodedAnswer

STREAM = EncodedAnswer(200, (("content-type", "text/event-stream"),), (b"data: \xc3", b"\xbc\n\n", b"data: 2\n\n"))


def test_an_answer_goes_out_whole():
    seen = []

    def answer(request):
        seen.append(request)
        return EncodedAnswer(418, (("x-kettle", "on"),), (b"short",))

    with serve(answer) as address:
        response = httpx.post(f"{address}/v1/tea?sugar=2", content=b"leaves", headers={"x-cup": "yes"})
    assert (response.status_code, response.headers["x-kettle"], response.content) == (418, "on", b"short")
    (request,) = seen
    assert (request.method, request.url, request.body) == ("POST", f"{address}/v1/tea?sugar=2", b"leaves")
    assert ("x-cup", "yes") in request.headers


def test_every_chunk_of_a_stream_goes_out_by_itself():
    with serve(lambda _: STREAM) as address, httpx.stream("POST", address) as response:
        assert b"".join(response.iter_raw()) == b"".join(STREAM.chunks)
        assert "content-length" not in response.headers


def test_the_port_is_closed_afterwards():
    with serve(lambda _: STREAM) as address:
        port = urlsplit(address).port
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)


def test_a_taken_port_is_said():
    with (
        serve(lambda _: STREAM) as address,
        pytest.raises(OSError) as raised,
        serve(lambda _: STREAM, port=urlsplit(address).port),
    ):
        pytest.fail("served on a taken port")
    assert raised.value.errno == errno.EADDRINUSE
