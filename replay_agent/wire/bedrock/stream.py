"""Bedrock's answers, read as they arrive: event stream frames with one JSON event each, or one JSON object."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from replay_agent.calls import Answer, AnswerError
from replay_agent.framing.aws_frames import Frame, FrameDecoder
from replay_agent.messages import (
    NO_TIMESTAMP,
    FilePart,
    ModelResponse,
    ModelResponsePart,
    ModelResponseStreamEvent,
    UnknownPart,
)
from replay_agent.usage import Usage
from replay_agent.wire.bedrock.answers import FINISH_REASONS, read_usage, stream_error
from replay_agent.wire.bedrock.content import (
    REDACTED,
    read_image,
    read_native_call,
    read_native_return,
    read_response_parts,
)
from replay_agent.wire.shapes.data_url import decode_base64
from replay_agent.wire.shapes.json_text import Fields, read_object
from replay_agent.wire.shapes.refusals import error_in, refusal
from replay_agent.wire.shapes.scalars import counter
from replay_agent.wire.shapes.streamed_parts import StreamedParts

__all__ = ("BedrockStream",)

_FORMAT = "bedrock"
_BLANKS_FIRST = re.compile(r"(?:^|\.)(?:qwen\.|deepseek\.r1|moonshot(?:ai)?\.)")
"""Models that stream blank lines between their reasoning and their text, which are not text."""


_CHUNK = "chunk"
"""The event of an invoked model, which holds one of its own as base64: ``{"contentBlockDelta": {...}}``."""
_METRICS = "amazon-bedrock-invocationMetrics"


class BedrockStream:
    """Reads frames; where the first byte shows that none come, waits for the end and reads JSON or a refusal."""

    def __init__(self, model: str | None, response_id: str | None) -> None:
        self._events = _Events(drops_blanks=_BLANKS_FIRST.search(model or "") is not None)
        self._frames = FrameDecoder()
        self._document: list[bytes] | None = None
        self._started = False
        self._model = model
        self._response_id = response_id

    def feed(self, data: bytes) -> list[ModelResponseStreamEvent]:
        """Take the next bytes and return the events that they completed."""
        if data and not self._started:
            self._started = True
            self._document = None if data[0] < 2 else []  # the first byte of a length below 32 MiB is 0 or 1
        if self._document is not None:
            self._document.append(data)
            return []
        return [event for frame in self._frames.feed(data) for event in self._events.take(frame)]

    def close(self) -> list[ModelResponseStreamEvent]:
        """Say that no bytes follow. Raises `WireError` where the last frame is cut."""
        if self._document is not None:
            return self._events.whole(b"".join(self._document))
        self._frames.close()
        return []

    @property
    def answer(self) -> Answer:
        """The answer as far as it has come."""
        events = self._events
        parts = events.parts.parts()
        if events.error is not None and not parts:
            return Answer(error=events.error)
        response = ModelResponse(
            parts,
            model_name=self._model,
            timestamp=NO_TIMESTAMP,
            finish_reason=FINISH_REASONS.get(events.stop_reason or ""),
            usage=events.usage,
            provider_response_id=self._response_id,
        )
        return Answer(response, events.error)

    @property
    def finished(self) -> bool:
        """Whether the model has said why it stopped, or an error has come."""
        return self._events.stop_reason is not None or self._events.error is not None


class _Events:
    """The meaning of a stream's events so far."""

    def __init__(self, *, drops_blanks: bool) -> None:
        self.parts = StreamedParts()
        self._drops_blanks = drops_blanks
        self.stop_reason: str | None = None
        self.usage: Usage | None = None
        self.error: AnswerError | None = None
        self._calls: dict[int, tuple[str, int]] = {}
        self._native: dict[int, tuple[Fields, list[str]]] = {}
        self._returns: dict[int, Fields] = {}
        self._images: dict[int, Fields] = {}
        self._citations: dict[int, list[Any]] = {}
        self._starts = 0

    def take(self, frame: Frame) -> list[ModelResponseStreamEvent]:
        kind = frame.text(":message-type")
        if kind in ("exception", "error"):  # errors that the API's model names, and any other of the service
            self.error = stream_error(frame)
            return []
        name = frame.text(":event-type") or ""
        payload = read_object(frame.payload or b"{}", _FORMAT)
        if name == _CHUNK and (data := decode_base64(payload.get("bytes"))) is not None:
            inner = read_object(data, _FORMAT)
            return [event for name in inner if name != _METRICS for event in self._event(name, inner[name])]
        return self._event(name, payload)

    def _event(self, name: str, payload: object) -> list[ModelResponseStreamEvent]:
        handle = self._HANDLERS.get(name)
        if handle is None or not isinstance(payload, dict):
            return self.parts.whole(UnknownPart({"event": name, "payload": payload}))
        return handle(self, payload)

    def whole(self, body: bytes) -> list[ModelResponseStreamEvent]:
        """Take an answer that is no stream."""
        if body.lstrip()[:1] == b"<":
            self.error = refusal(None, body)
            return []
        value = read_object(body, _FORMAT)
        output = value.get("output")
        if not isinstance(output, dict):
            self.error = error_in(value)
            return []
        message = output.get("message")
        content = message.get("content") if isinstance(message, dict) else None
        blocks = content if isinstance(content, list) else []
        events = [event for block in blocks for part in read_response_parts(block) for event in self.parts.whole(part)]
        return events + self._message_stop(value) + self._metadata(value)

    def _nothing(self, _payload: Fields) -> list[ModelResponseStreamEvent]:
        return []

    def _block_start(self, payload: Fields) -> list[ModelResponseStreamEvent]:
        index = _index(payload)
        self._starts += 1
        match payload.get("start"):
            case {"toolUse": {"name": str(), "type": "server_tool_use"} as native}:
                self._native[index] = (native, [])
            case {"toolUse": {"name": str(name), **use}}:
                key = self._calls[index] = ("call", self._starts)
                call_id = use.get("toolUseId")
                return self.parts.tool_call(key, name=name, call_id=call_id if isinstance(call_id, str) else None)
            case {"toolResult": dict(result)}:
                self._returns[index] = {**result, "content": []}
            case {"image": dict(image)}:
                self._images[index] = dict(image)
            case _:
                return self.parts.whole(UnknownPart({"event": "contentBlockStart", "payload": payload}))
        return []

    def _block_delta(self, payload: Fields) -> list[ModelResponseStreamEvent]:
        index = _index(payload)
        match payload.get("delta"):
            case {"text": str(text)}:
                return self._text(("text", index), text)
            case {"toolUse": {"input": str(piece)}} if index in self._native:
                self._native[index][1].append(piece)
            case {"toolUse": {"input": str(piece)}} if index in self._calls:
                return self.parts.tool_call(self._calls[index], args=piece)
            case {"reasoningContent": dict(reasoning)} if reasoning.keys() & {"text", "signature", "redactedContent"}:
                return self._reasoning(index, reasoning)
            case {"toolResult": list(content)} if index in self._returns:
                self._returns[index]["content"] += content
            case {"image": dict(image)} if index in self._images:
                self._images[index] |= image
            case {"citation": citation}:
                self._citations.setdefault(index, []).append(citation)
            case delta:
                return self.parts.whole(UnknownPart(delta))
        return []

    def _text(self, key: tuple[str, int], text: str) -> list[ModelResponseStreamEvent]:
        is_blank = text.isspace() and self._drops_blanks and self.parts.part(key) is None
        return self.parts.text(key, text) if text and not is_blank else []

    def _reasoning(self, index: int, reasoning: Fields) -> list[ModelResponseStreamEvent]:
        redacted = reasoning.get("redactedContent")
        if isinstance(redacted, str):
            return self.parts.thinking(("redacted", index), signature=redacted, id=REDACTED)
        text, signature = reasoning.get("text"), reasoning.get("signature")
        signature = signature if isinstance(signature, str) else None
        return self.parts.thinking(("thinking", index), text if isinstance(text, str) else "", signature=signature)

    def _block_stop(self, payload: Fields) -> list[ModelResponseStreamEvent]:
        index = _index(payload)
        if index in self._calls:
            key = self._calls.pop(index)
            # A call without arguments has no delta.
            return self.parts.tool_call(key, args="{}") if self.parts.part(key) is None else []
        return [event for part in self._held(index) for event in self.parts.whole(part)]

    def _held(self, index: int) -> list[ModelResponsePart]:
        """Return what was waiting for the end of its block."""
        parts: list[ModelResponsePart] = []
        if index in self._native:
            use, given = self._native.pop(index)
            parts.append(read_native_call(use, "".join(given)))
        if index in self._returns:
            parts.append(read_native_return(self._returns.pop(index)))
        if index in self._images:
            image = self._images.pop(index)
            content = read_image(image)
            parts.append(UnknownPart({"image": image}) if content is None else FilePart(content))
        if index in self._citations:
            parts.append(UnknownPart({"citationsContent": {"citations": self._citations.pop(index)}}))
        return parts

    def _message_stop(self, payload: Fields) -> list[ModelResponseStreamEvent]:
        reason = payload.get("stopReason")
        self.stop_reason = reason if isinstance(reason, str) else ""
        return self._beside(payload, "additionalModelResponseFields")

    def _metadata(self, payload: Fields) -> list[ModelResponseStreamEvent]:
        self.usage = read_usage(payload.get("usage")) or self.usage
        return self._beside(payload, "trace", "performanceConfig", "serviceTier")

    def _beside(self, payload: Fields, *names: str) -> list[ModelResponseStreamEvent]:
        found = [{name: payload[name]} for name in names if payload.get(name)]
        return [event for raw in found for event in self.parts.whole(UnknownPart(raw))]

    _HANDLERS: dict[str, Callable[[_Events, Fields], list[ModelResponseStreamEvent]]] = {  # noqa: RUF012 - a table
        "initial-response": _nothing,
        "messageStart": _nothing,
        "contentBlockStart": _block_start,
        "contentBlockDelta": _block_delta,
        "contentBlockStop": _block_stop,
        "messageStop": _message_stop,
        "metadata": _metadata,
    }


def _index(payload: Fields) -> int:
    return counter(payload.get("contentBlockIndex"))
