"""Cohere's chat, version 2 (``/v2/chat``), with its stream of server-sent events.

Source of the format: https://docs.cohere.com/v2/reference/chat and ``chat-stream``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from replay_agent.calls import ModelCall
from replay_agent.messages import ModelResponse
from replay_agent.traffic import Headers
from replay_agent.wire.codec import Asked, Codec, EncodedAnswer, EncodedCall, unchanged_source
from replay_agent.wire.cohere.calls import read_call, write_call
from replay_agent.wire.cohere.content import write_message
from replay_agent.wire.cohere.stream import CohereStream
from replay_agent.wire.cohere.written import write_end, write_events
from replay_agent.wire.shapes.call_ids import CallIds
from replay_agent.wire.shapes.json_text import write_json
from replay_agent.wire.shapes.made_up import made_up_id

__all__ = "Cohere", "codec"

_FORMAT = "cohere"


class Cohere(Codec):
    """Version 2 of Cohere's chat. Extras are the fields of the body.

    What the wire does not tell reads as follows: messages between two answers are one request; a retry without a tool
    is a prompt; the texts of an answer in the history are one text; a tool choice of ``auto`` is not written.
    """

    name = "cohere"
    home: ClassVar[str] = "/v2/chat"
    least: ClassVar[Mapping[str, object]] = {"messages": []}

    def serves(self, asked: Asked) -> bool:
        """Tell whether an address is the one of the second version's chat."""
        return asked.path.endswith("/v2/chat")

    def claims(self, asked: Asked) -> bool:
        """Tell whether this is a call of ``/v2/chat``."""
        return self.serves(asked) and isinstance(asked.fields.get("messages"), list)

    def encode_call(self, call: ModelCall) -> EncodedCall:
        """Write a call. Raises `RuntimeError` for a prompt that is not all text."""
        return EncodedCall("/v2/chat", unchanged_source(call, read_call) or write_json(write_call(call)))

    def read_call(self, asked: Asked) -> ModelCall:
        """Read a call."""
        return read_call(asked.fields)

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
