"""Cohere's answers, read as they arrive: server-sent events, or JSON in their place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from replay_agent.calls import Answer, AnswerError
from replay_agent.exceptions import WireError
from replay_agent.framing.sse import ServerSentEvent
from replay_agent.messages import NO_TIMESTAMP, ModelResponse, ModelResponseStreamEvent, UnknownPart
from replay_agent.usage import Usage
from replay_agent.wire.cohere.answers import FINISH_REASONS, read_usage
from replay_agent.wire.cohere.content import read_call_part, read_message
from replay_agent.wire.shapes.event_source import EventSource
from replay_agent.wire.shapes.json_text import Fields, read_json, read_object
from replay_agent.wire.shapes.refusals import error_in, refusal
from replay_agent.wire.shapes.scalars import counter
from replay_agent.wire.shapes.streamed_parts import StreamedParts

__all__ = ("CohereStream",)

_FORMAT = "cohere"


class CohereStream:
    """Reads the events of a stream, or JSON where that came instead."""

    def __init__(self, model: str | None) -> None:
        self._source = EventSource()
        self._parts = StreamedParts()
        self._model = model
        self._id: str | None = None
        self._reason: str | None = None
        self._usage: Usage | None = None
        self._error: AnswerError | None = None
        self._calls: dict[int, tuple[str, int]] = {}
        self._starts = 0
        self._plan: list[str] = []
        self._citations: list[Any] = []

    def feed(self, data: bytes) -> list[ModelResponseStreamEvent]:
        """Take the next bytes and return the events that they completed. Raises `WireError` for what is no JSON."""
        return [event for sent in self._source.feed(data) for event in self._take(sent)]

    def close(self) -> list[ModelResponseStreamEvent]:
        """Say that no bytes follow, and return the last events."""
        events: list[ModelResponseStreamEvent] = []
        try:
            events += [event for sent in self._source.close() for event in self._take(sent)]
        except WireError:
            self._plan.clear()  # the stream was cut within an event
        if self._source.document is not None and self._source.document.strip():
            events += self._whole(self._source.document)
        return events

    @property
    def answer(self) -> Answer:
        """The answer as far as it has come."""
        parts = self._parts.parts()
        if self._error is not None and not parts:
            return Answer(error=self._error)
        response = ModelResponse(
            parts,
            model_name=self._model,
            timestamp=NO_TIMESTAMP,
            finish_reason=FINISH_REASONS.get(self._reason or ""),
            usage=self._usage,
            provider_response_id=self._id,
        )
        return Answer(response, self._error)

    @property
    def finished(self) -> bool:
        """Whether the model has said why it stopped, or an error has come."""
        return self._reason is not None or self._error is not None

    def _whole(self, document: bytes) -> list[ModelResponseStreamEvent]:
        if document.lstrip()[:1] != b"{":
            self._error = refusal(None, document)
            return []
        body = read_object(document, _FORMAT)
        if not isinstance(body.get("message"), dict):
            self._error = error_in(body)
            return []
        self._note_id(body)
        self._end(body)
        return [event for part in read_message(body["message"]) for event in self._parts.whole(part)]

    def _take(self, sent: ServerSentEvent) -> list[ModelResponseStreamEvent]:
        if sent.data.strip() in ("", "[DONE]"):
            return []
        data = read_json(sent.data.encode(), _FORMAT)
        fields = data if isinstance(data, dict) else {}
        handle = self._HANDLERS.get(str(fields.get("type") or sent.event))
        if handle is None:
            return self._unknown(data)
        delta = fields.get("delta")
        delta = delta if isinstance(delta, dict) else {}
        message = delta.get("message")
        planned = [] if handle is CohereStream._tool_plan else self._planned()
        return planned + handle(self, fields, delta, message if isinstance(message, dict) else {})

    def _unknown(self, data: object) -> list[ModelResponseStreamEvent]:
        if isinstance(data, dict) and "type" not in data and (data.get("message") or data.get("error")):
            self._error = error_in(data)
            return []
        return self._parts.whole(UnknownPart({"event": data}))

    def _planned(self) -> list[ModelResponseStreamEvent]:
        """Return the plan before the tool calls once it is complete."""
        plan, self._plan = "".join(self._plan), []
        return self._parts.whole(UnknownPart({"tool_plan": plan})) if plan else []

    def _start(self, event: Fields, _delta: Fields, _message: Fields) -> list[ModelResponseStreamEvent]:
        self._note_id(event)
        return []

    def _content(self, event: Fields, _delta: Fields, message: Fields) -> list[ModelResponseStreamEvent]:
        content, index = message.get("content"), counter(event.get("index"))
        match content:
            case {"thinking": str(text)} if text:
                return self._parts.thinking(("thinking", index), text)
            case {"text": str(text)} if text:
                return self._parts.text(("text", index), text)
            case {"type": "text" | "thinking"} | {"text": _} | {"thinking": _} | None:
                return []
        return self._parts.whole(UnknownPart(content))

    def _tool_plan(self, _event: Fields, _delta: Fields, message: Fields) -> list[ModelResponseStreamEvent]:
        if isinstance(message.get("tool_plan"), str):
            self._plan.append(message["tool_plan"])
        return []

    def _call_start(self, event: Fields, _delta: Fields, message: Fields) -> list[ModelResponseStreamEvent]:
        call = read_call_part(message.get("tool_calls"))
        if call is None:
            return self._parts.whole(UnknownPart({"tool_calls": [message.get("tool_calls")]}))
        self._starts += 1
        key = self._calls[counter(event.get("index"))] = ("call", self._starts)
        args = message["tool_calls"]["function"].get("arguments")
        args = args if isinstance(args, str) and args else None
        return self._parts.tool_call(key, name=call.tool_name, args=args, call_id=call.tool_call_id)

    def _call_delta(self, event: Fields, _delta: Fields, message: Fields) -> list[ModelResponseStreamEvent]:
        key = self._calls.get(counter(event.get("index")))
        match message.get("tool_calls"):
            case {"function": {"arguments": str(piece)}} if key is not None:
                return self._parts.tool_call(key, args=piece)
        return self._parts.whole(UnknownPart({"event": event}))

    def _call_end(self, event: Fields, _delta: Fields, _message: Fields) -> list[ModelResponseStreamEvent]:
        key = self._calls.pop(counter(event.get("index")), None)
        # A call without arguments has no delta, and is a call all the same.
        return self._parts.tool_call(key, args="{}") if key is not None and self._parts.part(key) is None else []

    def _citation(self, _event: Fields, _delta: Fields, message: Fields) -> list[ModelResponseStreamEvent]:
        citations = message.get("citations")
        self._citations += citations if isinstance(citations, list) else [citations]
        return []

    def _message_end(self, event: Fields, delta: Fields, _message: Fields) -> list[ModelResponseStreamEvent]:
        self._note_id(event)
        self._end(delta)
        if isinstance(delta.get("error"), str):
            self._error = AnswerError(None, delta["error"])
        citations, self._citations = self._citations, []
        return self._parts.whole(UnknownPart({"citations": citations})) if citations else []

    def _nothing(self, _event: Fields, _delta: Fields, _message: Fields) -> list[ModelResponseStreamEvent]:
        return []

    def _note_id(self, fields: Fields) -> None:
        if isinstance(fields.get("id"), str) and fields["id"]:
            self._id = fields["id"]

    def _end(self, fields: Fields) -> None:
        reason = fields.get("finish_reason")
        self._reason = reason if isinstance(reason, str) else ""
        self._usage = read_usage(fields.get("usage"))

    _HANDLERS: dict[str, Callable[[CohereStream, Fields, Fields, Fields], list[ModelResponseStreamEvent]]] = {  # noqa: RUF012
        "message-start": _start,
        "content-start": _content,
        "content-delta": _content,
        "content-end": _nothing,
        "tool-plan-delta": _tool_plan,
        "tool-call-start": _call_start,
        "tool-call-delta": _call_delta,
        "tool-call-end": _call_end,
        "citation-start": _citation,
        "citation-end": _nothing,
        "message-end": _message_end,
    }
