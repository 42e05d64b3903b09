"""The journal of an unfinished recording: finished interactions, on disk before the test has passed."""

from __future__ import annotations

from pathlib import Path

from replay_agent.recording.cassette import Cassette, Header, Item

__all__ = "Journal", "journal_path", "load_journal"


def journal_path(cassette: Path, test: str | None) -> Path:
    """Return where the journal of a test's recording lives: beside the cassette, one for each test."""
    raise NotImplementedError


def load_journal(path: Path) -> Cassette | None:
    """Read a journal left behind, None if there is none; an interaction cut off at its end is left out."""
    raise NotImplementedError


class Journal:
    """Appends finished interactions, each handed to the operating system before `append` returns.

    The file appears with the first one. Not locked: the caller holds its lock. Raises `CassetteUnwritable`.
    """

    def __init__(self, path: Path, header: Header) -> None:
        self.path = path
        self._header = header

    def append(self, item: Item) -> None:
        """Add an interaction."""
        raise NotImplementedError

    def close(self) -> None:
        """Leave the journal for the next recording."""
        raise NotImplementedError

    def discard(self) -> None:
        """Delete the journal; its content is in the cassette now, or unwanted."""
        raise NotImplementedError
