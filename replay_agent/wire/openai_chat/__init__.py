"""The chat completions format of OpenAI (platform.openai.com/docs/api-reference/chat), which most providers speak.

What a provider does differently is a row in `chat_dialects`. Normal form, where the format cannot say what our
vocabulary can: adjacent user, tool and system messages are one request; texts of one answer are joined by a blank line;
an answer's parts come as reasoning, the provider's own tools, text, calls, files, unknown fields; a return that ends
with the invitation to fix errors is a retry.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import ClassVar

from replay_agent.calls import Answer, ModelCall
from replay_agent.messages import ModelResponse
from replay_agent.traffic import Headers
from replay_agent.wire.codec import Asked, Codec, EncodedAnswer, EncodedCall, unchanged_source
from replay_agent.wire.openai_chat.answers import read_refusal
from replay_agent.wire.openai_chat.calls import read_call, write_call
from replay_agent.wire.openai_chat.dialects import Dialect, dialect_named, dialect_of
from replay_agent.wire.openai_chat.stream import ChatStream
from replay_agent.wire.openai_chat.written import write_answer, write_refusal
from replay_agent.wire.shapes.json_text import Fields, dump_json

__all__ = "OpenAIChat", "codec"

_PATH = "/chat/completions"


class OpenAIChat(Codec):
    """Chat completions; the dialect is the call's, by its ``dialect``."""

    name: ClassVar[str] = "openai_chat"
    home: ClassVar[str] = _PATH
    least: ClassVar[Mapping[str, object]] = {"messages": []}
    paths: ClassVar[tuple[str, ...]] = (_PATH,)
    """How the paths of its requests end."""

    def serves(self, asked: Asked) -> bool:
        """Tell whether an address ends as those of chat completions do."""
        return asked.path.lower().endswith(self.paths)

    def claims(self, asked: Asked) -> bool:
        """Tell whether this is a chat completion: by the end of its path and the messages in its body."""
        return self.serves(asked) and isinstance(asked.fields.get("messages"), list)

    def encode_call(self, call: ModelCall) -> EncodedCall:
        """Write a call; raises `AssertionError` and `NotImplementedError` as `write_call` does."""
        body = unchanged_source(call, partial(self._read_again, call))
        return EncodedCall(_PATH, body or dump_json(write_call(call, self._dialect(call))).encode())

    def read_call(self, asked: Asked) -> ModelCall:
        """Read a client's request."""
        call = read_call(asked.fields, self._dialect_of(asked.request.url, asked.fields), self.name)
        if call.model is None:
            call.model = _deployment(asked.path)
        return call

    def decode_refusal(self, call: ModelCall | None, status: int, body: bytes) -> Answer:
        """Read an answer with a status of 400 or above; two of them hold what the model wrote besides."""
        return read_refusal(call, status, body)

    def stream_decoder(self, call: ModelCall | None, headers: Headers) -> ChatStream:  # noqa: ARG002
        """Return a decoder for one answer; one that is no stream is read when it is closed."""
        return ChatStream(call, self._dialect(call))

    def encode_answer(self, call: ModelCall, answer: ModelResponse) -> EncodedAnswer:
        """Write an answer: a completion, or the chunks of one."""
        return write_answer(call, answer, self._dialect(call))

    def encode_error(self, call: ModelCall | None, status: int, message: str) -> EncodedAnswer:
        """Write a refusal, in the shape of the call's provider."""
        return write_refusal(status, message, self._dialect(call))

    def _dialect(self, call: ModelCall | None) -> Dialect:
        return dialect_named(call.dialect if call else None)

    def _dialect_of(self, url: str, body: Fields) -> Dialect:
        return dialect_named(dialect_of(url, body))

    def _read_again(self, call: ModelCall, body: Fields) -> ModelCall:
        again = read_call(body, self._dialect(call), self.name)
        again.model = again.model or call.model
        return again


def _deployment(path: str) -> str | None:
    """Return the model that Azure's addresses name."""
    _, found, after = path.partition("/deployments/")
    return after.partition("/")[0] or None if found else None


codec = OpenAIChat()
