"""A tool that searches the web with Tavily."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import httpx
from pydantic import TypeAdapter
from typing_extensions import TypedDict

from replay_agent.agent.tools import Tool
from replay_agent.models.client import shared_client

__all__ = "TavilySearchResult", "TavilySearchTool", "tavily_search_tool"

_ADDRESS = "https://api.tavily.com/search"


class TavilySearchResult(TypedDict):
    """One page that was found."""

    title: str
    url: str
    content: str
    score: float
    """How well it fits."""


_results = TypeAdapter(list[TavilySearchResult])


@dataclass
class TavilySearchTool:
    """Searches as whoever has the key."""

    api_key: str = field(repr=False)
    http_client: httpx.AsyncClient | None = None

    async def __call__(
        self,
        query: str,
        search_deep: Literal["basic", "advanced"] = "basic",
        topic: Literal["general", "news"] = "general",
        time_range: Literal["day", "week", "month", "year", "d", "w", "m", "y"] | None = None,
    ) -> list[TavilySearchResult]:
        """Search with Tavily and return what it finds.

        Args:
            query: What to search for.
            search_deep: How thorough the search is.
            topic: The kind of pages to search.
            time_range: How old a page may be.
        """
        asked = {"query": query, "search_depth": search_deep, "topic": topic, "time_range": time_range}
        response = await (self.http_client or shared_client()).post(
            _ADDRESS,
            headers={"Authorization": f"Bearer {self.api_key}"},
            json={name: value for name, value in asked.items() if value is not None},
        )
        response.raise_for_status()
        found = response.json().get("results")
        if not found:
            raise RuntimeError("No search results found.")
        return _results.validate_python(found)


def tavily_search_tool(api_key: str, http_client: httpx.AsyncClient | None = None) -> Tool[Any]:
    """Return a tool that searches the web.

    Args:
        api_key: The key, of https://app.tavily.com/home.
        http_client: Carries the requests; the client that all models share if None.
    """
    return Tool(
        TavilySearchTool(api_key, http_client).__call__,
        name="tavily_search",
        description="Searches Tavily for the given query and returns the results.",
    )
