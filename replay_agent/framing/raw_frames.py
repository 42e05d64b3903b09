"""The frames of AWS event streams, taken apart and put together: lengths and checksums, headers left undecoded.

A frame is: total length, length of the headers (4 bytes each, big endian), CRC-32 of these eight bytes, headers,
payload, CRC-32 of all before. (Amazon Transcribe developer guide, "Event stream encoding".)
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from zlib import crc32

from replay_agent.exceptions import WireError

__all__ = "MEDIA_TYPE", "Frame", "Prelude", "impossible", "join_frames", "prelude_at", "split_frames", "verified"

MEDIA_TYPE = "application/vnd.amazon.eventstream"

_FORMAT = "event_stream"
_LENGTHS = struct.Struct("!II")
_CHECKSUM = struct.Struct("!I")
_HEAD = _LENGTHS.size + _CHECKSUM.size
_OVERHEAD = _HEAD + _CHECKSUM.size


class Prelude(NamedTuple):
    """The lengths that a frame begins with: its own, and the one of its headers."""

    total: int
    headers: int

    @property
    def payload(self) -> int:
        """How many bytes of payload the frame has."""
        return self.total - self.headers - _OVERHEAD


class Frame(NamedTuple):
    """The headers of a frame, undecoded, and its payload."""

    headers: bytes
    payload: bytes

    @property
    def size(self) -> int:
        """How many bytes the frame takes."""
        return _OVERHEAD + len(self.headers) + len(self.payload)


def prelude_at(data: bytes | bytearray, position: int = 0) -> Prelude | None:
    """Return the lengths of the frame that begins at a position, None while they are not there.

    Raises `WireError` where no frame begins: the lengths have a checksum of their own.
    """
    if len(data) < position + _HEAD:
        return None
    prelude = Prelude(*_LENGTHS.unpack_from(data, position))
    # Verified before the lengths are used: a wrong one could ask for gigabytes, or for nothing for ever.
    if crc32(data[position : position + _LENGTHS.size]) != _CHECKSUM.unpack_from(data, position + _LENGTHS.size)[0]:
        raise WireError("the checksum of a prelude is wrong", _FORMAT)
    if prelude.payload < 0:
        raise impossible(prelude)
    return prelude


def impossible(prelude: Prelude) -> WireError:
    """Return the error for lengths that no frame has."""
    return WireError(f"a frame of {prelude.total} bytes with {prelude.headers} bytes of headers is impossible", _FORMAT)


def verified(data: bytes | bytearray) -> Frame:
    """Return the frame that the bytes are, no more and no less. Raises `WireError` if its checksum is wrong."""
    if crc32(data[: -_CHECKSUM.size]) != _CHECKSUM.unpack_from(data, len(data) - _CHECKSUM.size)[0]:
        raise WireError("the checksum of a frame is wrong", _FORMAT)
    return _cut(data, 0, Prelude(*_LENGTHS.unpack_from(data)))


def _cut(data: bytes | bytearray, position: int, prelude: Prelude) -> Frame:
    start = position + _HEAD
    end = start + prelude.headers
    return Frame(bytes(data[start:end]), bytes(data[end : end + prelude.payload]))


def split_frames(data: bytes) -> tuple[Sequence[Frame], bytes] | None:
    """Return the whole frames and what is left of a cut one; None where these bytes are no frames."""
    frames: list[Frame] = []
    position = 0
    try:
        while (prelude := prelude_at(data, position)) is not None and position + prelude.total <= len(data):
            frames.append(_cut(data, position, prelude))
            position += prelude.total
    except WireError:
        return None
    return frames, data[position:]


def join_frames(frames: Iterable[Frame]) -> bytes:
    """Write frames."""
    return b"".join(map(_written, frames))


def _written(frame: Frame) -> bytes:
    lengths = _LENGTHS.pack(frame.size, len(frame.headers))
    said = b"".join((lengths, _CHECKSUM.pack(crc32(lengths)), frame.headers, frame.payload))
    return said + _CHECKSUM.pack(crc32(said))
