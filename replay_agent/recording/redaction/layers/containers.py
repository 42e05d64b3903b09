"""What a body is packed in, undone and done again: content encodings, gzip that nobody announces, frames of AWS."""

from __future__ import annotations

import base64
import binascii
import codecs
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import accumulate
from typing import NamedTuple

from replay_agent.exceptions import WireError
from replay_agent.framing.content_encoding import decode, encode, encodings
from replay_agent.framing.raw_frames import Frame, join_frames, split_frames
from replay_agent.recording.redaction.spans import Place
from replay_agent.traffic import Headers

__all__ = (
    "Lines",
    "Wide",
    "decoded",
    "decoded_cuts",
    "framed_places",
    "is_wide",
    "narrowed",
    "packed_members",
    "packing",
    "repacked",
    "unframed",
    "unpacked",
)

_MOST_WORK = 1 << 27
"""Bytes that may be decoded again and again to learn where the pieces of a body end in what they hold."""
_STEP = 1 << 16
_GZIPS = frozenset({"gzip", "x-gzip"})


def decoded(headers: Headers, body: bytes) -> bytes | None:
    """Return a body with its content encoding undone; None if it has none, or is not what it says."""
    if not body or not encodings(headers):
        return None
    try:
        return decode(headers, body, partial=True)
    except WireError:
        return None


