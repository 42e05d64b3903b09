"""Anthropic's Messages API: its calls and answers, read and written.

Source: https://docs.anthropic.com/en/api/messages. Amazon Bedrock and Google Vertex AI carry the same bodies with the
model in the address (``:rawPredict``, ``/invoke``); gateways carry them under paths that end in ``/messages``.
"""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from replay_agent.calls import Answer, ModelCall
from replay_agent.exceptions import WireError
from replay_agent.messages import ModelResponse
from replay_agent.traffic import Headers, Request
from replay_agent.wire.anthropic.calls import read_call, write_call
from replay_agent.wire.anthropic.stream import AnthropicStream
from replay_agent.wire.anthropic.written import stream_of, write_error, write_message
from replay_agent.wire.codec import EncodedAnswer, EncodedCall, StreamDecoder
from replay_agent.wire.shapes.framed_events import FRAMES
from replay_agent.wire.shapes.json_text import read_object, write_json
from replay_agent.wire.shapes.refusals import refusal

__all__ = "Anthropic", "codec"

_FORMAT = "anthropic"

_MODEL_IN_PATH = re.compile(
    r"/models/([^/:]+):(?:stream)?[rR]awPredict$|/model/([^/]+)/invoke(?:-with-response-stream)?$"
)
_STREAMING_PATH = re.compile(r":streamRawPredict$|/invoke-with-response-stream$")
_BEDROCK = "bedrock"
"""The dialect whose streams come in frames."""
_NO_CALLS = re.compile(r"count[-_]tokens")


class Anthropic:
    """The codec of Anthropic's Messages API."""

    name = _FORMAT

    def claims(self, request: Request) -> bool:
        """Tell whether this is a Messages call: by the end of its path and the messages in its body."""
        path = urlsplit(request.url).path
        if request.method != "POST" or _NO_CALLS.search(path):
            return False
        in_path = _MODEL_IN_PATH.search(path) is not None
        if not in_path and not path.endswith("/messages"):
            return False
        try:
            body = read_object(request.body, _FORMAT)
        except WireError:
            return False
        ours = not in_path or "anthropic_version" in body or "/publishers/anthropic/" in path
        return ours and isinstance(body.get("messages"), list)

    def encode_call(self, call: ModelCall) -> EncodedCall:
        """Write a call. `UserError` for content that the format has no block for."""
        return EncodedCall("/v1/messages", _unchanged_source(call) or write_json(write_call(call)))

    def decode_call(self, request: Request) -> ModelCall:
        """Read a client's request."""
        path = urlsplit(request.url).path
        in_path = _MODEL_IN_PATH.search(path)
        model = unquote(in_path[1] or in_path[2]) if in_path else None
        body = read_object(request.body, _FORMAT)
        call = read_call(body, model, stream=_STREAMING_PATH.search(path) is not None)
        call.dialect = _BEDROCK if in_path and in_path[2] else None
        return call.read_from(request.body)

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
        return AnthropicStream()

    def encode_answer(self, call: ModelCall, answer: ModelResponse) -> EncodedAnswer:
        """Write an answer: a message, or the events of one."""
        message = write_message(call, answer)
        if call.stream and call.dialect == _BEDROCK:
            return EncodedAnswer(200, (("content-type", FRAMES),), stream_of(message, framed=True))
        if call.stream:
            return EncodedAnswer(200, _EVENTS, stream_of(message))
        return EncodedAnswer(200, _JSON, (write_json(message),))

    def encode_error(self, call: ModelCall | None, status: int, message: str) -> EncodedAnswer:  # noqa: ARG002
        """Write a refusal."""
        return EncodedAnswer(status, _JSON, (write_json(write_error(status, message)),))


_JSON = (("content-type", "application/json"),)
_EVENTS = (("content-type", "text/event-stream; charset=utf-8"), ("cache-control", "no-cache"))
codec = Anthropic()

# --- calls ------------------------------------------------------------------------------------------------------------


def _unchanged_source(call: ModelCall) -> bytes | None:
    """Return the body that the call was read from, if the call still is what it was then."""
    if call.source is None:
        return None
    body = read_object(call.source, _FORMAT)
    in_path = "model" not in body
    read = read_call(body, call.model if in_path else None, stream=in_path and call.stream)
    return call.source if read == call else None
