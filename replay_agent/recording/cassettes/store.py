"""Cassette files: the only place that opens, replaces or locks one."""

from __future__ import annotations

import os
import stat
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from replay_agent.exceptions import CassetteError, CassetteNotFound, CassetteUnreadable, CassetteUnwritable
from replay_agent.recording.cassettes.document import (
    Cassette,
    begins_as_ours,
    foreign_cassette,
    is_ours,
    read_cassette,
    render,
)
from replay_agent.recording.cassettes.merging import merge
from replay_agent.recording.cassettes.packed import unpacked
from replay_agent.recording.cassettes.parts.header import Header
from replay_agent.recording.cassettes.parts.item import Item
from replay_agent.recording.cassettes.safe_documents import (
    MAX_DEPTH,
    MAX_VALUES,
    BadDocument,
    read_json_document,
    read_toml,
    read_yaml,
)

__all__ = (
    "IN_CONFLICT",
    "KEEP_ONE_SIDE",
    "check_writable",
    "exists",
    "load",
    "make_folder",
    "parse",
    "read_file",
    "replace_file",
    "save",
)

MAX_SIZE = 100 << 20
"""Bytes; a larger file is taken for something else, and no public forge takes one."""
_LOCK_TIMEOUT = 60.0
"""Seconds to wait for another process that saves the same cassette."""
IN_CONFLICT = "the file holds the marks of a merge conflict"
KEEP_ONE_SIDE = "git checkout --ours (or --theirs) and the file, then record what is missing."

