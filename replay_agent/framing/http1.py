"""HTTP/1.1 on the wire: requests read from what a client wrote, responses read and written (RFC 9112).

Lenient as clients are; nothing here does I/O.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from http import HTTPStatus

from replay_agent.traffic import Headers, Request, Response, header

__all__ = "BodyReader", "RequestReader", "ResponseReader", "head_bytes", "piece_bytes", "trailing_bytes"

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
NO_ANSWER = "Server disconnected without sending a response."
SHORT_BODY = "peer closed connection without sending complete message body"
"""What a peer did that hung up too early, in httpcore's words."""
# 101 is final: what follows it is another protocol's.
INTERIM = frozenset(range(100, 200)) - {HTTPStatus.SWITCHING_PROTOCOLS}


def parse_head(block: bytes) -> tuple[bytes, Headers]:
    """Split the lines before the empty one into the first line and the headers, folded lines joined."""
    first, *lines = block.replace(b"\r\n", b"\n").split(b"\n")
    headers: list[tuple[str, str]] = []
    for line in lines:
        if line[:1] in (b" ", b"\t") and headers:
            name, value = headers[-1]
            headers[-1] = name, f"{value} {line.strip().decode('latin-1')}"
        elif line:
            name, _, value = line.decode("latin-1").partition(":")
            headers.append((name.rstrip(), value.strip(" \t")))
    return first, tuple(headers)


def end_of_head(data: bytes | bytearray) -> tuple[int, int] | None:
    """Return where the head ends and where the body begins."""
    # A bare LF ends a line too, for all clients (RFC 9112, 2.2); whichever end comes first is the end.
    ends = [(at, at + len(mark)) for mark in (b"\r\n\r\n", b"\n\n") if (at := data.find(mark)) >= 0]
    return min(ends, default=None)


def _is_chunked(headers: Headers) -> bool:
    # Only as the last coding does it frame the message (RFC 9112, 6.1).
    return (header(headers, "transfer-encoding") or "").lower().rpartition(",")[2].strip() == "chunked"


def _length(headers: Headers) -> int | None:
    text = (header(headers, "content-length") or "").strip()
    return int(text) if text.isascii() and text.isdigit() else None


class BodyReader:
    """Undoes the framing of one body: by length, chunked, or up to the end of the connection."""

    def __init__(self, *, length: int | None, chunked: bool) -> None:
        self.done = length == 0 and not chunked
        self._left = length
        self._chunked = chunked
        self._buffer = bytearray()
        self._trailers = False

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next bytes, return the pieces of body in them."""
        if self.done:
            return []
        if self._chunked:
            self._buffer += data
            return list(self._pieces())
        if self._left is None:
            return [data] if data else []
        data = data[: self._left]
        self._left -= len(data)
        self.done = self._left == 0
        return [data] if data else []

    def at_end(self) -> bool:
        """Say that the connection has ended; return whether the body is whole."""
        if not self._chunked and self._left is None:
            self.done = True
        return self.done

    def _pieces(self) -> Iterator[bytes]:
        """Take chunks off the buffer, also parts of one. ``_left`` is what is missing of the current chunk."""
        while not self.done:
            if self._left:
                piece = bytes(self._buffer[: self._left])
                if not piece:
                    return
                del self._buffer[: len(piece)]
                self._left -= len(piece)
                yield piece
                continue
            line = self._line()
            if line is None:
                return
            self._next_chunk(line)

    def _line(self) -> bytes | None:
        end = self._buffer.find(b"\n")
        if end < 0:
            return None
        line = bytes(self._buffer[:end]).strip()
        del self._buffer[: end + 1]
        return line

    def _next_chunk(self, line: bytes) -> None:
        if self._trailers:
            self.done = not line
            return
        if not line:  # the end of the line after a chunk
            return
        try:
            self._left = int(line.partition(b";")[0], 16)  # behind it stand chunk extensions
        except ValueError:
            self.done, self._left = True, None  # broken framing: the client will say so
        self._trailers = self._left == 0


class RequestReader:
    """Reads requests from the bytes that a client writes to a connection."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._head: tuple[str, str, Headers] | None = None
        self._body = BodyReader(length=0, chunked=False)
        self._pieces: list[bytes] = []
        self.sent = bytearray()
        """Everything that was written, as it was."""

    def feed(self, data: bytes) -> None:
        """Take what the client wrote."""
        self.sent += data
        if self._head is None:
            self._buffer += data
            data = self._read_head()
        self._pieces += self._body.feed(data)

    @property
    def complete(self) -> bool:
        """Whether the request is all there."""
        return self._head is not None and self._body.done

    @property
    def waits_for_continue(self) -> bool:
        """Whether the client wants to be told to go on before it sends the body."""
        if self._head is None or self.complete:
            return False
        return (header(self._head[2], "expect") or "").lower() == "100-continue"

    def request(self, base: str) -> Request:
        """Return the request, whose target is relative to ``base`` (``https://host``) unless it is absolute."""
        method, target, headers = self._head or ("", "", ())
        url = base + target if target.startswith("/") else target
        return Request(method, base if target == "*" else url, headers, b"".join(self._pieces))

    def _read_head(self) -> bytes:
        end = end_of_head(self._buffer)
        if end is None:
            return b""
        first, headers = parse_head(bytes(self._buffer[: end[0]]))
        method, _, rest = first.decode("latin-1").partition(" ")
        self._head = method, rest.rpartition(" ")[0] or rest, headers  # what is behind the last blank is the version
        chunked = _is_chunked(headers)
        # Without a length a request has no body: it cannot last until the client hangs up.
        self._body = BodyReader(length=None if chunked else _length(headers) or 0, chunked=chunked)
        data = bytes(self._buffer[end[1] :])
        self._buffer.clear()
        return data


