"""OpenTelemetry spans around a model's requests.

Names follow OpenTelemetry's semantic conventions for generative AI. The answers do not depend on it.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlsplit

from replay_agent.exceptions import UserError
from replay_agent.messages import ModelMessage, ModelMessagesTypeAdapter, ModelResponse
from replay_agent.models.base import Model, ModelRequestParameters, StreamedResponse
from replay_agent.models.names import KnownModelName
from replay_agent.models.wrapper import WrapperModel
from replay_agent.settings import ModelSettings
from replay_agent.usage import Usage

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer, TracerProvider

__all__ = "InstrumentationSettings", "InstrumentedModel", "instrumented"

Attributes: TypeAlias = dict[str, str | int | float | bool | Sequence[str]]

_SETTINGS = ("max_tokens", "temperature", "top_p", "seed", "presence_penalty", "frequency_penalty")


@dataclass(init=False)
class InstrumentationSettings:
    """Where spans go and what they hold.

    Without a ``tracer_provider`` the global one is used. ``include_content=False`` leaves prompts, answers and tool
    arguments out. `UserError` where OpenTelemetry is not installed.
    """

    include_content: bool
    tracer: Tracer = field(repr=False)

    def __init__(self, *, tracer_provider: TracerProvider | None = None, include_content: bool = True) -> None:
        self.include_content = include_content
        self.tracer = _tracer(tracer_provider)


def _tracer(provider: TracerProvider | None) -> Tracer:
    try:
        from opentelemetry.trace import get_tracer
    except ImportError as exc:
        raise UserError(
            "Instrumentation needs OpenTelemetry. Install it with the extra `instrument`: "
            "pip install 'pytest-replay-agent[instrument]'"
        ) from exc
    return get_tracer("replay-agent", tracer_provider=provider)


def instrumented(model: Model, instrument: InstrumentationSettings | bool | None) -> Model:
    """Return the model with spans around its requests if ``instrument`` asks for them, else the model itself."""
    if not instrument or isinstance(model, InstrumentedModel):
        return model
    return InstrumentedModel(model, InstrumentationSettings() if instrument is True else instrument)


@dataclass(init=False)
class InstrumentedModel(WrapperModel):
    """Opens a span for each request of ``wrapped``."""

    settings: InstrumentationSettings

    def __init__(self, wrapped: Model | KnownModelName | str, options: InstrumentationSettings | None = None) -> None:
        super().__init__(wrapped)
        self.settings = options or InstrumentationSettings()

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> tuple[ModelResponse, Usage]:
        with self._span(messages, model_settings, model_request_parameters) as span:
            response, usage = await self.wrapped.request(messages, model_settings, model_request_parameters)
            self._finish(span, response, usage)
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
                    self._finish(span, response.get(), response.usage())

    @contextmanager
    def _span(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        parameters: ModelRequestParameters,
    ) -> Iterator[Span]:
        attributes = {**self._identity(), **_setting_attributes(model_settings)}
        with self.settings.tracer.start_as_current_span(f"chat {self.model_name}", attributes=attributes) as span:
            if span.is_recording():
                span.set_attributes(_tool_attributes(parameters))
                span.set_attributes(self._content("gen_ai.input.messages", messages))
            yield span

    def _identity(self) -> Attributes:
        known: Attributes = {
            "gen_ai.operation.name": "chat",
            "gen_ai.system": self.system,
            "gen_ai.request.model": self.model_name,
        }
        return known | _address_attributes(self.base_url)

    def _content(self, name: str, messages: list[ModelMessage]) -> Attributes:
        if not self.settings.include_content:
            return {}
        return {name: ModelMessagesTypeAdapter.dump_json(messages, fallback=repr, warnings=False).decode()}

    def _finish(self, span: Span, response: ModelResponse, usage: Usage) -> None:
        if not span.is_recording():
            return
        span.set_attributes(_usage_attributes(usage))
        span.set_attributes(self._content("gen_ai.output.messages", [response]))
        if response.model_name:
            span.set_attribute("gen_ai.response.model", response.model_name)
        if response.finish_reason:
            span.set_attribute("gen_ai.response.finish_reasons", [response.finish_reason])
        if response.provider_response_id:
            span.set_attribute("gen_ai.response.id", response.provider_response_id)


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
    counts = {"input_tokens": usage.request_tokens, "output_tokens": usage.response_tokens, **(usage.details or {})}
    return {f"gen_ai.usage.{name}": count for name, count in counts.items() if count is not None}
