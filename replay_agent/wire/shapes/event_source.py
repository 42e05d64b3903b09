"""The bytes of a streamed answer as events, also where the answer turns out to be no stream at all."""

from __future__ import annotations

import re

from replay_agent.framing.sse import ServerSentEvent, SSEDecoder

__all__ = ("EventSource",)

_BLANK = b" \t\r\n\xef\xbb\xbf"
# How a line of an event stream begins: as a comment, or with a field.
_EVENT_LINE = re.compile(rb"[\s\xef\xbb\xbf]*(?::|data|event|id|retry)")
_DOCUMENT_STARTS = (b"{", b"[", b'"', b"<")


class EventSource:
    """Reads server-sent events, fed in pieces with any boundaries.

    Content types lie, so the first character decides: no line of an event stream begins as JSON or HTML does. After
    `close`, ``document`` is the whole body where no event was found in it, else None.
    """

    def __init__(self) -> None:
        self.document: bytes | None = None
        self._decoder = SSEDecoder()
        self._pieces: list[bytes] = []
        self._is_document: bool | None = None
        self._had_events = False

    def feed(self, data: bytes) -> list[ServerSentEvent]:
        """Take the next bytes and return the events that they completed."""
        if not self._had_events:
            self._pieces.append(data)
        if self._is_document is None:
            start = data.lstrip(_BLANK)[:1]
            self._is_document = start in _DOCUMENT_STARTS if start else None
        return self._seen(self._decoder.feed(data)) if not self._is_document else []

    def close(self) -> list[ServerSentEvent]:
        """Say that no bytes follow, and return what was still under way."""
        events = self._seen(self._decoder.close()) if not self._is_document else []
        body = b"".join(self._pieces)
        if not self._had_events and not _EVENT_LINE.match(body):
            self.document = body
        return events

    def _seen(self, events: list[ServerSentEvent]) -> list[ServerSentEvent]:
        if events:
            self._had_events = True
            self._pieces.clear()
        return events
