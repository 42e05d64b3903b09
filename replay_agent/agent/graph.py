"""The steps of a run. Each is a node that runs once and names the step after it."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Generic

from typing_extensions import TypeVar

from replay_agent.agent.calling import gather
from replay_agent.agent.context import AgentDepsT
from replay_agent.agent.feed import Feed
from replay_agent.agent.output import FinalResult, ResultDataT, ToolRetryError, validated
from replay_agent.agent.prompts import SystemPromptRunner
from replay_agent.agent.state import GraphRunContext
from replay_agent.agent.stream import AgentStream
from replay_agent.agent.tool_calls import CallPlan, ToolAnswer, plan_response, run_tools
from replay_agent.agent.tools import Tool
from replay_agent.agent.tracing import preparing_span
from replay_agent.calls import ToolDefinition
from replay_agent.exceptions import AgentRunError, UnexpectedModelBehavior
from replay_agent.messages import (
    FunctionToolCallEvent,
    FunctionToolResultEvent,
    HandleResponseEvent,
    ModelRequest,
    ModelRequestPart,
    ModelResponse,
    RetryPromptPart,
    SystemPromptPart,
    TextPart,
    ToolCallPart,
    UserContent,
    UserPromptPart,
)
from replay_agent.models.base import ModelRequestParameters, StreamedResponse
from replay_agent.usage import Usage

__all__ = "AgentNode", "CallToolsNode", "End", "ModelRequestNode", "UserPromptNode"

DataT = TypeVar("DataT", covariant=True)

_NO_TEXT = "Plain text responses are not permitted, please call one of the functions instead."


@dataclass
class End(Generic[DataT]):
    """The end of a run. Where ``pydantic_graph`` is imported, `isinstance` takes it for that package's ``End`` too."""

    data: DataT

    # Loops that were written for the seed run until `isinstance(node, pydantic_graph.End)`.
    @property  # type: ignore[misc]
    def __class__(self) -> type[Any]:
        return getattr(sys.modules.get("pydantic_graph"), "End", None) or type(self)

    def __reduce__(self) -> tuple[type[Any], tuple[DataT]]:
        return type(self), (self.data,)  # by itself, pickle asks for `__class__`


class AgentNode(ABC, Generic[AgentDepsT, ResultDataT]):
    """A step of a run."""

    @abstractmethod
    async def run(
        self, ctx: GraphRunContext[AgentDepsT, ResultDataT]
    ) -> AgentNode[AgentDepsT, ResultDataT] | End[FinalResult[ResultDataT]]:
        """Do the step and return the next one."""


@dataclass
class UserPromptNode(AgentNode[AgentDepsT, ResultDataT]):
    """Writes the first request: system prompts where there is no history, then what the user said."""

    user_prompt: str | Sequence[UserContent]
    system_prompts: tuple[str, ...]
    system_prompt_functions: list[SystemPromptRunner[AgentDepsT]]
    system_prompt_dynamic_functions: dict[str, SystemPromptRunner[AgentDepsT]]

    async def run(self, ctx: GraphRunContext[AgentDepsT, ResultDataT]) -> ModelRequestNode[AgentDepsT, ResultDataT]:
        parts: list[ModelRequestPart] = []
        if ctx.state.message_history:
            await self._refresh_dynamic_prompts(ctx)
        else:
            parts += map(SystemPromptPart, self.system_prompts)
            run_context = ctx.run_context()
            parts += [await runner.part(run_context) for runner in self.system_prompt_functions]
        parts.append(UserPromptPart(self.user_prompt))
        ctx.state.tool_failures.clear()
        return ModelRequestNode(ModelRequest(parts))

    async def _refresh_dynamic_prompts(self, ctx: GraphRunContext[AgentDepsT, ResultDataT]) -> None:
        run_context = ctx.run_context()
        for message in ctx.state.message_history:
            if not isinstance(message, ModelRequest):
                continue
            for index, part in enumerate(message.parts):
                if isinstance(part, SystemPromptPart) and part.dynamic_ref in self.system_prompt_dynamic_functions:
                    message.parts[index] = await self.system_prompt_dynamic_functions[part.dynamic_ref].part(
                        run_context
                    )


