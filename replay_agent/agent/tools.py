"""Function tools: what a model is told of them, and how a call of one is executed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from copy import copy, deepcopy
from dataclasses import dataclass, field, replace
from typing import Any, Concatenate, Generic, Self, TypeAlias

from pydantic import ValidationError
from typing_extensions import ParamSpec

from replay_agent.agent.calling import call
from replay_agent.agent.context import AgentDepsT, RunContext
from replay_agent.agent.docstrings import DocstringFormat
from replay_agent.agent.parameters import read_parameters, takes_context
from replay_agent.agent.schema import error_details
from replay_agent.calls import ToolDefinition
from replay_agent.exceptions import ModelRetry, UnexpectedModelBehavior
from replay_agent.messages import RetryPromptPart, ToolCallPart, ToolReturnPart

__all__ = (
    "Tool",
    "ToolDefinition",
    "ToolFuncContext",
    "ToolFuncEither",
    "ToolFuncPlain",
    "ToolParams",
    "ToolPrepareFunc",
)

ToolParams = ParamSpec("ToolParams", default=...)
"""The parameters of a tool's function."""

ToolFuncContext: TypeAlias = Callable[Concatenate[RunContext[AgentDepsT], ToolParams], Any]
"""A tool's function that takes the context first."""
ToolFuncPlain: TypeAlias = Callable[ToolParams, Any]
"""A tool's function that does not take the context."""
ToolFuncEither: TypeAlias = ToolFuncContext[AgentDepsT, ToolParams] | ToolFuncPlain[ToolParams]
"""A tool's function of either kind."""
ToolPrepareFunc: TypeAlias = Callable[[RunContext[AgentDepsT], ToolDefinition], Awaitable[ToolDefinition | None]]
"""Changes what the model is told of a tool before each request, or hides the tool by returning None."""


@dataclass(init=False)
class Tool(Generic[AgentDepsT]):
    """A function that the model may call.

    No run depends on what a tool keeps: how often it has failed is counted in the run's context. Derive from it and
    override `prepare_tool_def` for a tool that changes with the run.
    """

    function: ToolFuncEither[AgentDepsT, ...]
    takes_ctx: bool
    max_retries: int | None
    """How many failures in a row the model may repair; None takes the agent's default."""
    name: str
    description: str | None
    prepare: ToolPrepareFunc[AgentDepsT] | None
    docstring_format: DocstringFormat
    require_parameter_descriptions: bool
    current_retry: int = field(default=0, init=False, compare=False)
    """Failures in a row as the last call has left them, in whichever run; what counts is the run's own number."""

    def __init__(
        self,
        function: ToolFuncEither[AgentDepsT, ...],
        *,
        takes_ctx: bool | None = None,
        max_retries: int | None = None,
        name: str | None = None,
        description: str | None = None,
        prepare: ToolPrepareFunc[AgentDepsT] | None = None,
        docstring_format: DocstringFormat = "auto",
        require_parameter_descriptions: bool = False,
    ) -> None:
        """Describe ``function`` from its signature and docstring, as far as the other arguments do not.

        ``takes_ctx=None`` looks at the first parameter's annotation. Raises `UserError` for a function that cannot
        be a tool.
        """
        self.function = function
        self.current_retry = 0
        self.takes_ctx = takes_context(function) if takes_ctx is None else takes_ctx
        self.max_retries = max_retries
        self.name = name or str(getattr(function, "__name__", type(function).__name__))
        self.prepare = prepare
        self.docstring_format = docstring_format
        self.require_parameter_descriptions = require_parameter_descriptions
        self._parameters = read_parameters(function, self.takes_ctx, docstring_format, require_parameter_descriptions)
        self.description = description or self._parameters.description

    @property
    def is_prepared(self) -> bool:
        """Whether the definition may differ from request to request."""
        return self.prepare is not None or type(self).prepare_tool_def is not Tool.prepare_tool_def

    def with_max_retries(self, max_retries: int) -> Self:
        """Return this tool with another retry budget."""
        changed = copy(self)
        changed.max_retries = max_retries
        return changed

    async def prepare_tool_def(self, ctx: RunContext[AgentDepsT]) -> ToolDefinition | None:
        """Return what the model is told in this request; None hides the tool."""
        schema = self._parameters.json_schema
        definition = ToolDefinition(self.name, self.description, deepcopy(schema) if self.is_prepared else schema)
        return definition if self.prepare is None else await self.prepare(ctx, definition)

    async def run(self, message: ToolCallPart, run_context: RunContext[AgentDepsT]) -> ToolReturnPart | RetryPromptPart:
        """Execute a call and return what the model is to be told.

        Invalid arguments and `ModelRetry` become a retry prompt; when they exceed ``max_retries`` failures in a row,
        `UnexpectedModelBehavior` is raised. Any other exception of the function comes through as it is.
        """
        failures = run_context.tool_failures
        retry = failures.get(self.name, run_context.retry)
        ctx = replace(run_context, retry=retry, tool_name=message.tool_name, tool_call_id=message.tool_call_id)
        try:
            bound = self._parameters.bind(message.args, ctx)
        except ValidationError as exc:
            return self._failed(message, run_context, exc, error_details(exc))
        try:
            content = await call(self.function, *bound.args, **bound.kwargs)
        except ModelRetry as exc:
            return self._failed(message, run_context, exc, exc.message)
        self.current_retry = failures[self.name] = 0
        return ToolReturnPart(message.tool_name, content, message.tool_call_id)

    def _failed(
        self, message: ToolCallPart, run_context: RunContext[AgentDepsT], cause: Exception, content: Any
    ) -> RetryPromptPart:
        failures = run_context.tool_failures.get(self.name, run_context.retry) + 1
        self.current_retry = run_context.tool_failures[self.name] = failures
        if self.max_retries is None or failures > self.max_retries:
            raise UnexpectedModelBehavior(f"Tool exceeded max retries count of {self.max_retries}") from cause
        return RetryPromptPart(content, message.tool_name, message.tool_call_id)
