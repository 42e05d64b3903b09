"""Messages as events of a trace: what is told of them, and the two ways in which OpenTelemetry takes events."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic_core import to_jsonable_python

from replay_agent.messages import ModelMessage, ModelResponse, OTelEvent
from replay_agent.surroundings.version import __version__

__all__ = (
    "SCOPE",
    "EventLog",
    "event_log",
    "events_json",
    "json_schema",
    "jsonable",
    "message_events",
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
    """Return a value as JSON has it; what JSON has no form for becomes text, and bytes that are no text base64."""
    try:
        return to_jsonable_python(value, serialize_unknown=True)
    except UnicodeDecodeError:
        return to_jsonable_python(value, serialize_unknown=True, bytes_mode="base64")


def events_json(events: Iterable[OTelEvent]) -> str:
    """Return events as one attribute of a span."""
    return json.dumps([{**_body(event), **event.attributes} for event in events])


def _body(event: OTelEvent) -> Mapping[str, Any]:
    if isinstance(event.body, Mapping):
        return event.body
    return {"body": event.body} if event.body else {}


def json_schema(**types: str) -> str:
    """Return what tells Logfire which attributes hold JSON, and of which type."""
    return json.dumps({"type": "object", "properties": {name: {"type": type_} for name, type_ in types.items()}})


@dataclass
class _Events:
    """OpenTelemetry's own kind of event, which its releases had until logs took it in."""

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

        record = LogRecord(
            timestamp=time.time_ns(),
            severity_number=SeverityNumber.INFO,
            body=event.body,
            attributes=event.attributes,
            event_name=event.name,
        )
        self.logger.emit(record)


def event_log(provider: Any = None) -> EventLog:
    """Return where a provider of event loggers or of loggers takes events; without one, the global provider."""
    provider = _global_provider() if provider is None else provider
    if hasattr(provider, "get_event_logger"):
        return _Events(provider.get_event_logger(SCOPE, __version__))
    return _Records(provider.get_logger(SCOPE, __version__))


def _global_provider() -> Any:
    try:
        from opentelemetry._events import get_event_logger_provider  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        from opentelemetry._logs import get_logger_provider

        return get_logger_provider()
    return get_event_logger_provider()
