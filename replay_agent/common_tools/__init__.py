"""Tools ready to be handed to an agent: searches of the web."""

__all__ = "duckduckgo", "tavily"
