"""Amazon Bedrock's Converse and ConverseStream, as the AWS SDKs put them on the wire.

Source of the format: the service model ``bedrock-runtime`` of botocore. A streamed answer consists of event stream
frames, one JSON event each.
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote, urlsplit

from replay_agent.calls import Answer, ModelCall
from replay_agent.exceptions import WireError
from replay_agent.messages import ModelResponse
from replay_agent.traffic import Headers, Request, header
from replay_agent.wire.bedrock.answers import ERRORS
from replay_agent.wire.bedrock.calls import read_call, write_call
from replay_agent.wire.bedrock.content import write_response_block
from replay_agent.wire.bedrock.stream import BedrockStream
from replay_agent.wire.bedrock.written import write_answer, write_frames
from replay_agent.wire.codec import EncodedAnswer, EncodedCall
from replay_agent.wire.shapes.call_ids import CallIds
from replay_agent.wire.shapes.json_text import write_json
from replay_agent.wire.shapes.made_up import made_up_id
from replay_agent.wire.shapes.refusals import refusal

__all__ = "Bedrock", "codec"

_FORMAT = "bedrock"

_ADDRESS = re.compile(r"/model/(?P<model>.+)/converse(?P<stream>-stream)?/?$")
_EVENT_STREAM = "application/vnd.amazon.eventstream"


class Bedrock:
    """Converse and ConverseStream. The model is in the address; extras are the fields of the body.

    Two requests in a row, or two answers without a request between them, are not told apart on the wire: consecutive
    user messages are read as one request. Settings of 0 are sent.
    """

    name = _FORMAT

    def claims(self, request: Request) -> bool:
        """Tell whether this is a Converse call."""
        return (
            request.method.upper() == "POST"
            and _ADDRESS.search(urlsplit(request.url).path) is not None
            and request.body.lstrip()[:1] == b"{"
        )

    def encode_call(self, call: ModelCall) -> EncodedCall:
        """Write a call as boto3 would; the path belongs to ``https://bedrock-runtime.<region>.amazonaws.com``.

        Raises `NotImplementedError` for media that Converse does not take.
        """
        verb = "converse-stream" if call.stream else "converse"
        path = f"/model/{quote(call.model or '', safe='')}/{verb}"
        source = call.source
        if source is not None and read_call(source, call.model, stream=call.stream) == call:
            return EncodedCall(path, source)
        return EncodedCall(path, write_json(write_call(call)))

    def decode_call(self, request: Request) -> ModelCall:
        """Read a call."""
        address = _ADDRESS.search(urlsplit(request.url).path)
        model = unquote(address["model"]) if address else None
        stream = bool(address and address["stream"])
        return read_call(request.body, model, stream=stream).read_from(request.body)

    def decode_answer(self, call: ModelCall | None, status: int, headers: Headers, body: bytes) -> Answer:
        """Read an answer: frames, JSON, or an error. A stream that ends within a frame is a `WireError`."""
        if status >= 400:
            return Answer(error=refusal(status, body))
        is_stream = bool(call and call.stream) or header(headers, "content-type") == _EVENT_STREAM
        if not body.strip() and not is_stream:
            raise WireError("the answer is empty", _FORMAT)
        decoder = self.stream_decoder(call, headers)
        decoder.feed(body)
        decoder.close()
        return decoder.answer

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
            return EncodedAnswer(200, headers, tuple(write_frames(blocks, answer)))
        headers = (("content-type", "application/json"), ("x-amzn-requestid", response_id))
        return EncodedAnswer(200, headers, (write_json(write_answer(blocks, answer)),))

    def encode_error(self, call: ModelCall | None, status: int, message: str) -> EncodedAnswer:  # noqa: ARG002
        """Write a refusal; the AWS SDKs raise the exception that its header names."""
        name = ERRORS.get(status, "InternalServerException" if status >= 500 else "ValidationException")
        headers = (("content-type", "application/json"), ("x-amzn-errortype", name))
        return EncodedAnswer(status, headers, (write_json({"message": message}),))


codec = Bedrock()
