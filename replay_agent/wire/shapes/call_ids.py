"""Ids for tool calls that have none, in formats that cannot do without."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable

from replay_agent.messages import ModelMessage, RetryPromptPart, ToolCallPart, ToolReturnPart

__all__ = ("CallIds",)


class CallIds:
    """Gives every call without an id one that tells its place in the conversation, and its result the same one.

    Results without an id belong to the calls of their tool in order.
    """

    def __init__(self) -> None:
        self._calls = 0
        self._unanswered: defaultdict[str | None, deque[str]] = defaultdict(deque)

    @classmethod
    def after(cls, messages: Iterable[ModelMessage]) -> CallIds:
        """Return the ids for the answer to a conversation."""
        ids = cls()
        for message in messages:
            for part in message.parts:
                if isinstance(part, ToolCallPart):
                    ids.of_call(part)
        return ids

    def of_call(self, call: ToolCallPart) -> str:
        """Return the id of a call; ask once for each call, in order."""
        self._calls += 1
        if call.tool_call_id is not None:
            return call.tool_call_id
        made_up = f"call_{self._calls}"
        self._unanswered[call.tool_name].append(made_up)
        return made_up

    def of_result(self, result: ToolReturnPart | RetryPromptPart) -> str:
        """Return the id of the call that a result answers."""
        if result.tool_call_id is not None:
            return result.tool_call_id
        unanswered = self._unanswered[result.tool_name]
        return unanswered.popleft() if unanswered else "call_0"  # counted from 1, so no call has it
