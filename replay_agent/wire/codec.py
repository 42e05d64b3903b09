"""What every codec offers: a provider's wire format, read and written on both sides, without any I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Protocol
from urllib.parse import SplitResult, urlsplit

from replay_agent.calls import Answer, ModelCall
from replay_agent.exceptions import WireError
from replay_agent.messages import ModelResponse, ModelResponseStreamEvent
from replay_agent.traffic import Headers, Request, header
from replay_agent.wire.shapes.json_text import Fields, read_object
from replay_agent.wire.shapes.refusals import refusal

__all__ = (
    "NAMELESS",
    "Asked",
    "Codec",
    "EncodedAnswer",
    "EncodedCall",
    "StreamDecoder",
    "is_stream",
    "read_answer",
    "unchanged_source",
)

NAMELESS = "-"
_REFUSED = 400
_STREAMS = ("text/event-stream", "application/vnd.amazon.eventstream", "application/x-ndjson", "application/jsonl")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request taken apart once for all codecs: its address, and the JSON object that its body is."""

    request: Request
    url: SplitResult
    fields: Fields = field(default_factory=dict)

    @classmethod
    def by(cls, request: Request, fields: Fields) -> Asked:
        """Take a request apart whose body is read already; an address that is none has no parts."""
        try:
            return cls(request, urlsplit(request.url), fields)
        except ValueError:
            return cls(request, SplitResult("", "", "", "", ""), fields)

    @property
    def path(self) -> str:
        """The path of the address, without a slash at its end."""
        return self.url.path.rstrip("/")


@dataclass(frozen=True, slots=True)
class EncodedCall:
    """A call ready to be sent: ``path`` is appended to the provider's base URL, query string included."""

    path: str
    body: bytes
    headers: Headers = (("content-type", "application/json"),)


@dataclass(frozen=True, slots=True)
class EncodedAnswer:
    """An answer as a provider would send it; a streamed one has one chunk for each event."""

    status: int
    headers: Headers
    chunks: tuple[bytes, ...]


class StreamDecoder(Protocol):
    """Reads one streamed answer, in pieces with any boundaries."""

    def feed(self, data: bytes) -> list[ModelResponseStreamEvent]:
        """Take the next bytes and return the events that they completed. Raises `WireError` for broken framing."""

    def close(self) -> list[ModelResponseStreamEvent]:
        """Say that no bytes follow, and return the last events."""

    @property
    def answer(self) -> Answer:
        """The answer as far as it has come."""

    @property
    def finished(self) -> bool:
        """Whether the provider's last word has come; False after `close` means a stream that was cut."""


class Codec(Protocol):
    """One wire format. Stateless; ``name`` is the name of its room and of `Exchange.format`.

    Every reading function takes bytes with the content encoding already undone and raises nothing but `WireError`.
    """

    name: ClassVar[str]
    home: ClassVar[str]
    """An address of this format, of a model called `NAMELESS` where it names one: where a request is believed to go whose own address tells nothing."""
    least: ClassVar[Mapping[str, object]]
    """The body of a call that says nothing: what is believed where a recording has lost a request's body."""

    def serves(self, asked: Asked) -> bool:
        """Tell whether an address is one of this format's, whatever is sent there."""

    def claims(self, asked: Asked) -> bool:
        """Tell whether a request is in this format, judged by path and body, never by host name alone."""

    def encode_call(self, call: ModelCall) -> EncodedCall:
        """Write a call as a client of the provider would."""

    def read_call(self, asked: Asked) -> ModelCall:
        """Read a client's request that is taken apart already."""

    def decode_call(self, request: Request) -> ModelCall:
        """Read a client's request."""
        asked = Asked.by(request, read_object(request.body, self.name))
        return self.read_call(asked).read_from(request.body)

    def decode_answer(self, call: ModelCall | None, status: int, headers: Headers, body: bytes) -> Answer:
        """Read a whole answer: JSON, a finished stream, or an error of any shape."""
        return read_answer(self, call, status, headers, body)

    def decode_refusal(self, call: ModelCall | None, status: int, body: bytes) -> Answer:  # noqa: ARG002
        """Read an answer with a status of 400 or above."""
        return Answer(error=refusal(status, body))

    def stream_decoder(self, call: ModelCall | None, headers: Headers) -> StreamDecoder:
        """Return a decoder for one streamed answer; one that is no stream is read when it is closed."""

    def encode_answer(self, call: ModelCall, answer: ModelResponse) -> EncodedAnswer:
        """Write an answer as the provider would: a stream if ``call.stream``, else one body."""

    def encode_error(self, call: ModelCall | None, status: int, message: str) -> EncodedAnswer:
        """Write a refusal in the provider's own shape."""


def read_answer(codec: Codec, call: ModelCall | None, status: int, headers: Headers, body: bytes) -> Answer:
    """Read a whole answer with a codec's decoder of streams. Raises `WireError` where it is none, or empty."""
    if status >= _REFUSED:
        return codec.decode_refusal(call, status, body)
    # A stream may end before its first event; a document of nothing is none.
    if not body.strip() and not (call and call.stream) and not is_stream(headers):
        raise WireError("the answer is empty", codec.name)
    decoder = codec.stream_decoder(call, headers)
    decoder.feed(body)
    decoder.close()
    return decoder.answer


def is_stream(headers: Headers) -> bool:
    """Tell whether an answer's head announces a stream."""
    return (header(headers, "content-type") or "").strip().lower().startswith(_STREAMS)


def unchanged_source(call: ModelCall, read: Callable[[Fields], ModelCall]) -> bytes | None:
    """Return the body that a call was read from, if reading it again gives the call as it is now."""
    source = call.source
    return source if source is not None and read(read_object(source, "")) == call else None
