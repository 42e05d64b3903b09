"""Amazon Bedrock's Converse and ConverseStream, as the AWS SDKs put them on the wire.

Source of the format: the service model ``bedrock-runtime`` of botocore. A streamed answer consists of event stream
frames, one JSON event each.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import ClassVar
from urllib.parse import quote, unquote

from replay_agent.calls import ModelCall
from replay_agent.messages import ModelResponse
from replay_agent.traffic import Headers, header
from replay_agent.wire.bedrock.answers import ERRORS
from replay_agent.wire.bedrock.calls import is_converse, read_call, write_call
from replay_agent.wire.bedrock.content import write_response_block
from replay_agent.wire.bedrock.stream import BedrockStream
from replay_agent.wire.bedrock.written import write_answer, write_events, write_frame
from replay_agent.wire.codec import Asked, Codec, EncodedAnswer, EncodedCall, unchanged_source
from replay_agent.wire.shapes.call_ids import CallIds
from replay_agent.wire.shapes.framed_events import write_framed
from replay_agent.wire.shapes.json_text import write_json
from replay_agent.wire.shapes.made_up import made_up_id

__all__ = "Bedrock", "codec"

_FORMAT = "bedrock"

_ADDRESS = re.compile(r"/model/(?P<model>.+)/converse(?P<stream>-stream)?/?$")
_INVOKED = re.compile(r"/model/(?P<model>[^/]+)/invoke(?P<stream>-with-response-stream)?/?$")
"""Where a model's own body is sent, which for Amazon Nova and others is Converse's."""
_INVOKE = "invoke"
"""The dialect of calls that go there; its streams are frames within frames."""
_EVENT_STREAM = "application/vnd.amazon.eventstream"


class Bedrock(Codec):
    """Converse and ConverseStream, and InvokeModel with the same bodies. The model is in the address; extras are the fields of the body.

    Two requests in a row, or two answers without a request between them, are not told apart on the wire: consecutive
    user messages are read as one request. Settings of 0 are sent.
    """

    name = "bedrock"
    home: ClassVar[str] = "/model/-/converse"
    least: ClassVar[Mapping[str, object]] = {"messages": []}

    def serves(self, asked: Asked) -> bool:
        """Tell whether an address is one of Converse, or one that may be sent the same."""
        return _address(asked) is not None

    def claims(self, asked: Asked) -> bool:
        """Tell whether this is a Converse call, or a body of one that invokes a model."""
        if _ADDRESS.search(asked.path):
            return isinstance(asked.fields.get("messages", []), list)
        return _INVOKED.search(asked.path) is not None and is_converse(asked.fields)

    def encode_call(self, call: ModelCall) -> EncodedCall:
        """Write a call as boto3 would; the path belongs to ``https://bedrock-runtime.<region>.amazonaws.com``.

        Raises `NotImplementedError` for media that Converse does not take.
        """
        verb = "converse-stream" if call.stream else "converse"
        if call.dialect == _INVOKE:
            verb = "invoke-with-response-stream" if call.stream else "invoke"
        path = f"/model/{quote(call.model or '', safe='')}/{verb}"
        read = partial(read_call, model=call.model, stream=call.stream)
        return EncodedCall(path, unchanged_source(call, read) or write_json(write_call(call)))

    def read_call(self, asked: Asked) -> ModelCall:
        """Read a call."""
        address = _address(asked)
        model = unquote(address["model"]) if address else None
        call = read_call(asked.fields, model, stream=bool(address and address["stream"]))
        call.dialect = _INVOKE if _INVOKED.search(asked.path) else None
        return call

    def stream_decoder(self, call: ModelCall | None, headers: Headers) -> BedrockStream:
        """Return a decoder for the frames of one answer; it also reads a JSON answer that comes in their place."""
        return BedrockStream(call.model if call else None, header(headers, "x-amzn-requestid"))

    def encode_answer(self, call: ModelCall, answer: ModelResponse) -> EncodedAnswer:
        """Write an answer. Streamed arguments of tool calls are read back as JSON text, others as a dict."""
        ids = CallIds.after(call.messages)
        blocks = [block for part in answer.parts if (block := write_response_block(part, ids)) is not None]
        response_id = answer.provider_response_id or made_up_id("req_", blocks, len(call.messages))
        if call.stream:
            headers = (("content-type", _EVENT_STREAM), ("x-amzn-requestid", response_id))
            events = write_events(blocks, answer)
            if call.dialect == _INVOKE:
                return EncodedAnswer(200, headers, write_framed({name: payload} for name, payload in events))
            return EncodedAnswer(200, headers, tuple(write_frame(name, payload) for name, payload in events))
        headers = (("content-type", "application/json"), ("x-amzn-requestid", response_id))
        return EncodedAnswer(200, headers, (write_json(write_answer(blocks, answer)),))

    def encode_error(self, call: ModelCall | None, status: int, message: str) -> EncodedAnswer:  # noqa: ARG002
        """Write a refusal; the AWS SDKs raise the exception that its header names."""
        name = ERRORS.get(status, "InternalServerException" if status >= 500 else "ValidationException")
        headers = (("content-type", "application/json"), ("x-amzn-errortype", name))
        return EncodedAnswer(status, headers, (write_json({"message": message}),))


def _address(asked: Asked) -> re.Match[str] | None:
    return _ADDRESS.search(asked.path) or _INVOKED.search(asked.path)


codec = Bedrock()
