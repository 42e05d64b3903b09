"""Ollama's own chat (``/api/chat``), whose stream is one JSON object a line.

Source of the format: https://docs.ollama.com/api/chat.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from typing import Any, cast
from urllib.parse import urlsplit

from replay_agent.calls import Answer, AnswerError, ModelCall, OutputSchema
from replay_agent.exceptions import WireError
from replay_agent.messages import (
    NO_TIMESTAMP,
    BinaryContent,
    FinishReason,
    ModelMessage,
    ModelRequest,
    ModelRequestPart,
    ModelResponse,
    ModelResponsePart,
    ModelResponseStreamEvent,
    RetryPromptPart,
    SystemPromptPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UnknownPart,
    UserContent,
    UserPromptPart,
)
from replay_agent.settings import ModelSettings
from replay_agent.traffic import Headers, Request
from replay_agent.usage import Usage
from replay_agent.wire.codec import EncodedAnswer, EncodedCall
from replay_agent.wire.shapes.counters import counter
from replay_agent.wire.shapes.data_url import decode_base64
from replay_agent.wire.shapes.function_tools import read_function_tools, write_function_tools
from replay_agent.wire.shapes.json_elements import JSONElements
from replay_agent.wire.shapes.json_text import Fields, read_json, read_object, write_json
from replay_agent.wire.shapes.made_up import pieces
from replay_agent.wire.shapes.refusals import error_in, refusal
from replay_agent.wire.shapes.retries import retry_reason
from replay_agent.wire.shapes.streamed_parts import StreamedParts
from replay_agent.wire.shapes.timestamps import read_timestamp, write_timestamp

__all__ = "Ollama", "codec"

_FORMAT = "ollama"
_BODY_FIELDS = {"model", "messages", "tools", "stream", "options", "format"}
_OPTIONS = {
    "num_predict": "max_tokens",
    "temperature": "temperature",
    "top_p": "top_p",
    "seed": "seed",
    "presence_penalty": "presence_penalty",
    "frequency_penalty": "frequency_penalty",
}
_FINISH_REASONS: dict[str, FinishReason] = {"stop": "stop", "length": "length"}
_IMAGE_TYPES = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif", b"RIFF": "image/webp"}


class Ollama:
    """Ollama's own format. Extras are the fields of the body; a call streams unless its body says otherwise.

    What the wire does not tell reads as follows: messages between two answers are one request; the texts of a prompt
    are one text, with its images behind it; a retry without a tool is a prompt; thoughts stand before the text, calls
    behind it; signatures of thoughts are lost, and so is why a model stopped unless it was for its length.
    """

    name = _FORMAT

    def claims(self, request: Request) -> bool:
        """Tell whether this is a call of ``/api/chat``; other services with that path name no model."""
        path = urlsplit(request.url).path.rstrip("/")
        if request.method.upper() != "POST" or not path.endswith("/api/chat"):
            return False
        try:
            body = read_object(request.body, _FORMAT)
        except WireError:
            return False
        return isinstance(body.get("model"), str) and isinstance(body.get("messages"), list)

    def encode_call(self, call: ModelCall) -> EncodedCall:
        """Write a call. Raises `NotImplementedError` for media other than inline images."""
        source = call.source
        if source is None or _read_call(source) != call:
            source = write_json(_write_call(call))
        return EncodedCall("/api/chat", source)

    def decode_call(self, request: Request) -> ModelCall:
        """Read a call."""
        return _read_call(request.body).read_from(request.body)

    def decode_answer(self, call: ModelCall | None, status: int, headers: Headers, body: bytes) -> Answer:
        """Read an answer: one JSON object, one a line, or an error."""
        if status >= 400:
            return Answer(error=refusal(status, body))
        if not body.strip() and not (call and call.stream):
            raise WireError("the answer is empty", _FORMAT)
        decoder = self.stream_decoder(call, headers)
        decoder.feed(body)
        decoder.close()
        return decoder.answer

    def stream_decoder(self, call: ModelCall | None, headers: Headers) -> _AnswerDecoder:  # noqa: ARG002
        """Return a decoder for one answer, streamed or not."""
        return _AnswerDecoder(call.model if call else None)

    def encode_answer(self, call: ModelCall, answer: ModelResponse) -> EncodedAnswer:
        """Write an answer; its time is the one of the answer."""
        head = {"model": answer.model_name or call.model or "", "created_at": write_timestamp(answer.timestamp)}
        message = _write_message(answer.parts)
        end = _write_end(answer)
        if not call.stream:
            body = write_json({**head, "message": message, **end})
            return EncodedAnswer(200, (("content-type", "application/json; charset=utf-8"),), (body,))
        written = [{**head, "message": piece, "done": False} for piece in _pieces(message)]
        written.append({**head, "message": {"role": "assistant", "content": ""}, **end})
        lines = tuple(write_json(line) + b"\n" for line in written)
        return EncodedAnswer(200, (("content-type", "application/x-ndjson"),), lines)

    def encode_error(self, call: ModelCall | None, status: int, message: str) -> EncodedAnswer:  # noqa: ARG002
        """Write a refusal."""
        headers = (("content-type", "application/json; charset=utf-8"),)
        return EncodedAnswer(status, headers, (write_json({"error": message}),))


codec = Ollama()

# --- reading calls ----------------------------------------------------------------------------------------------------


def _read_call(source: bytes) -> ModelCall:
    body = read_object(source, _FORMAT)
    extras = {key: value for key, value in body.items() if key not in _BODY_FIELDS}
    tools, others = read_function_tools(body.get("tools"))
    if others:
        extras["tools"] = others
    model = body.get("model")
    return ModelCall(
        _read_messages(body.get("messages")),
        model=model if isinstance(model, str) else None,
        tools=tools,
        settings=_read_options(body.get("options"), extras),
        output_schema=_read_format(body.get("format"), extras),
        stream=body.get("stream") is not False,
        extras=extras,
    )


def _read_options(options: object, extras: Fields) -> ModelSettings:
    if not isinstance(options, dict):
        return {}
    known = {_OPTIONS[key]: value for key, value in options.items() if key in _OPTIONS and _is_number(value)}
    rest = {key: value for key, value in options.items() if not (key in _OPTIONS and _is_number(value))}
    if rest:
        extras["options"] = rest
    return cast("ModelSettings", known)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _read_format(wanted: object, extras: Fields) -> OutputSchema | None:
    if wanted == "json":
        return OutputSchema()
    if isinstance(wanted, dict):
        return OutputSchema(wanted)
    if wanted:
        extras["format"] = wanted
    return None


def _read_messages(messages: object) -> list[ModelMessage]:
    if not isinstance(messages, list):
        raise WireError("the messages are no list", _FORMAT)
    names: dict[str, str] = {}
    history: list[ModelMessage] = []
    for message in messages:
        if not isinstance(message, dict):
            raise WireError("a message is no object", _FORMAT)
        if message.get("role") == "assistant":
            parts = list(_read_message(message))
            names |= {part.tool_call_id or "": part.tool_name for part in parts if isinstance(part, ToolCallPart)}
            history.append(ModelResponse(parts, timestamp=NO_TIMESTAMP))
        elif history and isinstance(history[-1], ModelRequest):
            history[-1].parts.append(_read_request_part(message, names))
        else:
            history.append(ModelRequest([_read_request_part(message, names)]))
    return history


def _read_request_part(message: Fields, names: dict[str, str]) -> ModelRequestPart:
    text = message.get("content")
    role = message.get("role") if isinstance(text, str) else None
    if role == "system" and message.keys() == {"role", "content"}:
        return SystemPromptPart(text or "")
    if role == "user" and message.keys() <= {"role", "content", "images"}:
        return _read_prompt(text or "", message.get("images"))
    if role == "tool" and message.keys() <= {"role", "content", "tool_name", "tool_call_id"}:
        return _read_result(text or "", message, names)
    return UnknownPart(message)


def _read_prompt(text: str, images: object) -> UserPromptPart:
    if not isinstance(images, list) or not images:
        return UserPromptPart(text, timestamp=NO_TIMESTAMP)
    content: list[UserContent | UnknownPart] = [text] if text else []
    content += [_read_image(image) for image in images]
    return UserPromptPart(content, timestamp=NO_TIMESTAMP)


def _read_image(image: object) -> BinaryContent | UnknownPart:
    data = decode_base64(image)
    if data is None:
        return UnknownPart(image)
    kinds = (kind for start, kind in _IMAGE_TYPES.items() if data.startswith(start))
    return BinaryContent(data, next(kinds, "application/octet-stream"))


def _read_result(text: str, message: Fields, names: dict[str, str]) -> ToolReturnPart | RetryPromptPart:
    call_id = _text(message, "tool_call_id")
    name = _text(message, "tool_name") or names.get(call_id or "", "")
    reason = retry_reason(text)
    if reason is None:
        return ToolReturnPart(name, text, call_id, timestamp=NO_TIMESTAMP)
    return RetryPromptPart(reason, tool_name=name, tool_call_id=call_id, timestamp=NO_TIMESTAMP)


def _read_message(message: Fields) -> Iterator[ModelResponsePart]:
    """Yield the parts of a message of the model; empty texts and thoughts are none."""
    if thought := _text(message, "thinking"):
        yield ThinkingPart(thought)
    if text := _text(message, "content"):
        yield TextPart(text)
    calls = message.get("tool_calls")
    for call in calls if isinstance(calls, list) else []:
        yield _read_tool_call(call) or UnknownPart({"tool_calls": [call]})
    rest = {key: value for key, value in message.items() if key not in _MESSAGE_FIELDS and value}
    if rest:
        yield UnknownPart(rest)


_MESSAGE_FIELDS = {"role", "content", "thinking", "tool_calls"}


def _read_tool_call(call: Any) -> ToolCallPart | None:
    match call:
        case {"function": {"name": str(name), "arguments": dict(args)}}:
            return ToolCallPart(name, args, _text(call, "id"))
        case {"function": {"name": str(name)} as function} if not function.get("arguments"):
            return ToolCallPart(name, {}, _text(call, "id"))
    return None


def _text(fields: Fields, key: str) -> str | None:
    value = fields.get(key)
    return value if isinstance(value, str) else None


# --- writing calls ----------------------------------------------------------------------------------------------------


def _write_call(call: ModelCall) -> Fields:
    settings: Fields = dict(call.settings)
    options = {key: settings[name] for key, name in _OPTIONS.items() if settings.get(name) is not None}
    options |= call.extras.get("options", {})
    tools = [*write_function_tools(call.tools), *call.extras.get("tools", [])]
    wanted = call.output_schema
    body: Fields = {
        "model": call.model,
        "messages": [fields for message in call.messages for fields in _write_history(message)],
        "stream": call.stream,
    }
    optional = {
        "tools": tools,
        "options": options,
        "format": None if wanted is None else "json" if wanted.schema is None else wanted.schema,
    }
    body |= {key: value for key, value in optional.items() if value}
    return body | {key: value for key, value in call.extras.items() if key not in body}


def _write_history(message: ModelMessage) -> list[Fields]:
    if isinstance(message, ModelRequest):
        return [_write_request_part(part) for part in message.parts]
    return [_write_message(message.parts)]


def _write_request_part(part: ModelRequestPart) -> Fields:
    match part:
        case SystemPromptPart():
            return {"role": "system", "content": part.content}
        case UserPromptPart():
            return _write_prompt(part)
        case ToolReturnPart():
            return _write_result(part, part.model_response_str())
        case RetryPromptPart(tool_name=None):
            return {"role": "user", "content": part.model_response()}
        case RetryPromptPart():
            return _write_result(part, part.model_response())
        case UnknownPart():
            return part.raw if isinstance(part.raw, dict) else {"role": "user", "content": ""}


def _write_prompt(part: UserPromptPart) -> Fields:
    if isinstance(part.content, str):
        return {"role": "user", "content": part.content}
    texts = [item for item in part.content if isinstance(item, str)]
    images = [_write_image(item) for item in part.content if not isinstance(item, str)]
    return {"role": "user", "content": "\n\n".join(texts), **({"images": images} if images else {})}


def _write_image(item: UserContent | UnknownPart) -> Any:
    if isinstance(item, UnknownPart):
        return item.raw
    if isinstance(item, BinaryContent) and (item.is_image or item.media_type == "application/octet-stream"):
        return base64.b64encode(item.data).decode()
    raise NotImplementedError("Ollama takes images as inline data, and no other media.")


def _write_result(part: ToolReturnPart | RetryPromptPart, text: str) -> Fields:
    call_id = {} if part.tool_call_id is None else {"tool_call_id": part.tool_call_id}
    return {"role": "tool", "content": text, "tool_name": part.tool_name, **call_id}


def _write_message(parts: Sequence[ModelResponsePart]) -> Fields:
    thoughts = [part.content for part in parts if isinstance(part, ThinkingPart) and part.content]
    texts = [part.content for part in parts if isinstance(part, TextPart)]
    message: Fields = {"role": "assistant", "content": "".join(texts)}
    if thoughts:
        message["thinking"] = "\n\n".join(thoughts)
    calls = [_write_tool_call(part) for part in parts if isinstance(part, ToolCallPart)]
    for part in parts:
        if isinstance(part, UnknownPart) and isinstance(part.raw, dict):
            calls += part.raw.get("tool_calls", [])
            message |= {key: value for key, value in part.raw.items() if key not in _MESSAGE_FIELDS}
    return {**message, **({"tool_calls": calls} if calls else {})}


def _write_tool_call(part: ToolCallPart) -> Fields:
    call_id = {} if part.tool_call_id is None else {"id": part.tool_call_id}
    return {**call_id, "function": {"name": part.tool_name, "arguments": part.args_as_dict()}}


# --- reading answers --------------------------------------------------------------------------------------------------


class _AnswerDecoder:
    """Reads the objects of an answer as they come."""

    def __init__(self, model: str | None) -> None:
        self._elements = JSONElements(_FORMAT)
        self._document: list[bytes] | None = None
        self._started = False
        self._taken = 0
        self._parts = StreamedParts()
        self._model = model
        self._timestamp = NO_TIMESTAMP
        self._usage: Usage | None = None
        self._reason: str | None = None
        self._error: AnswerError | None = None

    def feed(self, data: bytes) -> list[ModelResponseStreamEvent]:
        """Take the next bytes and return the events that they completed. Raises `WireError` for what is no JSON."""
        if not self._started:
            data = data.lstrip(b" \t\r\n\xef\xbb\xbf")
            if not data:
                return []
            self._started = True
            self._document = None if data[:1] == b"{" else []
        if self._document is not None:
            self._document.append(data)
            return []
        values = [read_json(element, _FORMAT) for element in self._elements.feed(data)]
        return [event for value in values for event in self._take(value)]

    def close(self) -> list[ModelResponseStreamEvent]:
        """Say that no bytes follow. Raises `WireError` where not even the first object is whole."""
        if self._document is not None:
            self._error = refusal(None, b"".join(self._document))
        elif self._elements.inside and not self._taken:
            raise WireError("the answer is cut", _FORMAT)
        return []

    @property
    def answer(self) -> Answer:
        """The answer as far as it has come."""
        parts = self._parts.parts()
        if self._error is not None and not parts:
            return Answer(error=self._error)
        response = ModelResponse(
            parts,
            model_name=self._model,
            timestamp=self._timestamp,
            finish_reason=_FINISH_REASONS.get(self._reason or ""),
            usage=self._usage,
        )
        return Answer(response, self._error)

    @property
    def finished(self) -> bool:
        """Whether the object that ends an answer has come, or an error."""
        return self._reason is not None or self._error is not None

    def _take(self, value: Fields) -> list[ModelResponseStreamEvent]:
        self._taken += 1
        message = value.get("message")
        if not isinstance(message, dict):
            self._error = error_in(value)
            return []
        self._model = _text(value, "model") or self._model
        self._timestamp = read_timestamp(value.get("created_at")) or self._timestamp
        if value.get("done") is True:
            self._reason = _text(value, "done_reason") or "stop"
        self._usage = _read_usage(value) or self._usage
        return [event for part in _read_message(message) for event in self._add(part)]

    def _add(self, part: ModelResponsePart) -> list[ModelResponseStreamEvent]:
        if isinstance(part, TextPart):
            return self._parts.text(None, part.content)
        if isinstance(part, ThinkingPart):
            return self._parts.thinking(None, part.content)
        return self._parts.whole(part)


def _read_usage(value: Fields) -> Usage | None:
    if "prompt_eval_count" not in value and "eval_count" not in value:
        return None
    request_tokens, response_tokens = counter(value.get("prompt_eval_count")), counter(value.get("eval_count"))
    return Usage(
        request_tokens=request_tokens, response_tokens=response_tokens, total_tokens=request_tokens + response_tokens
    )


# --- writing answers --------------------------------------------------------------------------------------------------


def _write_end(answer: ModelResponse) -> Fields:
    usage = answer.usage or Usage()
    return {
        "done": True,
        "done_reason": "length" if answer.finish_reason == "length" else "stop",
        "total_duration": 0,
        "load_duration": 0,
        "prompt_eval_count": usage.request_tokens or 0,
        "prompt_eval_duration": 0,
        "eval_count": usage.response_tokens or 0,
        "eval_duration": 0,
    }


def _pieces(message: Fields) -> Iterator[Fields]:
    role = {"role": message["role"], "content": ""}
    for piece in pieces(message.get("thinking", "")):
        yield {**role, "thinking": piece}
    for piece in pieces(message["content"]):
        yield {**role, "content": piece}
    rest = {key: value for key, value in message.items() if key not in ("role", "content", "thinking")}
    if rest:
        yield {**role, **rest}
