"""OpenTelemetry spans around a run, its requests and its tools. Nothing in a run depends on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from replay_agent import __version__
from replay_agent.exceptions import UserError
from replay_agent.messages import ModelMessage, ModelMessagesTypeAdapter, ModelResponse
from replay_agent.settings import ModelSettings
from replay_agent.usage import Usage

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer, TracerProvider

    from replay_agent.models.base import Model

__all__ = "NO_TRACING", "InstrumentationSettings", "Tracing", "tracing_for"

_SETTINGS = ("max_tokens", "temperature", "top_p", "seed", "presence_penalty", "frequency_penalty")


class Answered:
    """Takes note of a model's answer."""

    def note(self, response: ModelResponse, usage: Usage) -> None:
        """Say what the model answered and how many tokens that took."""


class Tracing:
    """Traces nothing."""

    @contextmanager
    def agent_run(self, name: str, model: Model, messages: Sequence[ModelMessage], usage: Usage) -> Iterator[None]:  # noqa: ARG002
        """Surround a run; messages and usage are looked at when it ends."""
        yield

    @contextmanager
    def model_request(self, model: Model, settings: ModelSettings | None, step: int) -> Iterator[Answered]:  # noqa: ARG002
        """Surround a request."""
        yield Answered()

    @contextmanager
    def tools(self, names: Sequence[str]) -> Iterator[None]:  # noqa: ARG002
        """Surround the execution of the tools that one response calls."""
        yield


NO_TRACING = Tracing()


@dataclass(frozen=True)
class InstrumentationSettings:
    """Where spans go and what they show. Needs the extra ``instrument``.

    The names of attributes are those of OpenTelemetry's conventions for generative AI
    (https://opentelemetry.io/docs/specs/semconv/gen-ai/).
    """

    tracer_provider: TracerProvider | None = None
    """None takes the provider that is set globally."""
    include_content: bool = True
    """Whether the run's span carries the messages."""

    def tracer(self) -> Tracer:
        """Return the tracer; `UserError` where OpenTelemetry is not installed."""
        try:
            from opentelemetry.trace import get_tracer
        except ImportError as exc:
            raise UserError("Instrumentation needs OpenTelemetry: install `pytest-replay-agent[instrument]`.") from exc
        return get_tracer("replay-agent", __version__, self.tracer_provider)


def tracing_for(instrument: InstrumentationSettings | bool) -> Tracing:
    """Return what traces a run; False traces nothing, True uses the default settings."""
    if instrument is False:
        return NO_TRACING
    settings = InstrumentationSettings() if instrument is True else instrument
    return _Spans(settings.tracer(), settings.include_content)


@dataclass
class _AnsweredSpan(Answered):
    span: Span

    def note(self, response: ModelResponse, usage: Usage) -> None:
        if response.model_name is not None:
            self.span.set_attribute("gen_ai.response.model", response.model_name)
        self.span.set_attributes(_usage_attributes(usage))


@dataclass
class _Spans(Tracing):
    tracer: Tracer
    include_content: bool

    @contextmanager
    def agent_run(self, name: str, model: Model, messages: Sequence[ModelMessage], usage: Usage) -> Iterator[None]:
        attributes = {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": name,
            "gen_ai.request.model": model.model_name,
        }
        with self.tracer.start_as_current_span(f"invoke_agent {name}", attributes=attributes) as span:
            try:
                yield
            finally:
                span.set_attributes(_usage_attributes(usage))
                if self.include_content:
                    content = ModelMessagesTypeAdapter.dump_json(list(messages), fallback=repr).decode()
                    span.set_attribute("all_messages", content)

    @contextmanager
    def model_request(self, model: Model, settings: ModelSettings | None, step: int) -> Iterator[Answered]:
        attributes: dict[str, Any] = {
            "gen_ai.operation.name": "chat",
            "gen_ai.system": model.system,
            "gen_ai.request.model": model.model_name,
            "run_step": step,
        }
        if model.base_url is not None:
            attributes["server.address"] = model.base_url
        given = settings or {}
        attributes |= {f"gen_ai.request.{name}": given[name] for name in _SETTINGS if name in given}  # type: ignore[literal-required]
        with self.tracer.start_as_current_span(f"chat {model.model_name}", attributes=attributes) as span:
            yield _AnsweredSpan(span)

    @contextmanager
    def tools(self, names: Sequence[str]) -> Iterator[None]:
        with self.tracer.start_as_current_span("running tools", attributes={"tools": list(names)}):
            yield


def _usage_attributes(usage: Usage) -> dict[str, int]:
    tokens = {"input_tokens": usage.request_tokens, "output_tokens": usage.response_tokens, **(usage.details or {})}
    return {f"gen_ai.usage.{name}": count for name, count in tokens.items() if count is not None}
