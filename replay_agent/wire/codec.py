"""What every codec offers: a provider's wire format, read and written on both sides, without any I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from replay_agent.calls import Answer, ModelCall
from replay_agent.messages import ModelResponse, ModelResponseStreamEvent
from replay_agent.traffic import Headers, Request

__all__ = "Codec", "EncodedAnswer", "EncodedCall", "StreamDecoder"


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
    """One wire format. Stateless; ``name`` is the name of its module and of `Exchange.format`.

    Every reading function takes bytes with the content encoding already undone and raises nothing but `WireError`.
    """

    name: str

    def claims(self, request: Request) -> bool:
        """Tell whether this traffic is in this format, judged by path and body, never by host name alone."""

    def encode_call(self, call: ModelCall) -> EncodedCall:
        """Write a call as a client of the provider would."""

    def decode_call(self, request: Request) -> ModelCall:
        """Read a client's request."""

    def decode_answer(self, call: ModelCall | None, status: int, headers: Headers, body: bytes) -> Answer:
        """Read a whole answer: JSON, a finished stream, or an error of any shape."""

    def stream_decoder(self, call: ModelCall | None, headers: Headers) -> StreamDecoder:
        """Return a decoder for one streamed answer."""

    def encode_answer(self, call: ModelCall, answer: ModelResponse) -> EncodedAnswer:
        """Write an answer as the provider would: a stream if ``call.stream``, else one body."""

    def encode_error(self, call: ModelCall | None, status: int, message: str) -> EncodedAnswer:
        """Write a refusal in the provider's own shape."""
