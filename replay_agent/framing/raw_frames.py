"""AWS event streams, taken apart and put together around changed payloads (lengths and checksums follow).

A frame is: total length, length of the headers (4 bytes each, big endian), CRC-32 of these eight bytes, headers,
payload, CRC-32 of all before. (Amazon Transcribe developer guide, "Event stream encoding".)
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

__all__ = "MEDIA_TYPE", "Frame", "join_frames", "split_frames"

MEDIA_TYPE = "application/vnd.amazon.eventstream"

_PRELUDE = struct.Struct(">III")
_CHECKSUM = struct.Struct(">I")
_OVERHEAD = _PRELUDE.size + _CHECKSUM.size


class Frame(NamedTuple):
    """The headers of a frame, undecoded, and its payload."""

    headers: bytes
    payload: bytes

    @property
    def size(self) -> int:
        return _OVERHEAD + len(self.headers) + len(self.payload)


def split_frames(data: bytes) -> tuple[Sequence[Frame], bytes] | None:
    """Return the whole frames and what is left of a cut one; None where these bytes are no frames."""
    frames: list[Frame] = []
    position = 0
    while position + _PRELUDE.size <= len(data):
        total, headers, checksum = _PRELUDE.unpack_from(data, position)
        if zlib.crc32(data[position : position + 8]) != checksum or total < headers + _OVERHEAD:
            return None
        if position + total > len(data):
            break
        start = position + _PRELUDE.size
        frames.append(Frame(data[start : start + headers], data[start + headers : position + total - 4]))
        position += total
    return frames, data[position:]


def join_frames(frames: Iterable[Frame]) -> bytes:
    """Write frames."""
    return b"".join(map(_written, frames))


def _written(frame: Frame) -> bytes:
    lengths = struct.pack(">II", frame.size, len(frame.headers))
    said = b"".join((lengths, _CHECKSUM.pack(zlib.crc32(lengths)), frame.headers, frame.payload))
    return said + _CHECKSUM.pack(zlib.crc32(said))
