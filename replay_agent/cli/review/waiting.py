"""What waits to be looked at in the project that a folder belongs to, and who may decide about it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from replay_agent.cli.project import cache_folder
from replay_agent.exceptions import UserError
from replay_agent.report.review.change import Change
from replay_agent.report.review.queue import FOLDER, STATE, Queue

__all__ = "NOTHING_KEPT", "chosen", "deciding", "find_state", "waiting"

NOTHING_KEPT = (
    "no run of pytest has left here what it found. Run pytest in this project; it keeps what is open in pytest's cache, "
    "which `-p no:cacheprovider` switches off"
)
_SHORTEST = 4
"""Characters by which an id may be named."""


def find_state(place: Path) -> Path | None:
    """Return the folder in which the project of a folder keeps what is open; None if no run has left anything."""
    here = place.absolute()
    for folder in (here, *here.parents):
        for found in cache_folder(folder).glob(f"*/{FOLDER}/{STATE}"):
            return found.parent
    return None


def waiting(state: Path | None) -> list[Change]:
    """Return what is open, nothing where nothing is kept. Raises `UserError` for what cannot be read."""
    return Queue.load(state).changes if state is not None else []


def chosen(changes: Sequence[Change], ids: Sequence[str]) -> tuple[list[Change], list[str]]:
    """Return what these ids mean, which may be cut short as long as they are plain, and the ids that mean nothing.

    Raises `UserError` for an id that means several.
    """
    found: dict[str, Change] = {}
    unknown = []
    for name in dict.fromkeys(ids):
        meant = [each for each in changes if each.id == name or (len(name) >= _SHORTEST and each.id.startswith(name))]
        if len(meant) > 1:
            raise UserError(f"{name} is the beginning of several: {', '.join(each.id for each in meant)}")
        found.update((each.id, each) for each in meant)
        unknown += [] if meant else [name]
    return list(found.values()), unknown


@contextmanager
def deciding(state: Path) -> Iterator[None]:
    """Be the only one who decides. Raises `UserError` while somebody else does."""
    from filelock import FileLock, Timeout

    lock = FileLock(state / ".review.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise UserError(
            "a review of this project is going on, in another terminal or process: finish that one first"
        ) from None
    try:
        yield
    finally:
        lock.release()


def seen_from(path: str, place: Path) -> str:
    """Return a file as it is named from a folder."""
    try:
        return os.path.relpath(path, place)
    except ValueError:  # another drive of Windows
        return path
