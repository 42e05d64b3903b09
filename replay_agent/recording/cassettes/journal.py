"""The journal of an unfinished recording: finished interactions, on disk before the test has passed.

It is a cassette that lacks its end mark, and grows at its end: each interaction is handed to the operating system when it
is finished, so that neither a failing test nor a kill loses an answer that was paid for. Every recording writes a journal
of its own, which it keeps locked; one that nobody has locked was left behind, and the next recording takes it up.

Journals are in a folder of their own, ``.replay-agent/journals``, which tells git to look away; it goes with the last.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from replay_agent.exceptions import CassetteNotFound, CassetteUnreadable, CassetteUnwritable
from replay_agent.recording.cassettes.document import Cassette, read_cassette
from replay_agent.recording.cassettes.parts.header import Header, render_header
from replay_agent.recording.cassettes.parts.item import Item, unkeyed
from replay_agent.recording.cassettes.store import make_folder, read_file, replace_file

__all__ = (
    "Journal",
    "LeftJournal",
    "all_journals",
    "journal_folder",
    "journals_of",
    "load_journal",
    "lock_journal",
    "new_journal_path",
    "take_up",
)

HOME = ".replay-agent"
_ROOTS = (".git", "pyproject.toml", "pytest.ini", "tox.ini", "setup.cfg", "setup.py")
"""What stands at the root of a project."""

# Bytes; with the digests behind it a name stays below the 255 that file systems take.
_LONGEST_STEM = 120
_APPENDING = os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_SUFFIX = ".journal"


def journal_folder(place: Path) -> Path:
    """Return the folder for the journals of a project: of the one that a cassette is in, else beside the cassette."""
    folder = place.absolute().parent
    homes = (above for above in (folder, *folder.parents) if any((above / name).exists() for name in _ROOTS))
    try:
        return next(homes, folder) / HOME / "journals"
    except (OSError, ValueError):
        return folder / HOME / "journals"


def new_journal_path(cassette: Path, test: str | None, folder: Path | None = None) -> Path:
    """Return a place for a journal that nobody has, in the folder for journals, named after the cassette and the test."""
    folder = folder or journal_folder(cassette)
    return folder / f"{_name(cassette, test, folder)}.{os.urandom(4).hex()}{_SUFFIX}"


def journals_of(cassette: Path, test: str | None, folder: Path | None = None) -> list[Path]:
    """Return the journals of a test's recordings that are there, of those that are running too."""
    folder = folder or journal_folder(cassette)
    begin = f"{_name(cassette, test, folder)}."
    return [path for path in all_journals(folder) if path.name.startswith(begin)]


def all_journals(folder: Path) -> list[Path]:
    """Return the journals in a folder."""
    try:
        return sorted(path for path in folder.iterdir() if path.suffix == _SUFFIX)
    except (OSError, ValueError):
        return []


def _name(cassette: Path, test: str | None, folder: Path) -> str:
    place = os.path.relpath(cassette.absolute(), folder) if cassette.drive == folder.drive else str(cassette)
    whose = f"{place}\0{test or ''}".encode("utf-8", "surrogatepass")
    stem = os.fsencode(cassette.stem)[:_LONGEST_STEM].decode("utf-8", "ignore")
    return f"{stem}.{sha256(whose).hexdigest()[:12]}"


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


class LeftJournal:
    """A journal that somebody left behind, locked so that nobody else takes it up; to be released or discarded."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor: int | None = descriptor
        self.cassette: Cassette | None = None
        """What is whole in it, once it has been read."""
        self.unwanted: frozenset[int] = frozenset()
        """What of it is to be asked again, and goes with this file."""

    def read(self) -> None:
        """Read it. Raises as `load_journal` does."""
        self.cassette = load_journal(self.path)

    def items(self, keying: str) -> list[Item]:
        """Return what is whole in it, to be written under a keying of this scheme."""
        found = self.cassette
        if found is None:
            return []
        items = [found.item(index) for index in range(len(found)) if index not in self.unwanted]
        return items if found.header.keying == keying else [unkeyed(item) for item in items]

    def release(self) -> None:
        """Leave it for the next recording."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def discard(self) -> None:
        """Delete it; what it holds is in the cassette now, or in another journal, or unwanted."""
        self.release()
        _remove(self.path)


