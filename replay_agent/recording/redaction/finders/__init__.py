"""Find credentials in a text: by the names around them, by their shape."""

__all__ = (
    "by_name",
    "clues",
    "grants",
    "header_lines",
    "long_words",
    "paired",
    "settings",
    "shapes",
    "sieve",
    "tables",
    "telling",
    "web_keys",
)
