"""Faults in what is sent: a stream that ends early and says nothing, damaged bytes, an error between the events."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import Any

from replay_agent.faults.fault import Answered, Lay, framed
from replay_agent.faults.pieces import first_of, pieces_of
from replay_agent.framing.aws_frames import encode_frame
from replay_agent.framing.sse import encode_event
from replay_agent.traffic import Outcome
from replay_agent.wire.codec import is_stream

__all__ = "corrupted", "error_event", "truncated", "wrong_content_type"

_MESSAGE = "The server had an error while generating the answer"


def _is_streamed(answered: Answered) -> bool:
    return answered.call.stream or is_stream(answered.response.headers)


def truncated(after: int | None = None) -> Lay:
    """End a stream in good order after this many events (half of them if None), without the one that should end it."""

    def lay(answered: Answered) -> Outcome | None:
        begun = first_of(pieces_of(answered), after) if _is_streamed(answered) else None
        return None if begun is None else framed(answered.response.headers, (*begun, b""), answered.response)

    return lay


def corrupted(seed: int = 0) -> Lay:
    """Damage one event, chosen by the seed: half of its JSON is lost, or, in a frame with a checksum, a byte is wrong."""

    def lay(answered: Answered) -> Outcome:
        pieces = list(pieces_of(answered))
        if len(pieces) < 2 or not _is_streamed(answered):
            body = answered.response.body
            return framed(answered.response.headers, (body[: max(1, len(body) // 2)],), answered.response)
        places = [index for index, piece in enumerate(pieces) if b"{" in piece]
        place = random.Random(seed).choice(places or range(len(pieces)))  # noqa: S311 - chosen, not secret
        pieces[place] = _damaged(pieces[place], binary=b"\0" in pieces[place][:4])
        return framed(answered.response.headers, (*pieces, b""), answered.response)

    return lay


def _damaged(piece: bytes, *, binary: bool) -> bytes:
    middle = (piece.index(b"{") + len(piece)) // 2 if b"{" in piece else len(piece) // 2
    if binary:
        return piece[:middle] + bytes([piece[middle] ^ 0x55]) + piece[middle + 1 :]
    text = piece.rstrip(b"\r\n")
    middle = min(middle, len(text) - 1)
    return text[:middle] + piece[len(text) :]


def wrong_content_type() -> Lay:
    """Say that the answer is a page of HTML, as a proxy between does that knows better."""

    def lay(answered: Answered) -> Outcome:
        headers = tuple(pair for pair in answered.response.headers if pair[0].lower() != "content-type")
        return replace(answered.response, headers=(*headers, ("content-type", "text/html; charset=utf-8")))

    return lay


def error_event(after: int | None = None) -> Lay:
    """Send the provider's own error after this many events, half of them if None, and end the stream."""

    def lay(answered: Answered) -> Outcome | None:
        begun = first_of(pieces_of(answered), after) if _is_streamed(answered) else None
        if begun is None:
            return None
        return framed(answered.response.headers, (*begun, _error_event(answered, len(begun))), answered.response)

    return lay


def _error_event(answered: Answered, number: int) -> bytes:
    """Return an error as it stands in a stream of this format."""
    name = answered.codec.name
    if name == "bedrock" or b"\0" in answered.response.body[:4]:
        return _exception_frame()
    if name == "anthropic":
        body = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
        return encode_event(json.dumps(body), "error")
    if name == "openai_responses":
        error = {"type": "error", "code": "server_error", "message": _MESSAGE, "param": None, "sequence_number": number}
        return encode_event(json.dumps(error), "error")
    if name == "cohere":
        end = {"error": _MESSAGE, "finish_reason": "ERROR"}
        return encode_event(json.dumps({"type": "message-end", "delta": end}), "message-end")
    if name == "ollama":
        return json.dumps({"error": _MESSAGE}).encode() + b"\n"
    refusal: Any = json.loads(b"".join(answered.codec.encode_error(answered.call, 503, _MESSAGE).chunks))
    text = json.dumps(
        refusal[0] if isinstance(refusal, list) else refusal
    )  # an array is what Gemini streams without SSE
    return encode_event(text) if is_stream(answered.response.headers) else f",\n{text}]".encode()


def _exception_frame() -> bytes:
    headers = {
        ":message-type": "exception",
        ":exception-type": "modelStreamErrorException",
        ":content-type": "application/json",
    }
    return encode_frame(headers, json.dumps({"message": _MESSAGE, "originalStatusCode": 500}).encode())
