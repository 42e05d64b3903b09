"""Messages as events of a trace: what is told of them, and the two ways in which OpenTelemetry takes events."""

from __future__ import annotations

import inspect
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from pydantic_core import to_json, to_jsonable_python

from replay_agent.messages import ModelMessage, ModelMessagesTypeAdapter, ModelResponse, OTelEvent
from replay_agent.surroundings.version import __version__

__all__ = (
    "SCOPE",
    "EventLog",
    "dumped",
    "event_dict",
    "event_log",
    "events_json",
    "json_schema",
    "jsonable",
    "message_events",
    "messages_json",
    "response_events",
)

SCOPE = "pydantic-ai"
"""The scope of all spans and events: dashboards that were built for the seed look for it."""


class EventLog(Protocol):
    """Where events go."""

    def emit(self, event: OTelEvent) -> None:
        """Send an event."""


def message_events(messages: Sequence[ModelMessage]) -> list[OTelEvent]:
    """Return the events of messages; each knows the number of its message."""
    events: list[OTelEvent] = []
    for index, message in enumerate(messages):
        for event in _events_of(message):
            event.body = jsonable(event.body)
            event.attributes = {"gen_ai.message.index": index, **event.attributes}
            events.append(event)
    return events


def _events_of(message: ModelMessage) -> list[OTelEvent]:
    if isinstance(message, ModelResponse):
        return message.otel_events()
    parts = (getattr(part, "otel_event", None) for part in message.parts)
    return [tell() for tell in parts if tell is not None]


def response_events(response: ModelResponse) -> list[OTelEvent]:
    """Return the events of a model's choice."""
    choices = ({"index": 0, "message": event.body} for event in message_events([response]))
    return [OTelEvent("gen_ai.choice", choice) for choice in choices]


def jsonable(value: Any) -> Any:
    """Return a value as JSON has it; what JSON has no form for becomes text, and bytes that are no text base64.

    A value that cannot be written, such as a list that holds itself, becomes text as a whole. Nothing is raised.
    """
    modes: tuple[Literal["utf8", "base64"], ...] = ("utf8", "base64")
    for mode in modes:
        with suppress(Exception):  # types that a tool returns have serializers of their own, which raise what they like
            return to_jsonable_python(value, serialize_unknown=True, bytes_mode=mode)
    try:
        return str(value)
    except Exception as exc:  # noqa: BLE001  a trace is no reason for a run to fail
        return f"Unable to serialize: {exc}"


def messages_json(messages: list[ModelMessage]) -> str:
    """Return messages as one attribute of a span; never raises."""
    with suppress(Exception):  # as in `jsonable`
        return ModelMessagesTypeAdapter.dump_json(messages, fallback=repr, warnings=False).decode()
    return dumped(jsonable(messages))


def dumped(value: Any) -> str:
    """Return as JSON text what `jsonable` returned."""
    try:
        return json.dumps(value)
    except ValueError:  # Python writes no integer of more than 4300 digits
        return to_json(value).decode()


def events_json(events: Iterable[OTelEvent]) -> str:
    """Return events as one attribute of a span."""
    return dumped([event_dict(event) for event in events])


def event_dict(event: OTelEvent) -> dict[str, Any]:
    """Return an event's body and attributes as one; a body that is no mapping stands under ``body``."""
    body = event.body if isinstance(event.body, Mapping) else {"body": event.body} if event.body else {}
    return {**body, **event.attributes}


def json_schema(**types: str) -> str:
    """Return what tells Logfire which attributes hold JSON, and of which type."""
    return json.dumps({"type": "object", "properties": {name: {"type": type_} for name, type_ in types.items()}})


@dataclass
class _Events:
    """OpenTelemetry's own kind of event, from before its logs knew events."""

    logger: Any

    def emit(self, event: OTelEvent) -> None:
        from opentelemetry._events import Event  # type: ignore[import-not-found,unused-ignore]

        self.logger.emit(Event(event.name, body=event.body, attributes=event.attributes))


@dataclass
class _Records:
    """Records of a log that carry an event's name."""

    logger: Any

    def emit(self, event: OTelEvent) -> None:
        from opentelemetry._logs import LogRecord, SeverityNumber

        named: dict[str, Any] = {"event_name": event.name} if _records_have_names() else {}
        record = LogRecord(
            timestamp=time.time_ns(),
            severity_number=SeverityNumber.INFO,
            body=event.body,
            attributes=event.attributes,
            **named,
        )
        self.logger.emit(record)


def _records_have_names() -> bool:
    """Tell whether logs know events: since OpenTelemetry 1.35; its own kind of event warns from 1.39 on."""
    from opentelemetry._logs import LogRecord

    return "event_name" in inspect.signature(LogRecord).parameters


def event_log(provider: Any = None) -> EventLog:
    """Return where a provider of event loggers or of loggers takes events; without one, the global provider."""
    provider = _global_provider() if provider is None else provider
    if hasattr(provider, "get_event_logger"):
        return _Events(provider.get_event_logger(SCOPE, __version__))
    return _Records(provider.get_logger(SCOPE, __version__))


def _global_provider() -> Any:
    if _records_have_names():
        from opentelemetry._logs import get_logger_provider

        return get_logger_provider()
    from opentelemetry._events import get_event_logger_provider  # type: ignore[import-not-found,unused-ignore]

    return get_event_logger_provider()
