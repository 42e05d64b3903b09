"""Calls of Gemini: the body of a request, read and written."""

from __future__ import annotations

import re
from itertools import takewhile
from typing import Any, cast

from replay_agent.calls import ModelCall, OutputSchema, ToolChoice, ToolDefinition
from replay_agent.exceptions import WireError
from replay_agent.messages import (
    NO_TIMESTAMP,
    ModelMessage,
    ModelRequest,
    ModelRequestPart,
    ModelResponse,
    SystemPromptPart,
    ThinkingPart,
    ToolCallPart,
    UnknownPart,
)
from replay_agent.settings import ModelSettings
from replay_agent.wire.gemini.content import camel, read_model_part, read_user_parts, write_model_parts, write_user_part
from replay_agent.wire.gemini.enums import Enums, enums_of, rated, spelled, spelled_part, spelled_schema
from replay_agent.wire.gemini.schema import simplified_schema
from replay_agent.wire.gemini.written import split_metadata
from replay_agent.wire.shapes.history import with_system
from replay_agent.wire.shapes.json_text import Fields
from replay_agent.wire.shapes.scalars import is_number

__all__ = "read_call", "write_call"

_FORMAT = "gemini"
_BODY_FIELDS = {"contents", "systemInstruction", "tools", "toolConfig", "generationConfig", "safetySettings"}
_SETTINGS = {
    "maxOutputTokens": "max_tokens",
    "temperature": "temperature",
    "topP": "top_p",
    "presencePenalty": "presence_penalty",
    "frequencyPenalty": "frequency_penalty",
    "seed": "seed",
}
_SAFETY = "gemini_safety_settings"
_JSON = "application/json"
_SCHEMA_FIELDS = ("responseJsonSchema", "responseSchema")
_PARAMETER_FIELDS = ("parametersJsonSchema", "parameters")
_DECLARED = ("name", "description", *_PARAMETER_FIELDS)
_MORE_DECLARED = "functionDeclarations"
"""The extra with what declarations say beyond `ToolDefinition`, by the tool's name: the schema of its answer, say."""
_CAPITAL = re.compile(r"[A-Z]")
_IDS = "functionCallIds"
"""The extra that says that ids of calls and signatures of thoughts are part of the history."""


# --- reading ----------------------------------------------------------------------------------------------------------


def read_call(body: Fields, model: str | None, alt: object, *, stream: bool, dialect: str | None = None) -> ModelCall:
    """Read a body; ``alt`` is the shape of the answer that the address asks for, ``dialect`` numbers enumerations."""
    fields, enums = camel(body), enums_of(dialect)
    extras = {key: value for key, value in body.items() if camel({key: None}).keys().isdisjoint(_BODY_FIELDS)}
    if isinstance(alt, str) and alt != "json":
        extras["alt"] = alt
    messages = _read_contents(fields.get("contents", []), enums)
    if any(_has_ids(message) for message in messages):
        extras[_IDS] = True
    tools = _read_tools(fields.get("tools"), extras)
    for tool in tools:
        tool.parameters_json_schema = spelled_schema(tool.parameters_json_schema, enums)
    settings, output_schema = _read_config(fields.get("generationConfig"), extras)
    if output_schema is not None:
        output_schema.schema = spelled_schema(output_schema.schema, enums)
    if "safetySettings" in fields:
        settings = cast("ModelSettings", {**settings, _SAFETY: rated(fields["safetySettings"], enums)})
    return ModelCall(
        _with_instruction(fields.get("systemInstruction"), messages),
        model=model,
        tools=tools,
        tool_choice=_read_tool_config(fields.get("toolConfig"), tools, extras, enums),
        settings=settings,
        output_schema=output_schema,
        stream=stream,
        dialect=dialect,
        extras=extras,
    )


def _raw_parts(content: object) -> list[object]:
    if not isinstance(content, dict):
        raise WireError("a content is no object", _FORMAT)
    parts = content.get("parts", [])
    return parts if isinstance(parts, list) else [parts]


def _read_contents(contents: object, enums: Enums) -> list[ModelMessage]:
    if not isinstance(contents, list):
        raise WireError("the contents are no list", _FORMAT)
    history: list[ModelMessage] = []
    for content in contents:
        raw_parts = _raw_parts(content)
        if content.get("role") == "model":
            made = [part for raw in raw_parts for part in read_model_part(spelled_part(raw, enums))]
            history.append(ModelResponse(made, timestamp=NO_TIMESTAMP))
        elif history and isinstance(history[-1], ModelRequest):
            history[-1].parts += read_user_parts(raw_parts)
        else:
            history.append(ModelRequest(read_user_parts(raw_parts)))
    return history


