"""Commands that run tests, or a test of their own."""

__all__ = ("arguments",)
