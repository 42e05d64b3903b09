"""What follows from the tool calls of one response."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from replay_agent.agent.calling import gather
from replay_agent.agent.output import FinalResult, ToolRetryError
from replay_agent.agent.tracing import tools_span
from replay_agent.messages import ModelRequestPart, RetryPromptPart, ToolCallPart, ToolReturnPart

if TYPE_CHECKING:
    from replay_agent.agent.state import GraphRunContext
    from replay_agent.agent.tools import Tool

__all__ = "CallPlan", "ToolAnswer", "plan_calls", "plan_response", "run_tools"

ToolAnswer: TypeAlias = ToolReturnPart | RetryPromptPart
"""What the model is told after a call."""

_PROCESSED = "Final result processed."
_NOT_EXECUTED = "Tool not executed - a final result was already processed."
_NOT_USED = "Result tool not used - a final result was already processed."
_NOT_VALID = "Result tool not used - result failed validation."


@dataclass
class CallPlan:
    """What the calls of one response lead to."""

    to_run: list[tuple[Tool[Any], ToolCallPart]] = field(default_factory=list)
    """Function tools to execute."""
    answers: list[ModelRequestPart] = field(default_factory=list)
    """Answers to calls that lead to no execution."""
    result: FinalResult[Any] | None = None
    """The first result that validates."""
    retries: list[RetryPromptPart] = field(default_factory=list)
    """What is wrong with the results before it."""


async def plan_response(ctx: GraphRunContext[Any, Any], calls: Sequence[ToolCallPart]) -> CallPlan:
    """Look for the final result, then sort the other calls.

    Each result that is refused and each unknown tool spends a result retry; raises `UnexpectedModelBehavior` when the
    budget is passed.
    """
    result, retries = await _find_result(ctx, calls)
    plan = plan_calls(ctx, calls, None if result is None else (result.tool_name, result.tool_call_id))
    plan.result, plan.retries = result, retries
    return plan


async def _find_result(
    ctx: GraphRunContext[Any, Any], calls: Sequence[ToolCallPart]
) -> tuple[FinalResult[Any] | None, list[RetryPromptPart]]:
    retries: list[RetryPromptPart] = []
    schema, validators = ctx.deps.result_schema, ctx.deps.result_validators
    for call, _ in schema.calls(calls):
        try:
            data = await schema.validate_call(call, validators, ctx.run_context())
        except ToolRetryError as exc:
            ctx.spend_result_retry()
            retries.append(exc.tool_retry)
        else:
            return FinalResult(data, call.tool_name, call.tool_call_id), retries
    return None, retries


def plan_calls(
    ctx: GraphRunContext[Any, Any], calls: Sequence[ToolCallPart], result: tuple[str | None, str | None] | None
) -> CallPlan:
    """Sort the calls of a response into those to execute and those to answer at once.

    ``result`` is tool name and id of the final result (both None for text), None while there is no result.
    """
    plan = CallPlan()
    accepted = _accepted(calls, result)
    leave_alone = result is not None and result[0] is not None and ctx.deps.end_strategy == "early"
    for index, call in enumerate(calls):
        tool = ctx.deps.function_tools.get(call.tool_name)
        if index == accepted:
            plan.answers.append(_answer(call, _PROCESSED))
        elif tool is not None and leave_alone:
            plan.answers.append(_answer(call, _NOT_EXECUTED))
        elif tool is not None:
            plan.to_run.append((tool, call))
        elif call.tool_name not in ctx.deps.result_schema.tools:
            plan.answers.append(_unknown_tool(ctx, call.tool_name))
        elif accepted is not None:
            plan.answers.append(_answer(call, _NOT_USED if index > accepted else _NOT_VALID))
    return plan


def _accepted(calls: Sequence[ToolCallPart], result: tuple[str | None, str | None] | None) -> int | None:
    return next((index for index, call in enumerate(calls) if (call.tool_name, call.tool_call_id) == result), None)


def _answer(call: ToolCallPart, content: str) -> ToolReturnPart:
    return ToolReturnPart(call.tool_name, content, call.tool_call_id)


def _unknown_tool(ctx: GraphRunContext[Any, Any], name: str) -> RetryPromptPart:
    ctx.spend_result_retry()
    known = [*ctx.deps.function_tools, *ctx.deps.result_schema.tool_names()]
    offer = f"Available tools: {', '.join(known)}" if known else "No tools available."
    return RetryPromptPart(f"Unknown tool name: {name!r}. {offer}")


async def run_tools(
    ctx: GraphRunContext[Any, Any],
    plan: CallPlan,
    report: Callable[[int, ToolAnswer], Awaitable[None]] | None = None,
) -> list[ModelRequestPart]:
    """Execute the planned calls at the same time and return all answers: the ready ones, then these in call order.

    ``report`` is awaited with the index and the answer of each call as it finishes.
    """
    if not plan.to_run:
        return plan.answers
    run_context = ctx.run_context()

    async def run(index: int, tool: Tool[Any], call: ToolCallPart) -> ToolAnswer:
        answer = await tool.run(call, run_context)
        if report is not None:
            await report(index, answer)
        return answer

    with tools_span(ctx.deps.model, [call.tool_name for _, call in plan.to_run]):
        answers = await gather([partial(run, index, *planned) for index, planned in enumerate(plan.to_run)])
    return [*plan.answers, *answers]
