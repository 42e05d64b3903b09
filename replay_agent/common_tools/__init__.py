"""Tools ready to be handed to an agent: searches of the web."""
