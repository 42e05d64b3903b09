"""Gemini's ``generateContent`` and ``streamGenerateContent``, on AI Studio and on Vertex AI.

Source of the format: https://ai.google.dev/api/generate-content. Google takes and clients write the names of fields in
camel case and in snake case; answers come in camel case. With ``alt=sse`` a stream consists of server-sent events,
without it of the pieces of a JSON array.
"""

from __future__ import annotations

import re
from itertools import takewhile
from typing import Any, cast
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit

from replay_agent.calls import Answer, ModelCall, OutputSchema, ToolChoice, ToolDefinition
from replay_agent.exceptions import WireError
from replay_agent.framing.sse import encode_event
from replay_agent.messages import (
    NO_TIMESTAMP,
    FinishReason,
    ModelMessage,
    ModelRequest,
    ModelRequestPart,
    ModelResponse,
    ModelResponsePart,
    NativeToolCallPart,
    NativeToolReturnPart,
    SystemPromptPart,
    ThinkingPart,
    ToolCallPart,
    UnknownPart,
)
from replay_agent.settings import ModelSettings
from replay_agent.traffic import Headers, Request
from replay_agent.usage import Usage
from replay_agent.wire.codec import EncodedAnswer, EncodedCall
from replay_agent.wire.gemini.content import camel, read_model_part, read_user_parts, write_model_parts, write_user_part
from replay_agent.wire.gemini.schema import simplified_schema
from replay_agent.wire.gemini.stream import GROUNDING_FIELDS, MODALITY_COUNTERS, GeminiStream
from replay_agent.wire.shapes.json_text import Fields, read_object, write_json
from replay_agent.wire.shapes.made_up import made_up_id, pieces
from replay_agent.wire.shapes.refusals import refusal

__all__ = "Gemini", "codec"

_FORMAT = "gemini"
_ADDRESS = re.compile(r"(?:^|/)(?P<model>[^/:]+):(?P<stream>stream)?[gG]enerateContent$")
_CODE_ASSIST = "v1internal"
"""Stands where the model stands in addresses of a service that wraps these bodies in its own."""
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
_FINISH_REASONS: dict[FinishReason | None, str] = {
    None: "STOP",
    "stop": "STOP",
    "tool_call": "STOP",
    "length": "MAX_TOKENS",
    "content_filter": "SAFETY",
    "error": "MALFORMED_FUNCTION_CALL",
}
_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_SPOKEN_OF_ELSEWHERE = {
    "cache_read_tokens": "cachedContentTokenCount",
    "reasoning_tokens": "thoughtsTokenCount",
    "tool_use_prompt_tokens": "toolUsePromptTokenCount",
}


