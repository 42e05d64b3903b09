"""Anthropic's Messages API: its calls and answers, read and written.

Source: https://docs.anthropic.com/en/api/messages. Amazon Bedrock and Google Vertex AI carry the same bodies with the
model in the address (``:rawPredict``, ``/invoke``); gateways carry them under paths that end in ``/messages``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, cast
from urllib.parse import unquote, urlsplit

from replay_agent.calls import Answer, ModelCall, OutputSchema, ToolChoice, ToolDefinition
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
from replay_agent.traffic import Headers, Request
from replay_agent.wire.anthropic.answers import write_error, write_message
from replay_agent.wire.anthropic.content import read_request, read_response, write_request, write_response
from replay_agent.wire.anthropic.stream import AnthropicStream, stream_of
from replay_agent.wire.codec import EncodedAnswer, EncodedCall, StreamDecoder
from replay_agent.wire.shapes.call_ids import CallIds
from replay_agent.wire.shapes.framed_events import FRAMES
from replay_agent.wire.shapes.json_text import Fields, read_object, write_json
from replay_agent.wire.shapes.refusals import refusal
from replay_agent.wire.shapes.unread_fields import put_back, taken_down

__all__ = "Anthropic", "codec"

_FORMAT = "anthropic"
_DEFAULT_MAX_TOKENS = 1024
_MODEL_IN_PATH = re.compile(
    r"/models/([^/:]+):(?:stream)?[rR]awPredict$|/model/([^/]+)/invoke(?:-with-response-stream)?$"
)
_STREAMING_PATH = re.compile(r":streamRawPredict$|/invoke-with-response-stream$")
_BEDROCK = "bedrock"
"""The dialect whose streams come in frames."""
_NO_CALLS = re.compile(r"count[-_]tokens")
_SAID = frozenset({"input"})
"""What a tool was called with is all in its part, though perhaps in other words."""
_CHOICES: dict[str, ToolChoice] = {"auto": "auto", "any": "required", "none": "none"}
_WIRE_CHOICES = {"auto": "auto", "required": "any", "none": "none"}


class Anthropic:
    """The codec of Anthropic's Messages API."""

    name = _FORMAT

    def claims(self, request: Request) -> bool:
        """Tell whether this is a Messages call: by the end of its path and the messages in its body."""
        path = urlsplit(request.url).path
        if request.method != "POST" or _NO_CALLS.search(path):
            return False
        in_path = _MODEL_IN_PATH.search(path) is not None
        if not in_path and not path.endswith("/messages"):
            return False
        try:
            body = read_object(request.body, _FORMAT)
        except WireError:
            return False
        ours = not in_path or "anthropic_version" in body or "/publishers/anthropic/" in path
        return ours and isinstance(body.get("messages"), list)

    def encode_call(self, call: ModelCall) -> EncodedCall:
        """Write a call. `UserError` for content that the format has no block for."""
        return EncodedCall("/v1/messages", _unchanged_source(call) or write_json(_compose(call)))

    def decode_call(self, request: Request) -> ModelCall:
        """Read a client's request."""
        path = urlsplit(request.url).path
        in_path = _MODEL_IN_PATH.search(path)
        model = unquote(in_path[1] or in_path[2]) if in_path else None
        body = read_object(request.body, _FORMAT)
        call = _read_call(body, model, stream=_STREAMING_PATH.search(path) is not None)
        call.dialect = _BEDROCK if in_path and in_path[2] else None
        return call.read_from(request.body)

    def decode_answer(self, call: ModelCall | None, status: int, headers: Headers, body: bytes) -> Answer:
        """Read a whole answer."""
        if status >= 400:
            return Answer(error=refusal(status, body))
        if not body and not (call and call.stream):
            raise WireError("the answer is empty", _FORMAT)
        decoder = self.stream_decoder(call, headers)
        decoder.feed(body)
        decoder.close()
        return decoder.answer

    def stream_decoder(self, call: ModelCall | None, headers: Headers) -> StreamDecoder:  # noqa: ARG002
        """Return a decoder for one answer; one that is no stream is read when it is closed."""
        return AnthropicStream()

    def encode_answer(self, call: ModelCall, answer: ModelResponse) -> EncodedAnswer:
        """Write an answer: a message, or the events of one."""
        message = write_message(call, answer)
        if call.stream and call.dialect == _BEDROCK:
            return EncodedAnswer(200, (("content-type", FRAMES),), stream_of(message, framed=True))
        if call.stream:
            return EncodedAnswer(200, _EVENTS, stream_of(message))
        return EncodedAnswer(200, _JSON, (write_json(message),))

    def encode_error(self, call: ModelCall | None, status: int, message: str) -> EncodedAnswer:  # noqa: ARG002
        """Write a refusal."""
        return EncodedAnswer(status, _JSON, (write_json(write_error(status, message)),))


