from __future__ import annotations

import httpx
import pytest

from replay_agent.provider.router import routed
from replay_agent.wire.codec import EncodedAnswer

ANSWER = EncodedAnswer(
    200, (("content-type", "text/plain"), ("set-cookie", "a=1"), ("set-cookie", "b=2")), (b"he", b"llo")
)


@pytest.mark.anyio
async def test_requests_are_answered_in_process():
    seen = []
    with routed(lambda request: seen.append(request) or ANSWER, host="model.invalid"):
        async with httpx.AsyncClient() as client:
            response = await client.post("https://model.invalid/v1", content=b"ask")
    assert response.text == "hello"
    assert response.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert (seen[0].method, seen[0].url, seen[0].body) == ("POST", "https://model.invalid/v1", b"ask")


def test_a_stream_keeps_its_chunks():
    with routed(lambda _: ANSWER), httpx.stream("GET", "https://anywhere.invalid") as response:
        assert list(response.iter_raw()) == [b"he", b"llo"]


def test_other_hosts_pass():
    with routed(lambda _: ANSWER, host="model.invalid"), pytest.raises(httpx.ConnectError):
        httpx.get("http://127.0.0.1:9/")
