"""A tool that searches the web with DuckDuckGo."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any, Protocol

from anyio.to_thread import run_sync
from pydantic import TypeAdapter
from typing_extensions import TypedDict

from replay_agent.agent.tools import Tool
from replay_agent.exceptions import UserError

__all__ = "DuckDuckGoResult", "DuckDuckGoSearchTool", "duckduckgo_search_tool"

_LIBRARIES = "ddgs", "duckduckgo_search"


class DuckDuckGoResult(TypedDict):
    """One page that was found."""

    title: str
    href: str
    body: str


class Client(Protocol):
    """What is needed of a client: ``DDGS`` of the package ddgs, or of duckduckgo-search before it."""

    def text(self, query: str, /, *, max_results: int | None) -> list[dict[str, Any]]:
        """Return the pages that were found."""


_results = TypeAdapter(list[DuckDuckGoResult])


@dataclass
class DuckDuckGoSearchTool:
    """Searches with a client; without one, the library is looked for at the first call."""

    client: Client | None = None
    max_results: int | None = None

    async def __call__(self, query: str) -> list[DuckDuckGoResult]:
        """Search DuckDuckGo and return what it finds.

        Args:
            query: What to search for.
        """
        self.client = self.client or _client()
        found = await run_sync(partial(self.client.text, query, max_results=self.max_results))
        if not found:
            raise RuntimeError("No search results found.")
        return _results.validate_python(found)


def _client() -> Client:
    for library in _LIBRARIES:
        try:
            client: Client = import_module(library).DDGS()
        except ModuleNotFoundError as exc:
            if exc.name != library:
                raise
        else:
            return client
    raise UserError("Searching with DuckDuckGo needs a library. Install it: pip install ddgs")


def duckduckgo_search_tool(duckduckgo_client: Client | None = None, max_results: int | None = None) -> Tool[Any]:
    """Return a tool that searches the web; it needs no key.

    Args:
        duckduckgo_client: A client; a new one is made at the first call if None, `UserError` where no library is there.
        max_results: The most pages to return; None takes those of the first answer.
    """
    return Tool(
        DuckDuckGoSearchTool(duckduckgo_client, max_results).__call__,
        name="duckduckgo_search",
        description="Searches DuckDuckGo for the given query and returns the results.",
    )
