"""The wanted result: the result tools of a type, and the way from a model's answer to a value of that type."""

from __future__ import annotations

import inspect
import re
import types
import typing
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeAlias, Union

import typing_extensions
from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict, TypeVar

from replay_agent.agent.calling import call
from replay_agent.agent.context import AgentDepsT, RunContext
from replay_agent.agent.schema import error_details, is_model_like, object_schema
from replay_agent.calls import ToolDefinition
from replay_agent.exceptions import AgentRunError, ModelRetry, UnexpectedModelBehavior
from replay_agent.messages import ModelResponse, ModelResponsePart, RetryPromptPart, TextPart, ToolCallPart

__all__ = (
    "FinalResult",
    "ResultDataT",
    "ResultSchema",
    "ResultTool",
    "ResultValidator",
    "ResultValidatorFunc",
    "RunResultDataT",
    "ToolRetryError",
)

ResultDataT = TypeVar("ResultDataT", default=str, covariant=True)
"""The type of an agent's result."""
RunResultDataT = TypeVar("RunResultDataT")
"""The type of the result of one run that was asked for another type than the agent's."""
_ValueT = TypeVar("_ValueT", default=Any)

ResultValidatorFunc: TypeAlias = (
    Callable[[RunContext[AgentDepsT], _ValueT], _ValueT]
    | Callable[[RunContext[AgentDepsT], _ValueT], Awaitable[_ValueT]]
    | Callable[[_ValueT], _ValueT]
    | Callable[[_ValueT], Awaitable[_ValueT]]
)
"""Returns the result, changed or not, or raises `ModelRetry`; with or without the context, sync or async."""

_DEFAULT_DESCRIPTION = "The final response which ends this conversation"
_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_-]+")
_ALIASES = tuple({typing_extensions.TypeAliasType, getattr(typing, "TypeAliasType", typing_extensions.TypeAliasType)})


@dataclass
class FinalResult(Generic[ResultDataT]):
    """The value that ends a run, and the call that brought it; name and id are None when it was text."""

    data: ResultDataT
    tool_name: str | None
    tool_call_id: str | None


class ToolRetryError(AgentRunError):
    """A result was refused; ``tool_retry`` is what the model would be told."""

    tool_retry: RetryPromptPart

    def __init__(self, tool_retry: RetryPromptPart) -> None:
        self.tool_retry = tool_retry
        super().__init__(tool_retry.model_response())


@dataclass
class ResultValidator(Generic[AgentDepsT]):
    """A function that judges or changes a result."""

    function: ResultValidatorFunc[AgentDepsT, Any]

    def __post_init__(self) -> None:
        self._takes_ctx = len(inspect.signature(self.function).parameters) > 1

    async def validate(self, value: Any, tool_call: ToolCallPart | None, ctx: RunContext[AgentDepsT]) -> Any:
        """Return what the function makes of ``value``; its `ModelRetry` becomes a `ToolRetryError`."""
        name, call_id = (tool_call.tool_name, tool_call.tool_call_id) if tool_call else (None, None)
        args = (replace(ctx, tool_name=name), value) if self._takes_ctx else (value,)
        try:
            return await call(self.function, *args)
        except ModelRetry as exc:
            raise ToolRetryError(RetryPromptPart(exc.message, name, call_id)) from exc


class ResultTool:
    """A tool whose call ends the run."""

    tool_def: ToolDefinition

    def __init__(self, type_: Any, name: str, description: str | None, *, one_of_many: bool) -> None:
        """Build the tool for one type. Raises `UserError` where its schema is not that of an object."""
        wrapped = not is_model_like(type_)
        self._adapter: TypeAdapter[Any] = TypeAdapter(_wrapper(type_) if wrapped else type_)
        schema = object_schema(self._adapter.json_schema())
        if wrapped:
            schema.pop("title", None)
        own = schema.pop("description", None)
        self.tool_def = ToolDefinition(
            name=name,
            description=_description(description, own, _name_of(type_) if one_of_many else None),
            parameters_json_schema=schema,
            outer_typed_dict_key="response" if wrapped else None,
        )

    def validate(self, tool_call: ToolCallPart, *, allow_partial: bool = False) -> Any:
        """Return the value that the call's arguments stand for. Raises pydantic's ``ValidationError``."""
        partial: typing.Literal["off", "trailing-strings"] = "trailing-strings" if allow_partial else "off"
        if isinstance(tool_call.args, str):
            value = self._adapter.validate_json(tool_call.args, experimental_allow_partial=partial)
        else:
            value = self._adapter.validate_python(tool_call.args, experimental_allow_partial=partial)
        key = self.tool_def.outer_typed_dict_key
        return value if key is None else value[key]


