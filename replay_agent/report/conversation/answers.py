"""What a recorded outcome says as an answer of a model: whole, cut off, refused, or a failure of the connection."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from replay_agent.calls import Answer, AnswerError, ModelCall
from replay_agent.exceptions import WireError
from replay_agent.framing.content_encoding import decode
from replay_agent.traffic import Failure, Outcome, Phase, Response, StreamEnd
from replay_agent.wire.codec import Codec

__all__ = "REFUSED", "failure_text", "read_answer"

REFUSED = 400
"""The least status of an answer that says no."""
_PHASES = {
    Phase.CONNECT: "while connecting",
    Phase.SEND: "while the request was sent",
    Phase.HEAD: "before an answer came",
    Phase.BODY: "in the middle of the answer",
}


def read_answer(codec: Codec, call: ModelCall, outcome: Outcome) -> tuple[Answer, bool]:
    """Return the answer, and whether it is only a part of one. Raises `WireError` for what is none of that format."""
    if isinstance(outcome, Failure):
        return Answer(error=AnswerError(None, failure_text(outcome))), False
    answer, partial = _body_answer(codec, call, outcome)
    if outcome.failure is not None and answer.error is None:
        answer = replace(answer, error=AnswerError(None, failure_text(outcome.failure)))
    return answer, partial


def _body_answer(codec: Codec, call: ModelCall, response: Response) -> tuple[Answer, bool]:
    body = decode(response.headers, response.body, partial=response.end is not StreamEnd.COMPLETE)
    if call.stream and response.status < REFUSED:
        decoder = codec.stream_decoder(call, response.headers)
        decoder.feed(body)
        # A stream that was cut off may end anywhere.
        with suppress(*() if response.end is StreamEnd.COMPLETE else (WireError,)):
            decoder.close()
        return decoder.answer, not decoder.finished
    try:
        return codec.decode_answer(call, response.status, response.headers, body), False
    except WireError:
        if response.end is StreamEnd.COMPLETE:
            raise
        return Answer(), True


def failure_text(failure: Failure) -> str:
    """Say how an exchange failed: the kind of error, when, and its own words."""
    said = f": {failure.message}" if failure.message else ""
    return f"{failure.kind} {_PHASES[failure.phase]}{said}"
