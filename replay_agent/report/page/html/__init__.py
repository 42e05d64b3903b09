"""A report as HTML."""

__all__ = ("rendering",)
