"""Who listens on this machine: whether a port is served by this process, or by one that it has started."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

from replay_agent.recording.process.socket_table import HAS_TABLE, is_free, listening_sockets

__all__ = "Listeners", "listeners", "serves"

_PROC = Path("/proc")

Listeners = frozenset[int]
"""Sockets that listen, by their inodes; by their ports where the system has no table of them."""
_USUAL = frozenset({"127.0.0.1", "::1", "localhost"})
"""What this machine is called, where it is called nothing out of the ordinary."""


def listeners() -> Listeners:
    """Return the sockets that listen now."""
    return frozenset(inode for _, inode in listening_sockets()) if HAS_TABLE else frozenset(_own_ports())


def serves(port: int, before: Listeners, host: str = "") -> bool:
    """Tell whether this process, or a child of it, listens on a port with a socket that was not there ``before``.

    ``host`` is what the machine is called where somebody wants to know. Children are known on Linux only, where ``/proc``
    tells of them; Windows tells of no sockets at all.
    """
    if not HAS_TABLE:
        return port not in before and port in _own_ports()
    if host in _USUAL and is_free(port):
        return False
    inodes = {inode for listens_on, inode in listening_sockets() if listens_on == port} - before
    return bool(inodes) and any(not inodes.isdisjoint(_inodes(process)) for process in _family(os.getpid()))


def _inodes(process: int) -> Iterator[int]:
    """Yield the inodes of the sockets that a process has open."""
    try:
        for entry in (_PROC / str(process) / "fd").iterdir():
            link = str(entry.readlink())
            if link.startswith("socket:["):
                yield int(link[8:-1])
    except OSError:  # it has ended, or closed what it had open
        return


def _family(process: int) -> Iterator[int]:
    """Yield a process and all that come of it."""
    yield process
    try:
        lists = [path.read_text("ascii") for path in (_PROC / str(process) / "task").glob("*/children")]
    except OSError:
        return
    for child in (int(word) for text in lists for word in text.split()):
        yield from _family(child)


def _own_ports() -> Iterator[int]:
    """Yield the ports on which this process listens, where its open files can be listed."""
    try:
        names = [path.name for path in Path("/dev/fd").iterdir()]
    except OSError:
        return
    for number in map(int, filter(str.isdecimal, names)):
        port = _port_of(number)
        if port is not None:
            yield port


def _port_of(descriptor: int) -> int | None:
    try:
        if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
            return None
        with socket.socket(fileno=os.dup(descriptor)) as copy:
            if not copy.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                return None
            name = copy.getsockname()
            return int(name[1]) if isinstance(name, tuple) else None
    except OSError:
        return None
