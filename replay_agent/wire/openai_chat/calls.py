"""Calls of the chat completions format: the body of a request, read and written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from replay_agent.calls import ModelCall, OutputSchema, ToolChoice, ToolDefinition
from replay_agent.exceptions import WireError
from replay_agent.settings import ModelSettings
from replay_agent.wire.openai_chat.assistant import custom_names
from replay_agent.wire.openai_chat.content import read_messages, write_messages
from replay_agent.wire.openai_chat.dialects import ANYONE, Dialect
from replay_agent.wire.shapes.json_text import Fields
from replay_agent.wire.shapes.unread_fields import put_back, unread_fields

__all__ = "read_call", "write_call"

_SETTINGS = {
    "max_tokens": "max_tokens",
    "parallel_tool_calls": "parallel_tool_calls",
    "temperature": "temperature",
    "top_p": "top_p",
    "seed": "seed",
    "presence_penalty": "presence_penalty",
    "frequency_penalty": "frequency_penalty",
    "logit_bias": "logit_bias",
    "openai_reasoning_effort": "reasoning_effort",
}
"""Keys of `ModelSettings`, OpenAI's own among them, and the fields they are sent as."""
_MISTRAL_SETTINGS = {**_SETTINGS, "seed": "random_seed"}
_LIMIT = "max_completion_tokens"
"""The newer name of ``max_tokens``, which reasoning models insist on; as an extra, true says that the limit goes by it."""
_NOT_READ = frozenset({"openai_reasoning_effort"})
_KINDS: dict[str, type | tuple[type, ...]] = {"logit_bias": dict, "parallel_tool_calls": bool}

# --- reading ----------------------------------------------------------------------------------------------------------


def read_call(body: Fields, dialect: Dialect, format: str) -> ModelCall:
    """Read the body of a request. What has no place in a `ModelCall` is in its ``extras``.

    Raises `WireError`, which names ``format``, where the messages are none.
    """
    messages = body.get("messages")
    if not isinstance(messages, list):
        raise WireError("the messages are not a list", format)
    conversation, system_role = read_messages(messages, dialect)
    tools = body.get("tools")
    listed = tools if isinstance(tools, list) else []
    model = body.get("model")
    call = ModelCall(
        conversation,
        model=model if isinstance(model, str) else None,
        tools=[tool for raw in listed if (tool := _tool(raw))],
        tool_choice=_tool_choice(body.get("tool_choice")),
        settings=_settings(body, dialect),
        output_schema=_output_schema(body.get("response_format")),
        stream=body.get("stream") is True,
        system_role=system_role,
        dialect=dialect.name,
    )
    call.extras = _extras(call, body, dialect)
    return call


def _tool(raw: object) -> ToolDefinition | None:
    function = raw.get("function") if isinstance(raw, dict) else None
    if not isinstance(raw, dict) or not isinstance(function, dict) or raw.get("type", "function") != "function":
        return None
    name, description = function.get("name"), function.get("description")
    schema, strict = function.get("parameters"), function.get("strict")
    if not isinstance(name, str):
        return None
    return ToolDefinition(
        name,
        description if isinstance(description, str) else None,
        schema if isinstance(schema, dict) else {},
        strict=strict if isinstance(strict, bool) else None,
    )


def _tool_choice(value: object) -> ToolChoice | None:
    if isinstance(value, str):
        return cast("ToolChoice | None", {"any": "required"}.get(value, value if value in _CHOICES else None))
    if not isinstance(value, dict):
        return None
    if value.get("type") == "function":
        name = _function_name(value)
        return None if name is None else (name,)
    allowed = value.get("allowed_tools")
    if isinstance(allowed, dict) and allowed.get("mode") == "required" and isinstance(allowed.get("tools"), list):
        names = [_function_name(tool) for tool in allowed["tools"]]
        known = tuple(name for name in names if name is not None)
        return known if len(known) == len(names) else None
    return None


_CHOICES = ("auto", "none", "required")


def _function_name(value: object) -> str | None:
    function = value.get("function") if isinstance(value, dict) else None
    name = function.get("name") if isinstance(function, dict) else None
    return name if isinstance(name, str) else None


def _settings(body: Fields, dialect: Dialect) -> ModelSettings:
    names = _MISTRAL_SETTINGS if dialect.chunks else _SETTINGS
    read = {key: body.get(field) for key, field in names.items() if key not in _NOT_READ}
    known = {key: value for key, value in read.items() if _fits(key, value)}
    if "max_tokens" not in known and _fits("max_tokens", body.get(_LIMIT)):
        known["max_tokens"] = body[_LIMIT]
    return cast("ModelSettings", known)


def _fits(key: str, value: object) -> bool:
    kind = _KINDS.get(key)
    if kind is not None:
        return isinstance(value, kind)
    return isinstance(value, int | float) and not isinstance(value, bool)


