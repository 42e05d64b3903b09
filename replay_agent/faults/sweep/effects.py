"""Side effects seen on the wire: a tool whose return is sent to the model was executed after the call was received."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable

from replay_agent.calls import Exchange, ModelCall
from replay_agent.messages import ModelRequest, ModelResponse, RetryPromptPart, ToolCallPart, ToolReturnPart

__all__ = ("executed",)


def executed(exchanges: Iterable[Exchange]) -> Counter[str]:
    """Count the executions of each tool with each arguments.

    A request that is sent again is no new execution; one that comes after the answer with the call was received again is.
    """
    done: Counter[str] = Counter()
    pending: dict[str, str] = {}
    for exchange in exchanges:
        for returned in _returns(exchange.call):
            key = pending.get(returned)
            if key is not None:
                done[key] += 1
        if _returns(exchange.call):
            pending.clear()
        answer = exchange.answer
        if answer.response is not None and answer.error is None and not exchange.partial:
            pending.update(_calls(answer.response))
    return done


def _returns(call: ModelCall) -> list[str]:
    """Return the ids, or names, of the tools whose returns end a conversation."""
    last = call.messages[-1] if call.messages else None
    if not isinstance(last, ModelRequest):
        return []
    parts = (part for part in last.parts if isinstance(part, ToolReturnPart | RetryPromptPart))
    return [part.tool_call_id or part.tool_name or "" for part in parts]


def _calls(response: ModelResponse) -> dict[str, str]:
    calls = [part for part in response.parts if isinstance(part, ToolCallPart)]
    return {part.tool_call_id or part.tool_name: _described(part) for part in calls}


def _described(part: ToolCallPart) -> str:
    try:
        arguments = json.loads(part.args) if isinstance(part.args, str) else part.args
    except ValueError:
        arguments = part.args
    return f"{part.tool_name}({json.dumps(arguments, sort_keys=True, default=str)})"
