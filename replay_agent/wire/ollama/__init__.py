"""Ollama's own chat (``/api/chat``), whose stream is one JSON object a line.

Source of the format: https://docs.ollama.com/api/chat.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from replay_agent.calls import ModelCall
from replay_agent.messages import ModelResponse
from replay_agent.traffic import Headers
from replay_agent.wire.codec import Asked, Codec, EncodedAnswer, EncodedCall, unchanged_source
from replay_agent.wire.ollama.calls import read_call, write_call
from replay_agent.wire.ollama.content import write_message
from replay_agent.wire.ollama.stream import OllamaStream
from replay_agent.wire.ollama.written import message_pieces, write_end
from replay_agent.wire.shapes.json_text import write_json
from replay_agent.wire.shapes.scalars import write_timestamp

__all__ = "Ollama", "codec"

_FORMAT = "ollama"


class Ollama(Codec):
    """Ollama's own format. Extras are the fields of the body; a call streams unless its body says otherwise.

    What the wire does not tell reads as follows: messages between two answers are one request; the texts of a prompt
    are one text, with its images behind it; a retry without a tool is a prompt; thoughts stand before the text, calls
    behind it; signatures of thoughts are lost, and so is why a model stopped unless it was for its length.
    """

    name = "ollama"
    home: ClassVar[str] = "/api/chat"
    least: ClassVar[Mapping[str, object]] = {"messages": []}

    def serves(self, asked: Asked) -> bool:
        """Tell whether an address ends as the one of the chat does."""
        return asked.path.endswith("/api/chat")

    def claims(self, asked: Asked) -> bool:
        """Tell whether this is a call of ``/api/chat``; other services with that path name no model."""
        fields = asked.fields
        return self.serves(asked) and isinstance(fields.get("model"), str) and isinstance(fields.get("messages"), list)

    def encode_call(self, call: ModelCall) -> EncodedCall:
        """Write a call. Raises `NotImplementedError` for media other than inline images."""
        return EncodedCall("/api/chat", unchanged_source(call, read_call) or write_json(write_call(call)))

    def read_call(self, asked: Asked) -> ModelCall:
        """Read a call."""
        return read_call(asked.fields)

    def stream_decoder(self, call: ModelCall | None, headers: Headers) -> OllamaStream:  # noqa: ARG002
        """Return a decoder for one answer, streamed or not."""
        return OllamaStream(call.model if call else None)

    def encode_answer(self, call: ModelCall, answer: ModelResponse) -> EncodedAnswer:
        """Write an answer; its time is the one of the answer."""
        head = {"model": answer.model_name or call.model or "", "created_at": write_timestamp(answer.timestamp)}
        message = write_message(answer.parts)
        end = write_end(answer)
        if not call.stream:
            body = write_json({**head, "message": message, **end})
            return EncodedAnswer(200, (("content-type", "application/json; charset=utf-8"),), (body,))
        written = [{**head, "message": piece, "done": False} for piece in message_pieces(message)]
        written.append({**head, "message": {"role": "assistant", "content": ""}, **end})
        lines = tuple(write_json(line) + b"\n" for line in written)
        return EncodedAnswer(200, (("content-type", "application/x-ndjson"),), lines)

    def encode_error(self, call: ModelCall | None, status: int, message: str) -> EncodedAnswer:  # noqa: ARG002
        """Write a refusal."""
        headers = (("content-type", "application/json; charset=utf-8"),)
        return EncodedAnswer(status, headers, (write_json({"error": message}),))


codec = Ollama()
