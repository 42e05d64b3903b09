"""Deletes what no test is left for: cassettes, interactions in shared ones, snapshots."""

from __future__ import annotations

from itertools import takewhile
from pathlib import Path

from replay_agent.cli.upkeep.unused_snapshots import OrphanSnapshot
from replay_agent.recording.cassettes import store
from replay_agent.report.recorded.orphans import Orphan

__all__ = ("remove",)


def remove(orphan: Orphan | OrphanSnapshot, root: Path) -> None:
    """Delete the file, or take the interactions out of it; nothing of what is to be kept.

    Folders that are empty then go too, but ``root``, where cassettes or snapshots begin, stays: the project has set it up.
    Raises `CassetteError` and `OSError`; the file is then as it was.
    """
    if orphan.kept:
        return
    if isinstance(orphan, OrphanSnapshot) or orphan.interactions is None:
        orphan.path.unlink()
        for folder in takewhile(lambda each: each != root and not any(each.iterdir()), orphan.path.parents):
            folder.rmdir()
        return
    cassette = store.load(orphan.path)
    kept = [cassette.item(index) for index in range(len(cassette)) if index not in orphan.interactions]
    store.save(orphan.path, cassette.header, kept, base=cassette)