@dataclass
class ModelRequestNode(AgentNode[AgentDepsT, ResultDataT]):
    """Sends ``request`` to the model."""

    request: ModelRequest
    _result: CallToolsNode[AgentDepsT, ResultDataT] | None = field(default=None, init=False, repr=False, compare=False)
    _did_stream: bool = field(default=False, init=False, repr=False, compare=False)

    async def run(self, ctx: GraphRunContext[AgentDepsT, ResultDataT]) -> CallToolsNode[AgentDepsT, ResultDataT]:
        """Ask the model; a second time returns the same node. `AgentRunError` while the response is streamed."""
        if self._result is not None:
            return self._result
        if self._did_stream:
            raise AgentRunError("You must finish streaming before calling run()")
        parameters = await self._prepare(ctx)
        deps, state = ctx.deps, ctx.state
        response, usage = await deps.model.request(state.message_history, deps.model_settings, parameters)
        state.usage.incr(Usage(), requests=1)
        return self._finish(ctx, response, usage)

    @asynccontextmanager
    async def stream(
        self, ctx: GraphRunContext[AgentDepsT, ResultDataT]
    ) -> AsyncIterator[AgentStream[AgentDepsT, ResultDataT]]:
        """Ask the model and read its response while it comes; can be done once.

        What was not read is read when the block is left, and `run` then goes on from there without a second request.
        """
        deps = ctx.deps
        async with self.raw_stream(ctx) as response:
            agent_stream: AgentStream[AgentDepsT, ResultDataT] = AgentStream(
                response, deps.result_schema, deps.result_validators, ctx.run_context(), deps.usage_limits
            )
            async with aclosing(agent_stream):
                yield agent_stream
                await agent_stream.drain()

    @asynccontextmanager
    async def raw_stream(self, ctx: GraphRunContext[AgentDepsT, ResultDataT]) -> AsyncIterator[StreamedResponse]:
        """Do as `stream` does, and give the model's own stream."""
        assert not self._did_stream, "stream() should only be called once per node"
        parameters = await self._prepare(ctx)
        deps, state = ctx.deps, ctx.state
        async with deps.model.request_stream(state.message_history, deps.model_settings, parameters) as response:
            self._did_stream = True
            state.usage.incr(Usage(), requests=1)
            yield response
            async for _ in response:
                pass
        self._finish(ctx, response.get(), response.usage())

    async def _prepare(self, ctx: GraphRunContext[AgentDepsT, ResultDataT]) -> ModelRequestParameters:
        ctx.state.message_history.append(self.request)
        ctx.deps.usage_limits.check_before_request(ctx.state.usage)
        ctx.state.run_step += 1
        schema = ctx.deps.result_schema
        with preparing_span(ctx.deps.model, ctx.state.run_step):
            function_tools = await _tool_defs(ctx)
        return ModelRequestParameters(function_tools, schema.allow_text_result, schema.tool_defs())

    def _finish(
        self, ctx: GraphRunContext[AgentDepsT, ResultDataT], response: ModelResponse, usage: Usage
    ) -> CallToolsNode[AgentDepsT, ResultDataT]:
        ctx.state.usage.incr(usage)
        ctx.deps.usage_limits.check_tokens(ctx.state.usage)
        ctx.state.message_history.append(response)
        self._result = CallToolsNode(response)
        return self._result


async def _tool_defs(ctx: GraphRunContext[Any, Any]) -> list[ToolDefinition]:
    """Return what the model is told of the function tools, in order of registration."""
    tools = ctx.deps.function_tools.values()
    run_context = ctx.run_context()

    async def prepare(tool: Tool[Any]) -> ToolDefinition | None:
        retry = ctx.state.tool_failures.get(tool.name, 0)
        return await tool.prepare_tool_def(replace(run_context, tool_name=tool.name, retry=retry))

    changing = [tool for tool in tools if tool.is_prepared]
    definitions = await gather([partial(prepare, tool) for tool in changing])
    prepared = {tool.name: definition for tool, definition in zip(changing, definitions, strict=True)}
    told = [prepared[tool.name] if tool.is_prepared else await tool.prepare_tool_def(run_context) for tool in tools]
    return [definition for definition in told if definition is not None]


