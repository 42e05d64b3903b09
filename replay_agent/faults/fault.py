"""A fault: what becomes of an answer, and which answers it strikes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from replay_agent.calls import ModelCall
from replay_agent.exceptions import WireError
from replay_agent.framing import content_encoding
from replay_agent.messages import ModelResponse
from replay_agent.traffic import Chunk, Failure, Headers, Outcome, Phase, Request, Response, StreamEnd
from replay_agent.wire.codec import Codec, EncodedAnswer

__all__ = "Answered", "Fault", "Lay", "breaking_off", "framed", "response_of"


@dataclass(frozen=True, slots=True)
class Answered:
    """A call of a model and the answer that it would get, with nothing between."""

    codec: Codec
    request: Request
    call: ModelCall
    response: Response
    """Without a content encoding."""

    @classmethod
    def by(cls, codec: Codec, request: Request, call: ModelCall, response: Response) -> Answered:
        """Take the content encoding off an answer. One that cannot be undone stays as it is."""
        if not content_encoding.encodings(response.headers):
            return cls(codec, request, call, response)
        try:
            body = content_encoding.decode(response.headers, response.body, partial=True)
        except WireError:
            return cls(codec, request, call, response)
        headers = tuple(pair for pair in response.headers if pair[0].lower() != "content-encoding")
        return cls(codec, request, call, framed(headers, (body,), response))

    def decoded(self) -> ModelResponse | None:
        """Return what the model says in the answer, None where that is nothing."""
        try:
            answer = self.codec.decode_answer(
                self.call, self.response.status, self.response.headers, self.response.body
            )
        except WireError:
            return None
        return answer.response


Lay: TypeAlias = Callable[[Answered], "Outcome | None"]
"""Returns what the client gets, None where the fault cannot befall this answer."""


@dataclass(frozen=True)
class Fault:
    """What goes wrong, and when: at the ``call``-th call or in this ``turn`` (both from 1), the first so many ``times``.

    One that strikes several times strikes from that call on.

    Without either it strikes the first answers it can befall. ``when`` restricts it to conversations in which the user
    says this text, or of which a function says so.
    """

    name: str
    lay: Lay
    call: int | None = None
    turn: int | None = None
    times: int | None = 1
    """None for every time."""
    when: str | Callable[[ModelCall], bool] | None = None

    delivers: bool = False
    """Whether the client gets all that the model said, and may go on from there."""

    def __repr__(self) -> str:
        places = [f"{word}={value!r}" for word in ("call", "turn") if (value := getattr(self, word)) is not None]
        more = [f"times={self.times}"] if self.times != 1 else []
        return f"{self.name}({', '.join([*places, *more])})"


_FRAMING = "content-length", "transfer-encoding"


def framed(headers: Headers, pieces: tuple[bytes, ...], like: Response | None = None) -> Response:
    """Return a response of these pieces with headers that say where its body ends."""
    kept = tuple(pair for pair in headers if pair[0].lower() not in _FRAMING)
    whole = len(pieces) == 1
    ending = ("content-length", str(len(pieces[0]))) if whole else ("transfer-encoding", "chunked")
    chunks = tuple(Chunk(piece) for piece in pieces if piece)
    if like is None:
        return Response(200, (*kept, ending), chunks)
    return replace(like, headers=(*kept, ending), chunks=chunks, end=StreamEnd.COMPLETE, failure=None, waited_ms=0)


def response_of(encoded: EncodedAnswer) -> Response:
    """Return an encoded answer as traffic."""
    return replace(framed(encoded.headers, encoded.chunks), status=encoded.status)


def breaking_off(
    response: Response, pieces: tuple[bytes, ...], kind: str, message: str = "", after_ms: int = 0
) -> Response:
    """Return a response that fails after these pieces, more having been promised."""
    promised = (*response.headers, ("content-length", str(len(response.body))))
    headers = response.headers if any(name.lower() in _FRAMING for name, _ in response.headers) else promised
    failure = Failure(kind, Phase.BODY, message, after_ms)
    chunks = tuple(Chunk(piece) for piece in pieces if piece)
    return replace(response, headers=headers, chunks=chunks, end=StreamEnd.FAILED, failure=failure)
