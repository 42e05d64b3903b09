"""The parameters of a tool's function: their JSON schema, and the way from a model's arguments to a call."""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable
from dataclasses import dataclass
from inspect import Parameter, Signature
from typing import Annotated, Any, Literal, NoReturn, NotRequired, cast

from pydantic import Field, GetCoreSchemaHandler, TypeAdapter
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema
from typing_extensions import TypedDict

from replay_agent.agent.context import RunContext
from replay_agent.agent.docstrings import DocstringFormat, read_docstring
from replay_agent.agent.schema import ObjectJsonSchema, is_model_like, object_schema
from replay_agent.exceptions import UserError

__all__ = "Parameters", "read_parameters", "takes_context"


@dataclass(frozen=True)
class Parameters:
    """What a model is told of a function, and how its arguments reach the function."""

    description: str | None
    json_schema: ObjectJsonSchema
    adapter: TypeAdapter[Any]
    signature: Signature
    context_name: str | None
    single_name: str | None
    """The one parameter whose value the arguments as a whole are."""
    without_room: str | None
    """The function's name, where it is to be handed the context and has no parameters: then no call can succeed."""

    def bind(self, args: str | dict[str, Any], ctx: RunContext[Any]) -> inspect.BoundArguments:
        """Validate arguments, as JSON text or as a dict, for a call; raises pydantic's ``ValidationError``.

        `TypeError` where the context has nowhere to go.
        """
        if self.without_room is not None:
            raise TypeError(
                f"{self.without_room}() takes no arguments, but it is registered as a tool that is handed the context. "
                "Give it a first parameter annotated RunContext[...], or register it with `tool_plain`."
            )
        values = self.adapter.validate_json(args) if isinstance(args, str) else self.adapter.validate_python(args)
        if self.single_name is not None:
            values = {self.single_name: values}
        bound = inspect.BoundArguments(self.signature, self._by_parameter(values))
        if self.context_name is not None:
            bound.arguments[self.context_name] = ctx
        bound.apply_defaults()
        return bound

    def _by_parameter(self, values: dict[str, Any]) -> dict[str, Any]:
        rest = _of_kind(self.signature, Parameter.VAR_KEYWORD)
        if rest is None:
            return values
        own = self.signature.parameters.keys() - {self.context_name, rest.name}
        named = {name: value for name, value in values.items() if name in own}
        return named | {rest.name: {name: value for name, value in values.items() if name not in own}}


def takes_context(function: Callable[..., Any]) -> bool:
    """Tell whether the first parameter is annotated as `RunContext`."""
    signature = _signature(function)
    first = next(iter(signature.parameters), None)
    return first is not None and _is_context(_hints(function, signature, only=first).get(first))


def read_parameters(
    function: Callable[..., Any],
    takes_ctx: bool,
    docstring_format: DocstringFormat,
    require_parameter_descriptions: bool,
) -> Parameters:
    """Describe a function. Raises `UserError`, naming the function, where it cannot be a tool."""
    signature = _signature(function)
    hints = _hints(function, signature)
    described = read_docstring(function.__doc__, docstring_format)
    names = list(signature.parameters)
    own = names[1:] if takes_ctx else names
    problems = _context_problems(signature, hints, takes_ctx)
    if require_parameter_descriptions:
        problems += _undescribed(own, signature, hints, described.parameters)
    if problems:
        _refuse(function, problems)

    fields = [signature.parameters[name] for name in own]
    single = _single_model(fields, hints)
    adapter = _adapter(single, fields, hints, described.parameters)
    json_schema = object_schema(adapter.json_schema())
    description: str | None = described.summary
    if single is None:
        for key in ("title", "additionalProperties"):  # the second goes behind the others, as the seed shows schemas
            json_schema.pop(key, None)
        json_schema["additionalProperties"] = _of_kind(signature, Parameter.VAR_KEYWORD) is not None
    elif not description:
        description = json_schema.pop("description", None)
    return Parameters(
        description=description,
        json_schema=json_schema,
        adapter=adapter,
        signature=signature,
        context_name=names[0] if takes_ctx and names else None,
        single_name=None if single is None else single.name,
        without_room=_name_of(function) if takes_ctx and not names else None,
    )


def _refuse(function: Callable[..., Any], problems: list[str]) -> NoReturn:
    raise UserError(f"Error generating schema for {_name_of(function)}:\n  " + "\n  ".join(problems))


def _name_of(function: Callable[..., Any]) -> str:
    return str(getattr(function, "__qualname__", type(function).__qualname__))