def _with_instruction(instruction: object, messages: list[ModelMessage]) -> list[ModelMessage]:
    raw_parts = camel(instruction).get("parts", []) if isinstance(instruction, dict) else []
    prompts = [_read_prompt(raw) for raw in (raw_parts if isinstance(raw_parts, list) else [raw_parts])]
    return with_system(prompts, messages)


def _read_prompt(raw: object) -> ModelRequestPart:
    if isinstance(raw, dict) and raw.keys() == {"text"} and isinstance(raw["text"], str):
        return SystemPromptPart(raw["text"])
    return UnknownPart(raw)


def _has_ids(message: ModelMessage) -> bool:
    return any(
        getattr(part, "tool_call_id", None) is not None
        or (isinstance(part, ThinkingPart) and part.signature is not None)
        for part in message.parts
    )


def _read_tools(raw_tools: object, extras: Fields) -> list[ToolDefinition]:
    definitions: list[ToolDefinition] = []
    others: list[Any] = []
    for raw in raw_tools if isinstance(raw_tools, list) else [raw_tools] if raw_tools else []:
        tool = camel(raw) if isinstance(raw, dict) else {}
        declared = tool.pop("functionDeclarations", None)
        for declaration in declared if isinstance(declared, list) else []:
            definition = _read_declaration(declaration)
            if definition is None:
                others.append({"functionDeclarations": [declaration]})
                continue
            definitions.append(definition)
            more = {key: value for key, value in declaration.items() if camel({key: None}).keys().isdisjoint(_DECLARED)}
            if more:
                extras.setdefault(_MORE_DECLARED, {})[definition.name] = more
        if declared is None or tool:
            others.append(tool or raw)
    if others:
        extras["tools"] = others
    return definitions


def _read_declaration(raw: object) -> ToolDefinition | None:
    fields = camel(raw) if isinstance(raw, dict) else {}
    schemas = [fields[key] for key in _PARAMETER_FIELDS if key in fields]
    schema = schemas[0] if schemas else {"type": "object", "properties": {}}
    name = fields.get("name")
    if not isinstance(name, str) or not isinstance(schema, dict):
        return None
    if len(schemas) > 1:
        return None
    return ToolDefinition(name, fields.get("description"), schema)


def _read_tool_config(raw: object, tools: list[ToolDefinition], extras: Fields, enums: Enums) -> ToolChoice | None:
    if not isinstance(raw, dict):
        return None
    config = camel(raw)
    calling = config.pop("functionCallingConfig", None)
    mode = spelled(camel(calling), ("mode",), enums) if isinstance(calling, dict) else {}
    choice = _read_mode(mode, [tool.name for tool in tools])
    if choice is None and calling is not None:
        config["functionCallingConfig"] = calling
    if config:
        extras["toolConfig"] = config
    return choice


def _read_mode(mode: Fields, names: list[str]) -> ToolChoice | None:
    match mode:
        case {"mode": "ANY", "allowedFunctionNames": list(allowed)} if len(mode) == 2:
            # Every tool, as calls without a choice of names list them.
            return "required" if allowed == names else tuple(str(name) for name in allowed)
        case {"mode": "ANY"} if len(mode) == 1:
            return "required"
        case {"mode": "NONE"} if len(mode) == 1:
            return "none"
        case {"mode": "AUTO"} if len(mode) == 1:
            return "auto"
    return None


def _read_config(raw: object, extras: Fields) -> tuple[ModelSettings, OutputSchema | None]:
    if not isinstance(raw, dict):
        return {}, None
    config = camel(raw)
    known = {name: config.pop(key) for key, name in _SETTINGS.items() if is_number(config.get(key))}
    output_schema = _read_output_schema(config)
    if config:
        extras["generationConfig"] = config
    return cast("ModelSettings", known), output_schema


def _read_output_schema(config: Fields) -> OutputSchema | None:
    """Take the wanted JSON answer out of the configuration."""
    schemas = [key for key in _SCHEMA_FIELDS if key in config]
    if config.get("responseMimeType") != _JSON or len(schemas) > 1:
        return None
    if schemas and not isinstance(config[schemas[0]], dict):
        return None
    del config["responseMimeType"]
    return OutputSchema(config.pop(schemas[0]) if schemas else None)


# --- writing ----------------------------------------------------------------------------------------------------------


