"""Undoes the content encoding of a body: gzip, deflate, br and zstd, alone or one upon the other (RFC 9110, 8.4)."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

from replay_agent.exceptions import WireError
from replay_agent.traffic import Headers

__all__ = "decode", "encode", "encodings"

MAX_DECODED = 1 << 28
"""More bytes than this are taken for an attack, not for an answer."""

ZSTD = "compression.zstd", "backports.zstd", "zstandard"
"""The packages that read zstd, best first: of Python 3.14, its backport, and an older one. Clients take any of them."""

_PIECE = 1 << 16
_FIRST_STEP = 256


def encodings(headers: Headers) -> tuple[str, ...]:
    """Return the content encodings that the headers name, in the order in which they were applied."""
    named = (value for name, value in headers if name.lower() == "content-encoding")
    words = (word.strip().lower() for value in named for word in value.split(","))
    return tuple(word for word in words if word and word != "identity")


def decode(headers: Headers, body: bytes, *, partial: bool = False) -> bytes:
    """Return a body with its content encoding undone, unchanged if it has none.

    ``partial`` takes a body that was cut off and returns what can be read of it. Raises `WireError` for a body that is
    not in the encoding, an unknown encoding, or one for which no package (``brotli``; `ZSTD`) is installed.
    """
    for name in reversed(encodings(headers)):
        body = _undo(name, body, partial=partial) if body else body
    return body


def encode(headers: Headers, body: bytes) -> bytes:
    """Apply the content encoding that the headers name. Raises `WireError` where that is not possible."""
    for name in encodings(headers):
        body = _coder(_ENCODERS, name)(body)
    return body


def _undo(name: str, body: bytes, *, partial: bool) -> bytes:
    pieces: list[bytes] = []
    size = 0
    errors = _errors(name)
    try:
        for piece in _coder(_DECODERS, name)(body, partial):
            size += len(piece)
            if size > MAX_DECODED:
                raise WireError(f"the body grows beyond {MAX_DECODED} bytes", name)
            pieces.append(piece)
    except errors as exc:
        raise WireError(f"the body is not in this encoding: {exc}", name) from exc
    return b"".join(pieces)


def _coder(table: dict[str, Callable[..., Any]], name: str) -> Callable[..., Any]:
    try:
        return table[name]
    except KeyError:
        raise WireError("unknown content encoding", name) from None


def _errors(name: str) -> tuple[type[Exception], ...]:
    if name == "br":
        return (_brotli().error,)
    if name == "zstd":
        return (_zstd().ZstdError,)
    return (zlib.error,)


def _cut(name: str) -> WireError:
    return WireError("the body ends too early", name)


def _gunzip(body: bytes, partial: bool) -> Iterator[bytes]:
    """Yield the members of a gzip body, of which there may be several; zeros behind them are padding.

    What a member leaves over is copied: so it is fed little by little, for there may be as many as twenty bytes allow.
    """
    position, end = 0, len(body.rstrip(b"\0"))
    while position < end:
        member = zlib.decompressobj(16 + zlib.MAX_WBITS)
        step = _FIRST_STEP
        while position < len(body) and not member.eof:
            piece = body[position : position + step]
            yield from _piece_inflated(member, piece)
            position += len(piece) - len(member.unused_data)
            step = min(2 * step, _PIECE)
        if not member.eof:
            if not partial:
                raise _cut("gzip")
            yield member.flush()
            return


def _piece_inflated(stream: Any, piece: bytes) -> Iterator[bytes]:
    while piece and not stream.eof:
        yield stream.decompress(piece, 16 * _PIECE)
        piece = stream.unconsumed_tail


def _inflate(body: bytes, partial: bool) -> Iterator[bytes]:
    """Yield a deflate body, with its zlib head or, as some servers send it, without."""
    try:
        zlib.decompressobj().decompress(body[:64], 1)
        raw = False
    except zlib.error:
        raw = True
    stream = zlib.decompressobj(-zlib.MAX_WBITS if raw else zlib.MAX_WBITS)
    yield from _inflated(stream, body)
    if not (stream.eof or partial):
        raise _cut("deflate")


def _inflated(stream: Any, body: bytes) -> Iterator[bytes]:
    yield from _piece_inflated(stream, body)
    if not stream.eof:
        yield stream.flush()


def _unbrotli(body: bytes, partial: bool) -> Iterator[bytes]:
    stream = _brotli().Decompressor()
    for start in range(0, len(body), _PIECE):
        yield stream.process(body[start : start + _PIECE])
    if not (partial or stream.is_finished()):
        raise _cut("br")


def _unzstd(body: bytes, partial: bool) -> Iterator[bytes]:
    """Yield the frames of a zstd body, of which there may be several."""
    package = _zstd()
    while body:
        frame = package.ZstdDecompressor()
        if hasattr(frame, "decompressobj"):
            frame = frame.decompressobj()
        for start in range(0, len(body), _PIECE):
            yield frame.decompress(body[start : start + _PIECE])
            if frame.eof:
                body = frame.unused_data + body[start + _PIECE :]
                break
        else:
            if not partial:
                raise _cut("zstd")
            return


def _brotli() -> Any:
    try:
        import brotli
    except ImportError as exc:
        raise WireError("reading this body needs the package brotli: pip install brotli", "br") from exc
    return brotli


def _zstd() -> Any:
    for name in ZSTD:
        try:
            return import_module(name)
        except ImportError:
            continue
    raise WireError("reading this body needs a package: pip install zstandard", "zstd")


def _gzip(body: bytes) -> bytes:
    stream = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
    return stream.compress(body) + stream.flush()


_DECODERS: dict[str, Callable[..., Any]] = {
    "gzip": _gunzip,
    "x-gzip": _gunzip,
    "deflate": _inflate,
    "br": _unbrotli,
    "zstd": _unzstd,
}
_ENCODERS: dict[str, Callable[..., Any]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": zlib.compress,
    "br": lambda body: _brotli().compress(body),
    "zstd": lambda body: _zstd().compress(body),
}
