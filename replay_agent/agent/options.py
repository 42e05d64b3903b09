"""What may be said of one run beside its prompt, once for the signatures of all ways to run an agent."""

from __future__ import annotations

from typing import Generic, TypedDict

from replay_agent.agent.context import AgentDepsT
from replay_agent.messages import ModelMessage
from replay_agent.models.base import Model
from replay_agent.models.names import KnownModelName
from replay_agent.settings import ModelSettings
from replay_agent.usage import Usage, UsageLimits

__all__ = ("RunOptions",)


class RunOptions(TypedDict, Generic[AgentDepsT], total=False):
    """The keyword arguments of `Agent.run` that do not decide the type of its result; `Agent.run` explains them."""

    message_history: list[ModelMessage] | None
    model: Model | KnownModelName | str | None
    deps: AgentDepsT
    model_settings: ModelSettings | None
    usage_limits: UsageLimits | None
    usage: Usage | None
    infer_name: bool
