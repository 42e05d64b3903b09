"""Anthropic's Messages API: its calls and answers, read and written.

Source: https://docs.anthropic.com/en/api/messages. Amazon Bedrock and Google Vertex AI carry the same bodies with the
model in the address (``:rawPredict``, ``/invoke``); gateways carry them under paths that end in ``/messages``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import ClassVar
from urllib.parse import unquote

from replay_agent.calls import ModelCall
from replay_agent.messages import ModelResponse
from replay_agent.traffic import Headers
from replay_agent.wire.anthropic.calls import read_call, write_call
from replay_agent.wire.anthropic.stream import AnthropicStream
from replay_agent.wire.anthropic.written import stream_of, write_error, write_message
from replay_agent.wire.codec import Asked, Codec, EncodedAnswer, EncodedCall, StreamDecoder, unchanged_source
from replay_agent.wire.shapes.framed_events import FRAMES
from replay_agent.wire.shapes.json_text import Fields, write_json

__all__ = "Anthropic", "codec"

_MODEL_IN_PATH = re.compile(
    r"/models/([^/:]+):(?:stream)?[rR]awPredict$|/model/([^/]+)/invoke(?:-with-response-stream)?$"
)
_STREAMING_PATH = re.compile(r":streamRawPredict$|/invoke-with-response-stream$")
_BEDROCK = "bedrock"
"""The dialect whose streams come in frames."""
_NO_CALLS = re.compile(r"count[-_]tokens")


class Anthropic(Codec):
    """The codec of Anthropic's Messages API."""

    name = "anthropic"
    home: ClassVar[str] = "/v1/messages"
    least: ClassVar[Mapping[str, object]] = {"messages": []}

    def serves(self, asked: Asked) -> bool:
        """Tell whether an address takes messages: by its end, or by the model that it names."""
        ours = asked.path.endswith("/messages") or "/publishers/anthropic/" in asked.path or _names_claude(asked.path)
        return ours and not _NO_CALLS.search(asked.path)

    def claims(self, asked: Asked) -> bool:
        """Tell whether this is a Messages call: by the end of its path and the messages in its body."""
        in_path = _MODEL_IN_PATH.search(asked.path) is not None
        if _NO_CALLS.search(asked.path) or not (in_path or asked.path.endswith("/messages")):
            return False
        ours = not in_path or "anthropic_version" in asked.fields or "/publishers/anthropic/" in asked.path
        return ours and isinstance(asked.fields.get("messages"), list)

    def encode_call(self, call: ModelCall) -> EncodedCall:
        """Write a call. `UserError` for content that the format has no block for."""
        return EncodedCall(
            "/v1/messages", unchanged_source(call, partial(_read_again, call)) or write_json(write_call(call))
        )

    def read_call(self, asked: Asked) -> ModelCall:
        """Read a client's request."""
        in_path = _MODEL_IN_PATH.search(asked.path)
        model = unquote(in_path[1] or in_path[2]) if in_path else None
        call = read_call(asked.fields, model, stream=_STREAMING_PATH.search(asked.path) is not None)
        call.dialect = _BEDROCK if in_path and in_path[2] else None
        return call

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


def _names_claude(path: str) -> bool:
    in_path = _MODEL_IN_PATH.search(path)
    return in_path is not None and "anthropic" in unquote(in_path[2] or "")


def _read_again(call: ModelCall, body: Fields) -> ModelCall:
    in_path = "model" not in body
    return read_call(body, call.model if in_path else None, stream=in_path and call.stream)


codec = Anthropic()
