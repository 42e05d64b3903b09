"""The chat completions format of OpenAI (platform.openai.com/docs/api-reference/chat), which most providers speak.

What a provider does differently is a row in `chat_dialects`. Normal form, where the format cannot say what our
vocabulary can: adjacent user, tool and system messages are one request; texts of one answer are joined by a blank line;
an answer's parts come as reasoning, the provider's own tools, text, calls, files, unknown fields; a return that ends
with the invitation to fix errors is a retry.
"""

from __future__ import annotations

from replay_agent.calls import Answer, ModelCall
from replay_agent.exceptions import WireError
from replay_agent.messages import ModelResponse
from replay_agent.traffic import Headers, Request
from replay_agent.wire.codec import EncodedAnswer, EncodedCall
from replay_agent.wire.openai_chat.answers import read_refusal
from replay_agent.wire.openai_chat.calls import read_call, write_call
from replay_agent.wire.openai_chat.dialects import Dialect, dialect_named, dialect_of, host_and_path
from replay_agent.wire.openai_chat.stream import ChatStream
from replay_agent.wire.openai_chat.written import write_answer, write_refusal
from replay_agent.wire.shapes.json_text import Fields, dump_json, load_fields

__all__ = "OpenAIChat", "codec"

_PATH = "/chat/completions"
_REFUSED = 400


class OpenAIChat:
    """Chat completions; the dialect is the call's, by its ``dialect``."""

    name = "openai_chat"
    paths: tuple[str, ...] = (_PATH,)
    """How the paths of its requests end."""

    def claims(self, request: Request) -> bool:
        body = self._body(request)
        return body is not None and isinstance(body.get("messages"), list)

    def encode_call(self, call: ModelCall) -> EncodedCall:
        """Write a call; raises `AssertionError` and `NotImplementedError` as `chat_calls.write_call` does."""
        return EncodedCall(_PATH, self._source(call) or dump_json(write_call(call, self._dialect(call))).encode())

    def decode_call(self, request: Request) -> ModelCall:
        body = load_fields(request.body, self.name)
        dialect = self._dialect_of(request.url, body)
        call = read_call(body, dialect, self.name)
        if call.model is None:
            call.model = _deployment(request.url)
        return call.read_from(request.body)

    def decode_answer(self, call: ModelCall | None, status: int, headers: Headers, body: bytes) -> Answer:
        if status >= _REFUSED:
            return read_refusal(call, status, body)
        stream = self.stream_decoder(call, headers)
        stream.feed(body)
        stream.close()
        if stream.answer.response is None and stream.answer.error is None:
            raise WireError("an empty answer", self.name)
        return stream.answer

    def stream_decoder(self, call: ModelCall | None, headers: Headers) -> ChatStream:  # noqa: ARG002
        return ChatStream(call, self._dialect(call))

    def encode_answer(self, call: ModelCall, answer: ModelResponse) -> EncodedAnswer:
        return write_answer(call, answer, self._dialect(call))

    def encode_error(self, call: ModelCall | None, status: int, message: str) -> EncodedAnswer:
        return write_refusal(status, message, self._dialect(call))

    def _dialect(self, call: ModelCall | None) -> Dialect:
        return dialect_named(call.dialect if call else None)

    def _dialect_of(self, url: str, body: Fields) -> Dialect:
        return dialect_named(dialect_of(url, body))

    def _body(self, request: Request) -> Fields | None:
        """Return the JSON object of a request to one of the format's paths, None for any other request."""
        path = host_and_path(request.url)[1].rstrip("/").lower()
        if request.method.upper() != "POST" or not path.endswith(self.paths):
            return None
        try:
            return load_fields(request.body, self.name)
        except WireError:
            return None

    def _source(self, call: ModelCall) -> bytes | None:
        """Return the body that the call was read from, if the call still means what it says."""
        if call.source is None:
            return None
        again = read_call(load_fields(call.source, self.name), self._dialect(call), self.name)
        again.model = again.model or call.model
        return call.source if again == call else None


def _deployment(url: str) -> str | None:
    """Return the model that Azure's addresses name."""
    _, found, after = host_and_path(url)[1].partition("/deployments/")
    return after.partition("/")[0] or None if found else None


codec = OpenAIChat()
