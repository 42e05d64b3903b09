"""Ollama's own chat (``/api/chat``), whose stream is one JSON object a line.

Source of the format: https://docs.ollama.com/api/chat.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from replay_agent.calls import Answer, ModelCall
from replay_agent.exceptions import WireError
from replay_agent.messages import ModelResponse
from replay_agent.traffic import Headers, Request
from replay_agent.wire.codec import EncodedAnswer, EncodedCall
from replay_agent.wire.ollama.calls import read_call, write_call
from replay_agent.wire.ollama.content import write_message
from replay_agent.wire.ollama.stream import OllamaStream
from replay_agent.wire.ollama.written import message_pieces, write_end
from replay_agent.wire.shapes.json_text import read_object, write_json
from replay_agent.wire.shapes.refusals import refusal
from replay_agent.wire.shapes.scalars import write_timestamp

__all__ = "Ollama", "codec"

_FORMAT = "ollama"


class Ollama:
    """Ollama's own format. Extras are the fields of the body; a call streams unless its body says otherwise.

    What the wire does not tell reads as follows: messages between two answers are one request; the texts of a prompt
    are one text, with its images behind it; a retry without a tool is a prompt; thoughts stand before the text, calls
    behind it; signatures of thoughts are lost, and so is why a model stopped unless it was for its length.
    """

    name = _FORMAT

    def claims(self, request: Request) -> bool:
        """Tell whether this is a call of ``/api/chat``; other services with that path name no model."""
        path = urlsplit(request.url).path.rstrip("/")
        if request.method.upper() != "POST" or not path.endswith("/api/chat"):
            return False
        try:
            body = read_object(request.body, _FORMAT)
        except WireError:
            return False
        return isinstance(body.get("model"), str) and isinstance(body.get("messages"), list)

    def encode_call(self, call: ModelCall) -> EncodedCall:
        """Write a call. Raises `NotImplementedError` for media other than inline images."""
        source = call.source
        if source is None or read_call(source) != call:
            source = write_json(write_call(call))
        return EncodedCall("/api/chat", source)

    def decode_call(self, request: Request) -> ModelCall:
        """Read a call."""
        return read_call(request.body).read_from(request.body)

    def decode_answer(self, call: ModelCall | None, status: int, headers: Headers, body: bytes) -> Answer:
        """Read an answer: one JSON object, one a line, or an error."""
        if status >= 400:
            return Answer(error=refusal(status, body))
        if not body.strip() and not (call and call.stream):
            raise WireError("the answer is empty", _FORMAT)
        decoder = self.stream_decoder(call, headers)
        decoder.feed(body)
        decoder.close()
        return decoder.answer

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
