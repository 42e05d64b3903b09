"""Snapshots of runs, read back: what differs between two of them."""

__all__ = "differences", "extension"
