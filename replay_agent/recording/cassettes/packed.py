"""Cassettes that are kept compressed (``.yaml.gz``), unpacked within limits."""

from __future__ import annotations

import zlib
from pathlib import Path

from replay_agent.exceptions import CassetteUnreadable

__all__ = "MAX_UNPACKED", "unpacked"

MAX_UNPACKED = 100 << 20
"""Bytes; a file that becomes larger is refused before it does. The largest cassette seen has a tenth of it."""

MAX_MEMBERS = 1000
"""A file may be put together of several; each costs a copy of what follows it."""

_GZIP = b"\x1f\x8b"
_WITH_HEAD = zlib.MAX_WBITS | 16
_RESTORE = "Restore the file, or delete it and record again."


def unpacked(data: bytes, path: Path) -> bytes:
    """Return the content of a gzip file, anything else as it is. Raises `CassetteUnreadable`."""
    if not data.startswith(_GZIP):
        return data
    whole = bytearray()
    members = 0
    while data.startswith(_GZIP):
        members += 1
        if members > MAX_MEMBERS:
            raise CassetteUnreadable(f"{path} is a gzip file of more than {MAX_MEMBERS} members. {_RESTORE}", path)
        member = zlib.decompressobj(_WITH_HEAD)
        try:
            # One byte more than may be, to tell a file that is too large from one that just fits.
            whole += member.decompress(data, MAX_UNPACKED + 1 - len(whole))
        except zlib.error as exc:
            raise CassetteUnreadable(f"{path} is no whole gzip file: {exc}. {_RESTORE}", path) from exc
        if len(whole) > MAX_UNPACKED:
            raise CassetteUnreadable(f"{path} unpacks to more than {MAX_UNPACKED} bytes. {_RESTORE}", path)
        if not member.eof:
            raise CassetteUnreadable(f"{path} is a gzip file that was cut off. {_RESTORE}", path)
        data = member.unused_data
    return bytes(whole)
