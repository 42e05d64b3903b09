"""Calls of Cohere's chat: the body of a request, read and written."""

from __future__ import annotations

from typing import Any, cast

from replay_agent.calls import ModelCall, OutputSchema, ToolChoice
from replay_agent.settings import ModelSettings
from replay_agent.wire.cohere.content import read_messages, write_messages
from replay_agent.wire.shapes.function_tools import read_function_tools, write_function_tools
from replay_agent.wire.shapes.json_text import Fields
from replay_agent.wire.shapes.scalars import is_number

__all__ = "read_call", "write_call"

_FORMAT = "cohere"
_BODY_FIELDS = {"model", "messages", "tools", "tool_choice", "stream", "response_format"}
_SETTINGS = {
    "max_tokens": "max_tokens",
    "temperature": "temperature",
    "p": "top_p",
    "seed": "seed",
    "presence_penalty": "presence_penalty",
    "frequency_penalty": "frequency_penalty",
}
_TOOL_CHOICES: dict[str, ToolChoice] = {"REQUIRED": "required", "NONE": "none"}


# --- reading ----------------------------------------------------------------------------------------------------------


def read_call(body: Fields) -> ModelCall:
    """Read a body. Raises `WireError` where its messages are none."""
    settings = {name: body[key] for key, name in _SETTINGS.items() if is_number(body.get(key))}
    extras = {
        key: value
        for key, value in body.items()
        if key not in _BODY_FIELDS and not (key in _SETTINGS and is_number(value))
    }
    tools, others = read_function_tools(body.get("tools"))
    if others:
        extras["tools"] = others
    tool_choice = _TOOL_CHOICES.get(str(body.get("tool_choice")))
    if tool_choice is None and body.get("tool_choice") is not None:
        extras["tool_choice"] = body["tool_choice"]
    model = body.get("model")
    return ModelCall(
        read_messages(body.get("messages")),
        model=model if isinstance(model, str) else None,
        tools=tools,
        tool_choice=tool_choice,
        settings=cast("ModelSettings", settings),
        output_schema=_read_output_schema(body.get("response_format"), extras),
        stream=body.get("stream") is True,
        extras=extras,
    )


def _read_output_schema(wanted: Any, extras: Fields) -> OutputSchema | None:
    match wanted:
        case {"type": "json_object", "json_schema": dict(schema)} if len(wanted) == 2:
            return OutputSchema(schema)
        case {"type": "json_object"} if len(wanted) == 1:
            return OutputSchema()
    if wanted is not None:
        extras["response_format"] = wanted
    return None


# --- writing ----------------------------------------------------------------------------------------------------------


def write_call(call: ModelCall) -> Fields:
    """Write the body of a call."""
    settings: Fields = dict(call.settings)
    tools = [*write_function_tools(call.tools), *call.extras.get("tools", [])]
    optional = {
        "tools": tools or None,
        "tool_choice": {"required": "REQUIRED", "none": "NONE"}.get(_choice(call)),
        "response_format": _write_output_schema(call.output_schema),
        "stream": call.stream or None,
        **{key: settings.get(name) for key, name in _SETTINGS.items()},
    }
    body: Fields = {"model": call.model, "messages": write_messages(call.messages)}
    body |= {key: value for key, value in optional.items() if value is not None}
    return body | {key: value for key, value in call.extras.items() if key not in body}


def _choice(call: ModelCall) -> str:
    return "required" if isinstance(call.tool_choice, tuple) else call.tool_choice or ""


def _write_output_schema(wanted: OutputSchema | None) -> Fields | None:
    if wanted is None:
        return None
    return {"type": "json_object", **({} if wanted.schema is None else {"json_schema": wanted.schema})}
