"""OpenTelemetry spans around a model's requests.

Names are those of the seed, which follow OpenTelemetry's semantic conventions for generative AI as they were then;
beside them stands what the conventions say today. The answers do not depend on it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from urllib.parse import urlsplit

from replay_agent.exceptions import UserError
from replay_agent.messages import ModelMessage, ModelResponse, OTelEvent
from replay_agent.models.base import Model, ModelRequestParameters, StreamedResponse
from replay_agent.models.names import KnownModelName
from replay_agent.models.telemetry import (
    SCOPE,
    EventLog,
    event_dict,
    event_log,
    events_json,
    json_schema,
    jsonable,
    message_events,
    messages_json,
    response_events,
)
from replay_agent.models.wrapper import WrapperModel
from replay_agent.settings import ModelSettings
from replay_agent.surroundings.version import __version__
from replay_agent.usage import Usage

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer, TracerProvider

__all__ = "InstrumentationSettings", "InstrumentedModel", "instrumented", "tell_who_answers"

Attributes: TypeAlias = dict[str, str | int | float | bool | Sequence[str]]

_SETTINGS = ("max_tokens", "temperature", "top_p", "seed", "presence_penalty", "frequency_penalty")


@dataclass(init=False)
class InstrumentationSettings:
    """Where spans go and what they hold."""

    tracer: Tracer = field(repr=False)
    event_logger: EventLog = field(repr=False)
    event_mode: Literal["attributes", "logs"] = "attributes"
    include_content: bool = True

    def __init__(
        self,
        *,
        event_mode: Literal["attributes", "logs"] = "attributes",
        tracer_provider: TracerProvider | None = None,
        event_logger_provider: Any = None,
        include_content: bool = True,
    ) -> None:
        """Say how runs and requests are traced.

        Args:
            event_mode: Whether the messages are one attribute ``events`` of the span of their request, or one event
                of a log each.
            tracer_provider: Where spans go; the global provider if None.
            event_logger_provider: Where events go in the mode ``logs``; the global provider if None. A provider of
                event loggers, which older releases of OpenTelemetry have, or of loggers.
            include_content: False leaves out prompts, answers and the arguments of tools.

        Raises `UserError` where OpenTelemetry is not installed.
        """
        self.tracer = _tracer(tracer_provider)
        self.event_logger = event_log(event_logger_provider)
        self.event_mode = event_mode
        self.include_content = include_content


def _tracer(provider: TracerProvider | None) -> Tracer:
    try:
        from opentelemetry.trace import get_tracer
    except ImportError as exc:
        raise UserError(
            "Instrumentation needs OpenTelemetry. Install it with the extra `instrument`: "
            "pip install 'pytest-replay-agent[instrument]'"
        ) from exc
    return get_tracer(SCOPE, __version__, tracer_provider=provider)


def instrumented(model: Model, instrument: InstrumentationSettings | bool | None) -> Model:
    """Return the model with spans around its requests if ``instrument`` asks for them, else the model itself."""
    if not instrument or isinstance(model, InstrumentedModel):
        return model
    return InstrumentedModel(model, InstrumentationSettings() if instrument is True else instrument)


@dataclass(init=False)
class InstrumentedModel(WrapperModel):
    """Opens a span for each request of ``wrapped``."""

    options: InstrumentationSettings

    def __init__(self, wrapped: Model | KnownModelName | str, options: InstrumentationSettings | None = None) -> None:
        super().__init__(wrapped)
        self.options = options or InstrumentationSettings()

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> tuple[ModelResponse, Usage]:
        with self._span(messages, model_settings, model_request_parameters) as span:
            response, usage = await self.wrapped.request(messages, model_settings, model_request_parameters)
            self._finish(span, messages, response, usage)
            return response, usage

    @asynccontextmanager
    async def request_stream(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> AsyncIterator[StreamedResponse]:
        with self._span(messages, model_settings, model_request_parameters) as span:
            async with self.wrapped.request_stream(messages, model_settings, model_request_parameters) as response:
                try:
                    yield response
                finally:
                    self._finish(span, messages, response.get(), response.usage())

    @staticmethod
    def model_attributes(model: Model) -> Attributes:
        """Return the attributes that tell which model is asked, and where."""
        return _identity(model)

    @staticmethod
    def messages_to_otel_events(messages: list[ModelMessage]) -> list[OTelEvent]:
        """Return the events of messages; each knows the number of its message."""
        return message_events(messages)

    @staticmethod
    def event_to_dict(event: OTelEvent) -> dict[str, Any]:
        """Return an event as the attribute ``events`` shows it."""
        return event_dict(event)

    @staticmethod
    def serialize_any(value: Any) -> Any:
        """Return a value as JSON has it, or text that stands for it; never raises."""
        return jsonable(value)

    @contextmanager
    def _span(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        parameters: ModelRequestParameters,
    ) -> Iterator[Span]:
        attributes = {"gen_ai.operation.name": "chat", **_identity(self.wrapped), **_setting_attributes(model_settings)}
        with self.options.tracer.start_as_current_span(f"chat {self.model_name}", attributes=attributes) as span:
            if span.is_recording():
                span.set_attributes(_tool_attributes(parameters))
                span.set_attributes(self._content("gen_ai.input.messages", messages))
            yield span

    def _content(self, name: str, messages: list[ModelMessage]) -> Attributes:
        if not self.options.include_content:
            return {}
        return {name: messages_json(messages)}

    def _finish(self, span: Span, messages: list[ModelMessage], response: ModelResponse, usage: Usage) -> None:
        if not span.is_recording():
            return
        asked = _identity(self.wrapped) | dict(getattr(span, "attributes", None) or {})  # a fallback changes them
        span.update_name(f"chat {asked['gen_ai.request.model']}")
        span.set_attributes(_usage_attributes(usage))
        span.set_attributes(self._content("gen_ai.output.messages", [response]))
        span.set_attribute("gen_ai.response.model", response.model_name or asked["gen_ai.request.model"])
        if response.finish_reason:
            span.set_attribute("gen_ai.response.finish_reasons", [response.finish_reason])
        if response.provider_response_id:
            span.set_attribute("gen_ai.response.id", response.provider_response_id)
        if self.options.include_content:
            self._tell(span, [*message_events(messages), *response_events(response)], asked["gen_ai.system"])

    def _tell(self, span: Span, events: list[OTelEvent], system: object) -> None:
        for event in events:
            event.attributes = {"gen_ai.system": system, **event.attributes}
        if self.options.event_mode == "attributes":
            span.set_attributes({"events": events_json(events), "logfire.json_schema": json_schema(events="array")})
            return
        for event in events:
            self.options.event_logger.emit(event)


def tell_who_answers(asked: Model, answering: Model) -> None:
    """Have the span of a request to ``asked`` name the model that answers in its stead; without a span, do nothing."""
    if "opentelemetry.trace" not in sys.modules:
        return
    from opentelemetry.trace import get_current_span

    span = get_current_span()
    attributes = getattr(span, "attributes", None) or {}
    if span.is_recording() and attributes.get("gen_ai.request.model") == asked.model_name:
        span.set_attributes(_identity(answering))


def _identity(model: Model) -> Attributes:
    known: Attributes = {"gen_ai.system": model.system, "gen_ai.request.model": model.model_name}
    return known | _address_attributes(model.base_url)


def _address_attributes(base_url: str | None) -> Attributes:
    address = urlsplit(base_url or "")
    known: Attributes = {}
    if address.hostname:
        known["server.address"] = address.hostname
    if address.port:
        known["server.port"] = address.port
    return known


def _tool_attributes(parameters: ModelRequestParameters) -> Attributes:
    tools = [*parameters.function_tools, *parameters.result_tools]
    if not tools:
        return {}
    definitions = [
        {"name": tool.name, "description": tool.description, "parameters": tool.parameters_json_schema}
        for tool in tools
    ]
    return {"gen_ai.tool.definitions": json.dumps(definitions)}


def _setting_attributes(settings: ModelSettings | None) -> Attributes:
    values = ((name, (settings or {}).get(name)) for name in _SETTINGS)
    return {f"gen_ai.request.{name}": value for name, value in values if isinstance(value, int | float)}


def _usage_attributes(usage: Usage) -> Attributes:
    details = {f"gen_ai.usage.{name}": count for name, count in (usage.details or {}).items()}
    return {**details, **usage.opentelemetry_attributes()}
