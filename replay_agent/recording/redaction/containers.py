"""What a body is packed in, undone and done again: content encodings, gzip that nobody announces, frames of AWS."""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import accumulate
from typing import NamedTuple

from replay_agent.exceptions import WireError
from replay_agent.framing.content_encoding import decode, encodings
from replay_agent.framing.raw_frames import Frame, join_frames, split_frames
from replay_agent.recording.redaction.spans import Place
from replay_agent.traffic import Headers

__all__ = "Lines", "decoded", "decoded_cuts", "framed_places", "unframed"

_MOST_WORK = 1 << 27
"""Bytes that may be decoded again and again to learn where the pieces of a body end in what they hold."""
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
    lines = [_line(frame.payload) for frame in found[0]]
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
    for (first, last), frame, line in zip(lines.events, lines.frames, cleaned, strict=True):
        end = start + frame.size
        if line != lines.data[first:last]:
            places.append(Place(start, end, join_frames([frame._replace(payload=_payload(frame.payload, line))])))
        start = end
    return places


def _payload(old: bytes, line: bytes) -> bytes:
    chunk = _CHUNK.search(old)
    if chunk is None or _line(old) == old:
        return line
    return old[: chunk.start(1)] + base64.b64encode(line) + old[chunk.end(1) :]
