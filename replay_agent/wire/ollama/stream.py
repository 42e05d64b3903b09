"""Ollama's answers, read as they arrive: one JSON object, or one a line."""

from __future__ import annotations

from replay_agent.calls import Answer, AnswerError
from replay_agent.exceptions import WireError
from replay_agent.messages import (
    NO_TIMESTAMP,
    ModelResponse,
    ModelResponsePart,
    ModelResponseStreamEvent,
    TextPart,
    ThinkingPart,
)
from replay_agent.usage import Usage
from replay_agent.wire.ollama.answers import FINISH_REASONS, read_usage
from replay_agent.wire.ollama.content import read_message
from replay_agent.wire.shapes.json_elements import JSONElements
from replay_agent.wire.shapes.json_text import Fields, read_json
from replay_agent.wire.shapes.refusals import error_in, refusal
from replay_agent.wire.shapes.scalars import read_timestamp, text_of
from replay_agent.wire.shapes.streamed_parts import StreamedParts

__all__ = ("OllamaStream",)

_FORMAT = "ollama"


class OllamaStream:
    """Reads the objects of an answer as they come."""

    def __init__(self, model: str | None) -> None:
        self._elements = JSONElements(_FORMAT)
        self._document: list[bytes] | None = None
        self._started = False
        self._taken = 0
        self._parts = StreamedParts()
        self._model = model
        self._timestamp = NO_TIMESTAMP
        self._usage: Usage | None = None
        self._reason: str | None = None
        self._is_done = False
        self._error: AnswerError | None = None

    def feed(self, data: bytes) -> list[ModelResponseStreamEvent]:
        """Take the next bytes and return the events that they completed. Raises `WireError` for what is no JSON."""
        if not self._started:
            data = data.lstrip(b" \t\r\n\xef\xbb\xbf")
            if not data:
                return []
            self._started = True
            self._document = None if data[:1] == b"{" else []  # a page of HTML or a plain text, of a proxy say
        if self._document is not None:
            self._document.append(data)
            return []
        values = [read_json(element, _FORMAT) for element in self._elements.feed(data)]
        return [event for value in values for event in self._take(value)]

    def close(self) -> list[ModelResponseStreamEvent]:
        """Say that no bytes follow. Raises `WireError` where not even the first object is whole."""
        if self._document is not None:
            self._error = refusal(None, b"".join(self._document))
        elif self._elements.inside and not self._taken:
            raise WireError("the answer is cut", _FORMAT)
        return []

    @property
    def answer(self) -> Answer:
        """The answer as far as it has come."""
        parts = self._parts.parts()
        if self._error is not None and not parts:
            return Answer(error=self._error)
        response = ModelResponse(
            parts,
            model_name=self._model,
            timestamp=self._timestamp,
            finish_reason=FINISH_REASONS.get(self._reason or ""),
            usage=self._usage,
        )
        return Answer(response, self._error)

    @property
    def finished(self) -> bool:
        """Whether the object that ends an answer has come, or an error."""
        return self._is_done or self._error is not None

    def _take(self, value: Fields) -> list[ModelResponseStreamEvent]:
        self._taken += 1
        message = value.get("message")
        if not isinstance(message, dict):
            self._error = error_in(value)
            return []
        self._model = text_of(value, "model") or self._model
        self._timestamp = read_timestamp(value.get("created_at")) or self._timestamp
        if value.get("done") is True:
            self._is_done = True
            self._reason = text_of(value, "done_reason")  # of which older servers say nothing
        self._usage = read_usage(value) or self._usage
        return [event for part in read_message(message) for event in self._add(part)]

    def _add(self, part: ModelResponsePart) -> list[ModelResponseStreamEvent]:
        if isinstance(part, TextPart):
            return self._parts.text(None, part.content)
        if isinstance(part, ThinkingPart):
            return self._parts.thinking(None, part.content)
        return self._parts.whole(part)
