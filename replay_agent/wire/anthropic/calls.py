"""Calls of Anthropic's Messages API: the body of a request, read and written."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from replay_agent.calls import ModelCall, OutputSchema, ToolChoice, ToolDefinition
from replay_agent.exceptions import WireError
from replay_agent.messages import (
    NO_TIMESTAMP,
    ModelMessage,
    ModelRequest,
    ModelRequestPart,
    ModelResponse,
    SystemPromptPart,
    ToolCallPart,
)
from replay_agent.settings import ModelSettings
from replay_agent.wire.anthropic.content import read_request, read_response, write_request, write_response
from replay_agent.wire.shapes.call_ids import CallIds
from replay_agent.wire.shapes.function_tools import read_tools
from replay_agent.wire.shapes.history import with_system
from replay_agent.wire.shapes.json_text import Fields
from replay_agent.wire.shapes.unread_fields import put_back, unread_fields

__all__ = "read_call", "write_call"

_FORMAT = "anthropic"
# The API wants a limit in every call; without a setting it is that of pydantic-ai 0.0.40.
_DEFAULT_MAX_TOKENS = 1024
_SAID = frozenset({"input"})
"""What a tool was called with is all in its part, though perhaps in other words."""
_CHOICES: dict[str, ToolChoice] = {"auto": "auto", "any": "required", "none": "none"}
_WIRE_CHOICES = {"auto": "auto", "required": "any", "none": "none"}


# --- reading ----------------------------------------------------------------------------------------------------------


def read_call(body: Fields, model: str | None, *, stream: bool) -> ModelCall:
    """Read a body; ``model`` is what the address names. Raises `WireError` where there is no list of messages."""
    tools, others = read_tools(body.get("tools"), _read_tool)
    choice, settings = _read_choice(body.get("tool_choice"))
    call = ModelCall(
        _read_messages(body),
        body["model"] if isinstance(body.get("model"), str) else model,
        tools=tools,
        tool_choice=choice,
        settings=_read_settings(body, settings),
        output_schema=_read_output_schema(body),
        stream=body.get("stream") is True or stream,
        extras={"tools": others} if others else {},
    )
    call.extras |= unread_fields(write_call(call), body, unremarkable=_SAID)
    return call


def _read_settings(body: Fields, settings: Fields) -> ModelSettings:
    kinds: dict[str, type | tuple[type, ...]] = {"max_tokens": int, "temperature": (int, float), "top_p": (int, float)}
    for key, kind in kinds.items():
        value = body.get(key)
        if isinstance(value, kind) and not isinstance(value, bool):
            settings[key] = value
    return cast("ModelSettings", settings)


def _read_messages(body: Fields) -> list[ModelMessage]:
    raw = body.get("messages")
    if not isinstance(raw, list):
        raise WireError("the body has no list of messages", _FORMAT)
    names: dict[str, str] = {}
    messages = [_read_message(message, names) for message in raw]
    system = read_request("system", body.get("system"), names)
    return with_system(system, messages)


def _read_message(message: object, names: dict[str, str]) -> ModelMessage:
    if not isinstance(message, dict) or "content" not in message:
        return ModelRequest(read_request("user", [message], names))
    if message.get("role") != "assistant":
        return ModelRequest(read_request(message.get("role"), message["content"], names))
    parts = read_response(message["content"])
    names |= {
        part.tool_call_id: part.tool_name for part in parts if isinstance(part, ToolCallPart) and part.tool_call_id
    }
    return ModelResponse(parts, timestamp=NO_TIMESTAMP)


def _read_tool(tool: object) -> ToolDefinition | None:
    # Anthropic's own tools have types with a date, as bash_20250124; they stay as they are.
    if not isinstance(tool, dict) or tool.get("type") not in (None, "custom"):
        return None
    name, description, schema = tool.get("name"), tool.get("description"), tool.get("input_schema")
    if isinstance(name, str) and isinstance(description, str | None) and isinstance(schema, dict):
        return ToolDefinition(name, description, schema)
    return None


def _read_choice(raw: object) -> tuple[ToolChoice | None, Fields]:
    if not isinstance(raw, dict) or not isinstance(raw.get("type"), str):
        return None, {}
    alone = raw.get("disable_parallel_tool_use")
    settings = {"parallel_tool_calls": not alone} if isinstance(alone, bool) else {}
    if raw["type"] == "tool" and isinstance(raw.get("name"), str):
        return (raw["name"],), settings
    return _CHOICES.get(raw["type"]), settings


def _read_output_schema(body: Fields) -> OutputSchema | None:
    config = body.get("output_config")
    # ``output_format`` was its name while structured outputs were a beta.
    wanted = config.get("format") if isinstance(config, dict) else body.get("output_format")
    if isinstance(wanted, dict) and wanted.get("type") == "json_schema" and isinstance(wanted.get("schema"), dict):
        return OutputSchema(wanted["schema"])
    return None


# --- writing ----------------------------------------------------------------------------------------------------------


def write_call(call: ModelCall) -> Fields:
    """Write the body of a call. Raises `UserError` for media that the format has no block for."""
    settings = call.settings
    ids = CallIds()
    body: Fields = {
        "max_tokens": settings.get("max_tokens") or _DEFAULT_MAX_TOKENS,
        "messages": [_write_message(message, ids) for message in call.messages],
        "stream": call.stream,
    }
    optional = {
        "model": call.model,
        "system": "".join(_system_prompts(call.messages)) or None,
        "output_config": _write_output_schema(call.output_schema),
        "temperature": settings.get("temperature"),
        "top_p": settings.get("top_p"),
        "metadata": settings.get("anthropic_metadata"),
    }
    body |= {key: value for key, value in optional.items() if value is not None}
    extras = dict(call.extras)
    others = extras.pop("tools") if isinstance(extras.get("tools"), list) else []
    tools = [*(_write_tool(tool) for tool in call.tools), *others]
    if tools:
        body["tools"] = tools
        body |= _write_choice(call)
    put_back(body, extras)
    return body


def _write_message(message: ModelMessage, ids: CallIds) -> Fields:
    if isinstance(message, ModelRequest):
        return {"role": "user", "content": write_request(message.parts, ids)}
    return {"role": "assistant", "content": write_response(message.parts, ids)}


def _system_prompts(messages: Iterable[ModelMessage]) -> list[str]:
    parts: list[ModelRequestPart] = [
        part for message in messages if isinstance(message, ModelRequest) for part in message.parts
    ]
    return [part.content for part in parts if isinstance(part, SystemPromptPart)]


def _write_tool(tool: ToolDefinition) -> Fields:
    described = {} if tool.description is None else {"description": tool.description}
    strict = {"strict": True} if tool.strict else {}
    return {"name": tool.name, **described, "input_schema": tool.parameters_json_schema, **strict}


def _write_choice(call: ModelCall) -> Fields:
    parallel = call.settings.get("parallel_tool_calls")
    choice = call.tool_choice
    if choice is None and parallel is None:
        return {}
    if isinstance(choice, tuple):
        # Nothing between one tool and any.
        written = {"type": "tool", "name": choice[0]} if len(choice) == 1 else {"type": "any"}
    else:
        written = {"type": _WIRE_CHOICES[choice or "auto"]}
    if parallel is not None and choice != "none":  # a choice of none has no such field
        return {"tool_choice": {**written, "disable_parallel_tool_use": not parallel}}
    return {"tool_choice": written}


def _write_output_schema(wanted: OutputSchema | None) -> Fields | None:
    if wanted is None or wanted.schema is None:
        return None
    return {"format": {"type": "json_schema", "schema": wanted.schema}}
