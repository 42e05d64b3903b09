"""Tests run once more to be compared: what the processes that run them tell, and what is made of it."""

__all__ = "drifts", "notes", "order", "structure"
