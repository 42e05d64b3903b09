"""Calls of Bedrock's Converse: the body of a request, read and written."""

from __future__ import annotations

from collections.abc import Iterable
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
    ToolCallPart,
    UnknownPart,
)
from replay_agent.settings import ModelSettings
from replay_agent.wire.bedrock.content import (
    RESPONSE_FIELDS,
    RequestBlocks,
    joined_citations,
    read_request_parts,
    read_response_parts,
    write_response_block,
)
from replay_agent.wire.shapes.call_ids import CallIds
from replay_agent.wire.shapes.history import with_system
from replay_agent.wire.shapes.json_text import Fields, read_json, write_text
from replay_agent.wire.shapes.scalars import is_number

__all__ = "is_converse", "read_call", "write_call"

_FORMAT = "bedrock"
_BODY_FIELDS = {"messages", "system", "inferenceConfig", "toolConfig", "outputConfig", "modelId"}
_SETTINGS = {"maxTokens": "max_tokens", "temperature": "temperature", "topP": "top_p"}
_SETTINGS_READ = {"max_new_tokens": "max_tokens", "top_p": "top_p", **_SETTINGS}
"""Amazon Nova takes two of them by other names where it is invoked directly."""
_BLOCKS = frozenset(
    {"text", "image", "video", "audio", "document", "toolUse", "toolResult", "reasoningContent", "cachePoint"}
)
"""Names that blocks of Converse are known by; those of other formats say ``type``."""
# Those of pydantic-ai 0.0.40; the API refuses a choice that a model does not know.
_TOOL_CHOOSERS = ("anthropic", "us.anthropic")
"""Beginnings of the ids of models that are told how to choose among tools."""


# --- reading ----------------------------------------------------------------------------------------------------------


def read_call(body: Fields, model: str | None, *, stream: bool) -> ModelCall:
    """Read a body; ``model`` and ``stream`` are what the address says. Raises `WireError` for messages that are none."""
    extras = {key: value for key, value in body.items() if key not in _BODY_FIELDS}
    system = _read_system(body.get("system"), extras)
    tools, tool_choice = _read_tool_config(body.get("toolConfig"), extras)
    return ModelCall(
        with_system(system, _read_messages(body.get("messages", []))),
        model=model,
        tools=tools,
        tool_choice=tool_choice,
        settings=_read_settings(body.get("inferenceConfig"), extras),
        output_schema=_read_output_schema(body.get("outputConfig"), extras),
        stream=stream,
        extras=extras,
    )


def is_converse(body: Fields) -> bool:
    """Tell whether the body that a model is invoked with is one of Converse: by the blocks of its messages."""
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages or "anthropic_version" in body:
        return False
    return all(isinstance(message, dict) and _has_blocks(message.get("content")) for message in messages)


def _has_blocks(content: object) -> bool:
    return isinstance(content, list) and all(
        isinstance(block, dict) and "type" not in block and not _BLOCKS.isdisjoint(block) for block in content
    )


def _read_system(system: object, extras: Fields) -> list[SystemPromptPart]:
    blocks = system if isinstance(system, list) else []
    prompts = [block["text"] for block in blocks if _is_text(block)]
    others = [block for block in blocks if not _is_text(block)]
    if others:
        extras["system"] = others
    return [SystemPromptPart(prompt) for prompt in prompts]


def _is_text(block: object) -> bool:
    return isinstance(block, dict) and block.keys() == {"text"} and isinstance(block["text"], str)


def _read_messages(messages: object) -> list[ModelMessage]:
    if not isinstance(messages, list):
        raise WireError("the messages are no list", _FORMAT)
    names: dict[str, str] = {}
    history: list[ModelMessage] = []
    for message in messages:
        role, content = _role_and_content(message)
        if role == "assistant":
            parts = [part for block in content for part in read_response_parts(block)]
            names |= {part.tool_call_id or "": part.tool_name for part in parts if isinstance(part, ToolCallPart)}
            history.append(ModelResponse(parts, timestamp=NO_TIMESTAMP))
            continue
        asked: list[ModelRequestPart] = [UnknownPart(message)]
        if role == "user":
            asked = read_request_parts(content, names)
        if history and isinstance(history[-1], ModelRequest):
            history[-1].parts += asked
        else:
            history.append(ModelRequest(asked))
    return history


def _role_and_content(message: object) -> tuple[object, list[Any]]:
    if not isinstance(message, dict):
        raise WireError("a message is no object", _FORMAT)
    content = message.get("content", [])
    return message.get("role"), content if isinstance(content, list) else [content]


def _read_tool_config(config: object, extras: Fields) -> tuple[list[ToolDefinition], ToolChoice | None]:
    if not isinstance(config, dict):
        return [], None
    raw_tools = config.get("tools")
    read = [(_read_tool(tool), tool) for tool in (raw_tools if isinstance(raw_tools, list) else [])]
    choice = _read_tool_choice(config.get("toolChoice"))
    rest = {key: value for key, value in config.items() if key not in ("tools", "toolChoice")}
    others = [tool for definition, tool in read if definition is None]
    if others:
        rest["tools"] = others
    if choice is None and "toolChoice" in config:
        rest["toolChoice"] = config["toolChoice"]
    if rest:
        extras["toolConfig"] = rest
    return [definition for definition, _ in read if definition is not None], choice


