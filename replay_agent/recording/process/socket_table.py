"""The system's table of sockets that listen, where it has one: Linux. Each with its port and its inode."""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import closing
from errno import ENOENT
from functools import cache
from pathlib import Path

__all__ = "HAS_TABLE", "is_free", "listening_sockets"

HAS_TABLE = sys.platform.startswith("linux")

_FAMILIES = socket.AF_INET, socket.AF_INET6
_LISTEN = 10
"""The state of a socket that listens (include/net/tcp_states.h)."""

_SOCK_DIAG = 4
_DUMP, _ONE = 0x301, 0x001
"""NLM_F_REQUEST | NLM_F_ROOT | NLM_F_MATCH: every socket that the question fits; the first alone: a certain one."""
_BY_FAMILY, _ERROR, _DONE = 20, 2, 3
_HEAD = struct.Struct("=IHHII")
"""A netlink message begins with its length, type, flags, number and port (struct nlmsghdr)."""
_QUESTION = struct.Struct("=BBBxI48x")
"""Family, protocol, extensions, a set of states, and no socket in particular (struct inet_diag_req_v2)."""
_QUESTIONS = [
    _HEAD.pack(_HEAD.size + _QUESTION.size, _BY_FAMILY, _DUMP, 1, 0)
    + _QUESTION.pack(family, socket.IPPROTO_TCP, 0, 1 << _LISTEN)
    for family in _FAMILIES
]
"""Who listens, by IPv4 and by IPv6: asked one after the other, of one socket."""
_CERTAIN = [
    (
        _HEAD.pack(_HEAD.size + _QUESTION.size, _BY_FAMILY, _ONE, 1, 0)
        + struct.pack("=BBBxI", family, socket.IPPROTO_TCP, 0, 1 << _LISTEN),
        # Of a socket: its own address, the other one, the interface, a cookie (struct inet_diag_sockid).
        address + bytes(16) + struct.pack("=Iii", 1, -1, -1),
    )
    for family, address in zip(_FAMILIES, (bytes((127, 0, 0, 1)).ljust(16, b"\0"), bytes(15) + b"\1"), strict=True)
]
"""Who would take a connection from this machine to 127.0.0.1, and to ::1. Its ports stand between the two parts."""
_PORTS, _ERRNO = struct.Struct(">H2x"), struct.Struct("=i")
_PORT, _INODE = struct.Struct(">4xH"), struct.Struct("=68xI")
"""Where an answer has them (struct inet_diag_msg)."""
_ROOM = 1 << 16

_TABLES = Path("/proc/net/tcp"), Path("/proc/net/tcp6")


def listening_sockets() -> Iterator[tuple[int, int]]:
    """Yield port and inode of each socket that listens."""
    try:
        found = _asked_of_the_kernel()
    except (OSError, struct.error):  # a sandbox without this kind of socket
        found = list(_read_from_the_tables())
    yield from found


def is_free(port: int) -> bool:
    """Tell whether the kernel is sure that nobody takes connections to a port of 127.0.0.1 and of ::1.

    That takes a fifth of the time in which it tells of all that listen: each test asks that has a client of this machine.
    """
    if not _tells():
        return False
    try:
        ports = _PORTS.pack(port)
        kernel = _kernel()
        try:
            (head, tail), (head_6, tail_6) = _CERTAIN
            return _has_nobody(kernel, head + ports + tail) and _has_nobody(kernel, head_6 + ports + tail_6)
        finally:
            kernel.close()
    except (OSError, struct.error):
        return False


@cache
def _tells() -> bool:
    """Tell whether the kernel can be asked: one that cannot answers for each port as if there were nobody."""
    try:
        _asked_of_the_kernel()
    except (OSError, struct.error):
        return False
    return True


def _has_nobody(kernel: socket.SocketType, question: bytes) -> bool:
    kernel.send(question)
    answer = kernel.recv(_ROOM)
    kind, errno = _HEAD.unpack_from(answer)[1], _ERRNO.unpack_from(answer, _HEAD.size)[0]
    return bool(kind == _ERROR and errno == -ENOENT)


def _kernel() -> socket.SocketType:
    # Not socket.socket: what guards the network, or a test's own guard, has no say in what is no connection.
    return socket.SocketType(socket.AF_NETLINK, socket.SOCK_RAW, _SOCK_DIAG)


def _asked_of_the_kernel() -> list[tuple[int, int]]:
    """Ask by netlink (man 7 sock_diag) for those that listen, and for no other.

    That is seventy times faster than reading ``/proc/net/tcp``, for which the kernel walks through its whole table of
    connections: 60 microseconds against 4 to 5 milliseconds.
    """
    found = list[tuple[int, int]]()
    with closing(_kernel()) as kernel:
        for question in _QUESTIONS:
            kernel.send(question)
            while not _takes_in(kernel.recv(_ROOM), found):
                pass
    return found


def _takes_in(data: bytes, found: list[tuple[int, int]]) -> bool:
    """Add what a piece of an answer tells, and tell whether it was the last."""
    position = 0
    while position < len(data):
        length, kind, *_ = _HEAD.unpack_from(data, position)
        if kind == _DONE:
            return True
        if kind == _ERROR or length < _HEAD.size:
            raise OSError("the kernel does not tell which sockets listen")
        body = position + _HEAD.size
        found.append((_PORT.unpack_from(data, body)[0], _INODE.unpack_from(data, body)[0]))
        position += (length + 3) & ~3
    return False


def _read_from_the_tables() -> Iterator[tuple[int, int]]:
    """Read ``/proc``.

    A line: ``0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 12345 ...``.
    """
    for table in _TABLES:
        try:
            lines = table.read_text("ascii").splitlines()[1:]
        except OSError:  # a kernel without IPv6, a container without /proc
            continue
        for line in lines:
            fields = line.split()
            if int(fields[3], 16) == _LISTEN:
                yield int(fields[1].rpartition(":")[2], 16), int(fields[9])
