"""Amazon Bedrock's Converse and ConverseStream, as the AWS SDKs put them on the wire.

Source of the format: the service model ``bedrock-runtime`` of botocore. A streamed answer consists of event stream
frames, one JSON event each.
"""

from __future__ import annotations

import re
from typing import Any, cast
from urllib.parse import quote, unquote, urlsplit

from replay_agent.calls import Answer, ModelCall, OutputSchema, ToolChoice, ToolDefinition
from replay_agent.exceptions import WireError
from replay_agent.framing.aws_frames import encode_frame
from replay_agent.messages import (
    NO_TIMESTAMP,
    FinishReason,
    ModelMessage,
    ModelRequest,
    ModelRequestPart,
    ModelResponse,
    SystemPromptPart,
    ToolCallPart,
    UnknownPart,
)
from replay_agent.settings import ModelSettings
from replay_agent.traffic import Headers, Request, header
from replay_agent.usage import Usage
from replay_agent.wire.bedrock.content import (
    RequestBlocks,
    joined_citations,
    read_request_parts,
    read_response_parts,
    write_response_block,
)
from replay_agent.wire.bedrock.stream import ERRORS, BedrockStream
from replay_agent.wire.codec import EncodedAnswer, EncodedCall
from replay_agent.wire.shapes.call_ids import CallIds
from replay_agent.wire.shapes.json_text import Fields, read_json, read_object, write_json, write_text
from replay_agent.wire.shapes.made_up import made_up_id, pieces
from replay_agent.wire.shapes.refusals import refusal

__all__ = "Bedrock", "codec"

_FORMAT = "bedrock"
_ADDRESS = re.compile(r"/model/(?P<model>.+)/converse(?P<stream>-stream)?/?$")
_BODY_FIELDS = {"messages", "system", "inferenceConfig", "toolConfig", "outputConfig", "modelId"}
_SETTINGS = {"maxTokens": "max_tokens", "temperature": "temperature", "topP": "top_p"}
_TOOL_CHOOSERS = ("anthropic", "us.anthropic")
"""Beginnings of the ids of models that are told how to choose among tools."""
_STOP_REASONS: dict[FinishReason, str] = {
    "stop": "end_turn",
    "tool_call": "tool_use",
    "length": "max_tokens",
    "content_filter": "content_filtered",
    "error": "malformed_model_output",
}
_RESPONSE_FIELDS = ("additionalModelResponseFields", "trace", "performanceConfig", "serviceTier")
"""What stands beside the message in an answer and is kept as unknown parts."""
_EVENT_STREAM = "application/vnd.amazon.eventstream"


class Bedrock:
    """Converse and ConverseStream. The model is in the address; extras are the fields of the body.

    Two requests in a row, or two answers without a request between them, are not told apart on the wire: consecutive
    user messages are read as one request. Settings of 0 are sent.
    """

    name = _FORMAT

    def claims(self, request: Request) -> bool:
        """Tell whether this is a Converse call."""
        return (
            request.method.upper() == "POST"
            and _ADDRESS.search(urlsplit(request.url).path) is not None
            and request.body.lstrip()[:1] == b"{"
        )

    def encode_call(self, call: ModelCall) -> EncodedCall:
        """Write a call as boto3 would; the path belongs to ``https://bedrock-runtime.<region>.amazonaws.com``.

        Raises `NotImplementedError` for media that Converse does not take.
        """
        verb = "converse-stream" if call.stream else "converse"
        path = f"/model/{quote(call.model or '', safe='')}/{verb}"
        source = call.source
        if source is not None and _read_call(source, call.model, stream=call.stream) == call:
            return EncodedCall(path, source)
        return EncodedCall(path, write_json(_write_call(call)))

    def decode_call(self, request: Request) -> ModelCall:
        """Read a call."""
        address = _ADDRESS.search(urlsplit(request.url).path)
        model = unquote(address["model"]) if address else None
        stream = bool(address and address["stream"])
        return _read_call(request.body, model, stream=stream).read_from(request.body)

    def decode_answer(self, call: ModelCall | None, status: int, headers: Headers, body: bytes) -> Answer:
        """Read an answer: frames, JSON, or an error. A stream that ends within a frame is a `WireError`."""
        if status >= 400:
            return Answer(error=refusal(status, body))
        is_stream = bool(call and call.stream) or header(headers, "content-type") == _EVENT_STREAM
        if not body.strip() and not is_stream:
            raise WireError("the answer is empty", _FORMAT)
        decoder = self.stream_decoder(call, headers)
        decoder.feed(body)
        decoder.close()
        return decoder.answer

    def stream_decoder(self, call: ModelCall | None, headers: Headers) -> BedrockStream:
        """Return a decoder for the frames of one answer; it also reads a JSON answer that comes in their place."""
        return BedrockStream(call.model if call else None, header(headers, "x-amzn-requestid"))

    def encode_answer(self, call: ModelCall, answer: ModelResponse) -> EncodedAnswer:
        """Write an answer. Streamed arguments of tool calls are read back as JSON text, others as a dict."""
        ids = CallIds.after(call.messages)
        blocks = [block for part in answer.parts if (block := write_response_block(part, ids)) is not None]
        response_id = answer.provider_response_id or made_up_id("req_", blocks, len(call.messages))
        if call.stream:
            headers = (("content-type", _EVENT_STREAM), ("x-amzn-requestid", response_id))
            return EncodedAnswer(200, headers, tuple(_write_frames(blocks, answer)))
        headers = (("content-type", "application/json"), ("x-amzn-requestid", response_id))
        return EncodedAnswer(200, headers, (write_json(_write_answer(blocks, answer)),))

    def encode_error(self, call: ModelCall | None, status: int, message: str) -> EncodedAnswer:  # noqa: ARG002
        """Write a refusal; the AWS SDKs raise the exception that its header names."""
        name = ERRORS.get(status, "InternalServerException" if status >= 500 else "ValidationException")
        headers = (("content-type", "application/json"), ("x-amzn-errortype", name))
        return EncodedAnswer(status, headers, (write_json({"message": message}),))


