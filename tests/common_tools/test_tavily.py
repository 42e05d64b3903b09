from __future__ import annotations

import json

import httpx
import pytest

from replay_agent import Agent
from replay_agent.common_tools.tavily import TavilySearchTool, tavily_search_tool

pytestmark = pytest.mark.anyio

PAGE = {"title": "Two", "url": "https://two.example", "content": "It is a number.", "score": 0.5}


def client(*pages, status=200):
    asked = []

    def answer(request):
        asked.append(request)
        return httpx.Response(status, json={"results": list(pages)})

    return httpx.AsyncClient(transport=httpx.MockTransport(answer)), asked


async def test_a_search_finds_pages():
    http_client, asked = client({**PAGE, "raw_content": None})
    result = await Agent("test", tools=[tavily_search_tool("k", http_client)]).run("Hello")
    assert "two.example" in result.data
    assert asked[0].headers["authorization"] == "Bearer k"
    assert json.loads(asked[0].content) == {"query": "a", "search_depth": "basic", "topic": "general"}


async def test_everything_may_be_asked_for():
    http_client, asked = client(PAGE)
    found = await TavilySearchTool("k", http_client)("x", "advanced", "news", "week")
    assert found == [PAGE]
    assert json.loads(asked[0].content) == {
        "query": "x",
        "search_depth": "advanced",
        "topic": "news",
        "time_range": "week",
    }


async def test_nothing_found_is_an_error():
    with pytest.raises(RuntimeError, match="No search results"):
        await TavilySearchTool("k", client()[0])("x")


async def test_a_refusal_is_an_error():
    with pytest.raises(httpx.HTTPStatusError):
        await TavilySearchTool("k", client(status=401)[0])("x")


async def test_the_key_is_not_shown():
    assert "secret" not in repr(TavilySearchTool("secret"))
