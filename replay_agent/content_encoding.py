"""Content encodings undone (RFC 9110, section 8.4): gzip, deflate, br and zstd.

A body that was cut off gives what can be had of it. brotli and zstd need a library (``brotli`` or ``brotlicffi``;
``zstandard``, or Python 3.14's own ``compression.zstd``).
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from importlib import import_module
from typing import Any

from replay_agent.exceptions import ContentEncodingError
from replay_agent.traffic import Headers

__all__ = "content_encodings", "decoded"

LIMIT = 256 * 1024 * 1024
"""The most bytes that a body may decode to."""


def content_encodings(headers: Headers) -> tuple[str, ...]:
    """Return the encodings that a message names, in the order in which they were applied, ``identity`` left out."""
    values = ",".join(value for name, value in headers if name.lower() == "content-encoding")
    names = (name.strip().lower() for name in values.split(","))
    return tuple(name for name in names if name and name != "identity")


def decoded(body: bytes, headers: Headers, *, limit: int = LIMIT) -> bytes:
    """Return a body with the content encodings of its headers undone.

    Raises `ContentEncodingError` for an encoding that is unknown or whose library is missing, for damaged data, and
    for a body that would grow beyond ``limit`` bytes.
    """
    for name in reversed(content_encodings(headers)):
        decode = _DECODERS.get(name)
        if decode is None:
            raise ContentEncodingError(f"unknown content encoding {name!r}")
        body = decode(body, limit) if body else body
        if len(body) > limit:
            raise ContentEncodingError(f"the {name} body decodes to more than {limit} bytes")
    return body


def _gzip(data: bytes, limit: int) -> bytes:
    whole = b""
    while data and len(whole) <= limit:
        member = zlib.decompressobj(zlib.MAX_WBITS | 16)
        whole += _inflated(member, data, limit - len(whole), "gzip")
        data = member.unused_data.lstrip(b"\0")
    return whole


def _deflate(data: bytes, limit: int) -> bytes:
    # RFC 9110 means zlib data (RFC 1950), but some servers send bare deflate data (RFC 1951).
    try:
        return _inflated(zlib.decompressobj(), data, limit, "deflate")
    except ContentEncodingError:
        return _inflated(zlib.decompressobj(-zlib.MAX_WBITS), data, limit, "deflate")


def _inflated(stream: zlib._Decompress, data: bytes, limit: int, name: str) -> bytes:
    try:
        return stream.decompress(data, limit + 1)
    except zlib.error as exc:
        raise ContentEncodingError(f"damaged {name} data: {exc}") from exc


def _brotli(data: bytes, limit: int) -> bytes:
    library = _library("br", "brotli", "brotlicffi")
    try:
        return _brotli_output(library.Decompressor(), data, limit)
    except library.error as exc:
        raise ContentEncodingError(f"damaged br data: {exc}") from exc


def _brotli_output(stream: Any, data: bytes, limit: int) -> bytes:
    try:
        return bytes(stream.process(data, output_buffer_limit=limit + 1))
    except TypeError:  # releases before 1.2 cannot stop early
        return bytes(stream.process(data))


def _zstd(data: bytes, limit: int) -> bytes:
    library = _library("zstd", "zstandard", "compression.zstd")
    if library.__name__ == "zstandard":
        stream = library.ZstdDecompressor().stream_reader(io.BytesIO(data), read_across_frames=True)
    else:
        stream = library.ZstdFile(io.BytesIO(data))
    try:
        return bytes(stream.read(limit + 1))
    except library.ZstdError as exc:
        raise ContentEncodingError(f"damaged zstd data: {exc}") from exc


def _library(encoding: str, *names: str) -> Any:
    for name in names:
        try:
            return import_module(name)
        except ImportError:
            continue
    raise ContentEncodingError(f"to read content encoded as {encoding!r}, install {names[0]!r}")


_DECODERS: dict[str, Callable[[bytes, int], bytes]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
}
