"""Clients that are not among this project's test dependencies, where they are installed."""

from __future__ import annotations

import asyncio

import pytest

from replay_agent.exceptions import CassetteMiss
from tests.integration.recordings import recording, replaying
from tests.integration.rough_provider import rough_provider


def with_httplib2(base, body):
    httplib2 = pytest.importorskip("httplib2")
    response, content = httplib2.Http(timeout=5).request(f"{base}/echo", "POST", body=body)
    return response.status, response["content-length"], content


def with_tornado(base, body):
    httpclient = pytest.importorskip("tornado.httpclient")

    async def main():
        response = await httpclient.AsyncHTTPClient(force_instance=True).fetch(f"{base}/echo", method="POST", body=body)
        return response.code, response.headers["content-length"], response.body

    return asyncio.run(main())


@pytest.mark.parametrize("client", [with_httplib2, with_tornado])
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
