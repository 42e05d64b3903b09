"""OpenTelemetry spans around a run and its steps. Nothing in a run depends on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from replay_agent.models.instrumented import InstrumentationSettings, InstrumentedModel
from replay_agent.models.telemetry import dumped, events_json, json_schema, jsonable, message_events

if TYPE_CHECKING:
    from replay_agent.agent.state import RunState
    from replay_agent.models.base import Model

__all__ = "agent_span", "preparing_span", "tools_span"


@contextmanager
def agent_span(name: str, model: Model, state: RunState, results: Callable[[], Sequence[Any]]) -> Iterator[None]:
    """Surround a run with a span if its model is instrumented; it shows usage and messages as they are at the end.

    ``results`` is called at the end and gives the final result, or nothing where the run did not come to one.
    """
    if not isinstance(model, InstrumentedModel):
        yield
        return
    options = model.options
    attributes = {
        "model_name": model.model_name,
        "agent_name": name,
        "logfire.msg": f"{name} run",
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": name,
        "gen_ai.request.model": model.model_name,
    }
    with options.tracer.start_as_current_span("agent run", attributes=attributes) as span:
        try:
            yield
        finally:
            if span.is_recording():
                span.set_attributes({"requests": state.usage.requests, **state.usage.opentelemetry_attributes()})
                span.set_attributes(_told(options, state, results()))


def _told(options: InstrumentationSettings, state: RunState, results: Sequence[Any]) -> dict[str, str]:
    if not options.include_content:
        return {}
    told = {
        "all_messages_events": events_json(message_events(state.message_history)),
        "logfire.json_schema": json_schema(all_messages_events="array", final_result="object"),
    }
    for result in results:
        told["final_result"] = result if isinstance(result, str) else dumped(jsonable(result))
    return told


def preparing_span(model: Model, run_step: int) -> AbstractContextManager[object]:
    """Surround the preparation of the tools that one request offers."""
    return _span(model, "preparing model request params", {"run_step": run_step})


def tools_span(model: Model, names: Sequence[str]) -> AbstractContextManager[object]:
    """Surround the execution of the tools that one response calls."""
    told = {"tools": list(names), "logfire.msg": f"running tools: {', '.join(names)}"}
    return _span(model, "running tools", told)


def _span(model: Model, name: str, attributes: dict[str, Any]) -> AbstractContextManager[object]:
    if not isinstance(model, InstrumentedModel):
        return nullcontext()
    return model.options.tracer.start_as_current_span(name, attributes=attributes)