class Gemini:
    """Gemini's own format. The model is in the address; extras are the fields of the body, and the query's ``alt``.

    What the wire does not tell reads as follows: consecutive user contents are one request; texts and media between
    two tool results are one prompt; a retry without a tool is a prompt; a call with ``auto`` tool choice has none.
    Ids of calls and signatures of thoughts are written for turns of a Gemini model, and for all turns of a call whose
    extras have ``functionCallIds``, as those have that were read with any.
    """

    name = _FORMAT

    def claims(self, request: Request) -> bool:
        """Tell whether this is a call of ``generateContent`` or ``streamGenerateContent``."""
        address = _address(request)
        return (
            request.method.upper() == "POST"
            and address is not None
            and address["model"] != _CODE_ASSIST
            and request.body.lstrip()[:1] == b"{"
            and b'"contents"' in request.body
        )

    def encode_call(self, call: ModelCall) -> EncodedCall:
        """Write a call; the path belongs to a base URL that ends in ``/models/``.

        Raises `UserError` for a tool whose schema Gemini cannot take.
        """
        verb = "streamGenerateContent" if call.stream else "generateContent"
        alt = call.extras.get("alt")
        query = f"?{urlencode({'alt': alt})}" if alt else ""
        source = call.source
        if source is None or _read_call(source, call.model, alt, stream=call.stream) != call:
            source = write_json(_write_call(call))
        return EncodedCall(f"{quote(call.model or '', safe='')}:{verb}{query}", source)

    def decode_call(self, request: Request) -> ModelCall:
        """Read a call."""
        address = _address(request)
        model = unquote(address["model"]) if address else None
        alt = parse_qs(urlsplit(request.url).query).get("alt", [None])[0]
        stream = bool(address and address["stream"])
        return _read_call(request.body, model, alt, stream=stream).read_from(request.body)

    def decode_answer(self, call: ModelCall | None, status: int, headers: Headers, body: bytes) -> Answer:
        """Read an answer: an object, an array, server-sent events, or an error."""
        if status >= 400:
            return Answer(error=refusal(status, body))
        if not body.strip() and not (call and call.stream):
            raise WireError("the answer is empty", _FORMAT)
        decoder = self.stream_decoder(call, headers)
        decoder.feed(body)
        decoder.close()
        return decoder.answer

    def stream_decoder(self, call: ModelCall | None, headers: Headers) -> GeminiStream:  # noqa: ARG002
        """Return a decoder for one answer of any shape."""
        return GeminiStream(call.model if call else None)

    def encode_answer(self, call: ModelCall, answer: ModelResponse) -> EncodedAnswer:
        """Write an answer: JSON, server-sent events for ``alt=sse``, else an array in pieces."""
        parts, metadata = _split_metadata(answer.parts)
        chunks = _write_chunks(call, answer, parts, metadata)
        if not call.stream:
            return EncodedAnswer(200, (("content-type", f"{_JSON}; charset=UTF-8"),), (write_json(chunks[0]),))
        if call.extras.get("alt") == "sse":
            events = tuple(_event(chunk) for chunk in chunks)
            return EncodedAnswer(200, (("content-type", "text/event-stream"),), events)
        return EncodedAnswer(200, (("content-type", f"{_JSON}; charset=UTF-8"),), _array_pieces(chunks))

    def encode_error(self, call: ModelCall | None, status: int, message: str) -> EncodedAnswer:
        """Write a refusal; a stream that is an array is refused with one."""
        name = _STATUSES.get(status, "INTERNAL" if status >= 500 else "INVALID_ARGUMENT")
        error: Any = {"error": {"code": status, "message": message, "status": name}}
        if call is not None and call.stream and call.extras.get("alt") != "sse":
            error = [error]
        return EncodedAnswer(status, (("content-type", f"{_JSON}; charset=UTF-8"),), (write_json(error),))


codec = Gemini()


def _address(request: Request) -> re.Match[str] | None:
    return _ADDRESS.search(urlsplit(request.url).path)


# --- reading calls ----------------------------------------------------------------------------------------------------


def _read_call(source: bytes, model: str | None, alt: object, *, stream: bool) -> ModelCall:
    raw = read_object(source, _FORMAT)
    body = camel(raw)
    extras = {key: value for key, value in raw.items() if camel({key: None}).keys().isdisjoint(_BODY_FIELDS)}
    if isinstance(alt, str) and alt != "json":
        extras["alt"] = alt
    messages = _read_contents(body.get("contents", []))
    if any(_has_ids(message) for message in messages):
        extras[_IDS] = True
    tools = _read_tools(body.get("tools"), extras)
    settings, output_schema = _read_config(body.get("generationConfig"), extras)
    if "safetySettings" in body:
        settings = cast("ModelSettings", {**settings, _SAFETY: body["safetySettings"]})
    return ModelCall(
        _with_system(body.get("systemInstruction"), messages),
        model=model,
        tools=tools,
        tool_choice=_read_tool_config(body.get("toolConfig"), tools, extras),
        settings=settings,
        output_schema=output_schema,
        stream=stream,
        extras=extras,
    )