_RESTORE = "Restore the file, or delete it and record again."
_LFS = b"version https://git-lfs.github.com/spec/"
# UTF-32 in little endian begins as UTF-16 does.
_WIDE_BOMS = (b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")
_MARKUP = (b"<!doctype", b"<html", b"<?xml", b"<head", b"<body")
_CONFLICTS = (b"<<<<<<< ", b">>>>>>> ")
_KINDS = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
_TO_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
"""How a cassette is opened: a pipe that nobody writes to is not waited for."""
_left_by_us: dict[Path, object] = {}
"""Folders in which this process has saved a cassette, and how each stood then."""
# A block: on a full disk an empty file can still be made.
_PROBE = bytes(4096)
_ROOM = 1 << 20
_DEEP = "\n" + " " * (MAX_DEPTH // 2)


def exists(path: Path) -> bool:
    """Tell whether something is there under this name, be it a cassette or not (a dangling link is something)."""
    try:
        return os.path.lexists(path)
    except ValueError:
        return False


def load(path: Path) -> Cassette:
    """Open a cassette of any known layout: ours, vcrpy's (YAML or JSON), with ``parsed_body``, cassetter's, LangChain's.

    Raises `CassetteNotFound`, `CassetteUnreadable` or `CassetteVersionError`; the message names file, cause and next
    step. Never waits (pipes, devices), never changes the file.
    """
    return parse(read_file(path), path)


def parse(data: bytes, path: Path) -> Cassette:
    """Open what was read of a cassette file, wherever that was; ``path`` tells its kind and stands in messages.

    Raises `CassetteUnreadable` or `CassetteVersionError`.
    """
    _check_size(path, len(data))
    if not begins_as_ours(data):
        data = _opened(unpacked(data, path), path)
    if is_ours(data):
        # Git on Windows may have checked the file out with CRLF; we write LF alone, within texts too.
        return _ours(data.replace(b"\r\n", b"\n") if b"\r" in data else data, path)
    from replay_agent.recording.cassettes.foreign import read_foreign

    _refuse_within(data, path)
    return foreign_cassette(read_foreign(_document(data, path), path), path)


def _ours(data: bytes, path: Path) -> Cassette:
    """Open a file in our layout. Its checksums tell whether there can be anything in it that does not belong there."""
    try:
        cassette = read_cassette(data, path)
    except CassetteUnreadable:
        _refuse_within(data, path)
        raise
    if not cassette.is_as_written:
        _refuse_within(data, path)
    return cassette


def read_file(path: Path) -> bytes:
    """Return the bytes of a regular file. Raises `CassetteNotFound`, `CassetteUnreadable`."""
    try:
        file = os.open(path, _TO_READ)
        try:
            found = os.fstat(file)
            _check_kind(path, found)
            data = _read_all(file, found.st_size)
        finally:
            os.close(file)
    except (FileNotFoundError, NotADirectoryError) as exc:
        raise _not_found(path) from exc
    except ValueError as exc:
        raise CassetteNotFound(f"{str(path)!r} cannot be the name of a file: {exc}.", path) from exc
    except OSError as exc:
        with suppress(OSError):
            _check_kind(path, path.stat())  # a socket, or a folder where these cannot be opened
        raise CassetteUnreadable(f"{path} cannot be opened: {exc.strerror}.", path) from exc
    _check_size(path, len(data))  # again, for a file that grows, or says no size before it is read
    return data


def _read_all(file: int, size: int) -> bytes:
    """Read a file of about this size, of one that grows no more than is too much."""
    first = os.read(file, size + 1)
    if len(first) == size > 0:
        return first  # nothing stood behind it
    pieces = [first]
    # A read may return less than there is, and a file that says no size before it is read has some all the same.
    while pieces[-1] and (room := MAX_SIZE + 1 - sum(map(len, pieces))) > 0:
        pieces.append(os.read(file, min(room, _ROOM)))
    return pieces[0] if len(pieces) <= 2 else b"".join(pieces)


def _check_kind(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        kind = next((name for test, name in _KINDS if test(found.st_mode)), "no file")
        raise CassetteUnreadable(f"{path} is {kind}, not a cassette. Remove it, or choose another name.", path)
    _check_size(path, found.st_size)


def _check_size(path: Path, size: int) -> None:
    if size > MAX_SIZE:
        raise CassetteUnreadable(
            f"{path} has {size} bytes; a cassette may have {MAX_SIZE}. Split the test, or delete the file.", path
        )


def _not_found(path: Path) -> CassetteNotFound:
    if path.is_symlink():
        return CassetteNotFound(f"{path} is a link to {path.readlink()}, which is not there. Repair the link.", path)
    return CassetteNotFound(f"There is no cassette {path}. Record it, for instance with record mode `once`.", path)


def _opened(data: bytes, path: Path) -> bytes:
    """Return a file's content without its byte order mark, or say what it is instead of a cassette."""
    # The beginning is enough: an LFS pointer or a page of HTML is told by its first words.
    start = data[:64].lstrip()
    cause = None
    if not start and not data.strip():
        cause = "is empty" if not data else "holds nothing but white space"
    elif start.startswith(_LFS):
        raise CassetteUnreadable(f"{path} is a git-lfs pointer, not a cassette. Fetch the file: git lfs pull.", path)
    elif data.startswith(_WIDE_BOMS):
        cause = "is UTF-16 or UTF-32, not UTF-8"
    elif start.lower().startswith(_MARKUP):
        cause = "is a page of HTML or XML, not a cassette"
    if cause is not None:
        raise CassetteUnreadable(f"{path} {cause}. {_RESTORE}", path)
    return data.removeprefix(b"\xef\xbb\xbf")


def _refuse_within(data: bytes, path: Path) -> None:
    nul = data.find(b"\0")
    if nul >= 0:
        raise CassetteUnreadable(f"{path}:{_line(data, nul)}: the file holds a NUL byte. {_RESTORE}", path)
    for mark in _CONFLICTS:
        found = data.find(mark)
        while found > 0 and data[found - 1 : found] != b"\n":
            found = data.find(mark, found + 1)
        if found >= 0:
            line = _line(data, found)
            error = CassetteUnreadable(f"{path}:{line}: {IN_CONFLICT}. To keep one side: {KEEP_ONE_SIDE}", path)
            error.in_conflict, error.line = True, line
            raise error


def _line(data: bytes, position: int) -> int:
    return data.count(b"\n", 0, position) + 1


def _document(data: bytes, path: Path) -> object:
    """Parse somebody else's file by its name and first character."""
    try:
        text = data.decode()
    except UnicodeDecodeError as exc:
        line = _line(data, exc.start)
        raise CassetteUnreadable(f"{path}:{line}: the file holds a byte that is not UTF-8. {_RESTORE}", path) from exc
    suffix = (path.with_suffix("") if path.suffix.lower() == ".gz" else path).suffix.lower()
    try:
        if suffix == ".toml":
            return read_toml(text)
        if suffix == ".json" or text.lstrip()[:1] in ("{", "["):
            return read_json_document(text)
        return _as_dumped(text) or read_yaml(data)
    except BadDocument as exc:
        where = "" if exc.line is None else f":{exc.line}"
        raise CassetteUnreadable(f"{path}{where}: {exc.cause}. {_RESTORE}", path) from exc


def _as_dumped(text: str) -> object:
    """Read YAML as vcrpy writes it, None where it is any other: that takes a third of the time of libyaml."""
    # What may hold too many values or levels is for the reader that counts them. A level takes a column, or shares it with one.
    if text.count("\n") > MAX_VALUES or _DEEP in text or "- - - " in text:
        return None
    from replay_agent.recording.cassettes.dumped_yaml import NotDumped, read_dumped

    try:
        return read_dumped(text)
    except (NotDumped, RecursionError):
        return None


def save(
    path: Path,
    header: Header,
    items: Sequence[Item],
    *,
    base: Cassette | None = None,
    overwrite: bool = False,
) -> None:
    """Replace the cassette at once by one with these items, merging with what others wrote since ``base`` was loaded.

    ``base`` is the cassette as this recording opened it, None if there was none. What ``items`` has beyond ``base``
    is added, what it lacks of ``base`` is dropped, everything else in the file stays, byte for byte; so pass all
    items that shall stay, in order, the untouched ones from `Cassette.item`. Nothing is written if nothing changes.
    Raises `CassetteUnwritable`; the old file is then as it was, with nothing beside it. Raises `CassetteUnreadable` if
    what is there now is no cassette, unless ``overwrite`` says that it may go. A link stays a link, and what it leads to
    may never go unless it is a cassette.
    """
    target = Path(os.path.realpath(path))
    with _as_unwritable(path), _locked(target):
        _check_link(path, target)
        current = _current(target, overwrite=overwrite)
        if current is not None:
            header, items = merge(header, items, base, current)
        data = render(header, items)
        if len(data) > MAX_SIZE:
            raise CassetteUnwritable(
                f"{path} cannot be saved: it would have {len(data)} bytes; a cassette may have {MAX_SIZE}. "
                "What was there before is untouched. Split the test, then record again.",
                path,
            )
        if current is None or data != read_file(target):
            replace_file(target, data)


def _current(path: Path, *, overwrite: bool) -> Cassette | None:
    try:
        current = load(path)
        current.check()
        return current
    except CassetteNotFound:
        return None
    except CassetteUnreadable:
        if overwrite:
            return None
        raise


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Keep other processes and threads from saving the same cassette; the lock is a file in the temporary folder."""
    from filelock import FileLock, Timeout

    # One lock for every spelling of a path, with a name that fits any file system.
    name = sha256(os.fsencode(os.path.normcase(path))).hexdigest()[:32]
    lock = FileLock(_lock_folder() / f"{name}.lock", timeout=_LOCK_TIMEOUT)
    try:
        lock.acquire()
    except Timeout as exc:
        raise CassetteUnwritable(
            f"{path} cannot be saved: another process has held its lock for {_LOCK_TIMEOUT:.0f} s.", path
        ) from exc
    try:
        yield
    finally:
        lock.release()


def _lock_folder() -> Path:
    import tempfile

    if hasattr(os, "getuid"):
        # The folder is of one user: in a shared one nobody could open the locks of another.
        user = str(os.getuid())
    else:
        import getpass

        user = getpass.getuser()
    folder = Path(tempfile.gettempdir()) / f"pytest-replay-agent-{user}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


@contextmanager
def _as_unwritable(path: Path) -> Iterator[None]:
    try:
        yield
    except CassetteError:
        raise
    except (OSError, ValueError) as exc:
        raise _unwritable(path, exc) from exc


def _unwritable(path: Path, exc: OSError | ValueError) -> CassetteUnwritable:
    cause = exc.strerror if isinstance(exc, OSError) and exc.strerror else str(exc)
    found = " What was there before is untouched." if exists(path) else ""
    return CassetteUnwritable(
        f"{path} cannot be saved: {cause}.{found} Make room or make the folder writable, then record again.", path
    )


def replace_file(path: Path, data: bytes) -> None:
    """Write beside, bring it to the disk, rename; on failure leave nothing behind. Raises OSError."""
    made = make_folder(path.parent)
    beside = path.with_name(f"{_stale_prefix(path)}{os.getpid()}.{os.urandom(4).hex()}.tmp")
    _remove_stale(path)
    try:
        _write_new(beside, data, mode=_mode(path))
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        for folder in made:
            with suppress(OSError):
                folder.rmdir()
        raise
    _sync_folder(path.parent)
    _left_by_us[path.parent] = _state(path.parent)


def make_folder(folder: Path) -> list[Path]:
    """Make a folder and those above; return the ones made, the innermost first."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return missing


def _mode(path: Path) -> int | None:
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        return None


def _write_new(path: Path, data: bytes, mode: int | None) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    if mode is not None:
        path.chmod(mode)


def _sync_folder(folder: Path) -> None:
    """Bring a rename to the disk, where a folder can be opened for that (not on Windows)."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _stale_prefix(path: Path) -> str:
    """Return how temporary names for this cassette begin, on this machine."""
    import platform

    return f".{zlib.crc32(os.fsencode(path.name)):08x}.{zlib.crc32(os.fsencode(platform.node())):08x}."


def _remove_stale(path: Path) -> None:
    """Remove what a killed process left behind; called under the lock, so nobody of this machine writes there.

    A folder that is as this process left it holds nothing of the kind, and thousands of cassettes may be in it.
    """
    if _left_by_us.get(path.parent) == _state(path.parent):
        return
    prefix = _stale_prefix(path)
    with suppress(OSError), os.scandir(path.parent) as entries:
        for name in [each.name for each in entries if each.name.startswith(prefix) and each.name.endswith(".tmp")]:
            with suppress(OSError):
                path.with_name(name).unlink()


def _state(folder: Path) -> object:
    """Return what changes whenever a file comes into a folder; None where nobody knows."""
    try:
        found = folder.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino


def check_writable(path: Path) -> None:
    """Raise `CassetteUnwritable` if `save` could not write here; to be called before the first paid request."""
    with _as_unwritable(path):
        target = Path(os.path.realpath(path))
        folder = next(each for each in target.parents if os.path.lexists(each))
        if os.path.lexists(target):
            _check_replaceable(path, target)
            _check_link(path, target)
        _probe(folder)
        _lock_folder()
        with suppress(FileNotFoundError):
            target.lstat()  # a name that is too long shows only here


def _check_replaceable(path: Path, target: Path) -> None:
    if not target.is_file():
        raise CassetteUnwritable(f"{path} is no file that could be replaced. Remove it, or choose another name.", path)
    if not os.access(target, os.W_OK):
        raise CassetteUnwritable(f"{path} is read-only. Make it writable (chmod u+w), then record again.", path)


def _check_link(path: Path, target: Path) -> None:
    """Refuse to write through a link onto something else than a cassette: who put it there may have wanted just that."""
    if not path.is_symlink() or not os.path.lexists(target):
        return
    try:
        load(target).check()
    except CassetteUnreadable as exc:
        raise CassetteUnwritable(
            f"{path} is a link to {target}, which is no cassette that can be read, and so is not replaced: {exc} "
            "Remove the link, or have it lead to a cassette.",
            path,
        ) from exc


def _probe(folder: Path) -> None:
    """Write and remove a small file: permissions alone do not tell of read-only or full file systems."""
    probe = folder / f".{os.urandom(8).hex()}.tmp"
    try:
        _write_new(probe, _PROBE, None)
    finally:
        probe.unlink(missing_ok=True)
