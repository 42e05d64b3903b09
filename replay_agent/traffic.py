"""HTTP as plain values: what was asked and what came back, with no client library's types."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias, overload

__all__ = (
    "Chunk",
    "Failure",
    "Frame",
    "Headers",
    "Interaction",
    "Outcome",
    "Phase",
    "Pieces",
    "Request",
    "Response",
    "Sender",
    "StreamEnd",
    "header",
)

Headers: TypeAlias = tuple[tuple[str, str], ...]
"""Names and values in the order of the wire, repeated names kept; bytes beyond ASCII as latin-1 characters."""


def header(headers: Headers, name: str) -> str | None:
    """Return the first value of a header, whatever the case of its name."""
    name = name.lower()
    return next((value for key, value in headers if key.lower() == name), None)


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it left the client: absolute URL, headers in order, body bytes as sent."""

    method: str
    url: str
    headers: Headers = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a body as the client got it, ``offset_ms`` milliseconds after the response's head."""

    data: bytes
    offset_ms: int = 0


class Pieces(Sequence[Chunk]):
    """The pieces of a recorded body: equal to the tuple of its chunks, each of which is made when somebody asks for it.

    Replay asks for none: to make those of a stream of hundreds takes longer than to hand their bytes over.
    """

    __slots__ = "_made", "_times", "data"

    def __init__(self, data: Sequence[bytes], times: Callable[[], Sequence[int]]) -> None:
        """``times`` returns the `Chunk.offset_ms` of each."""
        self.data = data
        """The bytes of each."""
        self._times = times
        self._made: tuple[Chunk, ...] | None = None

    def __len__(self) -> int:
        return len(self.data)

    @overload
    def __getitem__(self, index: int) -> Chunk: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Chunk, ...]: ...

    def __getitem__(self, index: int | slice) -> Chunk | tuple[Chunk, ...]:
        return self._chunks[index]

    def __eq__(self, other: object) -> bool:
        return self._chunks == tuple(other) if isinstance(other, tuple | Pieces) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._chunks)

    def __repr__(self) -> str:
        return repr(self._chunks)

    @property
    def _chunks(self) -> tuple[Chunk, ...]:
        if self._made is None:
            self._made = tuple(map(Chunk, self.data, self._times()))
        return self._made


class Phase(str, Enum):
    """How far an exchange had come when it failed."""

    CONNECT = "connect"
    """No connection: name lookup, refusal, TLS."""
    SEND = "send"
    """The request was being written."""
    HEAD = "head"
    """The request was sent, no response head had come."""
    BODY = "body"
    """The head had come, the body was under way."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An exchange, or the rest of one, that ended in a transport error.

    ``kind`` names the error as httpx's class does (``ConnectError``, ``ReadTimeout``, ``RemoteProtocolError``, ...):
    other clients raise their nearest. ``after_ms`` is the time from the request (phases up to head) or from the head
    (phase body) to the failure.
    """

    kind: str
    phase: Phase
    message: str = ""
    after_ms: int = 0


class StreamEnd(str, Enum):
    """How the reading of a response's body ended."""

    COMPLETE = "complete"
    """The provider's last byte was read."""
    CLOSED = "closed"
    """The client closed the response before its end."""
    ABANDONED = "abandoned"
    """The client was waiting for the next piece when it was cancelled or ran into its own timeout."""
    FAILED = "failed"
    """A transport error cut the body; `Response.failure` says which."""


class Sender(str, Enum):
    """Which side of a connection sent a frame."""

    CLIENT = "client"
    SERVER = "server"


@dataclass(frozen=True, slots=True)
class Frame:
    """One message on a connection that both sides write to: of a WebSocket, or a line of MCP over stdio.

    ``data`` is the message as it was sent, without what frames it on the wire (masks, line ends). ``is_text`` tells
    whether the sender called it text (always for stdio), ``offset_ms`` is the time since the connection was accepted.
    """

    sender: Sender
    data: bytes
    is_text: bool = True
    offset_ms: int = 0


@dataclass(frozen=True, slots=True)
class Response:
    """A response: head and body. The body is kept in the pieces and with the content encoding of the wire.

    The answer to a request that opens a session (status 101) has ``frames`` in place of a body: what both sides sent, in
    the order in which the client saw it. ``end`` and ``failure`` then say how the connection ended.
    """

    status: int
    headers: Headers = ()
    chunks: Sequence[Chunk] = ()
    """A tuple of them, or `Pieces` where they were read from a cassette."""
    reason: str | None = None
    http_version: str = "HTTP/1.1"
    end: StreamEnd = StreamEnd.COMPLETE
    waited_ms: int = 0
    """How long the client waited after the last piece before it gave up; only with `StreamEnd.ABANDONED`."""
    failure: Failure | None = None
    redacted: bool = False
    """Whether secrets were taken out of the body, so that its bytes are no longer those of the wire."""
    frames: tuple[Frame, ...] = ()
    """The messages of a session, in place of a body."""

    @property
    def body(self) -> bytes:
        """The bytes of all pieces, still content-encoded."""
        return b"".join(self.pieces)

    @property
    def pieces(self) -> Sequence[bytes]:
        """The bytes of each piece."""
        # By its class alone: that of `Pieces` is an abstract one, which takes longer to ask.
        if type(self.chunks) is Pieces:
            return self.chunks.data
        return [chunk.data for chunk in self.chunks]


Outcome: TypeAlias = Response | Failure


@dataclass(frozen=True, slots=True)
class Interaction:
    """One request and what became of it."""

    request: Request
    outcome: Outcome
    test: str | None = None
    """Node id of the test that recorded it."""
    recorded_at: str | None = None
    """When it was recorded, ISO 8601 in UTC."""
    extra: dict[str, object] = field(default_factory=dict, compare=False)
    """Fields of the file that this release does not know, kept for writing back."""
