"""Shorter ways to read what nearly every item holds, to the same result; for lines that nobody has touched."""

__all__ = ("items",)
