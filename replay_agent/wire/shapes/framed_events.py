"""Server-sent events that Amazon Bedrock carries in frames: a provider's own stream inside ``InvokeModel``'s.

Source: the API reference of ``InvokeModelWithResponseStream``. A frame's payload holds the data of one event as base64;
a frame that reports an exception stands for an ``error`` event.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable

from replay_agent.framing.aws_frames import Frame, FrameDecoder, encode_frame
from replay_agent.framing.sse import ServerSentEvent
from replay_agent.wire.shapes.data_url import decode_base64
from replay_agent.wire.shapes.json_text import Fields, read_object, write_json

__all__ = "FRAMES", "FramedEvents", "is_framed", "write_framed"

FRAMES = "application/vnd.amazon.eventstream"
"""The media type of a stream of frames."""


def is_framed(data: bytes) -> bool:
    """Tell from its first bytes whether a body is made of frames: they begin with a length, no text does."""
    return data[:1] == b"\0"


class FramedEvents:
    """Reads the events out of frames, fed in pieces with any boundaries. Raises `WireError` for broken frames."""

    document: bytes | None = None

    def __init__(self) -> None:
        self._frames = FrameDecoder()

    def feed(self, data: bytes) -> list[ServerSentEvent]:
        """Take the next bytes and return the events that they completed."""
        return [event for frame in self._frames.feed(data) if (event := _event(frame)) is not None]

    def close(self) -> list[ServerSentEvent]:
        """Say that no bytes follow; a frame that was cut off is lost."""
        return self.feed(b"")


def _event(frame: Frame) -> ServerSentEvent | None:
    payload = read_object(frame.payload, "event_stream") if frame.payload else {}
    if frame.text(":message-type") in ("exception", "error"):
        return ServerSentEvent(write_json(_error(frame, payload)).decode(), "error")
    data = decode_base64(payload.get("bytes"))
    return None if data is None else ServerSentEvent(data.decode("utf-8", "replace"))


def _error(frame: Frame, payload: Fields) -> Fields:
    kind = frame.text(":exception-type") or frame.text(":error-code")
    message = payload.get("message") or payload.get("Message") or frame.text(":error-message") or kind
    return {"type": "error", "error": {"type": kind, "message": message}}


def write_framed(events: Iterable[Fields]) -> tuple[bytes, ...]:
    """Write events as frames, one each."""
    headers = {":event-type": "chunk", ":content-type": "application/json", ":message-type": "event"}
    return tuple(
        encode_frame(headers, write_json({"bytes": base64.b64encode(write_json(event)).decode()})) for event in events
    )
