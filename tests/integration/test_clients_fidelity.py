"""What a client sees is the same plain, while recording, and in replay with the provider gone."""

from __future__ import annotations

from dataclasses import replace
from http.client import HTTPConnection, RemoteDisconnected

import pytest

from replay_agent.exceptions import CassetteMiss
from tests.integration.clients import CLIENTS, HTTPX, Call
from tests.integration.recordings import recording, replaying
from tests.integration.rough_provider import FAULTS, SOUND, refused_url, rough_provider

WAYS = [
    Call("/every-byte", "GET", b""),
    Call("/json", "HEAD", b""),
    Call("/echo", "PUT", bytes(range(256))),
    Call("/echo?q=%20a&q=b", "DELETE", b""),
    Call("/echo", "PATCH", "früh 🦜".encode(), {"Content-Type": "text/plain", "X-Mine": "1"}),
]


@pytest.fixture(params=CLIENTS)
def client(request):
    return CLIENTS[request.param]


def three_times(tmp_path, client, calls):
    """Return what a client sees plain, recording and in replay, each with a provider of its own address."""
    with rough_provider() as provider:
        plain = client(provider.url, calls)
        with recording(tmp_path / "c.yaml", "once"):
            live = client(provider.url, calls)
        hits = provider.hits
        provider.stop()
        with replaying(tmp_path / "c.yaml"):
            again = client(provider.url, calls)
        assert provider.hits == hits
    return plain, live, again


def test_shapes_come_back_identical(tmp_path, client):
    # http.client takes early hints for the whole answer, and the answer for the next one's: nothing may follow.
    shapes = sorted((shape for shape in SOUND if shape != "/counted"), key="/early-hints".__eq__)
    plain, live, again = (
        dict(zip(shapes, got, strict=True)) for got in three_times(tmp_path, client, list(map(Call, shapes)))
    )
    for shape in shapes:
        # How many pieces a client makes of a body is up to the moment.
        assert replace(live[shape], pieces=plain[shape].pieces) == plain[shape], shape
        assert replace(again[shape], pieces=live[shape].pieces) == live[shape], shape


def test_methods_and_bodies_come_through(tmp_path, client):
    plain, live, again = three_times(tmp_path, client, WAYS)
    assert plain == live == again


def test_repeats_get_their_answers_in_order(tmp_path, client):
    calls = [Call("/counted")] * 5
    with rough_provider() as provider:
        with recording(tmp_path / "c.yaml", "once"):
            live = client(provider.url, calls)
        provider.stop()
        with replaying(tmp_path / "c.yaml"):
            assert client(provider.url, calls) == live
    assert [got.body for got in live] == [b"answer %d" % n for n in range(1, 6)]


def test_faults_come_back_as_themselves(tmp_path, client):
    targets = [refused_url() if fault == "refused" else fault for fault in FAULTS]
    plain, live, again = (
        dict(zip(FAULTS, got, strict=True)) for got in three_times(tmp_path, client, list(map(Call, targets)))
    )
    assert plain == live == again
    assert all(got.error for got in plain.values())


@pytest.mark.parametrize("one", HTTPX)
@pytest.mark.parametrize("other", ["httpx", "httpx2", "httpx2 on trio", "requests", "aiohttp"])
def test_recording_of_one_client_replays_under_another(tmp_path, one, other):
    calls = [Call(shape) for shape in ("/json", "/gzip", "/stream", "/headers", "/204", "/500")]
    with rough_provider() as provider:
        with recording(tmp_path / "c.yaml", "once"):
            live = CLIENTS[one](provider.url, calls)
        provider.stop()
        with replaying(tmp_path / "c.yaml"):
            again = CLIENTS[other](provider.url, calls)
    assert [(got.status, got.reason) for got in again] == [(got.status, got.reason) for got in live]
    if other.startswith("httpx"):
        assert again == live


def test_a_connection_of_a_missed_request_looks_closed(tmp_path):
    with rough_provider() as provider, recording(tmp_path / "c.yaml", "once"):
        call_echo(provider.url, b"hi")
    connection = HTTPConnection(provider.url.removeprefix("http://"))
    with recording(tmp_path / "c.yaml") as opened:
        with pytest.raises(CassetteMiss, match="changed"):
            connection.request("POST", "/echo", b"ho")
        with pytest.raises(RemoteDisconnected):
            connection.getresponse()
        connection.request("POST", "/echo", b"hi")
        assert connection.getresponse().read() == b"you said hi"
        connection.close()
    assert len(opened.misses) == 1


def closings(base, path, size):
    """Read a response, hang up, and count how often the connection has closed it besides."""
    connection = HTTPConnection(base.removeprefix("http://"))
    connection.request("POST", path, b"hi")
    response, count = connection.getresponse(), 0
    response.read(size)
    close = response.close

    def counting():
        nonlocal count
        count += 1
        close()

    response.close = counting
    connection.close()
    assert response.isclosed()
    return count


@pytest.mark.parametrize(("size", "times"), [(None, 0), (1, 1)], ids=["read", "left"])
def test_a_response_that_was_read_is_left_to_its_reader(tmp_path, size, times):
    """A pool hangs up in another thread, while the one that has read it closes it."""
    with rough_provider() as provider:
        with recording(tmp_path / "c.yaml", "once"):
            assert closings(provider.url, "/echo", size) == times
        provider.stop()
        with replaying(tmp_path / "c.yaml"):
            assert closings(provider.url, "/echo", size) == times


def call_echo(base, body):
    connection = HTTPConnection(base.removeprefix("http://"))
    connection.request("POST", "/echo", body)
    connection.getresponse().read()
    connection.close()
