"""Differences between runs, explained."""

__all__ = (
    "command",
    "comparison",
    "conflict",
    "conversation",
    "decoded_request",
    "drift",
    "explanation",
    "leftovers",
    "nearest",
    "page",
    "recorded",
    "renamed",
    "render",
    "review",
    "snapshots",
    "words",
)