def _read_contents(contents: object) -> list[ModelMessage]:
    if not isinstance(contents, list):
        raise WireError("the contents are no list", _FORMAT)
    history: list[ModelMessage] = []
    for content in contents:
        if not isinstance(content, dict):
            raise WireError("a content is no object", _FORMAT)
        raw_parts = content.get("parts", [])
        raw_parts = raw_parts if isinstance(raw_parts, list) else [raw_parts]
        if content.get("role") == "model":
            made = [part for raw in raw_parts for part in read_model_part(raw)]
            history.append(ModelResponse(made, timestamp=NO_TIMESTAMP))
        elif history and isinstance(history[-1], ModelRequest):
            history[-1].parts += read_user_parts(raw_parts)
        else:
            history.append(ModelRequest(read_user_parts(raw_parts)))
    return history


def _with_system(instruction: object, messages: list[ModelMessage]) -> list[ModelMessage]:
    raw_parts = camel(instruction).get("parts", []) if isinstance(instruction, dict) else []
    prompts = [_read_prompt(raw) for raw in (raw_parts if isinstance(raw_parts, list) else [raw_parts])]
    if not prompts:
        return messages
    if messages and isinstance(messages[0], ModelRequest):
        return [ModelRequest([*prompts, *messages[0].parts]), *messages[1:]]
    return [ModelRequest(prompts), *messages]


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


def _read_tool_config(raw: object, tools: list[ToolDefinition], extras: Fields) -> ToolChoice | None:
    if not isinstance(raw, dict):
        return None
    config = camel(raw)
    calling = config.pop("functionCallingConfig", None)
    mode = camel(calling) if isinstance(calling, dict) else {}
    choice = _read_mode(mode, [tool.name for tool in tools])
    if choice is None and calling is not None:
        config["functionCallingConfig"] = calling
    if config:
        extras["toolConfig"] = config
    return choice


def _read_mode(mode: Fields, names: list[str]) -> ToolChoice | None:
    match mode:
        case {"mode": "ANY", "allowedFunctionNames": list(allowed)} if len(mode) == 2:
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
    known = {name: config.pop(key) for key, name in _SETTINGS.items() if _is_number(config.get(key))}
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


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


# --- writing calls ----------------------------------------------------------------------------------------------------


