"""An answer in the pieces that its format is made of: an event each; halves, where it is no stream."""

from __future__ import annotations

import re

from replay_agent.faults.fault import Answered
from replay_agent.traffic import header

__all__ = "first_of", "pieces_of"

_EVENT = re.compile(rb".*?(?:\r\n\r\n|\n\n|\r\r)|.+\Z", re.DOTALL)
"""One server-sent event with the blank line that ends it, ``data: {}\\n\\n``, or what is left at the end."""
_LINE = re.compile(rb"[^\n]*\n|[^\n]+\Z")
_PRELUDE = 4


def pieces_of(answered: Answered) -> tuple[bytes, ...]:
    """Return the body in pieces that make sense to its reader."""
    response = answered.response
    kind = (header(response.headers, "content-type") or "").lower()
    body = response.body
    if "event-stream" in kind and "amazon" not in kind:
        return tuple(_EVENT.findall(body))
    if "ndjson" in kind or "jsonl" in kind:
        return tuple(_LINE.findall(body))
    if "amazon.eventstream" in kind:
        return _frames(body)
    if len(response.chunks) > 1:
        return tuple(chunk.data for chunk in response.chunks)
    middle = len(body) // 2
    return tuple(half for half in (body[:middle], body[middle:]) if half)


def first_of(pieces: tuple[bytes, ...], count: int | None) -> tuple[bytes, ...] | None:
    """Return the first so many pieces, half of them if None; None where nothing would be missing."""
    if count is None:
        count = max(1, len(pieces) // 2)
    return pieces[:count] if count < len(pieces) else None


def _frames(body: bytes) -> tuple[bytes, ...]:
    """Cut a body at the frames of AWS's event streams, each of which begins with its length (four bytes, big-endian)."""
    frames = []
    while body:
        length = int.from_bytes(body[:_PRELUDE], "big") or len(body)
        frames.append(body[:length])
        body = body[length:]
    return tuple(frames)
