"""What a type checker must see of the agent. Never run: mypy and pyright read it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import assert_type

from pydantic import BaseModel

from replay_agent import Agent, ModelRetry, RunContext, Tool
from replay_agent.agent import AgentRun, AgentRunResult, End, FinalResult, StreamedRunResult, ToolDefinition
from replay_agent.messages import FunctionToolResultEvent


@dataclass
class Deps:
    unit: str


class City(BaseModel):
    name: str
    country: str


@dataclass
class Island:
    name: str


agent = Agent("test", deps_type=Deps, result_type=City)
assert_type(agent, Agent[Deps, City])

explicit: Agent[Deps, City] = Agent(deps_type=Deps, result_type=City)
text_agent = Agent("test")
assert_type(text_agent, Agent[None, str])
union: Agent[None, City | Island] = Agent("test", result_type=City | Island)  # type: ignore[arg-type]


@agent.system_prompt
def unit(ctx: RunContext[Deps]) -> str:
    return ctx.deps.unit


@agent.system_prompt(dynamic=True)
async def now() -> str:
    return "now"


@agent.tool(retries=2)
async def distance(ctx: RunContext[Deps], to: str, *, by: int = 1) -> float:
    assert_type(ctx.deps, Deps)
    return float(len(to) * by)


@agent.tool
def plain(ctx: RunContext[Deps]) -> str:
    return ctx.deps.unit


@agent.tool_plain
def double(number: int) -> int:
    return 2 * number


assert_type(double(1), int)


async def hidden(ctx: RunContext[Deps], definition: ToolDefinition) -> ToolDefinition | None:
    return definition if ctx.deps.unit else None


@agent.tool(prepare=hidden)
def prepared(ctx: RunContext[Deps]) -> str:
    return ctx.deps.unit


@agent.result_validator
def known(ctx: RunContext[Deps], city: City) -> City:
    if not city.country:
        raise ModelRetry(ctx.deps.unit)
    return city


@text_agent.result_validator
async def shout(text: str) -> str:
    return text.upper()


with_tools: Agent[Deps, str] = Agent("test", deps_type=Deps, tools=[Tool(distance), double])

sync_shape: Callable[[str], Awaitable[AgentRunResult[str]]] = text_agent.run


async def runs() -> None:
    result = await agent.run("Where?", deps=Deps("km"))
    assert_type(result, AgentRunResult[City])
    assert_type(result.data, City)
    assert_type(result.output, City)
    assert_type((await agent.run("Where?", deps=Deps("km"), result_type=int)).data, int)
    assert_type(text_agent.run_sync("Who?").data, str)
    assert_type(text_agent.run_sync("Who?", result_type=Island).data, Island)
    assert_type((await union.run("Which?")).data, City | Island)


async def streams() -> None:
    async with agent.run_stream("Where?", deps=Deps("km")) as result:
        assert_type(result, StreamedRunResult[Deps, City])
        async for city in result.stream():
            assert_type(city, City)
        assert_type(await result.get_data(), City)
    async with agent.run_stream("Where?", deps=Deps("km"), result_type=int) as number:
        assert_type(await number.get_data(), int)


async def steps() -> None:
    async with agent.iter("Where?", deps=Deps("km")) as run:
        assert_type(run, AgentRun[Deps, City])
        async for node in run:
            if Agent.is_model_request_node(node):
                async with node.stream(run.ctx) as stream:
                    async for value in stream.stream_output():
                        assert_type(value, City)
            elif Agent.is_call_tools_node(node):
                async with node.stream(run.ctx) as events:
                    async for event in events:
                        assert_type(
                            event.tool_call_id if isinstance(event, FunctionToolResultEvent) else event.call_id, str
                        )
            elif Agent.is_end_node(node):
                assert_type(node, End[FinalResult[City]])
        if run.result is not None:
            assert_type(run.result.data, City)


wrong_deps = agent.run("Where?", deps="km")  # type: ignore[call-overload]


@agent.tool  # type: ignore[arg-type]
def wrong_context(ctx: RunContext[int]) -> str:
    return str(ctx.deps)
