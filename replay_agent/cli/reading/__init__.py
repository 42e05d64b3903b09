"""Commands that answer what recordings say: one cassette, many, two of a kind."""

__all__ = "arguments", "show"
