from __future__ import annotations

import asyncio

import httpx
import httpx2
import pytest

from replay_agent import CassetteMiss, UserError, use_cassette
from replay_agent.recording.clients.named_transports import named_transports

MODULES = pytest.mark.parametrize("module", [httpx, httpx2])


class Application:
    def __init__(self):
        self.calls = 0

    async def __call__(self, scope, receive, send):
        self.calls += 1
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"mine"})


def own_transport(module):
    class Own(module.BaseTransport):
        calls = 0

        def handle_request(self, request):
            Own.calls += 1
            return module.Response(200, stream=module.ByteStream(b"own"))

    return Own


def ask(module, transport):
    with module.Client(transport=transport) as client:
        return client.get("http://app.test/").text


@MODULES
def test_an_application_is_recorded_where_it_is_named(tmp_path, module):
    app = Application()

    async def main():
        async with module.AsyncClient(transport=module.ASGITransport(app=app)) as client:
            return (await client.get("http://app.test/")).text

    for mode in "once", "none":
        with use_cassette(tmp_path / "c.yaml", mode, transports=(module.ASGITransport,)):
            assert asyncio.run(main()) == "mine"
    assert app.calls == 1


@MODULES
def test_a_transport_of_ones_own_is_recorded_where_it_is_named(tmp_path, module):
    own = own_transport(module)
    with use_cassette(tmp_path / "c.yaml", "once", transports=(own,)):
        assert ask(module, own()) == "own"
    with pytest.raises(CassetteMiss), use_cassette(tmp_path / "c.yaml", transports=(own,)) as run:
        assert ask(module, own()) == "own"
        ask(module, own())
    assert (own.calls, run.play_count) == (1, 1)


@MODULES
def test_afterwards_it_is_left_alone_again(module):
    own = own_transport(module)
    before = own.handle_request
    with named_transports([own]):
        assert own.handle_request is not before
        with named_transports([own]):
            pass
        assert own.handle_request is not before
    assert own.handle_request is before


@MODULES
def test_what_is_recorded_anyway_stays_recorded(tmp_path, module):
    class Derived(module.HTTPTransport):
        pass

    with pytest.raises(CassetteMiss), use_cassette(tmp_path / "c.yaml", transports=(Derived, module.HTTPTransport)):
        ask(module, Derived())
    with pytest.raises(CassetteMiss), use_cassette(tmp_path / "c.yaml"):
        ask(module, Derived())


@pytest.mark.parametrize("kind", [str, "httpx.ASGITransport", httpx.Client])
def test_what_is_no_transport_is_refused(tmp_path, kind):
    with (
        pytest.raises(UserError, match="a class of transports of httpx"),
        use_cassette(tmp_path / "c.yaml", transports=(kind,)),
    ):
        pass
