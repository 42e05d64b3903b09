from __future__ import annotations

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

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
    assert [span.name for span in finished] == ["chat test", "execute_tools", "chat test", "invoke_agent counter"]
    assert {span.parent.span_id for span in finished[:-1]} == {run.context.span_id}
    assert run.attributes["gen_ai.usage.input_tokens"] == 103
    assert finished[1].attributes["tools"] == ("one",)


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
    assert [span.name for span in spans.get_finished_spans()].count("invoke_agent counter") == 1


async def test_an_error_is_recorded(spans, settings):
    agent = agent_with_tool(instrument=settings)

    @agent.tool_plain
    def fail() -> None:
        raise LookupError("gone")

    with pytest.raises(LookupError):
        await agent.run("Hello")
    run = spans.get_finished_spans()[-1]
    assert run.name == "invoke_agent counter"
    assert run.events[0].name == "exception"
