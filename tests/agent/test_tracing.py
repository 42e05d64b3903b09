from __future__ import annotations

import json

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic import BaseModel

from replay_agent import Agent
from replay_agent.agent import InstrumentationSettings

pytestmark = pytest.mark.anyio


@pytest.fixture
def spans():
    return InMemorySpanExporter()


@pytest.fixture
def settings(spans):
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    return InstrumentationSettings(tracer_provider=provider)


def agent_with_tool(**options):
    agent = Agent("test", name="counter", **options)
    agent.tool_plain(name="one")(lambda: 1)
    return agent


async def test_a_run_its_requests_and_its_tools_have_spans(spans, settings):
    await agent_with_tool(instrument=settings).run("Hello")
    finished = spans.get_finished_spans()
    run = finished[-1]
    step, chat, tools = "preparing model request params", "chat test", "running tools"
    assert [span.name for span in finished] == [step, chat, tools, step, chat, "agent run"]
    assert {span.parent.span_id for span in finished[:-1]} == {run.context.span_id}
    assert {span.instrumentation_scope.name for span in finished} == {"pydantic-ai"}
    assert [span.attributes["run_step"] for span in finished if span.name == step] == [1, 2]
    assert finished[2].attributes["tools"] == ("one",)
    assert finished[2].attributes["logfire.msg"] == "running tools: one"


async def test_a_run_tells_who_ran_and_what_was_said(spans, settings):
    await agent_with_tool(instrument=settings).run("Hello")
    told = dict(spans.get_finished_spans()[-1].attributes)
    events = json.loads(told.pop("all_messages_events"))
    assert [event["event.name"] for event in events] == [
        "gen_ai.user.message",
        "gen_ai.assistant.message",
        "gen_ai.tool.message",
        "gen_ai.assistant.message",
    ]
    assert [event["gen_ai.message.index"] for event in events] == [0, 1, 2, 3]
    assert json.loads(told.pop("logfire.json_schema"))["properties"].keys() == {"all_messages_events", "final_result"}
    assert told == {
        "model_name": "test",
        "agent_name": "counter",
        "logfire.msg": "counter run",
        "final_result": '{"one":1}',
        "requests": 2,
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "counter",
        "gen_ai.request.model": "test",
        "gen_ai.usage.input_tokens": 103,
        "gen_ai.usage.output_tokens": told["gen_ai.usage.output_tokens"],
    }


class Sum(BaseModel):
    total: int


@pytest.mark.parametrize(
    ("result_type", "told"), [(Sum, {"total": 0}), (list[int], [0]), (int, 0), (bool, False)], ids=str
)
async def test_a_result_that_is_no_text_is_told_as_json(spans, settings, result_type, told):
    await Agent("test", result_type=result_type, instrument=settings).run("Hello")
    assert json.loads(spans.get_finished_spans()[-1].attributes["final_result"]) == told


async def test_content_stays_out_of_a_run_that_is_told_without(spans):
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    await agent_with_tool(instrument=InstrumentationSettings(tracer_provider=provider, include_content=False)).run(
        "Hello"
    )
    assert all("Hello" not in str(dict(span.attributes)) for span in spans.get_finished_spans())


async def test_a_run_without_a_name_is_an_agents(spans, settings):
    await Agent("test", instrument=settings).run("Hello", infer_name=False)
    assert spans.get_finished_spans()[-1].attributes["logfire.msg"] == "agent run"


async def test_behaviour_does_not_depend_on_it(settings):
    traced, plain = await agent_with_tool(instrument=settings).run("Hello"), await agent_with_tool().run("Hello")
    assert (traced.data, traced.usage()) == (plain.data, plain.usage())
    async with agent_with_tool(instrument=settings).run_stream("Hello") as result:
        assert await result.get_data() == plain.data


async def test_all_agents_can_be_traced(spans, settings):
    Agent.instrument_all(settings)
    try:
        await agent_with_tool().run("Hello")
        await agent_with_tool(instrument=False).run("Hello")
    finally:
        Agent.instrument_all(False)
    await agent_with_tool().run("Hello")
    assert [span.name for span in spans.get_finished_spans()].count("agent run") == 1


async def test_an_error_is_recorded(spans, settings):
    agent = agent_with_tool(instrument=settings)

    @agent.tool_plain
    def fail() -> None:
        raise LookupError("gone")

    with pytest.raises(LookupError):
        await agent.run("Hello")
    run = spans.get_finished_spans()[-1]
    assert run.name == "agent run"
    assert run.events[0].name == "exception"
    assert "final_result" not in run.attributes
    assert len(json.loads(run.attributes["all_messages_events"])) == 2
