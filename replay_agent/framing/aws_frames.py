"""AWS event stream frames (media type ``application/vnd.amazon.eventstream``) with their typed headers, read and written.

The frames themselves, lengths and checksums, are those of `raw_frames`; integers are big-endian. The format is the one
of the AWS SDKs' "Amazon Event Stream Specification".
"""

from __future__ import annotations

import struct
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from replay_agent.exceptions import WireError
from replay_agent.framing.raw_frames import Frame as RawFrame
from replay_agent.framing.raw_frames import impossible, join_frames, prelude_at, verified

__all__ = "Frame", "FrameDecoder", "FrameHeader", "encode_frame"

FrameHeader: TypeAlias = bool | int | bytes | str | datetime | uuid.UUID

MAX_HEADERS = 128 * 1024
MAX_PAYLOAD = 24 * 1024 * 1024

_FORMAT = "event_stream"
_LENGTH = struct.Struct("!H")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

# The type byte before a header's value, by the specification; true and false have no value behind it.
_TRUE, _FALSE, _BYTE, _SHORT, _INTEGER, _LONG, _BYTES, _STRING, _TIMESTAMP, _UUID = range(10)
_INTEGERS = {_BYTE: struct.Struct("!b"), _SHORT: struct.Struct("!h"), _INTEGER: struct.Struct("!i")}
_LONGS = struct.Struct("!q")


@dataclass(frozen=True, slots=True)
class Frame:
    """One message of the stream."""

    headers: dict[str, FrameHeader] = field(default_factory=dict)
    payload: bytes = b""

    def text(self, name: str) -> str | None:
        """Return a header that is a string, None where it is missing or of another type."""
        value = self.headers.get(name)
        return value if isinstance(value, str) else None


class FrameDecoder:
    """Turns bytes with any boundaries into frames.

    Lengths are believed only after their checksum has been verified, and never beyond the limits of the format
    (128 KiB of headers, 24 MiB of payload), so that no input makes it hold more than one frame.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._failure: WireError | None = None

    def feed(self, data: bytes) -> list[Frame]:
        """Take the next bytes and return the frames that they completed.

        Raises `WireError` for a wrong checksum, an impossible length and a malformed header, at once or, where good
        frames came before in the same bytes, with the next call.
        """
        if self._failure is not None:
            raise self._failure
        self._buffer += data
        frames: list[Frame] = []
        try:
            self._cut(frames)
        except WireError as exc:
            # The good frames before it are handed out first; who feeds once more, or closes, is told.
            self._failure = exc
            self._buffer.clear()
            if not frames:
                raise
        return frames

    def close(self) -> None:
        """Say that no bytes follow. Raises `WireError` if a frame has begun and not ended, and what `feed` owes."""
        if self._failure is not None:
            raise self._failure
        if self._buffer:
            raise WireError(f"the stream ends {len(self._buffer)} bytes into a frame", _FORMAT)

    def _cut(self, frames: list[Frame]) -> None:
        position = 0
        while (end := self._end(position)) is not None and end <= len(self._buffer):
            frames.append(_read_frame(self._buffer[position:end]))
            position = end
        del self._buffer[:position]

    def _end(self, position: int) -> int | None:
        """Return where the frame at ``position`` ends, None while its prelude is not there."""
        prelude = prelude_at(self._buffer, position)
        if prelude is None:
            return None
        if prelude.headers > MAX_HEADERS or prelude.payload > MAX_PAYLOAD:
            raise impossible(prelude)
        return position + prelude.total


def _read_frame(data: bytearray) -> Frame:
    raw = verified(data)
    return Frame(_HeaderReader(raw.headers).headers(), raw.payload)


class _HeaderReader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    def headers(self) -> dict[str, FrameHeader]:
        headers: dict[str, FrameHeader] = {}
        while self._position < len(self._data):
            name = self._string(self._take(1)[0])
            # As the AWS SDKs have it; taking either of the two would be a guess.
            if name in headers:
                raise WireError(f"the header {name!r} stands twice in a frame", _FORMAT)
            headers[name] = self._value(self._take(1)[0])
        return headers

    def _value(self, kind: int) -> FrameHeader:
        if kind in (_TRUE, _FALSE):
            return kind == _TRUE
        if kind in _INTEGERS:
            number: int = _INTEGERS[kind].unpack(self._take(_INTEGERS[kind].size))[0]
            return number
        if kind == _LONG:
            return self._long()
        if kind == _TIMESTAMP:
            return self._timestamp()
        if kind == _UUID:
            return uuid.UUID(bytes=self._take(16))
        if kind not in (_BYTES, _STRING):
            raise WireError(f"a frame has a header of the unknown type {kind}", _FORMAT)
        (length,) = _LENGTH.unpack(self._take(_LENGTH.size))
        return self._string(length) if kind == _STRING else self._take(length)

    def _long(self) -> int:
        number: int = _LONGS.unpack(self._take(_LONGS.size))[0]
        return number

    def _timestamp(self) -> datetime:
        milliseconds = self._long()
        try:
            return _EPOCH + milliseconds * _MILLISECOND
        except OverflowError as exc:
            raise WireError(f"{milliseconds} milliseconds are no point in time", _FORMAT) from exc

    def _string(self, length: int) -> str:
        try:
            return self._take(length).decode()
        except UnicodeDecodeError as exc:
            raise WireError("a header of a frame is not UTF-8", _FORMAT) from exc

    def _take(self, length: int) -> bytes:
        taken = self._data[self._position : self._position + length]
        if len(taken) < length:
            raise WireError("the headers of a frame are cut short", _FORMAT)
        self._position += length
        return taken


def encode_frame(headers: Mapping[str, FrameHeader], payload: bytes) -> bytes:
    """Write one frame. Integers take four bytes, or eight where four are too few; times are cut to milliseconds.

    Raises `ValueError` for what the format cannot hold: a name beyond 255 bytes, a value beyond 65,535, more than
    128 KiB of headers or 24 MiB of payload.
    """
    written = b"".join(_write_name(name) + _write_value(value) for name, value in headers.items())
    if len(written) > MAX_HEADERS or len(payload) > MAX_PAYLOAD:
        raise ValueError(f"a frame cannot hold {len(written)} bytes of headers and {len(payload)} of payload")
    return join_frames([RawFrame(written, payload)])


def _write_name(name: str) -> bytes:
    encoded = name.encode()
    if len(encoded) > 255:
        raise ValueError(f"the header name {name[:40]!r}... is too long for a frame")
    return bytes([len(encoded)]) + encoded


def _write_value(value: FrameHeader) -> bytes:
    match value:
        case bool():
            return bytes([_TRUE if value else _FALSE])
        case int():
            return _write_integer(value)
        case bytes():
            return bytes([_BYTES]) + _write_sized(value)
        case str():
            return bytes([_STRING]) + _write_sized(value.encode())
        case datetime():
            return bytes([_TIMESTAMP]) + _LONGS.pack((value - _EPOCH) // _MILLISECOND)
        case uuid.UUID():
            return bytes([_UUID]) + value.bytes


def _write_integer(value: int) -> bytes:
    if -(2**31) <= value < 2**31:
        return bytes([_INTEGER]) + _INTEGERS[_INTEGER].pack(value)
    if -(2**63) <= value < 2**63:
        return bytes([_LONG]) + _LONGS.pack(value)
    raise ValueError(f"{value} is too large for a header of a frame")


def _write_sized(value: bytes) -> bytes:
    if len(value) > 65_535:
        raise ValueError(f"a header of {len(value)} bytes is too long for a frame")
    return _LENGTH.pack(len(value)) + value
