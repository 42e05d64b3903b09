"""A run of an agent while it goes on, and what comes of it."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Generic, Self

from replay_agent.agent.context import AgentDepsT
from replay_agent.agent.graph import AgentNode, End
from replay_agent.agent.history import RunHistory
from replay_agent.agent.output import FinalResult, ResultDataT
from replay_agent.agent.state import GraphRunContext, RunState
from replay_agent.messages import ModelMessage, ToolReturnPart
from replay_agent.usage import Usage

__all__ = "AgentRun", "AgentRunResult"


@dataclass
class AgentRunResult(RunHistory, Generic[ResultDataT]):
    """What a finished run has to say."""

    data: ResultDataT
    """The result."""
    _result_tool_name: str | None = field(repr=False)
    _state: RunState = field(repr=False)
    _new_message_index: int = field(repr=False)

    @property
    def output(self) -> ResultDataT:
        """The same as ``data``."""
        return self.data

    def all_messages(self, *, result_tool_return_content: str | None = None) -> list[ModelMessage]:
        """Return the whole conversation, the given history included.

        ``result_tool_return_content`` stands in for what the model was told after it called the result tool, in a
        copy of the messages. Raises `ValueError` when the result was text, `LookupError` when the model was told
        nothing.
        """
        if result_tool_return_content is None:
            return self._state.message_history
        return self._with_return_content(result_tool_return_content)

    def _with_return_content(self, content: str) -> list[ModelMessage]:
        if self._result_tool_name is None:
            raise ValueError("Cannot set result tool return content when the return type is `str`.")
        messages = deepcopy(self._state.message_history)
        for part in messages[-1].parts:
            if isinstance(part, ToolReturnPart) and part.tool_name == self._result_tool_name:
                part.content = content
                return messages
        raise LookupError(f"No tool call found with tool name {self._result_tool_name!r}.")

    def usage(self) -> Usage:
        """Return what the run has used."""
        return self._state.usage


@dataclass(repr=False)
class AgentRun(Generic[AgentDepsT, ResultDataT]):
    """A run, step by step.

    Iterate over it for each node that is about to run, from the first model request on, and at last the `End`; or
    hand each node to `next` yourself.
    """

    ctx: GraphRunContext[AgentDepsT, ResultDataT]
    """State and setup of the run; nodes are run and streamed with it."""
    next_node: AgentNode[AgentDepsT, ResultDataT] | End[FinalResult[ResultDataT]]
    """The node that runs next, or the end."""

    def __repr__(self) -> str:
        told = repr(self.next_node.data) if isinstance(self.next_node, End) else "<run not finished>"
        return f"<{type(self).__name__} result={told} usage={self.usage()}>"

    @property
    def result(self) -> AgentRunResult[ResultDataT] | None:
        """The result, None until the end is reached."""
        if not isinstance(self.next_node, End):
            return None
        final = self.next_node.data
        return AgentRunResult(final.data, final.tool_name, self.ctx.state, self.ctx.deps.new_message_index)

    def results(self) -> list[ResultDataT]:
        """Return the value of the result in a list, or an empty list until the end is reached."""
        return [self.next_node.data.data] if isinstance(self.next_node, End) else []

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> AgentNode[AgentDepsT, ResultDataT] | End[FinalResult[ResultDataT]]:
        if isinstance(self.next_node, End):
            raise StopAsyncIteration
        return await self.next(self.next_node)

    async def next(
        self, node: AgentNode[AgentDepsT, ResultDataT]
    ) -> AgentNode[AgentDepsT, ResultDataT] | End[FinalResult[ResultDataT]]:
        """Run a node and return the one after it; whatever the step raises comes through. `TypeError` for what is no node."""
        given: object = node
        if not isinstance(given, AgentNode):
            raise TypeError(f"`next` takes a node of the run, not {given!r}")
        self.next_node = await node.run(self.ctx)
        return self.next_node

    def usage(self) -> Usage:
        """Return what the run has used so far."""
        return self.ctx.state.usage
