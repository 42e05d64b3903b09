"""Cassette files: the only place that opens, replaces or locks one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from replay_agent.recording.cassette import Cassette, Header, Item

__all__ = "check_writable", "exists", "load", "save"


def exists(path: Path) -> bool:
    """Tell whether something is there under this name, be it a cassette or not (a dangling link is something)."""
    raise NotImplementedError


def load(path: Path) -> Cassette:
    """Open a cassette of any known layout: ours, vcrpy's (YAML or JSON), with ``parsed_body``, cassetter's.

    Raises `CassetteNotFound`, `CassetteUnreadable` or `CassetteVersionError`; the message names file, cause and next
    step. Never waits (pipes, devices), never changes the file.
    """
    raise NotImplementedError


def save(path: Path, header: Header, items: Sequence[Item], *, base: Cassette | None = None) -> None:
    """Replace the cassette at once by one with these items, merging with what others wrote since ``base`` was loaded.

    ``base`` is the cassette as this recording opened it, None if there was none. What ``items`` has beyond ``base``
    is added, what it lacks of ``base`` is dropped, everything else in the file stays, byte for byte; so pass all
    items that shall stay, in order, the untouched ones from `Cassette.item`. Nothing is written if nothing changes.
    Raises `CassetteUnwritable`; the old file is then as it was, with nothing beside it.
    """
    raise NotImplementedError


def check_writable(path: Path) -> None:
    """Raise `CassetteUnwritable` if `save` could not write here; to be called before the first paid request."""
    raise NotImplementedError