def _read_tool(tool: object) -> ToolDefinition | None:
    spec = tool.get("toolSpec") if isinstance(tool, dict) and len(tool) == 1 else None
    if not isinstance(spec, dict) or not spec.keys() <= {"name", "description", "inputSchema", "strict"}:
        return None
    schema = spec.get("inputSchema")
    if not isinstance(schema, dict) or schema.keys() != {"json"} or not isinstance(schema["json"], dict):
        return None
    return ToolDefinition(str(spec.get("name")), spec.get("description"), schema["json"], strict=spec.get("strict"))


def _read_tool_choice(choice: object) -> ToolChoice | None:
    match choice:
        case {"auto": _}:
            return "auto"
        case {"any": _}:
            return "required"
        case {"tool": {"name": str(name)}}:
            return (name,)
    return None


def _read_settings(config: object, extras: Fields) -> ModelSettings:
    if not isinstance(config, dict):
        return {}
    known = {_SETTINGS_READ[key]: value for key, value in config.items() if key in _SETTINGS_READ and is_number(value)}
    rest = {key: value for key, value in config.items() if not (key in _SETTINGS_READ and is_number(value))}
    if rest:
        extras["inferenceConfig"] = rest
    return cast("ModelSettings", known)


def _read_output_schema(config: object, extras: Fields) -> OutputSchema | None:
    if not isinstance(config, dict):
        return None
    match config.get("textFormat"):
        case {"type": "json_schema", "structure": {"jsonSchema": {"schema": str(text)} as described}}:
            schema = read_json(text.encode(), _FORMAT)
            if isinstance(schema, dict) and described.keys() <= {"schema", "name", "description"}:
                rest = {key: value for key, value in config.items() if key != "textFormat"}
                if rest:
                    extras["outputConfig"] = rest
                return OutputSchema(schema, name=described.get("name"), description=described.get("description"))
    extras["outputConfig"] = config
    return None


# --- writing ----------------------------------------------------------------------------------------------------------


def _write_system(messages: Iterable[ModelMessage]) -> list[Fields]:
    prompts = [part.content for message in messages for part in message.parts if isinstance(part, SystemPromptPart)]
    system = "".join(prompts)
    return [{"text": system}] if system else []


def write_call(call: ModelCall) -> Fields:
    """Write the body of a call. Raises `NotImplementedError` for media that Converse does not take."""
    extras = call.extras
    body: Fields = {
        "messages": _write_messages(call.messages),
        "system": [*_write_system(call.messages), *extras.get("system", [])],
        "inferenceConfig": _write_settings(call.settings) | extras.get("inferenceConfig", {}),
    }
    tool_config = _write_tool_config(call)
    if tool_config:
        body["toolConfig"] = tool_config
    if call.output_schema is not None:
        body["outputConfig"] = _write_output_schema(call.output_schema) | extras.get("outputConfig", {})
    return body | {key: value for key, value in extras.items() if key not in body}


def _write_messages(messages: list[ModelMessage]) -> list[Fields]:
    ids = CallIds()
    requests = RequestBlocks(ids)
    written: list[Fields] = []
    for message in messages:
        if isinstance(message, ModelResponse):
            written += _write_response(message, ids)
            continue
        for part in message.parts:
            if isinstance(part, UnknownPart) and isinstance(part.raw, dict) and "role" in part.raw:
                written.append(part.raw)
            elif blocks := requests.write(part):
                written.append({"role": "user", "content": blocks})
    return written


def _write_response(response: ModelResponse, ids: CallIds) -> list[Fields]:
    blocks = [block for part in response.parts if (block := write_response_block(part, ids)) is not None]
    content = [block for block in joined_citations(blocks) if block.keys().isdisjoint(RESPONSE_FIELDS)]
    return [{"role": "assistant", "content": content}] if content else []


def _write_settings(settings: ModelSettings) -> Fields:
    return {key: settings[name] for key, name in _SETTINGS.items() if settings.get(name) is not None}  # type: ignore[literal-required]


def _write_tool_config(call: ModelCall) -> Fields:
    extras = call.extras.get("toolConfig", {})
    tools = [*(_write_tool(tool) for tool in call.tools), *extras.get("tools", [])]
    choice = _write_tool_choice(call)
    # A choice without tools is refused.
    written = ({"tools": tools} if tools else {}) | ({"toolChoice": choice} if choice and tools else {})
    return {**extras, **written}


def _write_tool(tool: ToolDefinition) -> Fields:
    described = {"description": tool.description} if tool.description else {}
    strict = {} if tool.strict is None else {"strict": tool.strict}
    return {
        "toolSpec": {"name": tool.name, **described, "inputSchema": {"json": tool.parameters_json_schema}, **strict}
    }


def _write_tool_choice(call: ModelCall) -> Fields | None:
    if not (call.model or "").startswith(_TOOL_CHOOSERS):
        return None
    match call.tool_choice:
        case "auto":
            return {"auto": {}}
        case "required":
            return {"any": {}}
        case (name,):
            return {"tool": {"name": name}}
        case tuple():
            return {"any": {}}
    return None


def _write_output_schema(wanted: OutputSchema) -> Fields:
    described = {"name": wanted.name, "description": wanted.description}
    schema = {key: value for key, value in described.items() if value is not None}
    schema["schema"] = write_text(wanted.schema or {"type": "object"})  # as text, the API wants it
    return {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": schema}}}
