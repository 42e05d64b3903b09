"""Cohere's chat, version 2 (``/v2/chat``), with its stream of server-sent events.

Source of the format: https://docs.cohere.com/v2/reference/chat and ``chat-stream``.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from replay_agent.calls import Answer, ModelCall
from replay_agent.exceptions import WireError
from replay_agent.messages import ModelResponse
from replay_agent.traffic import Headers, Request
from replay_agent.wire.codec import EncodedAnswer, EncodedCall
from replay_agent.wire.cohere.calls import read_call, write_call
from replay_agent.wire.cohere.content import write_message
from replay_agent.wire.cohere.stream import CohereStream
from replay_agent.wire.cohere.written import write_end, write_events
from replay_agent.wire.shapes.call_ids import CallIds
from replay_agent.wire.shapes.json_text import write_json
from replay_agent.wire.shapes.made_up import made_up_id
from replay_agent.wire.shapes.refusals import refusal

__all__ = "Cohere", "codec"

_FORMAT = "cohere"


class Cohere:
    """Version 2 of Cohere's chat. Extras are the fields of the body.

    What the wire does not tell reads as follows: messages between two answers are one request; a retry without a tool
    is a prompt; the texts of an answer in the history are one text; a tool choice of ``auto`` is not written.
    """

    name = _FORMAT

    def claims(self, request: Request) -> bool:
        """Tell whether this is a call of ``/v2/chat``."""
        return (
            request.method.upper() == "POST"
            and urlsplit(request.url).path.rstrip("/").endswith("/v2/chat")
            and request.body.lstrip()[:1] == b"{"
            and b'"messages"' in request.body
        )

    def encode_call(self, call: ModelCall) -> EncodedCall:
        """Write a call. Raises `RuntimeError` for a prompt that is not all text."""
        source = call.source
        if source is None or read_call(source) != call:
            source = write_json(write_call(call))
        return EncodedCall("/v2/chat", source)

    def decode_call(self, request: Request) -> ModelCall:
        """Read a call."""
        return read_call(request.body).read_from(request.body)

    def decode_answer(self, call: ModelCall | None, status: int, headers: Headers, body: bytes) -> Answer:
        """Read an answer: JSON, server-sent events, or an error."""
        if status >= 400:
            return Answer(error=refusal(status, body))
        if not body.strip() and not (call and call.stream):
            raise WireError("the answer is empty", _FORMAT)
        decoder = self.stream_decoder(call, headers)
        decoder.feed(body)
        decoder.close()
        return decoder.answer

    def stream_decoder(self, call: ModelCall | None, headers: Headers) -> CohereStream:  # noqa: ARG002
        """Return a decoder for one answer; it also reads JSON that comes in the place of events."""
        return CohereStream(call.model if call else None)

    def encode_answer(self, call: ModelCall, answer: ModelResponse) -> EncodedAnswer:
        """Write an answer. The model's name and the signatures of thoughts have no place in it."""
        message = write_message(answer.parts, CallIds.after(call.messages))
        response_id = answer.provider_response_id or made_up_id("", message, len(call.messages))
        if call.stream:
            events = (*write_events(response_id, message, answer), b"data: [DONE]\n\n")
            return EncodedAnswer(200, (("content-type", "text/event-stream"),), events)
        body = {"id": response_id, "message": message, **write_end(answer)}
        return EncodedAnswer(200, (("content-type", "application/json"),), (write_json(body),))

    def encode_error(self, call: ModelCall | None, status: int, message: str) -> EncodedAnswer:  # noqa: ARG002
        """Write a refusal."""
        body = {"id": made_up_id("", status, message), "message": message}
        return EncodedAnswer(status, (("content-type", "application/json"),), (write_json(body),))


codec = Cohere()
