"""OpenTelemetry spans around a run and its tools. Nothing in a run depends on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from replay_agent.models.base import Model
from replay_agent.models.instrumented import InstrumentedModel
from replay_agent.usage import Usage

__all__ = "agent_span", "tools_span"


@contextmanager
def agent_span(name: str, model: Model, usage: Usage) -> Iterator[None]:
    """Surround a run with a span if its model is instrumented; it shows ``usage`` as it is at the end."""
    if not isinstance(model, InstrumentedModel):
        yield
        return
    attributes = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": name,
        "gen_ai.request.model": model.model_name,
    }
    with model.settings.tracer.start_as_current_span(f"invoke_agent {name}", attributes=attributes) as span:
        try:
            yield
        finally:
            counts = {"input_tokens": usage.request_tokens, "output_tokens": usage.response_tokens}
            given = {f"gen_ai.usage.{name}": count for name, count in counts.items() if count is not None}
            span.set_attributes({"requests": usage.requests, **given})


@contextmanager
def tools_span(model: Model, names: Sequence[str]) -> Iterator[None]:
    """Surround the execution of the tools that one response calls."""
    if not isinstance(model, InstrumentedModel):
        yield
        return
    with model.settings.tracer.start_as_current_span("execute_tools", attributes={"tools": list(names)}):
        yield
