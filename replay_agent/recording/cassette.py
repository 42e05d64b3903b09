"""The cassette document: a header and interactions, each read only when it is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from replay_agent.recording.matching import Key, Keying
from replay_agent.traffic import Interaction

__all__ = "Cassette", "Header", "Item", "Layout", "new_item", "render"

Layout: TypeAlias = Literal["replay-agent", "foreign"]


@dataclass(frozen=True, slots=True)
class Header:
    """What a cassette says of itself before its interactions."""

    keying: str = ""
    """The scheme of the keys in the file (`Keying.scheme`)."""
    recorded_at: str | None = None
    """When the file was first written, ISO 8601 in UTC."""
    frozen: Mapping[str, object] = field(default_factory=dict)
    """Sources (clock, uuid, random, ...) that were frozen while recording, with their seeds; plain JSON values."""
    library: str = ""
    """Name and version of the release that wrote it; filled in on writing when empty."""
    version: int = 1


@dataclass(frozen=True, slots=True)
class Item:
    """One interaction as text of the file: its lines without the comment, its key, and the test that recorded it."""

    text: str
    key: Key | None = None
    test: str | None = None


class Cassette:
    """An opened cassette. Everything but the header, the boundaries and the stored keys is read on demand.

    Reading an item raises `CassetteUnreadable` (file, line, cause). May be read by several threads.
    """

    path: Path
    header: Header
    layout: Layout

    def __len__(self) -> int:
        raise NotImplementedError

    def keys(self, keying: Keying) -> list[Key]:
        """Return the key of every interaction: the stored ones where scheme and checksum hold, else recomputed."""
        raise NotImplementedError

    def test(self, index: int) -> str | None:
        """Return the node id of the test that recorded an interaction."""
        raise NotImplementedError

    def interaction(self, index: int) -> Interaction:
        """Read one interaction."""
        raise NotImplementedError

    def interactions(self) -> list[Interaction]:
        """Read all of them."""
        raise NotImplementedError

    def item(self, index: int) -> Item:
        """Return an interaction as text, to be written again byte for byte; with its key once `keys` was called."""
        raise NotImplementedError

    def answered(self, id: str) -> bool:
        """Tell whether a recorded answer contains this tool-call id."""
        raise NotImplementedError


def new_item(interaction: Interaction, key: Key | None) -> Item:
    """Write an interaction (already redacted); what is returned reads back equal, to the byte."""
    raise NotImplementedError


def render(header: Header, items: Sequence[Item]) -> bytes:
    """Write the whole document."""
    raise NotImplementedError
