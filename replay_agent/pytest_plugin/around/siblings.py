"""The names of the tests beside a test, also of those that are not selected: file names of them may clash."""

from __future__ import annotations

import pytest

__all__ = "note_siblings", "siblings_of"

_SIBLINGS = pytest.StashKey[list[str]]()


def note_siblings(collector: pytest.Collector, report: pytest.CollectReport) -> None:
    """Note the names of all tests of a module or class, as it was collected."""
    collector.stash[_SIBLINGS] = [node.name for node in report.result if isinstance(node, pytest.Item)]


def siblings_of(item: pytest.Item) -> list[str]:
    """Return the names of all tests of the module or class of a test."""
    return item.parent.stash.get(_SIBLINGS, []) if item.parent else []
