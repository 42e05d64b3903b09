"""Calls of OpenAI's Responses API: the body of a request, read and written."""

from __future__ import annotations

from typing import cast

from replay_agent.calls import ModelCall, OutputSchema, ToolChoice, ToolDefinition
from replay_agent.settings import ModelSettings
from replay_agent.wire.openai_responses.input import read_input, write_input
from replay_agent.wire.shapes.function_tools import read_tools
from replay_agent.wire.shapes.json_text import Fields
from replay_agent.wire.shapes.unread_fields import put_back, unread_fields

__all__ = "read_call", "write_call"

_UNREMARKABLE = frozenset({"id", "status", "type", "arguments", "action"})
"""Fields of items that mean nothing by themselves, and those that are said in their parts, though in other words."""
_SETTINGS: dict[str, tuple[str, type | tuple[type, ...]]] = {
    "max_output_tokens": ("max_tokens", int),
    "temperature": ("temperature", (int, float)),
    "top_p": ("top_p", (int, float)),
    "parallel_tool_calls": ("parallel_tool_calls", bool),
}


# --- reading ----------------------------------------------------------------------------------------------------------


def read_call(body: Fields) -> ModelCall:
    """Read a body. Nothing in it is an error: what is not understood is in the extras, or an unknown part."""
    tools, others = read_tools(body.get("tools"), _read_tool)
    messages, system_role = read_input(body.get("instructions"), body.get("input"))
    previous = body.get("previous_response_id")
    call = ModelCall(
        messages,
        body["model"] if isinstance(body.get("model"), str) else None,
        tools=tools,
        tool_choice=_read_choice(body.get("tool_choice")),
        settings=_read_settings(body),
        output_schema=_read_output_schema(body.get("text")),
        stream=body.get("stream") is True,
        previous_response_id=previous if isinstance(previous, str) else None,
        system_role=system_role,
        extras={"tools": others} if others else {},
    )
    call.extras |= unread_fields(write_call(call), body, unremarkable=_UNREMARKABLE)
    return call


def _read_settings(body: Fields) -> ModelSettings:
    settings: Fields = {}
    for name, (key, kind) in _SETTINGS.items():
        value = body.get(name)
        if isinstance(value, kind) and (kind is bool or not isinstance(value, bool)):
            settings[key] = value
    return cast("ModelSettings", settings)


def _read_tool(tool: object) -> ToolDefinition | None:
    if not isinstance(tool, dict) or tool.get("type") != "function":
        return None
    name, description, schema = tool.get("name"), tool.get("description"), tool.get("parameters")
    if not isinstance(name, str) or not isinstance(description, str | None) or not isinstance(schema, dict | None):
        return None
    strict = True if tool.get("strict") is True else None
    return ToolDefinition(name, description, schema or {"type": "object", "properties": {}}, strict=strict)


def _read_choice(raw: object) -> ToolChoice | None:
    if raw in ("auto", "required", "none"):
        return cast("ToolChoice", raw)
    if not isinstance(raw, dict):
        return None
    if raw.get("type") == "function" and isinstance(raw.get("name"), str):
        return (raw["name"],)
    if raw.get("type") == "allowed_tools" and raw.get("mode") == "required" and isinstance(raw.get("tools"), list):
        names = [tool.get("name") if isinstance(tool, dict) else None for tool in raw["tools"]]
        return tuple(str(name) for name in names) if all(isinstance(name, str) for name in names) else None
    return None


def _read_output_schema(text: object) -> OutputSchema | None:
    wanted = text.get("format") if isinstance(text, dict) else None
    if not isinstance(wanted, dict):
        return None
    if wanted.get("type") == "json_object":
        return OutputSchema()
    if wanted.get("type") != "json_schema" or not isinstance(wanted.get("schema"), dict):
        return None
    name, strict, description = wanted.get("name"), wanted.get("strict"), wanted.get("description")
    return OutputSchema(
        wanted["schema"],
        name if isinstance(name, str) else None,
        strict if isinstance(strict, bool) else None,
        description if isinstance(description, str) else None,
    )


# --- writing ----------------------------------------------------------------------------------------------------------


def write_call(call: ModelCall) -> Fields:
    """Write the body of a call. Raises `UserError` for content that the format has no place for."""
    instructions, items = write_input(call.messages, call.system_role)
    effort = call.settings.get("openai_reasoning_effort")
    body: Fields = {"model": call.model, "input": items, "stream": call.stream}
    optional = {
        "instructions": instructions,
        "previous_response_id": call.previous_response_id,
        "text": _write_output_schema(call.output_schema),
        "reasoning": None if effort is None else {"effort": effort},
        **{name: call.settings.get(key) for name, (key, _) in _SETTINGS.items()},
    }
    body |= {key: value for key, value in optional.items() if value is not None}
    extras = dict(call.extras)
    others = extras.pop("tools") if isinstance(extras.get("tools"), list) else []
    tools = [*others, *(_write_tool(tool) for tool in call.tools)]
    if tools:
        body["tools"] = tools
        body |= _write_choice(call.tool_choice)
    put_back(body, extras)
    return body


def _write_tool(tool: ToolDefinition) -> Fields:
    # The API reads a missing "strict" as true, which refuses most schemas.
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.parameters_json_schema,
        "strict": bool(tool.strict),
    }


def _write_choice(choice: ToolChoice | None) -> Fields:
    if choice is None:
        return {}
    if not isinstance(choice, tuple):
        return {"tool_choice": choice}
    if len(choice) == 1:
        return {"tool_choice": {"type": "function", "name": choice[0]}}
    allowed = [{"type": "function", "name": name} for name in choice]
    return {"tool_choice": {"type": "allowed_tools", "mode": "required", "tools": allowed}}


def _write_output_schema(wanted: OutputSchema | None) -> Fields | None:
    if wanted is None:
        return None
    if wanted.schema is None:
        return {"format": {"type": "json_object"}}
    optional = {"strict": wanted.strict, "description": wanted.description}
    return {
        "format": {
            "type": "json_schema",
            "name": wanted.name or "response",
            "schema": wanted.schema,
            **{key: value for key, value in optional.items() if value is not None},
        }
    }
