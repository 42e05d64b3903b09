"""Clients that few projects have: httplib2, Tornado's, lm15."""

from __future__ import annotations

import asyncio
from functools import partial

import httplib2
import pytest
from lm15 import transports
from tornado import httpclient

from replay_agent.exceptions import CassetteMiss, UserError
from tests.integration.recordings import recording, replaying
from tests.integration.rough_provider import refused_url, rough_provider


def with_httplib2(base, body):
    response, content = httplib2.Http(timeout=5).request(f"{base}/echo", "POST", body=body)
    return response.status, response["content-length"], content


def with_tornado(base, body):
    async def main():
        response = await httpclient.AsyncHTTPClient(force_instance=True).fetch(f"{base}/echo", method="POST", body=body)
        return response.code, response.headers["content-length"], response.body

    return asyncio.run(main())


def with_lm15(base, body):
    with (
        transports.StdlibTransport() as transport,
        transport.stream(transports.TransportRequest("POST", f"{base}/echo", body=body)) as response,
    ):
        return response.status, response.header("content-length"), response.read()


def with_async_lm15(base, body):

    async def main():
        request = transports.TransportRequest("POST", f"{base}/echo", body=body)
        async with transports.StdlibAsyncTransport() as transport, transport.stream(request) as response:
            return response.status, response.header("content-length"), await response.read()

    return asyncio.run(main())


@pytest.mark.parametrize("client", [with_httplib2, with_tornado, with_lm15, with_async_lm15])
def test_answer_comes_back_and_a_change_is_a_miss(tmp_path, client):
    with rough_provider() as provider:
        with recording(tmp_path / "c.yaml", "once") as recorded:
            live = client(provider.url, b"hi")
        provider.stop()
        assert len(recorded.interactions) == 1
        with replaying(tmp_path / "c.yaml"):
            assert client(provider.url, b"hi") == live == (200, "11", b"you said hi")
        with recording(tmp_path / "c.yaml"), pytest.raises(CassetteMiss, match="changed"):
            client(provider.url, b"ho")


def pieces_and_error(base, shape, stop_after=None):
    """Return the pieces of a body and what ended it, with lm15."""
    pieces = []
    try:
        with (
            transports.StdlibTransport(read_timeout=0.3) as transport,
            transport.stream(transports.TransportRequest("GET", base + shape)) as response,
        ):
            for piece in response:
                pieces.append(piece)
                if len(pieces) == stop_after:
                    break
    except transports.TransportError as error:
        return pieces, type(error).__name__
    return pieces, ""


@pytest.mark.parametrize(
    "shape", ["/stream", "/endless", "/stalled-stream", "/reset-stream", "/short-body", "/no-answer", "/stall"]
)
def test_lm15_streams_and_failures_come_back(tmp_path, shape):
    stop_after = 3 if shape == "/endless" else None
    with rough_provider() as provider:
        with recording(tmp_path / "c.yaml", "once"):
            live = pieces_and_error(provider.url, shape, stop_after)
        provider.stop()
        with replaying(tmp_path / "c.yaml"):
            assert pieces_and_error(provider.url, shape, stop_after) == live
    assert live[0] or live[1]


def test_lm15_is_refused_again(tmp_path):
    url = refused_url()
    with recording(tmp_path / "c.yaml", "once"):
        live = pieces_and_error(url, "/")
    with replaying(tmp_path / "c.yaml"):
        assert pieces_and_error(url, "/") == live == ([], "ConnectError")


def streamed_by_tornado(base, shape):
    """Return the pieces of a body as Tornado's client hands them on, the lines of the head, and what ended it."""
    pieces, lines = [], []

    async def main():
        client = httpclient.AsyncHTTPClient(force_instance=True)
        await client.fetch(
            base + shape, request_timeout=0.5, streaming_callback=pieces.append, header_callback=lines.append
        )

    try:
        asyncio.run(main())
    except (httpclient.HTTPClientError, OSError) as error:
        return b"".join(pieces), lines[:1], type(error).__name__
    return b"".join(pieces), lines[:1], ""


def test_tornado_streams_come_back(tmp_path):
    with rough_provider() as provider:
        with recording(tmp_path / "c.yaml", "once"):
            live = streamed_by_tornado(provider.url, "/stream")
        provider.stop()
        with replaying(tmp_path / "c.yaml"):
            assert streamed_by_tornado(provider.url, "/stream") == live
    assert live[0]
    assert live[1][0].startswith("HTTP/1.1 200")


@pytest.mark.parametrize("shape", ["/no-answer", "/stall", "/reset-stream", "/short-body"])
def test_tornado_fails_as_it_did(tmp_path, shape):
    with rough_provider() as provider:
        with recording(tmp_path / "c.yaml", "once"):
            live = streamed_by_tornado(provider.url, shape)
        provider.stop()
        with replaying(tmp_path / "c.yaml"):
            assert streamed_by_tornado(provider.url, shape)[2] == live[2] != ""


def told(answer):
    return type(answer).__name__ if isinstance(answer, Exception) else (answer.code, answer.body)


def fetched_on_its_loop(base, shape, *, times=1):
    """Ask before the loop runs, as scripts do, several questions at once perhaps."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        client = httpclient.AsyncHTTPClient(force_instance=True)
        fetched = asyncio.gather(*(client.fetch(base + shape) for _ in range(times)), return_exceptions=True)
        answers = loop.run_until_complete(fetched)
        client.close()
        return [told(answer) for answer in answers]
    finally:
        asyncio.set_event_loop(None)
        loop.close()


def fetched_by_the_blocking_client(base, shape):
    client = httpclient.HTTPClient()
    try:
        return told(client.fetch(base + shape))
    except httpclient.HTTPClientError as error:
        return told(error)
    finally:
        client.close()


@pytest.mark.parametrize("shape", ["/echo", "/stream", "/no-answer", "/short-body"])
@pytest.mark.parametrize(
    "fetch", [fetched_on_its_loop, partial(fetched_on_its_loop, times=3), fetched_by_the_blocking_client]
)
def test_tornado_is_asked_before_its_loop_runs(tmp_path, fetch, shape):
    with rough_provider() as provider:
        with recording(tmp_path / "c.yaml", "once"):
            live = fetch(provider.url, shape)
        provider.stop()
        with replaying(tmp_path / "c.yaml"):
            assert fetch(provider.url, shape) == live


def test_tornado_is_refused_again(tmp_path):
    url = refused_url()
    with recording(tmp_path / "c.yaml", "once"):
        live = streamed_by_tornado(url, "/")
    with replaying(tmp_path / "c.yaml"):
        assert streamed_by_tornado(url, "/") == live == (b"", [], "ConnectionRefusedError")


def test_a_body_that_tornado_takes_from_a_function_is_told(tmp_path):
    async def main(url):
        client = httpclient.AsyncHTTPClient(force_instance=True)
        await client.fetch(url, method="POST", body_producer=lambda write: write(b"x"))

    with recording(tmp_path / "c.yaml", "once"), pytest.raises(UserError, match="body_producer"):
        asyncio.run(main("http://127.0.0.1:9/"))
