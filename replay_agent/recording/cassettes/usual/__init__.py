"""Shorter ways to read what nearly every item holds, of lines that nobody has touched, and to write it, to the same result."""

__all__ = "items", "repeated"