def take_up(cassette: Path, test: str | None, *, read: bool, folder: Path | None = None) -> list[LeftJournal]:
    """Return the journals that earlier recordings of a test left behind, the oldest first.

    Those of recordings that are running are not among them. ``read`` is false for who wants nothing but to discard
    them. Raises as `load_journal` does.
    """
    left: list[LeftJournal] = []
    try:
        for path in sorted(journals_of(cassette, test, folder), key=_age):
            found = lock_journal(path)
            if found is not None:
                left.append(found)
                if read:
                    found.read()
    except BaseException:
        for each in left:
            each.release()
        raise
    return left


def _age(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def lock_journal(path: Path) -> LeftJournal | None:
    """Lock a journal, None if somebody else has it or it is gone; what cannot be opened is left for `read` to tell."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise CassetteUnreadable(
            f"{path} cannot be opened: {exc.strerror}. Make it readable, or delete it.", path
        ) from exc
    # Between opening and locking its owner may have deleted it.
    if _lock(descriptor) and path.exists():
        return LeftJournal(path, descriptor)
    os.close(descriptor)
    return None


class Journal:
    """Appends finished interactions, each handed to the operating system before `append` returns.

    The file appears with the first one. What was read of the journals ``left`` by earlier recordings is copied into it,
    and they are deleted then, so that a test which fails again and again has one journal. Not locked against threads: the caller holds its lock.
    Raises `CassetteUnwritable`.
    """

    def __init__(self, path: Path, header: Header, left: Iterable[LeftJournal] = ()) -> None:
        self.path = path
        self._header = header
        self._left = list(left)
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
                # An item's lines are found as a whole: its checksum is among them.
                data = data.replace(old.source, new.source)
            self.close()
            replace_file(self.path, data)
            self._descriptor = os.open(self.path, _APPENDING)
            _lock(self._descriptor)

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
        """Leave the journal, and those it was to take over, for the next recording."""
        for left in self._left:
            left.release()
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def discard(self) -> None:
        """Delete the journal, and those left behind; their content is in the cassette now, or unwanted."""
        made = self._descriptor is not None
        self.close()
        for left in self._left:
            left.discard()
        if made:
            _remove(self.path)

    def _opened(self) -> int:
        """Make the file, with what was left behind in it. Its keys are forgotten where this recording has others."""
        descriptor = _created(self.path)
        try:
            _lock(descriptor)
            taken = [left for left in self._left if left.cassette is not None]
            items = [item for left in taken for item in left.items(self._header.keying)]
            _write(descriptor, b"".join((render_header(self._header), *(item.source for item in items))))
        except BaseException:
            os.close(descriptor)
            _remove(self.path)
            raise
        for left in taken:
            left.discard()
        return descriptor


_TRIES = 5
"""Another recording may take the folder away with its last journal, just when this one has made sure of it."""


def _created(path: Path) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | getattr(os, "O_BINARY", 0)
    for _ in range(_TRIES):
        with suppress(FileNotFoundError):
            _make_folder(path.parent)
            return os.open(path, flags, 0o666)
    _make_folder(path.parent)
    return os.open(path, flags, 0o666)


def _make_folder(folder: Path) -> None:
    """Make the folder for journals; git is told in it not to look at what is in it."""
    make_folder(folder)
    if folder.parent.name == HOME:
        (folder.parent / ".gitignore").write_text("# Unfinished recordings: see `replay-agent journals`.\n*\n", "utf-8")


def _remove(path: Path) -> None:
    """Delete a journal, and the folder with the last one."""
    path.unlink(missing_ok=True)
    folder = path.parent
    if folder.parent.name != HOME or all_journals(folder):
        return
    with suppress(OSError):  # another recording has begun a journal there, or somebody keeps something of his own
        folder.rmdir()
        (folder.parent / ".gitignore").unlink(missing_ok=True)
        folder.parent.rmdir()


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _lock(descriptor: int) -> bool:
    """Lock a file until it is closed, or its process ends; False if another has. File systems without locks say yes."""
    try:
        return _try_lock(descriptor)
    except OSError:
        return True


if sys.platform == "win32":
    import msvcrt

    _FAR = 1 << 40
    """The byte that is locked, far behind all others: Windows lets nobody read what is locked."""

    def _try_lock(descriptor: int) -> bool:
        os.lseek(descriptor, _FAR, os.SEEK_SET)
        with suppress(PermissionError, BlockingIOError):
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            return True
        return False

else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        return False