def _write_call(call: ModelCall) -> Fields:
    body: Fields = {"contents": _write_contents(call)}
    optional = {
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
    parts, _ = _split_metadata(response.parts)
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


# --- writing answers --------------------------------------------------------------------------------------------------


def _split_metadata(parts: list[ModelResponsePart]) -> tuple[list[ModelResponsePart], Fields]:
    """Take out what stands beside the content of an answer; return the other parts and the fields of the answer."""
    rest: list[ModelResponsePart] = []
    candidate: Fields = {}
    beside: Fields = {}
    for part in parts:
        if isinstance(part, UnknownPart) and (told := _told_beside(part)) is not None:
            beside |= told
        elif isinstance(part, NativeToolReturnPart) and (fields := _written_metadata(part, rest)) is not None:
            rest.pop()
            candidate |= fields
        else:
            rest.append(part)
    first, *others = beside.pop("candidates", None) or [{}]
    return rest, {**beside, "candidates": [candidate | first, *others]}


def _told_beside(part: UnknownPart) -> Fields | None:
    """Return the fields of an answer that were kept as an unknown part."""
    match part.raw:
        case {"response": dict(fields), **others} if not others:
            return fields
    return None


def _written_metadata(result: NativeToolReturnPart, before: list[ModelResponsePart]) -> Fields | None:
    """Return the metadata that the result and the call before it were read from, None for a tool in the content."""
    call = before[-1] if before else None
    content = result.content
    if not isinstance(call, NativeToolCallPart) or not isinstance(content, dict):
        return None
    if (call.tool_name, call.tool_call_id, result.tool_call_id) != (result.tool_name, None, None):
        return None
    if result.tool_name == "web_fetch" and "urlMetadata" in content:
        return {"urlContextMetadata": content}
    if result.tool_name in ("web_search", "file_search") and (not content or content.keys() & GROUNDING_FIELDS):
        queries = call.args_as_dict().get("queries")
        return {"groundingMetadata": {**content, **({"webSearchQueries": queries} if queries else {})}}
    return None


def _write_chunks(
    call: ModelCall, answer: ModelResponse, parts: list[ModelResponsePart], metadata: Fields
) -> list[Fields]:
    """Return the objects of an answer: one, or, for a stream, one for each piece of its parts; the last one is full."""
    written = write_model_parts(parts, sign_texts=not call.stream)
    groups = [[piece] for part in written for piece in _pieces(part)] if call.stream else [written]
    groups = groups or [[]]
    common: Fields = {
        "modelVersion": answer.model_name or call.model or "gemini",
        "responseId": answer.provider_response_id or made_up_id("", written, len(call.messages)),
    }
    chunks: list[Fields] = [{"candidates": [{**_content(group), "index": 0}], **common} for group in groups[:-1]]
    candidate, *others = metadata.pop("candidates")
    last = {**_content(groups[-1]), "finishReason": _FINISH_REASONS[answer.finish_reason], "index": 0, **candidate}
    answered: Fields = {} if "promptFeedback" in metadata and not written else {"candidates": [last, *others]}
    chunks.append({**answered, **metadata, "usageMetadata": _write_usage(answer.usage or Usage()), **common})
    return chunks


def _content(parts: list[Fields]) -> Fields:
    return {"content": {"parts": parts, "role": "model"}} if parts else {}


def _pieces(part: Fields) -> list[Fields]:
    """Cut a text or a thought as a stream does; what comes with it comes with its last piece."""
    text = part.get("text")
    if not isinstance(text, str) or not text:
        return [part]
    *first, last = pieces(text)
    kind = {key: value for key, value in part.items() if key == "thought"}
    return [*({"text": piece, **kind} for piece in first), {**part, "text": last}]


def _write_usage(usage: Usage) -> Fields:
    details = dict(usage.details or {})
    standard = {key: details.pop(name) for name, key in _SPOKEN_OF_ELSEWHERE.items() if name in details}
    request_tokens, response_tokens = usage.request_tokens or 0, usage.response_tokens or 0
    return {
        "promptTokenCount": max(0, request_tokens - standard.get("toolUsePromptTokenCount", 0)),
        "candidatesTokenCount": max(0, response_tokens - standard.get("thoughtsTokenCount", 0)),
        "totalTokenCount": request_tokens + response_tokens if usage.total_tokens is None else usage.total_tokens,
        **standard,
        **_write_modalities(details),
    }


def _write_modalities(details: dict[str, int]) -> Fields:
    named = {
        "audio_prompt_tokens": details.pop("input_audio_tokens", 0),
        "audio_candidates_tokens": details.pop("output_audio_tokens", 0),
        **details,
    }
    written: Fields = {}
    for key, where in sorted(MODALITY_COUNTERS.items(), key=lambda item: -len(item[1])):
        ending = f"_{where}_tokens"
        for name in [name for name in named if name.endswith(ending)]:
            count = named.pop(name)
            if count:
                entry = {"modality": name.removesuffix(ending).upper(), "tokenCount": count}
                written.setdefault(key, []).append(entry)
    return written


def _event(chunk: Fields) -> bytes:
    return encode_event(write_json(chunk).decode()).replace(b"\n", b"\r\n")


def _array_pieces(chunks: list[Fields]) -> tuple[bytes, ...]:
    first, *others = [write_json(chunk) for chunk in chunks]
    written = [b"[" + first, *(b",\r\n" + chunk for chunk in others)]
    return (*written[:-1], written[-1] + b"\n]")
