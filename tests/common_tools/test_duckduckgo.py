from __future__ import annotations

import sys
from types import ModuleType

import pytest

from replay_agent import Agent
from replay_agent.common_tools.duckduckgo import DuckDuckGoSearchTool, duckduckgo_search_tool
from replay_agent.exceptions import UserError
from replay_agent.models.test import TestModel

pytestmark = pytest.mark.anyio

PAGE = {"title": "Two", "href": "https://two.example", "body": "It is a number."}


class Client:
    def __init__(self, *pages):
        self.pages = list(pages)

    def text(self, query, *, max_results):
        self.asked = query, max_results
        return self.pages


async def test_the_model_is_told_how_to_search():
    model = TestModel(call_tools=[])
    await Agent(model, tools=[duckduckgo_search_tool()]).run("Hello")
    (tool,) = model.last_model_request_parameters.function_tools
    assert tool.name == "duckduckgo_search"
    assert tool.parameters_json_schema["properties"]["query"]["type"] == "string"


async def test_a_search_finds_pages():
    client = Client(PAGE)
    result = await Agent("test", tools=[duckduckgo_search_tool(client, max_results=3)]).run("Hello")
    assert "two.example" in result.data
    assert client.asked == ("a", 3)


async def test_nothing_found_is_an_error():
    with pytest.raises(RuntimeError, match="No search results"):
        await DuckDuckGoSearchTool(Client())("x")


@pytest.mark.parametrize("library", ["ddgs", "duckduckgo_search"])
async def test_either_library_will_do(monkeypatch, library):
    module = ModuleType(library)
    module.DDGS = lambda: Client(PAGE)
    monkeypatch.setitem(sys.modules, "ddgs", None)
    monkeypatch.setitem(sys.modules, library, module)
    assert await DuckDuckGoSearchTool()("x") == [PAGE]


async def test_without_a_library_it_is_named(monkeypatch):
    for library in ("ddgs", "duckduckgo_search"):
        monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(UserError, match="pip install ddgs"):
        await DuckDuckGoSearchTool()("x")
