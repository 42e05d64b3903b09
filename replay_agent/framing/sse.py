"""Server-sent events, read and written (WHATWG HTML, section "Server-sent events")."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = "SSEDecoder", "ServerSentEvent", "encode_event"

_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """One event: its data lines joined by newlines, and its name, id and retry time where given."""

    data: str
    event: str | None = None
    id: str | None = None
    retry: int | None = None


class SSEDecoder:
    """Turns bytes with any boundaries into events.

    Lines end with CR, LF or CRLF; a byte order mark, comments and unknown fields are skipped; malformed UTF-8 becomes
    replacement characters, as the standard says. Beyond the standard, `close` delivers an event whose blank line never
    came, since providers end streams that way.
    """

    def __init__(self) -> None:
        # Without its byte order mark; a character may be cut by the end of a piece.
        self._text = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._pieces: list[str] = []
        self._after_cr = False
        self._data: list[str] = []
        self._fields: dict[str, str] = {}

    def feed(self, data: bytes) -> list[ServerSentEvent]:
        """Take the next bytes and return the events that they completed."""
        return self._take(self._text.decode(data))

    def close(self) -> list[ServerSentEvent]:
        """Say that no bytes follow, and return what was still under way."""
        events = self._take(self._text.decode(b"", final=True))
        if self._pieces:
            events += self._take("\n")
        if self._data or self._fields:
            events += self._line("")
        return events

    def _take(self, text: str) -> list[ServerSentEvent]:
        # A CR at the end of a piece has ended the line already: a LF that begins the next one belongs to it.
        if self._after_cr and text:
            text = text.removeprefix("\n")
            self._after_cr = False
        if not text:
            return []
        self._after_cr = text.endswith("\r")
        *lines, rest = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        events: list[ServerSentEvent] = []
        for line in lines:
            whole = "".join((*self._pieces, line))
            self._pieces.clear()
            events += self._line(whole)
        if rest:
            self._pieces.append(rest)
        return events

    def _line(self, line: str) -> list[ServerSentEvent]:
        if not line:
            return self._dispatch()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")  # one blank, as the standard says, and no more
        if name == "data":
            self._data.append(value)
        elif name in ("event", "id", "retry"):
            self._fields[name] = value
        return []

    def _dispatch(self) -> list[ServerSentEvent]:
        data, fields = self._data, self._fields
        self._data, self._fields = [], {}
        # The standard drops events without data; one that has a name says something by that, and is kept.
        if not data and "event" not in fields:
            return []
        retry = fields.get("retry", "")
        return [
            ServerSentEvent(
                "\n".join(data),
                fields.get("event"),
                fields.get("id"),
                int(retry) if retry.isascii() and retry.isdigit() else None,
            )
        ]


def encode_event(data: str, event: str | None = None) -> bytes:
    """Write one event; a line end in ``data`` (CR, LF or CRLF) starts a further data line, which is read as LF."""
    lines: Iterable[str] = (f"data: {line}" for line in _LINE_END.split(data))
    if event is not None:
        lines = (f"event: {event}", *lines)
    return ("\n".join(lines) + "\n\n").encode()
