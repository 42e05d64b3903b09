from __future__ import annotations

from contextlib import aclosing
from dataclasses import replace

import httpx
import pytest

from replay_agent.exceptions import CredentialMissing, UserError
from replay_agent.models.access import Access, HeaderKey, access_of, refuse_client
from replay_agent.models.anthropic import AnthropicModel
from replay_agent.models.client import shared_client
from replay_agent.models.mistral import MistralModel
from replay_agent.models.openai import OpenAIModel
from replay_agent.models.providers import PROVIDERS

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def bare(monkeypatch):
    for row in PROVIDERS.values():
        for variable in (*row.credential_variables, *row.base_url_variables):
            monkeypatch.delenv(variable, raising=False)
    return monkeypatch


async def authorized(auth):
    request = httpx.Request("POST", "https://a.example")
    async with aclosing(auth.async_auth_flow(request)) as flow:
        await anext(flow)
    return request


async def test_what_is_given_wins_over_the_environment(bare):
    bare.setenv("ANTHROPIC_API_KEY", "env")
    bare.setenv("ANTHROPIC_BASE_URL", "https://env.example")
    client = httpx.AsyncClient()
    access = access_of(None, "anthropic", api_key="k", base_url="https://mine.example", http_client=client)
    assert (access.address, access.client()) == ("https://mine.example", client)
    assert (await authorized(access.auth)).headers["x-api-key"] == "k"
    access = access_of(None, "anthropic")
    assert (access.address, access.client()) == ("https://env.example", shared_client())
    assert (await authorized(access.auth)).headers["x-api-key"] == "env"


@pytest.mark.parametrize("provider", ["anthropic", "mistral", "cohere", "deepseek", "groq", "google-gla"])
async def test_a_key_is_wanted_at_the_call(provider):
    auth = access_of(provider, "openai").auth
    with pytest.raises(CredentialMissing, match=PROVIDERS[provider].credential_variables[0]):
        await authorized(auth)


async def test_a_function_gives_the_key_when_it_is_needed():
    asked = []
    access = Access(PROVIDERS["openai"], lambda: asked.append(1) or "k")
    assert asked == []
    assert (await authorized(access.auth)).headers["authorization"] == "Bearer k"
    assert asked == [1]


@pytest.mark.parametrize(
    ("base", "root", "path", "url"),
    [
        ("https://a.example/v1", "", "/chat", "https://a.example/v1/chat"),
        ("https://a.example/v1/", "", "/chat", "https://a.example/v1/chat"),
        ("https://a.example", "/openai/v1", "/chat", "https://a.example/openai/v1/chat"),
        ("https://a.example?v=1", "", "/chat", "https://a.example/chat?v=1"),
        ("https://a.example?v=1", "", "/chat?alt=sse", "https://a.example/chat?alt=sse&v=1"),
        ("https://a.example", "/deployments/{model}", "/chat", "https://a.example/deployments/my%20model/chat"),
    ],
)
async def test_an_address_is_put_together(base, root, path, url):
    access = Access(replace(PROVIDERS["openai"], base_url=base, root=root))
    assert await access.url(path, "my model") == url


async def test_a_key_is_not_shown():
    access = Access(PROVIDERS["openai"], "secret")
    assert "secret" not in repr(access)
    assert access.headers() == {"Authorization": "Bearer secret"}
    assert HeaderKey("x", "k").api_key == "k"


async def test_no_client_is_no_sdks_client():
    refuse_client("openai_client", None)
    with pytest.raises(UserError, match="`openai_client` cannot be used"):
        refuse_client("openai_client", object())


@pytest.mark.parametrize(
    "other",
    [
        OpenAIModel("n", api_key="k"),
        OpenAIModel("m", api_key="other"),
        OpenAIModel("m", api_key="k", base_url="https://a.example"),
        OpenAIModel("m", api_key="k", system_prompt_role="user"),
        OpenAIModel("m", api_key="k", http_client=httpx.AsyncClient()),
        OpenAIModel("m", api_key="k", system="mine"),
        AnthropicModel("m", api_key="k"),
        "m",
    ],
)
async def test_models_are_equal_that_ask_the_same(other):
    model = OpenAIModel("m", api_key="k")
    assert model == OpenAIModel("m", api_key="k")
    assert hash(model) == hash(OpenAIModel("m", api_key="k"))
    assert model != other
    assert MistralModel("m") != MistralModel("m", json_mode_schema_prompt="Now: {schema}")
