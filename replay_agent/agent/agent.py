"""The agent: a model, what it is told, what it may call, what it must answer."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from types import FrameType, NoneType
from typing import Any, ClassVar, Concatenate, Generic, TypeGuard, TypeVar, Unpack, final, overload

from replay_agent.agent.blocking import run_to_end
from replay_agent.agent.capture import new_history
from replay_agent.agent.context import AgentDepsT, RunContext
from replay_agent.agent.docstrings import DocstringFormat
from replay_agent.agent.graph import AgentNode, CallToolsNode, End, ModelRequestNode, UserPromptNode
from replay_agent.agent.options import RunOptions
from replay_agent.agent.output import (
    FinalResult,
    ResultDataT,
    ResultSchema,
    ResultValidator,
    RunResultDataT,
)
from replay_agent.agent.override import Overridable
from replay_agent.agent.prompts import SystemPromptFunc, SystemPromptRunner
from replay_agent.agent.run import AgentRun, AgentRunResult
from replay_agent.agent.state import EndStrategy, GraphRunContext, RunSetup, RunState
from replay_agent.agent.stream import StreamedRunResult
from replay_agent.agent.streamed_run import streamed_run
from replay_agent.agent.tools import (
    Tool,
    ToolFuncEither,
    ToolParams,
    ToolPrepareFunc,
)
from replay_agent.agent.tracing import agent_span
from replay_agent.exceptions import UserError
from replay_agent.messages import (
    ModelMessage,
    UserContent,
)
from replay_agent.models import KnownModelName, Model, infer_model
from replay_agent.models.instrumented import InstrumentationSettings, instrumented
from replay_agent.settings import ModelSettings, merge_model_settings
from replay_agent.usage import Usage, UsageLimits

__all__ = ("Agent",)

T = TypeVar("T")
S = TypeVar("S")

_UNSET: Any = object()
_NO_MODEL = "`model` must be set either when creating the agent or when calling it."
_NO_MODEL_TO_OVERRIDE = (
    f"{_NO_MODEL} (Even when `override(model=...)` is customizing the model that will actually be called)"
)


@final
@dataclass(init=False)
class Agent(Generic[AgentDepsT, ResultDataT]):
    """Asks a model until it has a result of the wanted type, calling tools on the way.

    Generic in the type of its dependencies and the type of its result. One agent serves any number of runs at the
    same time, on asyncio and on trio.
    """

    model: Model | KnownModelName | str | None
    """The model; a name becomes a `Model` at the latest when it is first used."""
    name: str | None
    """The name; if None, the first run takes it from the variable that holds the agent."""
    end_strategy: EndStrategy
    """Whether tools that are called beside a final result are left alone (``early``) or executed."""
    model_settings: ModelSettings | None
    """Settings of every request, under those of the run."""
    result_type: type[ResultDataT] = field(repr=False)
    """The type of the result."""
    instrument: InstrumentationSettings | bool | None
    """How runs are traced; None leaves it to `instrument_all`."""

    # What else was given takes part in comparison: agents are equal that answer the same.
    _deps_type: type[AgentDepsT] = field(repr=False)
    _default_retries: int = field(repr=False)
    _max_result_retries: int = field(repr=False)
    _result_tool_name: str = field(repr=False)
    _result_tool_description: str | None = field(repr=False)
    _result_validators: list[ResultValidator[AgentDepsT]] = field(repr=False)
    _system_prompts: tuple[str, ...] = field(repr=False)
    _system_prompt_functions: list[SystemPromptRunner[AgentDepsT]] = field(repr=False)
    _function_tools: dict[str, Tool[AgentDepsT]] = field(repr=False)

    _instrument_default: ClassVar[InstrumentationSettings | bool] = False

    def __init__(
        self,
        model: Model | KnownModelName | str | None = None,
        *,
        result_type: type[ResultDataT] = str,  # type: ignore[assignment]
        system_prompt: str | Sequence[str] = (),
        deps_type: type[AgentDepsT] = NoneType,  # type: ignore[assignment]
        name: str | None = None,
        model_settings: ModelSettings | None = None,
        retries: int = 1,
        result_tool_name: str = "final_result",
        result_tool_description: str | None = None,
        result_retries: int | None = None,
        tools: Sequence[Tool[AgentDepsT] | ToolFuncEither[AgentDepsT, ...]] = (),
        defer_model_check: bool = False,
        end_strategy: EndStrategy = "early",
        instrument: InstrumentationSettings | bool | None = None,
    ) -> None:
        """Set up an agent.

        Args:
            model: A model or its name. None leaves it to each run.
            result_type: The type that the result must have.
            system_prompt: Prompts that begin every conversation, each in a part of its own.
            deps_type: For type checkers only.
            name: The agent's name.
            model_settings: Settings of every request.
            retries: How many failures in a row of a tool the model may repair.
            result_tool_name: The name of the tool by which the model gives a result that is not text.
            result_tool_description: What the model is told of that tool.
            result_retries: How many refused results of a run the model may repair; ``retries`` if None.
            tools: Functions or `Tool` objects that the model may call.
            defer_model_check: Whether a model's name is looked up, and its key asked for, only at the first run.
            end_strategy: Whether function tools called beside a final result are left alone or executed.
            instrument: OpenTelemetry tracing; needs the extra ``instrument``.

        Raises `UserError` for tools that clash or cannot be described, and what the model's own set-up raises.
        """
        self.model = model if model is None or defer_model_check else infer_model(model)
        self.name = name
        self.end_strategy = end_strategy
        self.model_settings = model_settings
        self.result_type = result_type
        self.instrument = instrument
        self._deps_type = deps_type
        self._default_retries = retries
        self._max_result_retries = retries if result_retries is None else result_retries
        self._result_tool_name = result_tool_name
        self._result_tool_description = result_tool_description
        self._result_schema = ResultSchema.build(result_type, result_tool_name, result_tool_description)
        self._result_validators = []
        self._system_prompts = (system_prompt,) if isinstance(system_prompt, str) else tuple(system_prompt)
        self._system_prompt_functions = []
        self._system_prompt_dynamic_functions: dict[str, SystemPromptRunner[AgentDepsT]] = {}
        self._function_tools = {}
        self._model_override: Overridable[Model] = Overridable()
        self._deps_override: Overridable[AgentDepsT] = Overridable()
        for tool in tools:
            self._register_tool(tool if isinstance(tool, Tool) else Tool(tool))

    @staticmethod
    def instrument_all(instrument: InstrumentationSettings | bool = True) -> None:
        """Trace the runs of all agents that do not say otherwise themselves."""
        Agent._instrument_default = instrument

    @property
    def last_run_messages(self) -> list[ModelMessage]:
        """Gone since runs of one agent may go on at the same time: `AttributeError` with what to use instead."""
        raise AttributeError("The `last_run_messages` attribute has been removed, use `capture_run_messages` instead.")

    # --- running ------------------------------------------------------------------------------------------------------

    @overload
    async def run(
        self,
        user_prompt: str | Sequence[UserContent],
        *,
        result_type: None = None,
        **options: Unpack[RunOptions[AgentDepsT]],
    ) -> AgentRunResult[ResultDataT]: ...

    @overload
    async def run(
        self,
        user_prompt: str | Sequence[UserContent],
        *,
        result_type: type[RunResultDataT],
        **options: Unpack[RunOptions[AgentDepsT]],
    ) -> AgentRunResult[RunResultDataT]: ...

    async def run(
        self,
        user_prompt: str | Sequence[UserContent],
        *,
        result_type: type[RunResultDataT] | None = None,
        message_history: list[ModelMessage] | None = None,
        model: Model | KnownModelName | str | None = None,
        deps: AgentDepsT = None,  # type: ignore[assignment]
        model_settings: ModelSettings | None = None,
        usage_limits: UsageLimits | None = None,
        usage: Usage | None = None,
        infer_name: bool = True,
    ) -> AgentRunResult[Any]:
        """Run the agent to its end and return the result.

        Args:
            user_prompt: What the user says: text, or a sequence of text and media.
            result_type: Replaces the agent's for this run; `UserError` if the agent has result validators.
            message_history: The conversation so far. If there is any, no system prompt is added. The list is copied.
            model: Wins over the agent's.
            deps: What the agent's functions find as ``ctx.deps``.
            model_settings: Win over the agent's, key by key.
            usage_limits: What the run may use; 50 requests if None.
            usage: Counts on from here and is changed in place, so several runs may share it.
            infer_name: Whether an agent without a name takes that of the variable that holds it.

        Raises `UserError` without a model, `UsageLimitExceeded`, `UnexpectedModelBehavior` when a retry budget is
        passed or the answer is unusable, `ModelHTTPError`, and whatever a function of the agent raises.
        """
        if infer_name:
            self._infer_name(inspect.currentframe())
        async with self._iter(
            user_prompt,
            result_type=result_type,
            message_history=message_history,
            model=model,
            deps=deps,
            model_settings=model_settings,
            usage_limits=usage_limits,
            usage=usage,
        ) as agent_run:
            async for _ in agent_run:
                pass
        assert agent_run.result is not None
        return agent_run.result

    @overload
    def run_sync(
        self,
        user_prompt: str | Sequence[UserContent],
        *,
        result_type: None = None,
        **options: Unpack[RunOptions[AgentDepsT]],
    ) -> AgentRunResult[ResultDataT]: ...

    @overload
    def run_sync(
        self,
        user_prompt: str | Sequence[UserContent],
        *,
        result_type: type[RunResultDataT],
        **options: Unpack[RunOptions[AgentDepsT]],
    ) -> AgentRunResult[RunResultDataT]: ...

    def run_sync(
        self,
        user_prompt: str | Sequence[UserContent],
        *,
        result_type: type[RunResultDataT] | None = None,
        message_history: list[ModelMessage] | None = None,
        model: Model | KnownModelName | str | None = None,
        deps: AgentDepsT = None,  # type: ignore[assignment]
        model_settings: ModelSettings | None = None,
        usage_limits: UsageLimits | None = None,
        usage: Usage | None = None,
        infer_name: bool = True,
    ) -> AgentRunResult[Any]:
        """Do as `run` does, from code that is not asynchronous; `UserError` where an event loop is running."""
        if infer_name:
            self._infer_name(inspect.currentframe())
        return run_to_end(
            lambda: self.run(
                user_prompt,
                result_type=result_type,
                message_history=message_history,
                model=model,
                deps=deps,
                model_settings=model_settings,
                usage_limits=usage_limits,
                usage=usage,
                infer_name=False,
            )
        )

    @overload
    def run_stream(
        self,
        user_prompt: str | Sequence[UserContent],
        *,
        result_type: None = None,
        **options: Unpack[RunOptions[AgentDepsT]],
    ) -> AbstractAsyncContextManager[StreamedRunResult[AgentDepsT, ResultDataT]]: ...

    @overload
    def run_stream(
        self,
        user_prompt: str | Sequence[UserContent],
        *,
        result_type: type[RunResultDataT],
        **options: Unpack[RunOptions[AgentDepsT]],
    ) -> AbstractAsyncContextManager[StreamedRunResult[AgentDepsT, RunResultDataT]]: ...

    def run_stream(
        self,
        user_prompt: str | Sequence[UserContent],
        *,
        result_type: type[RunResultDataT] | None = None,
        message_history: list[ModelMessage] | None = None,
        model: Model | KnownModelName | str | None = None,
        deps: AgentDepsT = None,  # type: ignore[assignment]
        model_settings: ModelSettings | None = None,
        usage_limits: UsageLimits | None = None,
        usage: Usage | None = None,
        infer_name: bool = True,
    ) -> AbstractAsyncContextManager[StreamedRunResult[AgentDepsT, Any]]:
        """Run the agent as `run` does until its result begins, and give the result while it comes.

        The block is entered at the first part of a response that can be the result: text if that is permitted, or the
        call of a result tool. Leaving it reads what was not read. The result is validated once: there are no retries
        any more. `AgentRunError` if the run ends without such a part.
        """
        if infer_name:
            self._infer_name(inspect.currentframe())
        return streamed_run(
            self._iter(
                user_prompt,
                result_type=result_type,
                message_history=message_history,
                model=model,
                deps=deps,
                model_settings=model_settings,
                usage_limits=usage_limits,
                usage=usage,
            )
        )

    @overload
    def iter(
        self,
        user_prompt: str | Sequence[UserContent],
        *,
        result_type: None = None,
        **options: Unpack[RunOptions[AgentDepsT]],
    ) -> AbstractAsyncContextManager[AgentRun[AgentDepsT, ResultDataT]]: ...

    @overload
    def iter(
        self,
        user_prompt: str | Sequence[UserContent],
        *,
        result_type: type[RunResultDataT],
        **options: Unpack[RunOptions[AgentDepsT]],
    ) -> AbstractAsyncContextManager[AgentRun[AgentDepsT, RunResultDataT]]: ...

    def iter(
        self,
        user_prompt: str | Sequence[UserContent],
        *,
        result_type: type[RunResultDataT] | None = None,
        message_history: list[ModelMessage] | None = None,
        model: Model | KnownModelName | str | None = None,
        deps: AgentDepsT = None,  # type: ignore[assignment]
        model_settings: ModelSettings | None = None,
        usage_limits: UsageLimits | None = None,
        usage: Usage | None = None,
        infer_name: bool = True,
    ) -> AbstractAsyncContextManager[AgentRun[AgentDepsT, Any]]:
        """Begin a run whose steps the caller takes, by iterating or with `AgentRun.next`. The arguments are `run`'s."""
        if infer_name:
            self._infer_name(inspect.currentframe())
        return self._iter(
            user_prompt,
            result_type=result_type,
            message_history=message_history,
            model=model,
            deps=deps,
            model_settings=model_settings,
            usage_limits=usage_limits,
            usage=usage,
        )

    @asynccontextmanager
    async def _iter(
        self,
        user_prompt: str | Sequence[UserContent],
        *,
        result_type: type[Any] | None,
        message_history: list[ModelMessage] | None,
        model: Model | KnownModelName | str | None,
        deps: AgentDepsT,
        model_settings: ModelSettings | None,
        usage_limits: UsageLimits | None,
        usage: Usage | None,
    ) -> AsyncIterator[AgentRun[AgentDepsT, Any]]:
        instrument = self._instrument_default if self.instrument is None else self.instrument
        model_used = instrumented(self._model_for_run(model), instrument)
        result_schema = self._schema_for_run(result_type)
        replaced_deps = self._deps_override.get()
        state = RunState(new_history(), usage or Usage())
        state.message_history.extend(message_history or ())
        setup: RunSetup[AgentDepsT, Any] = RunSetup(
            user_deps=replaced_deps[0] if replaced_deps else deps,
            prompt=user_prompt,
            new_message_index=len(message_history or ()),
            model=model_used,
            model_settings=merge_model_settings(self.model_settings, model_settings),
            usage_limits=usage_limits or UsageLimits(),
            max_result_retries=self._max_result_retries,
            end_strategy=self.end_strategy,
            result_schema=result_schema,
            result_validators=self._result_validators,
            function_tools=self._function_tools,
        )
        first = UserPromptNode[AgentDepsT, Any](
            user_prompt=user_prompt,
            system_prompts=self._system_prompts,
            system_prompt_functions=self._system_prompt_functions,
            system_prompt_dynamic_functions=self._system_prompt_dynamic_functions,
        )
        agent_run = AgentRun(GraphRunContext(state, setup), first)
        with agent_span(self.name or "agent", model_used, state, agent_run.results):
            yield agent_run

    def _model_for_run(self, model: Model | KnownModelName | str | None) -> Model:
        replaced = self._model_override.get()
        if model is None and self.model is None:
            raise UserError(_NO_MODEL_TO_OVERRIDE if replaced else _NO_MODEL)
        if replaced:
            return replaced[0]
        if model is not None:
            return infer_model(model)
        assert self.model is not None
        self.model = infer_model(self.model)
        return self.model

    def _schema_for_run(self, result_type: type[Any] | None) -> ResultSchema:
        if result_type is None:
            return self._result_schema
        if self._result_validators:
            raise UserError("Cannot set a custom run `result_type` when the agent has result validators")
        return ResultSchema.build(result_type, self._result_tool_name, self._result_tool_description)

    def _infer_name(self, frame: FrameType | None) -> None:
        """Take the name of the variable that holds this agent where the frame of a public method was called from."""
        if self.name is not None or frame is None or frame.f_back is None:
            return
        caller = frame.f_back
        for variables in (caller.f_locals, caller.f_globals):
            for name, value in variables.items():
                if value is self:
                    self.name = name
                    return

    # --- replacing ----------------------------------------------------------------------------------------------------

    @contextmanager
    def override(self, *, deps: AgentDepsT = _UNSET, model: Model | KnownModelName | str = _UNSET) -> Iterator[None]:
        """Use other dependencies or another model in every run inside the block, whatever the run is given."""
        with ExitStack() as stack:
            if model is not _UNSET:
                stack.enter_context(self._model_override.replaced_by(infer_model(model)))
            if deps is not _UNSET:
                stack.enter_context(self._deps_override.replaced_by(deps))
            yield

    # --- registering --------------------------------------------------------------------------------------------------

    @overload
    def system_prompt(
        self, func: Callable[[RunContext[AgentDepsT]], str], /
    ) -> Callable[[RunContext[AgentDepsT]], str]: ...

    @overload
    def system_prompt(
        self, func: Callable[[RunContext[AgentDepsT]], Awaitable[str]], /
    ) -> Callable[[RunContext[AgentDepsT]], Awaitable[str]]: ...

    @overload
    def system_prompt(self, func: Callable[[], str], /) -> Callable[[], str]: ...

    @overload
    def system_prompt(self, func: Callable[[], Awaitable[str]], /) -> Callable[[], Awaitable[str]]: ...

    @overload
    def system_prompt(
        self, /, *, dynamic: bool = False
    ) -> Callable[[SystemPromptFunc[AgentDepsT]], SystemPromptFunc[AgentDepsT]]: ...

    def system_prompt(self, func: Any = None, /, *, dynamic: bool = False) -> Any:
        """Register a function, with or without the context as its parameter, that writes a system prompt.

        A dynamic one also writes its prompt anew in a conversation that is handed on as ``message_history``.
        """

        def register(function: Any) -> Any:
            runner = SystemPromptRunner[AgentDepsT](function, dynamic)
            self._system_prompt_functions.append(runner)
            if dynamic:
                self._system_prompt_dynamic_functions[runner.ref] = runner
            return function

        return register if func is None else register(func)

    @overload
    def result_validator(
        self, func: Callable[[RunContext[AgentDepsT], ResultDataT], ResultDataT], /
    ) -> Callable[[RunContext[AgentDepsT], ResultDataT], ResultDataT]: ...

    @overload
    def result_validator(
        self, func: Callable[[RunContext[AgentDepsT], ResultDataT], Awaitable[ResultDataT]], /
    ) -> Callable[[RunContext[AgentDepsT], ResultDataT], Awaitable[ResultDataT]]: ...

    @overload
    def result_validator(
        self, func: Callable[[ResultDataT], ResultDataT], /
    ) -> Callable[[ResultDataT], ResultDataT]: ...

    @overload
    def result_validator(
        self, func: Callable[[ResultDataT], Awaitable[ResultDataT]], /
    ) -> Callable[[ResultDataT], Awaitable[ResultDataT]]: ...

    def result_validator(self, func: Any, /) -> Any:
        """Register a function that takes the result, or the context and the result, and returns the result to use.

        It may raise `ModelRetry` to have the model try again. Validators are called in order of registration.
        """
        self._result_validators.append(ResultValidator(func))
        return func

    @overload
    def tool(
        self, func: Callable[Concatenate[RunContext[AgentDepsT], ToolParams], T], /
    ) -> Callable[Concatenate[RunContext[AgentDepsT], ToolParams], T]: ...

    @overload
    def tool(
        self,
        /,
        *,
        name: str | None = None,
        retries: int | None = None,
        prepare: ToolPrepareFunc[AgentDepsT] | None = None,
        docstring_format: DocstringFormat = "auto",
        require_parameter_descriptions: bool = False,
    ) -> Callable[
        [Callable[Concatenate[RunContext[AgentDepsT], ToolParams], T]],
        Callable[Concatenate[RunContext[AgentDepsT], ToolParams], T],
    ]: ...

    def tool(
        self,
        func: Any = None,
        /,
        *,
        name: str | None = None,
        retries: int | None = None,
        prepare: ToolPrepareFunc[AgentDepsT] | None = None,
        docstring_format: DocstringFormat = "auto",
        require_parameter_descriptions: bool = False,
    ) -> Any:
        """Register a function as a tool; its first parameter is the `RunContext`.

        ``retries`` is how many failures in a row the model may repair, the agent's number if None; ``prepare`` may
        change or hide the tool before each request. Raises `UserError` for a function that cannot be such a tool.
        """

        def register(function: Any) -> Any:
            tool = Tool[AgentDepsT](
                function,
                takes_ctx=True,
                max_retries=retries,
                name=name,
                prepare=prepare,
                docstring_format=docstring_format,
                require_parameter_descriptions=require_parameter_descriptions,
            )
            self._register_tool(tool)
            return function

        return register if func is None else register(func)

    @overload
    def tool_plain(self, func: Callable[ToolParams, T], /) -> Callable[ToolParams, T]: ...

    @overload
    def tool_plain(
        self,
        /,
        *,
        name: str | None = None,
        retries: int | None = None,
        prepare: ToolPrepareFunc[AgentDepsT] | None = None,
        docstring_format: DocstringFormat = "auto",
        require_parameter_descriptions: bool = False,
    ) -> Callable[[Callable[ToolParams, T]], Callable[ToolParams, T]]: ...

    def tool_plain(
        self,
        func: Any = None,
        /,
        *,
        name: str | None = None,
        retries: int | None = None,
        prepare: ToolPrepareFunc[AgentDepsT] | None = None,
        docstring_format: DocstringFormat = "auto",
        require_parameter_descriptions: bool = False,
    ) -> Any:
        """Register a function as a tool that does not take the context; otherwise as `tool`."""

        def register(function: Any) -> Any:
            tool = Tool[AgentDepsT](
                function,
                takes_ctx=False,
                max_retries=retries,
                name=name,
                prepare=prepare,
                docstring_format=docstring_format,
                require_parameter_descriptions=require_parameter_descriptions,
            )
            self._register_tool(tool)
            return function

        return register if func is None else register(func)

    def _register_tool(self, tool: Tool[AgentDepsT]) -> None:
        if tool.max_retries is None:
            tool = tool.with_max_retries(self._default_retries)
        if tool.name in self._function_tools:
            raise UserError(f"Tool name conflicts with existing tool: {tool.name!r}")
        if tool.name in self._result_schema.tools:
            raise UserError(f"Tool name conflicts with result schema name: {tool.name!r}")
        self._function_tools[tool.name] = tool

    # --- telling nodes apart ------------------------------------------------------------------------------------------

    @staticmethod
    def is_model_request_node(
        node: AgentNode[T, S] | End[FinalResult[S]],
    ) -> TypeGuard[ModelRequestNode[T, S]]:
        """Tell whether a node asks the model."""
        return isinstance(node, ModelRequestNode)

    @staticmethod
    def is_call_tools_node(node: AgentNode[T, S] | End[FinalResult[S]]) -> TypeGuard[CallToolsNode[T, S]]:
        """Tell whether a node handles a response."""
        return isinstance(node, CallToolsNode)

    @staticmethod
    def is_user_prompt_node(node: AgentNode[T, S] | End[FinalResult[S]]) -> TypeGuard[UserPromptNode[T, S]]:
        """Tell whether a node writes the first request."""
        return isinstance(node, UserPromptNode)

    @staticmethod
    def is_end_node(node: AgentNode[T, S] | End[FinalResult[S]]) -> TypeGuard[End[FinalResult[S]]]:
        """Tell whether a node is the end."""
        return isinstance(node, End)