@dataclass
class CallToolsNode(AgentNode[AgentDepsT, ResultDataT]):
    """Does what ``model_response`` asks for: takes it as the result, or executes the tools that it calls."""

    model_response: ModelResponse
    _next: ModelRequestNode[AgentDepsT, ResultDataT] | End[FinalResult[ResultDataT]] | None = field(
        default=None, init=False, repr=False, compare=False
    )
    _events: AsyncGenerator[HandleResponseEvent, None] | None = field(
        default=None, init=False, repr=False, compare=False
    )

    async def run(
        self, ctx: GraphRunContext[AgentDepsT, ResultDataT]
    ) -> ModelRequestNode[AgentDepsT, ResultDataT] | End[FinalResult[ResultDataT]]:
        """Execute the tools and return the next node; a second time returns the same node.

        Raises `UnexpectedModelBehavior` for an empty response and where a retry budget is passed, and whatever a tool
        or validator raises.
        """
        if self._events is not None:
            async for _ in self._events:
                pass
        elif self._next is None:
            plan = await self._plan(ctx)
            if plan is not None:
                self._conclude(ctx, plan, await run_tools(ctx, plan))
        assert self._next is not None
        return self._next

    @asynccontextmanager
    async def stream(
        self, ctx: GraphRunContext[AgentDepsT, ResultDataT]
    ) -> AsyncIterator[AsyncIterator[HandleResponseEvent]]:
        """Execute the tools and give an iterator of the calls and their answers, these in the order of finishing.

        The tools are executed once, however often this is called; what was not read is read when the block is left.
        """
        if self._events is None:
            self._events = self._emit(ctx)
        async with aclosing(self._events) as events:
            yield events
            async for _ in events:
                pass

    async def _emit(self, ctx: GraphRunContext[AgentDepsT, ResultDataT]) -> AsyncGenerator[HandleResponseEvent, None]:
        plan = await self._plan(ctx) if self._next is None else None
        if plan is None:
            return
        called = [FunctionToolCallEvent(call) for _, call in plan.to_run]
        for event in called:
            yield event
        answers: list[ModelRequestPart] = []

        async def execute(emit: Callable[[HandleResponseEvent], Awaitable[None]]) -> None:
            async def report(index: int, answer: ToolAnswer) -> None:
                await emit(FunctionToolResultEvent(answer, called[index].call_id))

            answers.extend(await run_tools(ctx, plan, report))

        async with aclosing(Feed(execute)) as results:
            async for result in results:
                yield result
        self._conclude(ctx, plan, answers)

    async def _plan(self, ctx: GraphRunContext[AgentDepsT, ResultDataT]) -> CallPlan | None:
        """Return what follows from the tool calls; without any, go on from the text and return None."""
        parts = self.model_response.parts
        calls = [part for part in parts if isinstance(part, ToolCallPart)]
        if calls:
            return await plan_response(ctx, calls)
        texts = [part.content for part in parts if isinstance(part, TextPart) and part.content]
        if not texts:
            raise UnexpectedModelBehavior("Received empty model response")
        self._next = await self._after_text(ctx, "\n\n".join(texts))
        return None

    async def _after_text(
        self, ctx: GraphRunContext[AgentDepsT, ResultDataT], text: str
    ) -> ModelRequestNode[AgentDepsT, ResultDataT] | End[FinalResult[ResultDataT]]:
        if not ctx.deps.result_schema.allow_text_result:
            ctx.spend_result_retry()
            return ModelRequestNode(ModelRequest([RetryPromptPart(_NO_TEXT)]))
        try:
            data = await validated(text, None, ctx.deps.result_validators, ctx.run_context())
        except ToolRetryError as exc:
            ctx.spend_result_retry()
            return ModelRequestNode(ModelRequest([exc.tool_retry]))
        return End(FinalResult(data, None, None))

    def _conclude(
        self, ctx: GraphRunContext[AgentDepsT, ResultDataT], plan: CallPlan, answers: list[ModelRequestPart]
    ) -> None:
        if plan.result is None:
            self._next = ModelRequestNode(ModelRequest([*plan.retries, *answers]))
            return
        if answers:
            ctx.state.message_history.append(ModelRequest(answers))
        self._next = End(plan.result)