def _signature(function: Callable[..., Any]) -> Signature:
    try:
        return inspect.signature(function)
    except ValueError as exc:  # some functions written in C have none
        _refuse(function, [str(exc)])


def _of_kind(signature: Signature, kind: Any) -> Parameter | None:
    return next((parameter for parameter in signature.parameters.values() if parameter.kind is kind), None)


def _hints(function: Callable[..., Any], signature: Signature, only: str | None = None) -> dict[str, Any]:
    """Return the annotations with strings resolved where the function was written."""

    def holder() -> None: ...

    holder.__annotations__ = {
        name: parameter.annotation
        for name, parameter in signature.parameters.items()
        if parameter.annotation is not Parameter.empty and only in (None, name)
    }
    written = _as_written(function)
    type_parameters = {parameter.__name__: parameter for parameter in getattr(written, "__type_params__", ())}
    namespace = getattr(written, "__globals__", {})
    return typing.get_type_hints(holder, globalns=namespace, localns=type_parameters, include_extras=True)


def _as_written(function: Any) -> Any:
    while True:
        if isinstance(function, functools.partial):
            function = function.func
        elif inspect.ismethod(function):
            function = function.__func__
        elif not inspect.isroutine(function) and not hasattr(function, "__wrapped__"):
            function = type(function).__call__
        else:
            return inspect.unwrap(function)


def _is_context(hint: Any) -> bool:
    return hint is RunContext or typing.get_origin(hint) is RunContext


def _context_problems(signature: Signature, hints: dict[str, Any], takes_ctx: bool) -> list[str]:
    problems = []
    for index, name in enumerate(signature.parameters):
        expected = takes_ctx and index == 0
        if expected and name in hints and not _is_context(hints[name]):
            problems.append("First parameter of tools that take context must be annotated with RunContext[...]")
        elif not expected and _is_context(hints.get(name)):
            where = "as the first argument" if takes_ctx else "with tools that take context"
            problems.append(f"RunContext annotations can only be used {where}")
    return problems


def _undescribed(
    names: list[str], signature: Signature, hints: dict[str, Any], descriptions: dict[str, str]
) -> list[str]:
    missing = [
        name
        for name in names
        if not descriptions.get(name) and not _describes_itself(hints.get(name), signature.parameters[name].default)
    ]
    return [f"Missing parameter descriptions for {', '.join(missing)}"] if missing else []


def _describes_itself(hint: Any, default: Any) -> bool:
    fields = (*getattr(hint, "__metadata__", ()), default)
    return any(isinstance(field, FieldInfo) and field.description for field in fields)


def _single_model(fields: list[Parameter], hints: dict[str, Any]) -> Parameter | None:
    if len(fields) != 1 or fields[0].kind in (Parameter.VAR_KEYWORD, Parameter.VAR_POSITIONAL):
        return None
    return fields[0] if is_model_like(hints.get(fields[0].name)) else None


def _adapter(
    single: Parameter | None, fields: list[Parameter], hints: dict[str, Any], descriptions: dict[str, str]
) -> TypeAdapter[Any]:
    if single is not None:
        return TypeAdapter(hints[single.name])
    extra: Literal["allow", "forbid"] = "forbid"
    items: dict[str, Any] = {}
    rest: dict[str, Any] = {}
    for field in fields:
        if field.kind is Parameter.VAR_KEYWORD:
            extra, rest = "allow", {"extra_items": hints.get(field.name, Any)}
        else:
            items[field.name] = _item(field, hints.get(field.name, Any), descriptions.get(field.name))
    make: Any = TypedDict  # type checkers want the names written out
    arguments: Any = Annotated[make("arguments", items, **rest), _Further(extra)]
    return TypeAdapter(arguments)


@dataclass(frozen=True)
class _Further:
    """Says what becomes of arguments without a parameter; a configuration would say it of the values' types as well."""

    extra: Literal["allow", "forbid"]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        cast("Any", handler.resolve_ref_schema(schema))["extra_behavior"] = self.extra
        return schema


def _item(parameter: Parameter, hint: Any, description: str | None) -> Any:
    if parameter.kind is Parameter.VAR_POSITIONAL:
        return _with_description(list[hint], parameter, description)
    default = parameter.default
    if isinstance(default, FieldInfo):
        typed = _with_description(Annotated[hint, default], parameter, description)
        return typed if default.is_required() else NotRequired[typed]
    typed = _with_description(hint, parameter, description)
    return typed if default is Parameter.empty else NotRequired[typed]


def _with_description(hint: Any, parameter: Parameter, description: str | None) -> Any:
    if not description or _describes_itself(hint, parameter.default):
        return hint
    return Annotated[hint, Field(description=description)]
