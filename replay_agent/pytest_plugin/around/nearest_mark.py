"""The mark of a name that is nearest to a test. Light: the plugin reads it at start."""

from __future__ import annotations

from typing import Any

import pytest

__all__ = "closest", "mark_names"


def closest(item: pytest.Item, name: str) -> pytest.Mark | None:
    """Return the mark of a name that is nearest to a test, as `pytest.Item.get_closest_marker` does in six times the time."""
    node: Any = item
    while node is not None:
        for mark in node.own_markers:
            if mark.name == name:
                found: pytest.Mark = mark
                return found
        node = node.parent
    return None


def mark_names(item: pytest.Item) -> set[str]:
    """Return the names of all marks of a test, its own and those of what it is in."""
    names: set[str] = set()
    node: Any = item
    while node is not None:
        for mark in node.own_markers:
            names.add(mark.name)
        node = node.parent
    return names
