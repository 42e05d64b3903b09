"""What the steps of a run share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeAlias

from replay_agent.agent.context import AgentDepsT, RunContext
from replay_agent.agent.output import ResultDataT, ResultSchema, ResultValidator
from replay_agent.agent.tools import Tool
from replay_agent.exceptions import UnexpectedModelBehavior
from replay_agent.messages import ModelMessage, UserContent
from replay_agent.models.base import Model
from replay_agent.settings import ModelSettings
from replay_agent.usage import Usage, UsageLimits

__all__ = "EndStrategy", "GraphRunContext", "RunSetup", "RunState"

EndStrategy: TypeAlias = Literal["early", "exhaustive"]
"""Whether function tools that are called beside a final result are left alone or executed."""


@dataclass
class RunState:
    """What changes while a run goes on."""

    message_history: list[ModelMessage]
    usage: Usage
    retries: int = 0
    """How many times the model had to be told that its result will not do."""
    run_step: int = 0
    tool_failures: dict[str, int] = field(default_factory=dict)
    """Failures in a row of every tool, by name."""

    def increment_retries(self, max_result_retries: int) -> None:
        """Spend one result retry; `UnexpectedModelBehavior` when there is none left."""
        self.retries += 1
        if self.retries > max_result_retries:
            raise UnexpectedModelBehavior(f"Exceeded maximum retries ({max_result_retries}) for result validation")


@dataclass
class RunSetup(Generic[AgentDepsT, ResultDataT]):
    """What stays the same for the whole run."""

    user_deps: Any
    prompt: str | Sequence[UserContent]
    new_message_index: int
    model: Model
    model_settings: ModelSettings | None
    usage_limits: UsageLimits
    max_result_retries: int
    end_strategy: EndStrategy
    result_schema: ResultSchema
    result_validators: list[ResultValidator[AgentDepsT]]
    function_tools: dict[str, Tool[AgentDepsT]]


@dataclass
class GraphRunContext(Generic[AgentDepsT, ResultDataT]):
    """State and setup of a run, as its steps take them."""

    state: RunState
    deps: RunSetup[AgentDepsT, ResultDataT]

    def run_context(self) -> RunContext[Any]:
        """Return what the user's functions are told at this moment."""
        return RunContext(
            deps=self.deps.user_deps,
            model=self.deps.model,
            usage=self.state.usage,
            prompt=self.deps.prompt,
            messages=self.state.message_history,
            run_step=self.state.run_step,
            tool_failures=self.state.tool_failures,
        )

    def spend_result_retry(self) -> None:
        """Count one refused result; `UnexpectedModelBehavior` when the budget is passed."""
        self.state.increment_retries(self.deps.max_result_retries)