def _wrapper(type_: Any) -> Any:
    return TypedDict("response_data_typed_dict", {"response": type_})  # type: ignore[operator]


def _description(given: str | None, own: str | None, member: str | None) -> str:
    if own:
        return f"{given}. {own}" if given else own
    description = given or _DEFAULT_DESCRIPTION
    return f"{member}: {description}" if member else description


def _name_of(type_: Any) -> str:
    while typing.get_origin(type_) is typing.Annotated:
        type_ = typing.get_args(type_)[0]
    return getattr(type_, "__name__", None) or str(type_)


def _members(type_: Any) -> list[Any]:
    """Return the members of a union, however nested and aliased, or the type itself."""
    if isinstance(type_, _ALIASES):
        return _members(type_.__value__)
    origin, args = typing.get_origin(type_), typing.get_args(type_)
    if isinstance(origin, _ALIASES):
        return _members(origin.__value__[args])
    if origin in (Union, types.UnionType):
        return [member for arg in args for member in _members(arg)]
    return [type_]


@dataclass
class ResultSchema:
    """How a run may end: by text, by the call of a result tool, or by either."""

    tools: dict[str, ResultTool] = field(default_factory=dict)
    allow_text_result: bool = True

    @classmethod
    def build(cls, type_: Any, name: str, description: str | None) -> ResultSchema:
        """Return the schema of a result type; ``name`` and ``description`` are those of its tool or tools."""
        all_members = _members(type_)
        members = [member for member in all_members if member is not str]
        schema = cls(allow_text_result=len(members) < len(all_members))
        for position, member in enumerate(members, start=1):
            tool_name = name if len(members) == 1 else f"{name}_{_NOT_IN_NAMES.sub('_', _name_of(member))}"
            while tool_name in schema.tools:
                tool_name = f"{tool_name}_{position}"
            schema.tools[tool_name] = ResultTool(member, tool_name, description, one_of_many=len(members) > 1)
        return schema

    def tool_names(self) -> list[str]:
        """Return the names of the result tools."""
        return list(self.tools)

    def tool_defs(self) -> list[ToolDefinition]:
        """Return what the model is told of the result tools."""
        return [tool.tool_def for tool in self.tools.values()]

    def calls(self, parts: Iterable[ModelResponsePart]) -> Iterator[tuple[ToolCallPart, ResultTool]]:
        """Yield the calls of result tools, with the tools."""
        for part in parts:
            if isinstance(part, ToolCallPart) and part.tool_name in self.tools:
                yield part, self.tools[part.tool_name]

    def starts_result(self, part: ModelResponsePart) -> tuple[str | None, str | None] | None:
        """Return name and id of the call if this part can be the final result (both None for text), else None."""
        if isinstance(part, TextPart) and self.allow_text_result:
            return None, None
        return next(((call.tool_name, call.tool_call_id) for call, _ in self.calls([part])), None)

    async def validate_call(
        self,
        tool_call: ToolCallPart,
        validators: Iterable[ResultValidator[AgentDepsT]],
        ctx: RunContext[AgentDepsT],
    ) -> Any:
        """Return the value of a result tool's call; `ToolRetryError` where it or a validator refuses."""
        try:
            value = self.tools[tool_call.tool_name].validate(tool_call)
        except ValidationError as exc:
            retry = RetryPromptPart(error_details(exc), tool_call.tool_name, tool_call.tool_call_id)
            raise ToolRetryError(retry) from exc
        return await validated(value, tool_call, validators, ctx)

    async def validate_response(
        self,
        response: ModelResponse,
        tool_name: str | None,
        validators: Iterable[ResultValidator[AgentDepsT]],
        ctx: RunContext[AgentDepsT],
        *,
        allow_partial: bool,
    ) -> Any:
        """Return the value of a streamed response, as far as it has come.

        ``tool_name`` is the result tool that was called, None for text. Raises pydantic's ``ValidationError`` and
        `ToolRetryError`.
        """
        if tool_name is None:
            text = "\n\n".join(part.content for part in response.parts if isinstance(part, TextPart))
            return await validated(text, None, validators, ctx)
        found = next((found for found in self.calls(response.parts) if found[0].tool_name == tool_name), None)
        if found is None:
            raise UnexpectedModelBehavior(f"Invalid response, unable to find tool: {self.tool_names()}")
        tool_call, tool = found
        return await validated(tool.validate(tool_call, allow_partial=allow_partial), tool_call, validators, ctx)


async def validated(
    value: Any,
    tool_call: ToolCallPart | None,
    validators: Iterable[ResultValidator[AgentDepsT]],
    ctx: RunContext[AgentDepsT],
) -> Any:
    """Return the value after all validators, in their order."""
    for validator in validators:
        value = await validator.validate(value, tool_call, ctx)
    return value