def decoded_cuts(headers: Headers, body: bytes, cuts: Sequence[int], size: int) -> list[int]:
    """Return where the pieces of an encoded body end in the decoded one, which has ``size`` bytes.

    Where this would take too long, the pieces that are too many are joined to the last.
    """
    if not cuts:
        return []
    if set(encodings(headers)) <= _GZIPS and len(encodings(headers)) == 1:
        ends = list(_gzip_cuts(body, cuts))
    else:
        most = max(_MOST_WORK // (size + 1), 1)
        ends = [len(decode(headers, body[:cut], partial=True)) for cut in cuts[:-1][:most]]
        ends += [size] * (len(cuts) - 1 - len(ends))
    return [*ends[: len(cuts) - 1], size]


def _gzip_cuts(body: bytes, cuts: Sequence[int]) -> Iterator[int]:
    """Yield how much is decoded at each cut. Of several members, what follows the first counts to the end."""
    stream = zlib.decompressobj(16 + zlib.MAX_WBITS)
    start = size = 0
    for cut in cuts:
        with suppress(zlib.error):
            size += len(stream.decompress(body[start:cut]))
        start = cut
        yield size


_MAGICS = {
    b"\x1f\x8b\x08": "gzip",
    b"(\xb5/\xfd": "zstd",
    b"x\x9c": "deflate",
    b"x\xda": "deflate",
    b"x\x01": "deflate",
}
"""How packed data begins (RFC 1952, 2.3.1; RFC 8878, 3.1.1; RFC 1950, 2.2), whether it is announced or not."""
_ALL_MAGICS = tuple(_MAGICS)
_GZIP_MAGIC = b"\x1f\x8b\x08"
_MOST_MEMBERS = 64
"""Packed files within one body that are looked into."""


def packing(data: bytes) -> str:
    """Return the content encoding that data has by how it begins, "" if none."""
    if not data.startswith(_ALL_MAGICS):
        return ""
    return next(name for magic, name in _MAGICS.items() if data.startswith(magic))


def unpacked(data: bytes) -> bytes | None:
    """Return what packed data holds, cut off or not; None if it is none."""
    name = packing(data)
    if not name:
        return None
    try:
        return decode((("content-encoding", name),), data, partial=True)
    except WireError:
        return None


def repacked(data: bytes, like: bytes) -> bytes:
    """Return data packed as other data is, the same for the same data at any time."""
    return encode((("content-encoding", packing(like)),), data)


def packed_members(body: bytes) -> Iterator[tuple[int, int]]:
    """Yield where gzip stands within a body: an attached file of a multipart body, say."""
    if _GZIP_MAGIC[:1] not in body:  # one byte is looked for faster than three
        return
    start = body.find(_GZIP_MAGIC, 1)
    work = 4 * len(body) + _MOST_WORK // 16
    for _ in range(_MOST_MEMBERS):
        if start < 0 or work <= 0:
            return
        end, done = _gzip_end(body, start)
        work -= done
        if end > start:
            yield start, end
        start = body.find(_GZIP_MAGIC, max(end, start + 3))


def _gzip_end(body: bytes, start: int) -> tuple[int, int]:
    """Return where the gzip that begins here ends, 0 if it is none, and how many bytes were read and made."""
    member = zlib.decompressobj(16 + zlib.MAX_WBITS)
    place, done = start, 0
    with suppress(zlib.error):
        while place < len(body) and not member.eof and done < _MOST_WORK // 2:
            piece = member.unconsumed_tail
            if not piece:
                piece = body[place : place + _STEP]
                place += len(piece)
            done += len(piece) + len(member.decompress(piece, _STEP))
    return (place - len(member.unused_data) if member.eof else 0), done


_WIDE = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_MARKS = tuple(_WIDE)
_UNSAID = {
    "utf-32le": re.compile(rb"(?:[\x09-\x7e]\0\0\0){4}"),
    "utf-32be": re.compile(rb"(?:\0\0\0[\x09-\x7e]){4}"),
    "utf-16le": re.compile(rb"(?:[\x09-\x7e]\0){4}"),
    "utf-16be": re.compile(rb"(?:\0[\x09-\x7e]){4}"),
}
"""How texts begin of which neither a mark nor a header says what they are; as RFC 4627, 3 has it for JSON."""
_WIDE_CHARSET = re.compile(r"charset=\"?(utf-(?:16|32)(?:le|be)?)", re.IGNORECASE)


class Wide(NamedTuple):
    """A text of two or four bytes a character, as UTF-8, and what is needed to spell it as before."""

    data: bytes
    codec: str
    mark: bytes

    def spelled(self, data: bytes) -> bytes:
        return self.mark + data.decode("utf-8", "surrogatepass").encode(self.codec, "surrogatepass")


def is_wide(data: bytes) -> bool:
    """Tell whether data may begin as text of two or four bytes a character does that nobody announced."""
    return data.startswith(_MARKS) or (0 in data[:2] and any(zeros.match(data) for zeros in _UNSAID.values()))


def narrowed(kind: str, body: bytes) -> Wide | None:
    """Return a body that is UTF-16 or UTF-32, by its mark or its media type, as UTF-8; None if it is not."""
    mark = next((mark for mark in _WIDE if body.startswith(mark)), b"")
    said = _WIDE_CHARSET.search(kind)
    if mark:
        codec = _WIDE[mark] + ("le" if mark in (codecs.BOM_UTF16_LE, codecs.BOM_UTF32_LE) else "be")
    elif said is not None:
        codec = said[1].lower() if said[1][-1].isalpha() else said[1].lower() + "be"
    else:
        codec = next((codec for codec, zeros in _UNSAID.items() if zeros.match(body)), "")
    if not codec:
        return None
    try:
        wide = Wide(body[len(mark) :].decode(codec, "surrogatepass").encode("utf-8", "surrogatepass"), codec, mark)
        return wide if wide.spelled(wide.data) == body else None
    except UnicodeError:
        return None


_CHUNK = re.compile(rb'"bytes"\s{0,9}+:\s{0,9}+"([A-Za-z0-9+/=]++)"')


class Lines(NamedTuple):
    """An event stream of AWS as lines, one for each frame, and what is needed to make frames of them again."""

    data: bytes
    events: list[tuple[int, int]]
    frames: Sequence[Frame]


def unframed(body: bytes) -> Lines | None:
    """Return the payloads of frames as lines, None where these bytes are no frames.

    Of a payload that is a chunk of another service's stream (Bedrock's ``InvokeModelWithResponseStream``: ``{"bytes":
    "<base64>"}``), the chunk is the line.
    """
    found = split_frames(body)
    if found is None:
        return None
    lines = [*(_line(frame.payload) for frame in found[0]), found[1]]  # last what is left of a frame that was cut
    ends = list(accumulate(len(line) + 1 for line in lines))
    events = [(end - len(line) - 1, end - 1) for end, line in zip(ends, lines, strict=True)]
    return Lines(b"".join(line + b"\n" for line in lines), events, found[0])


def _line(payload: bytes) -> bytes:
    chunk = _CHUNK.search(payload)
    if chunk is None:
        return payload
    try:
        return base64.b64decode(chunk[1], validate=True)
    except binascii.Error:
        return payload


def framed_places(lines: Lines, cleaned: Sequence[bytes]) -> list[Place]:
    """Return the frames that change, with what comes in their place; ``cleaned`` are the lines without their secrets."""
    places: list[Place] = []
    start = 0
    for (first, last), frame, line in zip(lines.events, lines.frames, cleaned, strict=False):
        end = start + frame.size
        if line != lines.data[first:last]:
            places.append(Place(start, end, join_frames([frame._replace(payload=_payload(frame.payload, line))])))
        start = end
    first, last = lines.events[-1]
    if cleaned[-1] != lines.data[first:last]:
        places.append(Place(start, start + last - first, cleaned[-1]))
    return places


def _payload(old: bytes, line: bytes) -> bytes:
    chunk = _CHUNK.search(old)
    if chunk is None or _line(old) == old:
        return line
    return old[: chunk.start(1)] + base64.b64encode(line) + old[chunk.end(1) :]
