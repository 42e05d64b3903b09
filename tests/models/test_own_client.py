from __future__ import annotations

import httpx
import pytest

from replay_agent.models.access import Access
from replay_agent.models.own_client import own_client
from replay_agent.models.providers import PROVIDERS

pytestmark = pytest.mark.anyio


class Server:
    def __init__(self):
        self.requests = []
        self.client = httpx.AsyncClient(transport=httpx.MockTransport(self._answer), auth=("not", "me"))

    def _answer(self, request):
        self.requests.append(request)
        return httpx.Response(201, headers={"x-from": "server"}, stream=httpx.ByteStream(b'{"a": 1}'))


@pytest.fixture
def server():
    return Server()


async def test_a_path_is_enough(server):
    access = Access(PROVIDERS["anthropic"], "k", base_url="https://a.example/v1", http_client=server.client)
    response = await own_client(access).post("/count", json={})
    assert (response.status_code, response.json(), response.headers["x-from"]) == (201, {"a": 1}, "server")
    (request,) = server.requests
    assert (str(request.url), request.headers["x-api-key"]) == ("https://a.example/v1/count", "k")
    assert request.headers["anthropic-version"]
    assert "authorization" not in request.headers


async def test_a_query_of_the_address_stays_out(server):
    access = Access(PROVIDERS["openai"], "k", base_url="https://a.example/v1?v=1", http_client=server.client)
    await own_client(access).get("/models")
    assert str(server.requests[0].url) == "https://a.example/v1/models"


async def test_a_project_is_filled_in_once_it_is_known(server, monkeypatch):
    monkeypatch.delenv("GOOGLE_CLOUD_PROJECT", raising=False)
    access = Access(PROVIDERS["google-vertex"], "k", http_client=server.client)
    client = own_client(access)
    assert "/projects/None/" in str(client.base_url)
    access._set_project("mine")
    await client.get("m")
    assert "/projects/mine/locations/us-central1/publishers/google/models/m" in str(server.requests[0].url)


async def test_a_stream_comes_through(server):
    client = own_client(Access(PROVIDERS["openai"], "k", http_client=server.client))
    async with client.stream("GET", "/models") as response:
        assert b"".join([piece async for piece in response.aiter_bytes()]) == b'{"a": 1}'