codec = Bedrock()

# --- reading calls ----------------------------------------------------------------------------------------------------


def _read_call(source: bytes, model: str | None, *, stream: bool) -> ModelCall:
    body = read_object(source, _FORMAT)
    extras = {key: value for key, value in body.items() if key not in _BODY_FIELDS}
    system = _read_system(body.get("system"), extras)
    tools, tool_choice = _read_tool_config(body.get("toolConfig"), extras)
    return ModelCall(
        _with_system(system, _read_messages(body.get("messages", []))),
        model=model,
        tools=tools,
        tool_choice=tool_choice,
        settings=_read_settings(body.get("inferenceConfig"), extras),
        output_schema=_read_output_schema(body.get("outputConfig"), extras),
        stream=stream,
        extras=extras,
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


def _with_system(system: list[SystemPromptPart], messages: list[ModelMessage]) -> list[ModelMessage]:
    if not system:
        return messages
    if messages and isinstance(messages[0], ModelRequest):
        return [ModelRequest([*system, *messages[0].parts]), *messages[1:]]
    return [ModelRequest([*system]), *messages]


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
    known = {_SETTINGS[key]: value for key, value in config.items() if key in _SETTINGS and _is_number(value)}
    rest = {key: value for key, value in config.items() if not (key in _SETTINGS and _is_number(value))}
    if rest:
        extras["inferenceConfig"] = rest
    return cast("ModelSettings", known)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


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


# --- writing calls ----------------------------------------------------------------------------------------------------


def _write_call(call: ModelCall) -> Fields:
    extras = call.extras
    prompts = [
        part.content for message in call.messages for part in message.parts if isinstance(part, SystemPromptPart)
    ]
    system = "".join(prompts)
    body: Fields = {
        "messages": _write_messages(call.messages),
        "system": [*([{"text": system}] if system else []), *extras.get("system", [])],
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
    content = [block for block in joined_citations(blocks) if block.keys().isdisjoint(_RESPONSE_FIELDS)]
    return [{"role": "assistant", "content": content}] if content else []


def _write_settings(settings: ModelSettings) -> Fields:
    return {key: settings[name] for key, name in _SETTINGS.items() if settings.get(name) is not None}  # type: ignore[literal-required]


def _write_tool_config(call: ModelCall) -> Fields:
    extras = call.extras.get("toolConfig", {})
    tools = [*(_write_tool(tool) for tool in call.tools), *extras.get("tools", [])]
    choice = _write_tool_choice(call)
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
    schema["schema"] = write_text(wanted.schema or {"type": "object"})
    return {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": schema}}}


# --- writing answers --------------------------------------------------------------------------------------------------


def _write_answer(blocks: list[Fields], answer: ModelResponse) -> Fields:
    content = [block for block in joined_citations(blocks) if block.keys().isdisjoint(_RESPONSE_FIELDS)]
    beside = {key: value for block in blocks for key, value in block.items() if key in _RESPONSE_FIELDS}
    return {
        "metrics": {"latencyMs": 0},
        "output": {"message": {"content": content, "role": "assistant"}},
        "stopReason": _stop_reason(answer),
        "usage": _write_usage(answer.usage or Usage()),
        **beside,
    }


def _stop_reason(answer: ModelResponse) -> str:
    if answer.finish_reason is not None:
        return _STOP_REASONS[answer.finish_reason]
    return "tool_use" if any(isinstance(part, ToolCallPart) for part in answer.parts) else "end_turn"


def _write_usage(usage: Usage) -> Fields:
    details = dict(usage.details or {})
    cache_read, cache_write = details.pop("cache_read_tokens", 0), details.pop("cache_write_tokens", 0)
    request_tokens, response_tokens = usage.request_tokens or 0, usage.response_tokens or 0
    written: Fields = {
        "inputTokens": max(0, request_tokens - cache_read - cache_write),
        "outputTokens": response_tokens,
        "totalTokens": request_tokens + response_tokens if usage.total_tokens is None else usage.total_tokens,
    }
    if cache_read or cache_write:
        written |= {"cacheReadInputTokens": cache_read, "cacheWriteInputTokens": cache_write}
    return written | ({"serverToolUsage": details} if details else {})


def _write_frames(blocks: list[Fields], answer: ModelResponse) -> list[bytes]:
    beside = {key: value for block in blocks for key, value in block.items() if key in _RESPONSE_FIELDS}
    content = [block for block in joined_citations(blocks) if block.keys().isdisjoint(_RESPONSE_FIELDS)]
    additional = {key: value for key, value in beside.items() if key == "additionalModelResponseFields"}
    metadata = {key: value for key, value in beside.items() if key != "additionalModelResponseFields"}
    events: list[tuple[str, Fields]] = [("messageStart", {"role": "assistant"})]
    for index, block in enumerate(content):
        events += _write_block_events(index, block)
    events.append(("messageStop", {"stopReason": _stop_reason(answer), **additional}))
    usage = _write_usage(answer.usage or Usage())
    events.append(("metadata", {"metrics": {"latencyMs": 0}, "usage": usage, **metadata}))
    return [_write_event(name, payload) for name, payload in events]


def _write_event(name: str, payload: Fields) -> bytes:
    headers = {":event-type": name, ":content-type": "application/json", ":message-type": "event"}
    return encode_frame(headers, write_json(payload))


def _write_block_events(index: int, block: Fields) -> list[tuple[str, Fields]]:
    match block:
        case {"event": str(name), "payload": dict(payload)}:
            return [(name, payload)]
    start, deltas = _start_and_deltas(block)
    at = {"contentBlockIndex": index}
    return [
        *([("contentBlockStart", {"start": start, **at})] if start else []),
        *(("contentBlockDelta", {"delta": delta, **at}) for delta in deltas),
        ("contentBlockStop", at),
    ]


def _start_and_deltas(block: Fields) -> tuple[Fields | None, list[Fields]]:
    match block:
        case {"text": str(text)}:
            return None, [{"text": piece} for piece in pieces(text)]
        case {"toolUse": {"input": given, **use}}:
            text = given if isinstance(given, str) else write_text(given)
            return {"toolUse": use}, [{"toolUse": {"input": piece}} for piece in pieces(text)]
        case {"reasoningContent": {"reasoningText": dict(shown)}}:
            signature = [{"reasoningContent": {"signature": shown["signature"]}}] if "signature" in shown else []
            return None, [
                *({"reasoningContent": {"text": piece}} for piece in pieces(shown.get("text", ""))),
                *signature,
            ]
        case {"toolResult": {"content": content, **result}}:
            return {"toolResult": result}, [{"toolResult": content}]
        case {"image": {"format": name, "source": source}}:
            return {"image": {"format": name}}, [{"image": {"source": source}}]
        case {"citationsContent": {"content": list(content), "citations": list(citations)}}:
            texts = [item["text"] for item in content if isinstance(item, dict) and isinstance(item.get("text"), str)]
            return None, [
                *({"text": piece} for piece in pieces("".join(texts))),
                *({"citation": citation} for citation in citations),
            ]
    return None, [block]
