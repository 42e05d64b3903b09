"""What tools, prompts and validators are told of the run that calls them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic

from typing_extensions import TypeVar

from replay_agent.messages import ModelMessage, UserContent
from replay_agent.models.base import Model
from replay_agent.usage import Usage

__all__ = "AgentDepsT", "RunContext"

_AS_IT_IS: Any = object()

AgentDepsT = TypeVar("AgentDepsT", default=None, contravariant=True)
"""What an agent's functions depend on."""
_ContextDepsT = TypeVar("_ContextDepsT", default=None, covariant=True)


@dataclass
class RunContext(Generic[_ContextDepsT]):
    """The run as a function of the user's sees it. ``usage`` and ``messages`` are the run's own, not copies."""

    deps: _ContextDepsT
    """What the caller handed to the run."""
    model: Model
    """The model that answers."""
    usage: Usage
    """What the run has used so far; hand it to a delegate's run to count both together."""
    prompt: str | Sequence[UserContent]
    """What the user asked, as given."""
    messages: list[ModelMessage] = field(default_factory=list)
    """The conversation so far."""
    tool_call_id: str | None = None
    """The id of the call that is executed."""
    tool_name: str | None = None
    """The tool that is called or prepared, or the result tool whose value is validated."""
    retry: int = 0
    """How many times in a row this tool has failed so far."""
    run_step: int = 0
    """How many responses the run has asked for."""
    tool_failures: dict[str, int] = field(default_factory=dict, repr=False, compare=False)
    """Failures in a row of every tool of this run, by name."""

    def replace_with(self, retry: int | None = None, tool_name: str | None = _AS_IT_IS) -> RunContext[_ContextDepsT]:
        """Return this context with another count of failures or another tool; None is a name like any other."""
        return replace(
            self,
            retry=self.retry if retry is None else retry,
            tool_name=self.tool_name if tool_name is _AS_IT_IS else tool_name,
        )
