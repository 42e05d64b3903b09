"""What a test has compared with its snapshots, and how that went. Light: nothing of syrupy is read here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from replay_agent.pytest_plugin.around.snapshot_keeper import Difference, SnapshotKeeper

__all__ = "KEEPER", "differences_of", "stopped_at_snapshot"

KEEPER: pytest.StashKey[SnapshotKeeper] = pytest.StashKey()
"""Who keeps the snapshots of a test; there is one only if it has compared anything."""


def stopped_at_snapshot(item: pytest.Item, error: BaseException) -> bool:
    """Tell whether a test failed with this error because a snapshot differs: nothing else is known to be wrong with it."""
    keeper = item.stash.get(KEEPER, None)
    return keeper is not None and isinstance(error, AssertionError) and keeper.differing


def differences_of(item: pytest.Item) -> list[Difference]:
    """Return the snapshots of a test that differ and are not accepted."""
    keeper = item.stash.get(KEEPER, None)
    return keeper.differences() if keeper is not None else []
