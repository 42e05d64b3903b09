"""Streamed answers of Anthropic's Messages API, read and written.

Source: https://docs.anthropic.com/en/api/messages-streaming. A block is opened, extended and closed under its index;
counters of ``message_delta`` are totals and take the place of those that ``message_start`` named.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from replay_agent.calls import Answer, AnswerError
from replay_agent.exceptions import WireError
from replay_agent.framing.sse import ServerSentEvent
from replay_agent.messages import ModelResponseStreamEvent, NativeToolCallPart, TextPart, ToolCallPart, UnknownPart
from replay_agent.wire.anthropic.answers import read_error, read_message
from replay_agent.wire.anthropic.content import read_response, read_response_block
from replay_agent.wire.shapes.event_source import EventSource
from replay_agent.wire.shapes.framed_events import FramedEvents, is_framed
from replay_agent.wire.shapes.json_text import Fields, read_json, read_object
from replay_agent.wire.shapes.streamed_parts import StreamedParts

__all__ = ("AnthropicStream",)

_FORMAT = "anthropic"
# Bedrock's own counters and times, in the last event of a stream or in one by themselves.
_BEDROCK_METRICS = "amazon-bedrock-invocationMetrics"


@dataclass
class _Block:
    """A block that was opened and not closed yet."""

    raw: Fields
    json: list[str] = field(default_factory=list)


class AnthropicStream:
    """Reads one answer, fed in pieces: a stream of events, or a message or error in one document."""

    def __init__(self) -> None:
        self.finished = False
        self._source: EventSource | FramedEvents | None = None
        self._parts = StreamedParts()
        self._labels: dict[str, str] = {}
        self._open: dict[object, _Block] = {}
        self._message: Fields | None = None
        self._error: AnswerError | None = None

    @property
    def answer(self) -> Answer:
        """The answer as far as it has come."""
        parts = self._parts.parts()
        if self._message is None and not parts:
            return Answer(error=self._error)
        return Answer(read_message(self._message or {}, parts), self._error)

    def feed(self, data: bytes) -> list[ModelResponseStreamEvent]:
        """Take the next bytes and return the events that they completed. What is no event becomes an unknown part.

        Raises `WireError` for broken frames.
        """
        if self._source is None and data:
            self._source = FramedEvents() if is_framed(data) else EventSource()
        return [event for sent in self._source.feed(data) for event in self._sent(sent)] if self._source else []

    def close(self) -> list[ModelResponseStreamEvent]:
        """Say that no bytes follow, and return the last events. Raises `WireError` where nothing was an answer."""
        source = self._source or EventSource()
        events = [event for sent in source.close() for event in self._sent(sent, cut=True)]
        if source.document:
            return events + self._document(source.document)
        for index in list(self._open):
            events += self._close_block({"index": index})
        return events

    def _document(self, document: bytes) -> list[ModelResponseStreamEvent]:
        message = read_object(document, _FORMAT)
        self.finished = True
        if message.get("type") == "error" or "error" in message:
            self._error = read_error(message)
            return []
        if not isinstance(message.get("content"), list):
            raise WireError("the answer is neither a message nor an error", _FORMAT)
        self._message = message
        return [event for part in read_response(message["content"]) for event in self._parts.whole(part)]

    def _sent(self, sent: ServerSentEvent, *, cut: bool = False) -> list[ModelResponseStreamEvent]:
        if not sent.data or sent.data == "[DONE]":  # gateways end streams of every format as OpenAI's end
            return []
        try:
            event = read_json(sent.data, _FORMAT)
        except WireError:
            # The rest of an event that the end of the body cut off.
            return [] if cut else self._parts.whole(UnknownPart(sent.data))
        kind = event.get("type", sent.event) if isinstance(event, dict) else None
        handler = self._HANDLERS.get(kind) if isinstance(kind, str) else None
        if handler is not None:
            return handler(self, event)
        if isinstance(event, dict) and "error" in event:
            return self._fail(event)
        return [] if isinstance(event, dict) and _BEDROCK_METRICS in event else self._parts.whole(UnknownPart(event))

    def _start(self, event: Fields) -> list[ModelResponseStreamEvent]:
        message = event.get("message")
        self._message = {**message} if isinstance(message, dict) else {}
        return []

    def _open_block(self, event: Fields) -> list[ModelResponseStreamEvent]:
        index, block = _index(event), event.get("content_block")
        if not isinstance(block, dict):
            return self._parts.whole(UnknownPart(event.get("content_block", event)))
        self._open[index] = _Block({**block})
        part = read_response_block(block, self._labels)
        if isinstance(part, TextPart):
            return self._parts.text(index, part.content) if part.content else []
        return self._parts.whole(part, index)

    def _extend_block(self, event: Fields) -> list[ModelResponseStreamEvent]:
        index, delta = _index(event), event.get("delta")
        kind = delta.get("type") if isinstance(delta, dict) else None
        handler = self._DELTAS.get(kind) if isinstance(kind, str) else None
        if handler is None or not isinstance(delta, dict):
            return self._parts.whole(UnknownPart(event))
        return handler(self, index, delta)

    def _text(self, index: object, delta: Fields) -> list[ModelResponseStreamEvent]:
        return self._parts.text(index, _string(delta, "text"))

    def _thinking(self, index: object, delta: Fields) -> list[ModelResponseStreamEvent]:
        return self._parts.thinking(index, _string(delta, "thinking"))

    def _signature(self, index: object, delta: Fields) -> list[ModelResponseStreamEvent]:
        return self._parts.thinking(index, signature=_string(delta, "signature"))

    def _input(self, index: object, delta: Fields) -> list[ModelResponseStreamEvent]:
        if index in self._open:
            self._open[index].json.append(_string(delta, "partial_json"))
        return []

    def _compaction(self, index: object, delta: Fields) -> list[ModelResponseStreamEvent]:
        if index not in self._open:
            return []
        block = self._open[index].raw
        block |= {key: value for key, value in delta.items() if key != "type" and value is not None}
        return self._parts.whole(UnknownPart({**block}), index)

    def _citation(self, index: object, delta: Fields) -> list[ModelResponseStreamEvent]:  # noqa: ARG002
        return []

    def _close_block(self, event: Fields) -> list[ModelResponseStreamEvent]:
        index = _index(event)
        block = self._open.pop(index, None)
        text = "".join(block.json) if block else ""
        if block is None or not text:
            return []
        try:
            args = read_object(text.encode("utf-8", "replace"), _FORMAT)
        except WireError:
            return self._broken_input(index, text)
        known = self._parts.part(index)
        if isinstance(known, ToolCallPart) and isinstance(known.args, dict):
            return self._parts.tool_call(index, args=args)
        return self._parts.whole(read_response_block({**block.raw, "input": args}, self._labels), index)

    def _broken_input(self, index: object, text: str) -> list[ModelResponseStreamEvent]:
        part = self._parts.part(index)
        if not isinstance(part, ToolCallPart | NativeToolCallPart):
            return []
        return self._parts.whole(type(part)(part.tool_name, text, part.tool_call_id), index)

    def _change(self, event: Fields) -> list[ModelResponseStreamEvent]:
        message = self._message = self._message or {}
        delta, usage = event.get("delta"), event.get("usage")
        if isinstance(delta, dict):
            message |= {key: value for key, value in delta.items() if value is not None}
        if isinstance(usage, dict):
            known = message.get("usage")
            totals = {key: value for key, value in usage.items() if value is not None}
            message["usage"] = {**known, **totals} if isinstance(known, dict) else totals
        return []

    def _stop(self, event: Fields) -> list[ModelResponseStreamEvent]:  # noqa: ARG002
        self.finished = True
        return []

    def _fail(self, event: Fields) -> list[ModelResponseStreamEvent]:
        self.finished = True
        self._error = read_error(event)
        return []

    def _ignore(self, event: Fields) -> list[ModelResponseStreamEvent]:  # noqa: ARG002
        return []

    _HANDLERS: ClassVar[Mapping[str, Callable[[AnthropicStream, Fields], list[ModelResponseStreamEvent]]]] = {
        "message_start": _start,
        "content_block_start": _open_block,
        "content_block_delta": _extend_block,
        "content_block_stop": _close_block,
        "message_delta": _change,
        "message_stop": _stop,
        "error": _fail,
        "ping": _ignore,
    }
    _DELTAS: ClassVar[Mapping[str, Callable[[AnthropicStream, object, Fields], list[ModelResponseStreamEvent]]]] = {
        "text_delta": _text,
        "thinking_delta": _thinking,
        "signature_delta": _signature,
        "input_json_delta": _input,
        "compaction_delta": _compaction,
        "citations_delta": _citation,
    }


def _index(event: Fields) -> object:
    index = event.get("index")
    return index if isinstance(index, int | str) else None


def _string(delta: Fields, key: str) -> str:
    value = delta.get(key)
    return value if isinstance(value, str) else ""
