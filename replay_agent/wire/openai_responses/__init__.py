"""OpenAI's Responses API: its calls and answers, read and written.

Source: https://platform.openai.com/docs/api-reference/responses. Azure, Amazon Bedrock, OpenRouter, DeepSeek and
gateways carry the same bodies under paths that end in ``/responses``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from replay_agent.calls import ModelCall
from replay_agent.messages import ModelResponse
from replay_agent.traffic import Headers
from replay_agent.wire.codec import Asked, Codec, EncodedAnswer, EncodedCall, StreamDecoder, unchanged_source
from replay_agent.wire.openai_responses.calls import read_call, write_call
from replay_agent.wire.openai_responses.stream import ResponsesStream
from replay_agent.wire.openai_responses.written import stream_of, write_error, write_response
from replay_agent.wire.shapes.json_text import write_json

__all__ = "OpenAIResponses", "codec"

_FORMAT = "openai_responses"

_ASKING = ("input", "prompt", "previous_response_id", "conversation")
"""A body with none of these asks for nothing."""
_JSON = (("content-type", "application/json"),)
_EVENTS = (("content-type", "text/event-stream; charset=utf-8"), ("cache-control", "no-cache"))


class OpenAIResponses(Codec):
    """The codec of OpenAI's Responses API."""

    name = "openai_responses"
    home: ClassVar[str] = "/responses"
    least: ClassVar[Mapping[str, object]] = {"input": []}

    def serves(self, asked: Asked) -> bool:
        """Tell whether an address ends as those of the Responses API do."""
        return asked.path.endswith("/responses")

    def claims(self, asked: Asked) -> bool:
        """Tell whether this is a call of the Responses API: by the end of its path and what its body asks."""
        return self.serves(asked) and any(asked.fields.get(key) is not None for key in _ASKING)

    def encode_call(self, call: ModelCall) -> EncodedCall:
        """Write a call. `UserError` for content that the format has no place for."""
        return EncodedCall("/responses", unchanged_source(call, read_call) or write_json(write_call(call)))

    def read_call(self, asked: Asked) -> ModelCall:
        """Read a client's request."""
        return read_call(asked.fields)

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
