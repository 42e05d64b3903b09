"""System prompts that are written by a function."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeAlias

from replay_agent.agent.calling import call
from replay_agent.agent.context import AgentDepsT, RunContext
from replay_agent.messages import SystemPromptPart

__all__ = "SystemPromptFunc", "SystemPromptRunner"

SystemPromptFunc: TypeAlias = (
    Callable[[RunContext[AgentDepsT]], str]
    | Callable[[RunContext[AgentDepsT]], Awaitable[str]]
    | Callable[[], str]
    | Callable[[], Awaitable[str]]
)
"""Writes a system prompt, with or without the context, sync or async."""


@dataclass
class SystemPromptRunner(Generic[AgentDepsT]):
    """A prompt function; a dynamic one writes its part of an older conversation anew."""

    function: SystemPromptFunc[AgentDepsT]
    dynamic: bool = False

    def __post_init__(self) -> None:
        self._takes_ctx = bool(inspect.signature(self.function).parameters)

    @property
    def ref(self) -> str:
        """What a part carries as ``dynamic_ref`` if this function is to write it anew."""
        return str(getattr(self.function, "__qualname__", type(self.function).__qualname__))

    async def part(self, ctx: RunContext[AgentDepsT]) -> SystemPromptPart:
        """Call the function and return its prompt; whatever the function raises comes through."""
        args = (ctx,) if self._takes_ctx else ()
        return SystemPromptPart(await call(self.function, *args), dynamic_ref=self.ref if self.dynamic else None)
