"""Serves the mark `vcr` as pytest-recording does, with vcrpy's cassettes."""

__all__ = ("fixtures",)
