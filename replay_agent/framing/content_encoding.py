"""Undoes the content encoding of a body: gzip, deflate, br and zstd, alone or one upon the other (RFC 9110, 8.4)."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Generator, Iterator
from importlib import import_module
from typing import Any

from replay_agent.exceptions import WireError
from replay_agent.traffic import Headers

__all__ = "decode", "encode", "encodings"

MAX_DECODED = 1 << 26
"""A body that grows beyond so many bytes is taken for an attack, not for an answer."""

MAX_GROWTH = 1100
"""And so is one beyond `FREE_GROWTH` bytes that grows by more than this: deflate, the usual encoding, reaches 1032."""

# Eight megabytes: a small body may grow as it likes up to there, as long runs of one character do.
FREE_GROWTH = 1 << 23

MAX_LAYERS = 5
"""Encodings one upon the other; more than two were never seen."""

ZSTD = "compression.zstd", "backports.zstd", "zstandard"
"""The packages that read zstd, best first: of Python 3.14, its backport, and an older one. Clients take any of them."""

MAX_MEMBERS = 20_000
"""Members of a gzip body, frames of a zstd body: each needs a decoder of its own, which takes longer than its bytes."""

_PIECE = 1 << 16
"""What a decoder with a limit of its own is given and may return at once."""

_SMALL_PIECE = 1 << 9
"""What one without is given. A zstd block of 4 bytes stands for 128 KiB: that is 16 MiB at most."""

_TINY_PIECE = 1 << 4
"""The same for brotli before 1.2, where a few bytes may stand for a block of 16 MiB."""

# Some writers fill the last block of a gzip file with zeros; gzip itself takes them.
_PADDING = re.compile(rb"\0*")


def encodings(headers: Headers) -> tuple[str, ...]:
    """Return the content encodings that the headers name, in the order in which they were applied."""
    named = (value for name, value in headers if name.lower() == "content-encoding")
    words = (word.strip().lower() for value in named for word in value.split(","))
    return tuple(word for word in words if word and word != "identity")


def decode(headers: Headers, body: bytes, *, partial: bool = False) -> bytes:
    """Return a body with its content encoding undone, unchanged if it has none.

    ``partial`` takes a body that was cut off and returns what can be read of it. Raises `WireError` for a body that is
    not in the encoding or grows beyond all measure (before memory is taken for it), for an unknown encoding, and for one
    for which no package (``brotli``; `ZSTD`) is installed.
    """
    names = encodings(headers)
    if len(names) > MAX_LAYERS:
        raise WireError(f"the body has {len(names)} content encodings; at most {MAX_LAYERS} are undone", names[-1])
    # They are named in the order in which they were applied, so the last is undone first.
    for name in reversed(names):
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
    most = min(MAX_DECODED, max(FREE_GROWTH, MAX_GROWTH * len(body)))
    errors = _errors(name)
    try:
        for piece in _coder(_DECODERS, name)(body, partial):
            size += len(piece)
            if size > most:
                raise WireError(f"the body grows beyond {most} bytes", name)
            if piece:
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


def _counted(members: int, name: str) -> int:
    if members >= MAX_MEMBERS:
        raise WireError(f"the body has more than {MAX_MEMBERS} members", name)
    return members + 1


def _gunzip(body: bytes, partial: bool) -> Iterator[bytes]:
    """Yield the members of a gzip body, of which there may be several; zeros behind them are padding."""
    place = members = 0
    while place < len(body):
        members = _counted(members, "gzip")
        member = zlib.decompressobj(16 + zlib.MAX_WBITS)
        place = yield from _inflated(member, body, place)
        if not member.eof:
            if not partial:
                raise _cut("gzip")
            return
        padding = _PADDING.match(body, place)
        place = padding.end() if padding else place


def _inflate(body: bytes, partial: bool) -> Iterator[bytes]:
    """Yield a deflate body, with its zlib head or, as some servers send it, without."""
    try:
        # RFC 1950 wants a head that RFC 1951 does not have; the first bytes tell, since its check bits are wrong
        # otherwise.
        zlib.decompressobj().decompress(body[:64], 1)
        raw = False
    except zlib.error:
        raw = True
    stream = zlib.decompressobj(-zlib.MAX_WBITS if raw else zlib.MAX_WBITS)
    yield from _inflated(stream, body, 0)
    if not (stream.eof or partial):
        raise _cut("deflate")


def _inflated(stream: Any, body: bytes, place: int) -> Generator[bytes, None, int]:
    """Yield what begins at a place, and return the place behind it."""
    for piece in _pieces(body, place, _PIECE):
        place += len(piece)
        rest = piece
        while rest and not stream.eof:
            # Bounded each time, so that the caller can stop a body that grows before memory is taken for it.
            yield stream.decompress(rest, _PIECE * 16)
            rest = stream.unconsumed_tail
        if stream.eof:
            return place - len(stream.unused_data)
    yield stream.flush()
    return place


def _pieces(body: bytes, place: int, most: int) -> Iterator[bytes]:
    """Cut a body from a place on, small pieces first: of many short members each would hand back the rest of a piece."""
    size = min(_SMALL_PIECE, most)
    while place < len(body):
        yield body[place : place + size]
        place += size
        size = min(2 * size, most)


def _unbrotli(body: bytes, partial: bool) -> Iterator[bytes]:
    stream = _brotli().Decompressor()
    # brotli 1.2 has a limit for what it returns; before, only little input keeps the output small.
    if hasattr(stream, "can_accept_more_data"):
        yield from _limited_brotli(stream, body)
    else:
        yield from map(stream.process, _pieces(body, 0, _TINY_PIECE))
    if not (partial or stream.is_finished()):
        raise _cut("br")


def _limited_brotli(stream: Any, body: bytes) -> Iterator[bytes]:
    for piece in _pieces(body, 0, _PIECE):
        yield stream.process(piece, output_buffer_limit=_PIECE * 16)
        while not (stream.can_accept_more_data() or stream.is_finished()):
            yield stream.process(b"", output_buffer_limit=_PIECE * 16)


def _unzstd(body: bytes, partial: bool) -> Iterator[bytes]:
    """Yield the frames of a zstd body, of which there may be several."""
    package = _zstd()
    place = frames = 0
    while place < len(body):
        frames = _counted(frames, "zstd")
        frame = package.ZstdDecompressor()
        # The package zstandard has another class for data in pieces than the two of the standard library's shape.
        if hasattr(frame, "decompressobj"):
            frame = frame.decompressobj()
        for piece in _pieces(body, place, _SMALL_PIECE):
            place += len(piece)
            yield frame.decompress(piece)
            if frame.eof:
                place -= len(frame.unused_data)
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
    "x-gzip": _gunzip,  # RFC 9110, 8.4.1.3: the same as gzip
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
