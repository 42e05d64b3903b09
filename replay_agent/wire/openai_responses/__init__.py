"""OpenAI's Responses API: its calls and answers, read and written.

Source: https://platform.openai.com/docs/api-reference/responses. Azure, Amazon Bedrock, OpenRouter, DeepSeek and
gateways carry the same bodies under paths that end in ``/responses``.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from replay_agent.calls import Answer, ModelCall
from replay_agent.exceptions import WireError
from replay_agent.messages import ModelResponse
from replay_agent.traffic import Headers, Request
from replay_agent.wire.codec import EncodedAnswer, EncodedCall, StreamDecoder
from replay_agent.wire.openai_responses.calls import read_call, write_call
from replay_agent.wire.openai_responses.stream import ResponsesStream
from replay_agent.wire.openai_responses.written import stream_of, write_error, write_response
from replay_agent.wire.shapes.json_text import read_object, write_json
from replay_agent.wire.shapes.refusals import refusal

__all__ = "OpenAIResponses", "codec"

_FORMAT = "openai_responses"

_ASKING = ("input", "prompt", "previous_response_id", "conversation")
"""A body with none of these asks for nothing."""
_JSON = (("content-type", "application/json"),)
_EVENTS = (("content-type", "text/event-stream; charset=utf-8"), ("cache-control", "no-cache"))


class OpenAIResponses:
    """The codec of OpenAI's Responses API."""

    name = _FORMAT

    def claims(self, request: Request) -> bool:
        """Tell whether this is a call of the Responses API: by the end of its path and what its body asks."""
        if request.method != "POST" or not urlsplit(request.url).path.endswith("/responses"):
            return False
        try:
            body = read_object(request.body, _FORMAT)
        except WireError:
            return False
        return any(body.get(key) is not None for key in _ASKING)

    def encode_call(self, call: ModelCall) -> EncodedCall:
        """Write a call. `UserError` for content that the format has no place for."""
        unchanged = call.source is not None and read_call(read_object(call.source, _FORMAT)) == call
        return EncodedCall("/responses", call.source if unchanged and call.source else write_json(write_call(call)))

    def decode_call(self, request: Request) -> ModelCall:
        """Read a client's request."""
        return read_call(read_object(request.body, _FORMAT)).read_from(request.body)

    def decode_answer(self, call: ModelCall | None, status: int, headers: Headers, body: bytes) -> Answer:
        """Read a whole answer."""
        if status >= 400:
            return Answer(error=refusal(status, body))
        if not body and not (call and call.stream):
            raise WireError("the answer is empty", _FORMAT)
        decoder = self.stream_decoder(call, headers)
        decoder.feed(body)
        decoder.close()
        return decoder.answer

    def stream_decoder(self, call: ModelCall | None, headers: Headers) -> StreamDecoder:  # noqa: ARG002
        """Return a decoder for one answer; one that is no stream is read when it is closed."""
        return ResponsesStream()

    def encode_answer(self, call: ModelCall, answer: ModelResponse) -> EncodedAnswer:
        """Write an answer: a response object, or the events of one."""
        response = write_response(call, answer)
        if call.stream:
            return EncodedAnswer(200, _EVENTS, stream_of(response))
        return EncodedAnswer(200, _JSON, (write_json(response),))

    def encode_error(self, call: ModelCall | None, status: int, message: str) -> EncodedAnswer:  # noqa: ARG002
        """Write a refusal."""
        return EncodedAnswer(status, _JSON, (write_json(write_error(status, message)),))


codec = OpenAIResponses()
