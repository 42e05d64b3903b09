from __future__ import annotations

import copy
import pickle

import httpx
import pytest

from replay_agent.models.access import Access
from replay_agent.models.own_client import own_client
from replay_agent.models.providers import PROVIDERS
from replay_agent.providers.anthropic import AnthropicProvider
from replay_agent.providers.groq import GroqProvider
from replay_agent.providers.openai import OpenAIProvider

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


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])
@pytest.mark.parametrize("make", [OpenAIProvider, AnthropicProvider, GroqProvider])
async def test_who_has_a_client_can_be_copied(copied, make):
    provider = make(api_key="k")
    assert provider.client is provider.client
    other = copied(provider)
    assert (other.client.api_key, str(other.client.base_url)) == ("k", str(provider.client.base_url))
    assert copied(provider.access) == provider.access


async def test_all_who_ask_have_the_same_client_until_it_is_closed(server):
    access = Access(PROVIDERS["openai"], "k", http_client=server.client)
    first = own_client(access)
    assert own_client(access) is first
    await first.aclose()
    assert own_client(access) is not first
    assert (await own_client(access).get("/models")).status_code == 201
    assert not server.client.is_closed