class ResponseReader:
    """Reads one response from the bytes of a connection: head first, then pieces of body."""

    def __init__(self, method: str, interim: Container[int] = INTERIM) -> None:
        """``interim`` are the statuses that the client passes over, waiting for the final response."""
        self._method = method.upper()
        self._interim = interim
        self._buffer = bytearray()
        self._body: BodyReader | None = None
        self.head: Response | None = None
        """The response without its body, once its head has come."""

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next bytes, return the pieces of body in them."""
        if self._body is None:
            self._buffer += data
            data = self._read_heads()
            if self._body is None:
                return []
        return self._body.feed(data)

    @property
    def complete(self) -> bool:
        """Whether the response is whole."""
        return self._body is not None and self._body.done

    def at_end(self) -> bool:
        """Say that the connection has ended; return whether the response is whole."""
        return self._body is not None and self._body.at_end()

    def _read_heads(self) -> bytes:
        while self.head is None and (end := end_of_head(self._buffer)):
            head = _response_head(bytes(self._buffer[: end[0]]))
            del self._buffer[: end[1]]
            if head.status not in self._interim:
                self.head = head
                self._body = self._reader(head)
        data = bytes(self._buffer)
        return data if self.head else b""

    def _reader(self, head: Response) -> BodyReader:
        # RFC 9112, 6.3: whatever length these announce, no body follows.
        bodiless = self._method == "HEAD" or 100 <= head.status < 200 or head.status in (204, 304)
        if bodiless or (self._method == "CONNECT" and 200 <= head.status < 300):
            return BodyReader(length=0, chunked=False)
        chunked = _is_chunked(head.headers)
        return BodyReader(length=None if chunked else _length(head.headers), chunked=chunked)


def _response_head(block: bytes) -> Response:
    first, headers = parse_head(block)
    version, _, rest = first.decode("latin-1").partition(" ")
    code, _, reason = rest.strip().partition(" ")
    return Response(int(code) if code.isdigit() else 0, headers, reason=reason, http_version=version)


def head_bytes(response: Response) -> bytes:
    """Write status line and headers for a client that knows HTTP/1 only."""
    # It may have been recorded over HTTP/2, whose version no client of this kind would take.
    version = response.http_version if response.http_version in ("HTTP/1.0", "HTTP/1.1") else "HTTP/1.1"
    reason = phrase(response.status) if response.reason is None else response.reason
    lines = [f"{version} {response.status} {reason}", *(f"{name}: {value}" for name, value in response.headers)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def phrase(status: int) -> str:
    """Return the customary words for a status, none if it is nobody's custom."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def piece_bytes(response: Response, piece: bytes) -> bytes:
    """Write a piece of body in the framing that the response's headers promise."""
    # An empty chunk would be the last one, so nothing is written for an empty piece.
    return b"%x\r\n%s\r\n" % (len(piece), piece) if _is_chunked(response.headers) and piece else piece


def trailing_bytes(response: Response) -> bytes:
    """Write what ends a whole body."""
    return b"0\r\n\r\n" if _is_chunked(response.headers) else b""
