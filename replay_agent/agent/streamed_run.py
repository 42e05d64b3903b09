"""A run whose result is read while the model writes it: node by node until the result begins, then the stream."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Any

from replay_agent.agent.graph import End, ModelRequestNode
from replay_agent.agent.stream import StreamedRunResult
from replay_agent.agent.tool_calls import plan_calls, run_tools
from replay_agent.exceptions import AgentRunError
from replay_agent.messages import ModelRequest, ModelResponse, PartStartEvent, ToolCallPart

if TYPE_CHECKING:
    from replay_agent.agent.context import AgentDepsT
    from replay_agent.agent.output import ResultSchema
    from replay_agent.agent.run import AgentRun
    from replay_agent.agent.state import GraphRunContext
    from replay_agent.models.base import StreamedResponse

__all__ = ("streamed_run",)


@asynccontextmanager
async def streamed_run(
    running: AbstractAsyncContextManager[AgentRun[AgentDepsT, Any]],
) -> AsyncIterator[StreamedRunResult[AgentDepsT, Any]]:
    """Run an agent until a part begins that can be the result, and yield that while it comes.

    Raises `AgentRunError` for a run that ends without a result.
    """
    async with running as agent_run:
        ctx, node = agent_run.ctx, agent_run.next_node
        while not isinstance(node, End):
            if isinstance(node, ModelRequestNode):
                async with node.raw_stream(ctx) as response:
                    start = await _result_start(response, ctx.deps.result_schema)
                    if start is not None:
                        async with aclosing(_streamed_result(ctx, response, *start)) as result:
                            yield result
                            await result.drain()
                if start is not None:
                    history = ctx.state.message_history
                    history += result.all_messages()[len(history) :]
                    return
            node = await agent_run.next(node)
        raise AgentRunError("Agent run finished without producing a final result")


async def _result_start(response: StreamedResponse, schema: ResultSchema) -> tuple[str | None, str | None] | None:
    """Read until a part begins that can be the result; return name and id of its call, or None at the end."""
    async for event in response:
        if isinstance(event, PartStartEvent):
            start = schema.starts_result(event.part)
            if start is not None:
                return start
    return None


def _streamed_result(
    ctx: GraphRunContext[AgentDepsT, Any], response: StreamedResponse, tool_name: str | None, tool_call_id: str | None
) -> StreamedRunResult[AgentDepsT, Any]:
    messages = list(ctx.state.message_history)

    async def complete(response: ModelResponse) -> None:
        messages.append(response)
        calls = [part for part in response.parts if isinstance(part, ToolCallPart)]
        answers = await run_tools(ctx, plan_calls(ctx, calls, (tool_name, tool_call_id)))
        if answers:
            messages.append(ModelRequest(answers))

    return StreamedRunResult(
        response,
        ctx.deps.result_schema,
        ctx.deps.result_validators,
        ctx.run_context(),
        ctx.deps.usage_limits,
        messages,
        ctx.deps.new_message_index,
        tool_name,
        complete,
    )
