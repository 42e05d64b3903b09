from __future__ import annotations

import anyio
import pytest

import replay_agent
from replay_agent import models
from replay_agent.models.client import shared_client


@pytest.mark.anyio
async def test_a_loop_has_one_client():
    client = models.cached_async_http_client()
    assert models.cached_async_http_client() is client
    assert shared_client() is client
    assert (client.timeout.read, client.timeout.connect) == (600, 5)
    assert client.headers["User-Agent"] == models.get_user_agent() == f"replay-agent/{replay_agent.__version__}"


@pytest.mark.anyio
async def test_other_timeouts_are_another_client():
    assert models.cached_async_http_client(timeout=3) is not models.cached_async_http_client()
    assert models.cached_async_http_client(timeout=3).timeout.read == 3


@pytest.mark.anyio
async def test_a_closed_client_is_replaced():
    client = shared_client()
    await client.aclose()
    assert shared_client() is not client
    assert not shared_client().is_closed


def test_a_client_ends_with_its_loop(anyio_backend):
    async def ask():
        return models.cached_async_http_client()

    one = anyio.run(ask, backend=anyio_backend)
    other = anyio.run(ask, backend=anyio_backend)
    assert one is not other
    assert one.is_closed
    assert other.is_closed


def test_no_loop_has_a_client_too():
    client = shared_client()
    assert shared_client() is client
    assert not client.is_closed