_SCHEMA_FIELDS = {"schema", "name", "strict", "description"}


def _output_schema(value: object) -> OutputSchema | None:
    if not isinstance(value, dict):
        return None
    if value == {"type": "json_object"}:
        return OutputSchema()
    wanted = value.get("json_schema")
    if set(value) != {"type", "json_schema"} or not isinstance(wanted, dict) or not set(wanted) <= _SCHEMA_FIELDS:
        return None
    schema = wanted.get("schema")
    return OutputSchema(**wanted) if isinstance(schema, dict) else None


_UNREMARKABLE = frozenset({"type", "index", "filename"})


def _extras(call: ModelCall, body: Fields, dialect: Dialect) -> dict[str, Any]:
    """Return what a call would not be written with: fields by their names, those inside lists by their paths."""
    # Composed as freely as can be, so that only what no dialect would write counts as beyond the call.
    lenient = replace(ANYONE, chunks=dialect.chunks, asks_for_usage=dialect.asks_for_usage)
    composed = _composed(call, lenient, legacy=True, custom=custom_names(body.get("tools")))
    extras = {
        path: value
        for path, value in unread_fields(composed, body, unremarkable=_UNREMARKABLE).items()
        if path in body or value not in (None, [], "", False)  # clients fill in such fields of messages and tools
    }
    for key in ("stream", "stream_options"):
        if key in body and body[key] != composed.get(key):
            extras[key] = body[key]
    if "stream_options" in composed and "stream_options" not in body:
        extras["stream_options"] = None
    unknown = (
        [tool for tool in body.get("tools") or () if not _tool(tool)] if isinstance(body.get("tools"), list) else ()
    )
    if unknown:
        extras["tools"] = unknown
    if "max_tokens" in call.settings and not _fits("max_tokens", body.get("max_tokens")):
        extras[_LIMIT] = True
    return extras


# --- writing ----------------------------------------------------------------------------------------------------------


def write_call(call: ModelCall, dialect: Dialect) -> Fields:
    """Write the body of a request.

    Raises `AssertionError` for a tool's return without an id and `NotImplementedError` for sounds and documents given
    by address.
    """
    extras = dict(call.extras)
    body = _composed(call, dialect, legacy="functions" in extras, custom=custom_names(extras.get("tools")))
    if extras.get(_LIMIT) is True and "max_tokens" in body:
        body[_LIMIT] = body.pop("max_tokens")
        del extras[_LIMIT]
    more_tools = extras.pop("tools", None)
    if isinstance(more_tools, list):
        body["tools"] = [*body.get("tools", ()), *more_tools]
    elif more_tools is not None:
        body["tools"] = more_tools
    put_back(body, extras)
    if body.get("stream_options", ()) is None:
        del body["stream_options"]
    return body


def _composed(call: ModelCall, dialect: Dialect, *, legacy: bool, custom: frozenset[str]) -> Fields:
    messages = write_messages(call.messages, dialect, system_role=call.system_role, legacy=legacy, custom=custom)
    body: Fields = {} if call.model is None else {"model": call.model}
    body |= {"messages": messages, "stream": call.stream}
    if call.stream and dialect.asks_for_usage:
        body["stream_options"] = {"include_usage": True}
    if call.tools:
        body["tools"] = [_written_tool(tool, dialect) for tool in call.tools]
    if call.tool_choice is not None:
        body["tool_choice"] = _written_choice(call.tool_choice)
    if call.output_schema is not None:
        body["response_format"] = _written_schema(call.output_schema)
    return body | _written_settings(call.settings, dialect)


def _written_tool(tool: ToolDefinition, dialect: Dialect) -> Fields:
    function: Fields = {"name": tool.name}
    if tool.description is not None:
        function["description"] = tool.description
    function["parameters"] = tool.parameters_json_schema
    strict = False if tool.strict is None and dialect.chunks else tool.strict
    if strict is not None:
        function["strict"] = strict
    return {"function": function} if dialect.chunks else {"type": "function", "function": function}


def _written_choice(choice: ToolChoice) -> Any:
    if isinstance(choice, str):
        return choice
    named = [{"type": "function", "function": {"name": name}} for name in choice]
    if len(named) == 1:
        return named[0]
    return {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": named}}


def _written_schema(output: OutputSchema) -> Fields:
    if output.schema is None:
        return {"type": "json_object"}
    more = {"description": output.description, "strict": output.strict}
    known = {key: value for key, value in more.items() if value is not None}
    return {"type": "json_schema", "json_schema": {"name": output.name or "result", "schema": output.schema, **known}}


def _written_settings(settings: Mapping[str, Any], dialect: Dialect) -> Fields:
    names = _MISTRAL_SETTINGS if dialect.chunks else _SETTINGS
    written = {names[key]: value for key, value in settings.items() if key in names and value is not None}
    return {"top_p": 1, **written} if dialect.chunks else written