def write_call(call: ModelCall) -> Fields:
    """Write the body of a call. Raises `UserError` for a schema that Gemini cannot take."""
    body: Fields = {"contents": _write_contents(call)}
    optional = {
        # In the snake case of pydantic-ai 0.0.40; Google takes either.
        "system_instruction": _write_system(call.messages),
        "tools": _write_tools(call),
        "tool_config": _write_tool_config(call),
        "generation_config": _write_config(call),
        "safety_settings": call.settings.get(_SAFETY),
    }
    body |= {key: value for key, value in optional.items() if value}
    said = {*_BODY_FIELDS, "alt", _IDS, _MORE_DECLARED}
    return body | {key: value for key, value in call.extras.items() if key not in said}


def _write_system(messages: list[ModelMessage]) -> Fields | None:
    parts: list[Fields] = []
    for message in messages:
        head = _system_end(message)
        for number, part in enumerate(message.parts):
            if isinstance(part, SystemPromptPart):
                parts.append({"text": part.content})
            elif isinstance(part, UnknownPart) and number < head:
                parts.append(part.raw)
    return {"role": "user", "parts": parts} if parts else None


def _system_end(message: ModelMessage) -> int:
    """Return how many parts at the head of a request are the system's: its prompts, and what no codec understood."""
    if isinstance(message, ModelResponse):
        return 0
    is_system = (isinstance(part, SystemPromptPart | UnknownPart) for part in message.parts)
    return len(list(takewhile(bool, is_system)))


def _write_contents(call: ModelCall) -> list[Fields]:
    contents: list[Fields] = []
    known_ids: set[str] = set()
    for message in call.messages:
        if isinstance(message, ModelResponse):
            with_ids = bool(call.extras.get(_IDS)) or "gemini" in (message.model_name or "")
            if with_ids:
                known_ids |= {part.tool_call_id or "" for part in message.parts if isinstance(part, ToolCallPart)}
            role, parts = "model", _write_response(message, with_ids=with_ids)
        else:
            role, parts = "user", _write_request(message, known_ids, everywhere=bool(call.extras.get(_IDS)))
        if parts:
            contents.append({"role": role, "parts": parts})
    return contents


def _write_request(request: ModelRequest, known_ids: set[str], *, everywhere: bool) -> list[Fields]:
    return [
        fields
        for part in request.parts[_system_end(request) :]
        for fields in write_user_part(part, with_ids=everywhere or getattr(part, "tool_call_id", None) in known_ids)
    ]


def _write_response(response: ModelResponse, *, with_ids: bool) -> list[Fields]:
    parts, _ = split_metadata(response.parts)
    return write_model_parts(parts, with_ids=with_ids)


def _write_tools(call: ModelCall) -> Any:
    """Return the tools: an object where all are functions, as the seed of this library wrote them, else a list."""
    others = call.extras.get("tools", [])
    if not call.tools:
        return others
    more = call.extras.get(_MORE_DECLARED, {})
    declared = {"function_declarations": [_write_declaration(tool) | more.get(tool.name, {}) for tool in call.tools]}
    return [*others, declared] if others else declared


def _write_declaration(tool: ToolDefinition) -> Fields:
    schema = simplified_schema(tool.parameters_json_schema)
    described = {} if tool.description is None else {"description": tool.description}
    return {"name": tool.name, **described, **({"parameters": schema} if schema.get("properties") else {})}


def _write_tool_config(call: ModelCall) -> Fields:
    config: Fields = dict(call.extras.get("toolConfig", {}))
    names = [tool.name for tool in call.tools]
    match call.tool_choice:
        case "required":
            config["function_calling_config"] = {"mode": "ANY", "allowed_function_names": names}
        case "auto" | "none":
            config["function_calling_config"] = {"mode": call.tool_choice.upper()}
        case tuple(allowed):
            config["function_calling_config"] = {"mode": "ANY", "allowed_function_names": list(allowed)}
    return config


def _write_config(call: ModelCall) -> Fields:
    settings: Fields = dict(call.settings)
    known = {_snake(key): settings[name] for key, name in _SETTINGS.items() if settings.get(name) is not None}
    wanted: Fields = {}
    if call.output_schema is not None:
        wanted = {"response_mime_type": _JSON}
        if call.output_schema.schema is not None:
            wanted["response_json_schema"] = call.output_schema.schema
    return {**known, **wanted, **call.extras.get("generationConfig", {})}


def _snake(name: str) -> str:
    return _CAPITAL.sub(lambda capital: f"_{capital[0].lower()}", name)