_JSON = (("content-type", "application/json"),)
_EVENTS = (("content-type", "text/event-stream; charset=utf-8"), ("cache-control", "no-cache"))
codec = Anthropic()

# --- calls ------------------------------------------------------------------------------------------------------------


def _unchanged_source(call: ModelCall) -> bytes | None:
    """Return the body that the call was read from, if the call still is what it was then."""
    if call.source is None:
        return None
    body = read_object(call.source, _FORMAT)
    in_path = "model" not in body
    read = _read_call(body, call.model if in_path else None, stream=in_path and call.stream)
    return call.source if read == call else None


def _read_call(body: Fields, model: str | None, *, stream: bool) -> ModelCall:
    tools, others = _read_tools(body.get("tools"))
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
    call.extras |= taken_down(_compose(call), body, unremarkable=_SAID)
    return call


def _compose(call: ModelCall) -> Fields:
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
    if not system:
        return messages
    if messages and isinstance(messages[0], ModelRequest):
        return [ModelRequest([*system, *messages[0].parts]), *messages[1:]]
    return [ModelRequest(system), *messages]


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


def _write_message(message: ModelMessage, ids: CallIds) -> Fields:
    if isinstance(message, ModelRequest):
        return {"role": "user", "content": write_request(message.parts, ids)}
    return {"role": "assistant", "content": write_response(message.parts, ids)}


def _system_prompts(messages: Iterable[ModelMessage]) -> list[str]:
    parts: list[ModelRequestPart] = [
        part for message in messages if isinstance(message, ModelRequest) for part in message.parts
    ]
    return [part.content for part in parts if isinstance(part, SystemPromptPart)]


def _read_tools(raw: object) -> tuple[list[ToolDefinition], list[Any]]:
    """Return the client's own tools, and those that the provider runs or defines, as they came."""
    tools: list[ToolDefinition] = []
    others: list[Any] = []
    for tool in raw if isinstance(raw, list) else ():
        definition = _read_tool(tool)
        if definition is None:
            others.append(tool)
        else:
            tools.append(definition)
    return tools, others


def _read_tool(tool: object) -> ToolDefinition | None:
    if not isinstance(tool, dict) or tool.get("type") not in (None, "custom"):
        return None
    name, description, schema = tool.get("name"), tool.get("description"), tool.get("input_schema")
    if isinstance(name, str) and isinstance(description, str | None) and isinstance(schema, dict):
        return ToolDefinition(name, description, schema)
    return None


def _write_tool(tool: ToolDefinition) -> Fields:
    described = {} if tool.description is None else {"description": tool.description}
    strict = {"strict": True} if tool.strict else {}
    return {"name": tool.name, **described, "input_schema": tool.parameters_json_schema, **strict}


def _read_choice(raw: object) -> tuple[ToolChoice | None, Fields]:
    if not isinstance(raw, dict) or not isinstance(raw.get("type"), str):
        return None, {}
    alone = raw.get("disable_parallel_tool_use")
    settings = {"parallel_tool_calls": not alone} if isinstance(alone, bool) else {}
    if raw["type"] == "tool" and isinstance(raw.get("name"), str):
        return (raw["name"],), settings
    return _CHOICES.get(raw["type"]), settings


def _write_choice(call: ModelCall) -> Fields:
    parallel = call.settings.get("parallel_tool_calls")
    choice = call.tool_choice
    if choice is None and parallel is None:
        return {}
    if isinstance(choice, tuple):
        written = {"type": "tool", "name": choice[0]} if len(choice) == 1 else {"type": "any"}
    else:
        written = {"type": _WIRE_CHOICES[choice or "auto"]}
    if parallel is not None and choice != "none":
        return {"tool_choice": {**written, "disable_parallel_tool_use": not parallel}}
    return {"tool_choice": written}


def _read_output_schema(body: Fields) -> OutputSchema | None:
    config = body.get("output_config")
    wanted = config.get("format") if isinstance(config, dict) else body.get("output_format")
    if isinstance(wanted, dict) and wanted.get("type") == "json_schema" and isinstance(wanted.get("schema"), dict):
        return OutputSchema(wanted["schema"])
    return None


def _write_output_schema(wanted: OutputSchema | None) -> Fields | None:
    if wanted is None or wanted.schema is None:
        return None
    return {"format": {"type": "json_schema", "schema": wanted.schema}}
