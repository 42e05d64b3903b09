"""The frames of a session as a list of fields in a cassette, and the other way round.

Each is one mapping: ``client:`` or ``server:`` with the message as a body (``json``, else ``text``, else ``base64``), then
``at``, in milliseconds from the accepted connection, where it differs from the frame before, and ``binary: true`` for a
WebSocket's binary message.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from replay_agent.recording.cassettes.bodies import View, read_body, write_body
from replay_agent.traffic import Frame, Sender

__all__ = "read_frames", "write_frames"


def write_frames(frames: Sequence[Frame], view: View = "json") -> list[dict[str, Any]]:
    """Return the fields of each frame."""
    return list(_written(frames, view))


def _written(frames: Sequence[Frame], view: View) -> Iterator[dict[str, Any]]:
    before = 0
    for frame in frames:
        fields: dict[str, Any] = {frame.sender.value: write_body(frame.data, (), view)}
        if frame.offset_ms != before:
            fields["at"] = before = frame.offset_ms
        if not frame.is_text:
            fields["binary"] = True
        yield fields


def read_frames(value: object, *, edited: bool) -> tuple[Frame, ...]:
    """Return the frames that such a list holds; none for None. Raises `ValueError`, saying what is wrong."""
    if value is None:
        return ()
    if not isinstance(value, list):
        raise ValueError("`frames` is no list")
    return tuple(_read(value, edited=edited))


def _read(value: list[Any], *, edited: bool) -> Iterator[Frame]:
    at = 0
    for number, fields in enumerate(value, start=1):
        senders = [sender for sender in Sender if isinstance(fields, dict) and sender.value in fields]
        if len(senders) != 1:
            raise ValueError(f"frame {number} is neither of the client nor of the server")
        body = fields[senders[0].value]
        if not isinstance(body, dict):
            raise ValueError(f"frame {number} has no message")
        at = _milliseconds(fields.get("at", at), number)
        yield Frame(senders[0], read_body(body, (), edited=edited), fields.get("binary") is not True, at)


def _milliseconds(value: object, number: int) -> int:
    try:
        return int(str(value))
    except ValueError as exc:
        raise ValueError(f"frame {number} has a time that is no number of milliseconds") from exc
