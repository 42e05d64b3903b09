"""The journal of an unfinished recording: finished interactions, on disk before the test has passed.

It is a cassette that lacks its end mark, and grows at its end: each interaction is handed to the operating system when it
is finished, so that neither a failing test nor a kill loses an answer that was paid for.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from replay_agent.exceptions import CassetteNotFound, CassetteUnreadable, CassetteUnwritable
from replay_agent.recording.cassettes.document import Cassette, Header, Item, read_cassette, render_header, unkeyed
from replay_agent.recording.cassettes.store import read_file, replace_file

__all__ = "Journal", "journal_path", "load_journal"

_LONGEST_STEM = 120
_APPENDING = os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


def journal_path(cassette: Path, test: str | None) -> Path:
    """Return where the journal of a test's recording lives: beside the cassette, one for each test."""
    whose = f"{cassette.name}\0{test or ''}".encode("utf-8", "surrogatepass")
    stem = os.fsencode(cassette.stem)[:_LONGEST_STEM].decode("utf-8", "ignore")
    return cassette.with_name(f"{stem}.{sha256(whose).hexdigest()[:12]}.journal")


def load_journal(path: Path) -> Cassette | None:
    """Read a journal left behind, None if there is none or nothing in it is whole.

    An interaction cut off at its end is left out. Raises `CassetteUnreadable` for what is no regular file, and
    `CassetteVersionError` for the journal of another release.
    """
    try:
        data = read_file(path)
    except CassetteNotFound:
        return None
    return read_cassette(data, path, torn=True) if b"\n- # " in data else None


class Journal:
    """Appends finished interactions, each handed to the operating system before `append` returns.

    The file appears with the first one; what an unfinished recording left in it stays. Not locked: the caller holds
    its lock. Raises `CassetteUnwritable`.
    """

    def __init__(self, path: Path, header: Header) -> None:
        self.path = path
        self._header = header
        self._descriptor: int | None = None

    def append(self, item: Item) -> None:
        """Add an interaction."""
        with self._as_unwritable():
            if self._descriptor is None:
                self._descriptor = self._opened()
            _write(self._descriptor, item.source)

    def replace(self, changed: Iterable[tuple[Item, Item]]) -> None:
        """Write interactions anew, each given as it was and as it is now."""
        if self._descriptor is None:
            return
        with self._as_unwritable():
            data = read_file(self.path)
            for old, new in changed:
                data = data.replace(old.source, new.source)
            self.close()
            replace_file(self.path, data)
            self._descriptor = os.open(self.path, _APPENDING)

    @contextmanager
    def _as_unwritable(self) -> Iterator[None]:
        try:
            yield
        except OSError as exc:
            raise CassetteUnwritable(
                f"{self.path} cannot be written: {exc.strerror}. Make room or make the folder writable, "
                "then record again. The cassette is as it was; what the journal has is taken up, unless the mode is "
                "all or rewrite.",
                self.path,
            ) from exc

    def close(self) -> None:
        """Leave the journal for the next recording."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def discard(self) -> None:
        """Delete the journal; its content is in the cassette now, or unwanted."""
        self.close()
        self.path.unlink(missing_ok=True)

    def _opened(self) -> int:
        """Open the file behind what is whole in it. Its first lines are written anew, for this recording's keying."""
        replace_file(self.path, b"".join((render_header(self._header), *(item.source for item in self._left()))))
        return os.open(self.path, _APPENDING)

    def _left(self) -> list[Item]:
        try:
            old = load_journal(self.path)
        except CassetteUnreadable:
            return []
        if old is None:
            return []
        items = [old.item(index) for index in range(len(old))]
        return items if old.header.keying == self._header.keying else [unkeyed(item) for item in items]


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
