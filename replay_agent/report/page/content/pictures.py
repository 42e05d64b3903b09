"""Media as pictures: only what a browser draws and nothing that it runs, known by its bytes and not by what it is called."""

from __future__ import annotations

import struct
from base64 import b64encode
from collections.abc import Callable
from typing import Final, Literal, TypeAlias

from replay_agent.report.page.report import Picture

__all__ = "LARGEST", "picture_of"

MediaType: TypeAlias = Literal["image/png", "image/jpeg", "image/gif", "image/webp"]
LARGEST: Final = 300_000
"""Bytes of one picture: a screenshot as models are sent it. A larger one is told by type and size."""
_MOST_PIXELS: Final = 40_000_000
"""A small file may unfold to more than a browser has memory for."""


def picture_of(data: bytes) -> Picture | None:
    """Return data as a picture; None for what is none, is damaged, or is too large."""
    if len(data) > LARGEST:
        return None
    for magic, media_type, measure in _KINDS:
        if data.startswith(magic):
            size = measure(data)
            if size is None or not 0 < size[0] * size[1] <= _MOST_PIXELS:
                return None
            return Picture(media_type, b64encode(data).decode(), *size)
    return None


def _png(data: bytes) -> tuple[int, int] | None:
    return _unpacked(">II", data, 16) if data[12:16] == b"IHDR" else None


def _gif(data: bytes) -> tuple[int, int] | None:
    return _unpacked("<HH", data, 6)


def _webp(data: bytes) -> tuple[int, int] | None:
    """Read the canvas of the three kinds of WebP (RFC 9649): VP8X and VP8L count from 0, VP8 has 14 bits each."""
    kind = data[12:16]
    if data[8:12] != b"WEBP" or len(data) < 30:
        return None
    if kind == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    size = _unpacked("<HH", data, 26)
    return None if kind != b"VP8 " or size is None else (size[0] & 0x3FFF, size[1] & 0x3FFF)


_NO_FRAMES = {0xC4, 0xC8, 0xCC}
"""Between SOF0 and SOF15, but tables: Huffman, reserved, arithmetic."""


def _jpeg(data: bytes) -> tuple[int, int] | None:
    """Walk over the segments of a JPEG to the first that begins a frame (SOF, ITU T.81 B.2.2): height, then width."""
    place = 2
    while place + 9 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        if 0xC0 <= marker <= 0xCF and marker not in _NO_FRAMES:
            size = _unpacked(">HH", data, place + 5)
            return None if size is None else (size[1], size[0])
        if marker == 0xFF:  # a filler
            place += 1
            continue
        place += 2 + int.from_bytes(data[place + 2 : place + 4], "big")
    return None


def _unpacked(form: str, data: bytes, at: int) -> tuple[int, int] | None:
    try:
        width, height = struct.unpack_from(form, data, at)
    except struct.error:
        return None
    return width, height


_KINDS: tuple[tuple[bytes, MediaType, Callable[[bytes], tuple[int, int] | None]], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png", _png),
    (b"\xff\xd8\xff", "image/jpeg", _jpeg),
    (b"GIF8", "image/gif", _gif),
    (b"RIFF", "image/webp", _webp),
)
