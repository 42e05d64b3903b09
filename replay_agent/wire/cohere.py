"""Cohere's chat, version 2 (``/v2/chat``), with its stream of server-sent events.

Source of the format: https://docs.cohere.com/v2/reference/chat and ``chat-stream``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast
from urllib.parse import urlsplit

from replay_agent.calls import Answer, AnswerError, ModelCall, OutputSchema, ToolChoice
from replay_agent.exceptions import WireError
from replay_agent.messages import (
    NO_TIMESTAMP,
    FinishReason,
    ImageUrl,
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
from replay_agent.wire.call_ids import CallIds
from replay_agent.wire.codec import EncodedAnswer, EncodedCall
from replay_agent.wire.counters import counter
from replay_agent.wire.data_url import read_data_url
from replay_agent.wire.event_source import EventSource
from replay_agent.wire.function_tools import read_function_tools, write_function_tools
from replay_agent.wire.json_text import Fields, read_json, read_object, write_json
from replay_agent.wire.made_up import made_up_id, pieces
from replay_agent.wire.parts import StreamedParts
from replay_agent.wire.refusals import error_in, refusal
from replay_agent.wire.retries import retry_reason
from replay_agent.wire.sse import ServerSentEvent, encode_event

__all__ = "Cohere", "codec"

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
_FINISH_REASONS: dict[str, FinishReason] = {
    "COMPLETE": "stop",
    "STOP_SEQUENCE": "stop",
    "MAX_TOKENS": "length",
    "TOOL_CALL": "tool_call",
    "ERROR": "error",
    "TIMEOUT": "error",
}
_WIRE_REASONS: dict[FinishReason, str] = {
    "stop": "COMPLETE",
    "length": "MAX_TOKENS",
    "tool_call": "TOOL_CALL",
    "content_filter": "ERROR",
    "error": "ERROR",
}
_BILLED = ("input_tokens", "output_tokens", "search_units", "classifications")
_MESSAGE_FIELDS = ("tool_plan", "citations")
"""What stands in a message of the model beside its content and is kept as unknown parts."""


class Cohere:
    """Version 2 of Cohere's chat. Extras are the fields of the body.

    What the wire does not tell reads as follows: messages between two answers are one request; a retry without a tool
    is a prompt; the texts of an answer in the history are one text; a tool choice of ``auto`` is not written.
    """

    name = _FORMAT

    def claims(self, request: Request) -> bool:
        """Tell whether this is a call of ``/v2/chat``."""
        return (
            request.method.upper() == "POST"
            and urlsplit(request.url).path.rstrip("/").endswith("/v2/chat")
            and request.body.lstrip()[:1] == b"{"
            and b'"messages"' in request.body
        )

    def encode_call(self, call: ModelCall) -> EncodedCall:
        """Write a call. Raises `RuntimeError` for a prompt that is not all text."""
        source = call.source
        if source is None or _read_call(source) != call:
            source = write_json(_write_call(call))
        return EncodedCall("/v2/chat", source)

    def decode_call(self, request: Request) -> ModelCall:
        """Read a call."""
        return _read_call(request.body).read_from(request.body)

    def decode_answer(self, call: ModelCall | None, status: int, headers: Headers, body: bytes) -> Answer:
        """Read an answer: JSON, server-sent events, or an error."""
        if status >= 400:
            return Answer(error=refusal(status, body))
        if not body.strip() and not (call and call.stream):
            raise WireError("the answer is empty", _FORMAT)
        decoder = self.stream_decoder(call, headers)
        decoder.feed(body)
        decoder.close()
        return decoder.answer

    def stream_decoder(self, call: ModelCall | None, headers: Headers) -> _AnswerDecoder:  # noqa: ARG002
        """Return a decoder for one answer; it also reads JSON that comes in the place of events."""
        return _AnswerDecoder(call.model if call else None)

    def encode_answer(self, call: ModelCall, answer: ModelResponse) -> EncodedAnswer:
        """Write an answer. The model's name and the signatures of thoughts have no place in it."""
        message = _write_message(answer.parts, CallIds.after(call.messages))
        response_id = answer.provider_response_id or made_up_id("", message, len(call.messages))
        if call.stream:
            events = (*_write_events(response_id, message, answer), b"data: [DONE]\n\n")
            return EncodedAnswer(200, (("content-type", "text/event-stream"),), events)
        body = {"id": response_id, "message": message, **_write_end(answer)}
        return EncodedAnswer(200, (("content-type", "application/json"),), (write_json(body),))

    def encode_error(self, call: ModelCall | None, status: int, message: str) -> EncodedAnswer:  # noqa: ARG002
        """Write a refusal."""
        body = {"id": made_up_id("", status, message), "message": message}
        return EncodedAnswer(status, (("content-type", "application/json"),), (write_json(body),))


codec = Cohere()

# --- reading calls ----------------------------------------------------------------------------------------------------


def _read_call(source: bytes) -> ModelCall:
    body = read_object(source, _FORMAT)
    settings = {name: body[key] for key, name in _SETTINGS.items() if _is_number(body.get(key))}
    extras = {
        key: value
        for key, value in body.items()
        if key not in _BODY_FIELDS and not (key in _SETTINGS and _is_number(value))
    }
    tools, others = read_function_tools(body.get("tools"))
    if others:
        extras["tools"] = others
    tool_choice = _TOOL_CHOICES.get(str(body.get("tool_choice")))
    if tool_choice is None and body.get("tool_choice") is not None:
        extras["tool_choice"] = body["tool_choice"]
    model = body.get("model")
    return ModelCall(
        _read_messages(body.get("messages")),
        model=model if isinstance(model, str) else None,
        tools=tools,
        tool_choice=tool_choice,
        settings=cast("ModelSettings", settings),
        output_schema=_read_output_schema(body.get("response_format"), extras),
        stream=body.get("stream") is True,
        extras=extras,
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _read_output_schema(wanted: Any, extras: Fields) -> OutputSchema | None:
    match wanted:
        case {"type": "json_object", "json_schema": dict(schema)} if len(wanted) == 2:
            return OutputSchema(schema)
        case {"type": "json_object"} if len(wanted) == 1:
            return OutputSchema()
    if wanted is not None:
        extras["response_format"] = wanted
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
    match message:
        case {"role": "system", "content": str(text)} if len(message) == 2:
            return SystemPromptPart(text)
        case {"role": "user", "content": str(text)} if len(message) == 2:
            return UserPromptPart(text, timestamp=NO_TIMESTAMP)
        case {"role": "user", "content": list(items)} if len(message) == 2:
            return UserPromptPart([_read_item(item) for item in items], timestamp=NO_TIMESTAMP)
        case {"role": "tool", "content": str(text), "tool_call_id": str(call_id)} if len(message) == 3:
            reason = retry_reason(text)
            name = names.get(call_id, "")
            if reason is not None:
                return RetryPromptPart(reason, tool_name=name, tool_call_id=call_id, timestamp=NO_TIMESTAMP)
            return ToolReturnPart(name, text, call_id, timestamp=NO_TIMESTAMP)
        case {"role": "tool", "content": list(items), "tool_call_id": str(call_id)} if len(message) == 3:
            content = [UnknownPart(item) for item in items]
            return ToolReturnPart(names.get(call_id, ""), content, call_id, timestamp=NO_TIMESTAMP)
    return UnknownPart(message)


def _read_item(item: Any) -> UserContent | UnknownPart:
    match item:
        case {"type": "text", "text": str(text)} if len(item) == 2:
            return text
        case {"type": "image_url", "image_url": {"url": str(url)} as image} if len(item) == 2 and len(image) == 1:
            return read_data_url(url) or ImageUrl(url)
    return UnknownPart(item)


def _read_message(message: Fields) -> Iterator[ModelResponsePart]:
    """Yield the parts of a message of the model; an empty text is none."""
    if isinstance(message.get("tool_plan"), str):
        yield UnknownPart({"tool_plan": message["tool_plan"]})
    content = message.get("content")
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    for item in content if isinstance(content, list) else []:
        yield from _read_content(item)
    calls = message.get("tool_calls")
    for call in calls if isinstance(calls, list) else []:
        yield _read_call_part(call) or UnknownPart({"tool_calls": [call]})
    if message.get("citations"):
        yield UnknownPart({"citations": message["citations"]})


def _read_content(item: object) -> list[ModelResponsePart]:
    match item:
        case {"type": "text", "text": str(text)}:
            return [TextPart(text)] if text else []
        case {"type": "thinking", "thinking": str(text)}:
            return [ThinkingPart(text)] if text else []
    return [UnknownPart(item)]


def _read_call_part(call: Any) -> ToolCallPart | None:
    match call:
        case {"function": {"name": str(name)} as function}:
            arguments, call_id = function.get("arguments"), call.get("id")
            args = arguments if isinstance(arguments, str | dict) else "{}"
            return ToolCallPart(name, args, call_id if isinstance(call_id, str) else None)
    return None


# --- writing calls ----------------------------------------------------------------------------------------------------


def _write_call(call: ModelCall) -> Fields:
    settings: Fields = dict(call.settings)
    tools = [*write_function_tools(call.tools), *call.extras.get("tools", [])]
    optional = {
        "tools": tools or None,
        "tool_choice": {"required": "REQUIRED", "none": "NONE"}.get(_choice(call)),
        "response_format": _write_output_schema(call.output_schema),
        "stream": call.stream or None,
        **{key: settings.get(name) for key, name in _SETTINGS.items()},
    }
    body: Fields = {"model": call.model, "messages": _write_messages(call.messages)}
    body |= {key: value for key, value in optional.items() if value is not None}
    return body | {key: value for key, value in call.extras.items() if key not in body}


def _choice(call: ModelCall) -> str:
    return "required" if isinstance(call.tool_choice, tuple) else call.tool_choice or ""


def _write_output_schema(wanted: OutputSchema | None) -> Fields | None:
    if wanted is None:
        return None
    return {"type": "json_object", **({} if wanted.schema is None else {"json_schema": wanted.schema})}


def _write_messages(messages: list[ModelMessage]) -> list[Fields]:
    ids = CallIds()
    written: list[Fields] = []
    for message in messages:
        if isinstance(message, ModelResponse):
            fields = _write_message(message.parts, ids, joined=True)
            written += [fields] if len(fields) > 1 else []
        else:
            written += [_write_request_part(part, ids) for part in message.parts]
    return written


def _write_request_part(part: ModelRequestPart, ids: CallIds) -> Fields:
    match part:
        case SystemPromptPart():
            return {"role": "system", "content": part.content}
        case UserPromptPart():
            content = part.content
            items = content if isinstance(content, str) else [_write_item(item) for item in content]
            return {"role": "user", "content": items}
        case ToolReturnPart():
            return {"role": "tool", "tool_call_id": ids.of_result(part), "content": _write_return(part)}
        case RetryPromptPart(tool_name=None):
            return {"role": "user", "content": part.model_response()}
        case RetryPromptPart():
            return {"role": "tool", "tool_call_id": ids.of_result(part), "content": part.model_response()}
        case UnknownPart():
            return part.raw if isinstance(part.raw, dict) else {"role": "user", "content": []}


def _write_item(item: UserContent | UnknownPart) -> Any:
    if isinstance(item, str):
        return {"type": "text", "text": item}
    if isinstance(item, UnknownPart):
        return item.raw
    raise RuntimeError("Cohere does not yet support multi-modal inputs.")


def _write_return(part: ToolReturnPart) -> Any:
    content = part.content
    if isinstance(content, list) and content and all(isinstance(item, UnknownPart) for item in content):
        return [item.raw for item in content]
    return part.model_response_str()


def _write_message(parts: Sequence[ModelResponsePart], ids: CallIds, *, joined: bool = False) -> Fields:
    """Return a message of the model; ``joined`` makes one of its texts, with a blank line between them."""
    content: list[Any] = []
    calls: list[Fields] = []
    message: Fields = {"role": "assistant"}
    for part in parts:
        match part:
            case TextPart():
                content += [{"type": "text", "text": part.content}] if part.content else []
            case ThinkingPart():
                content += [{"type": "thinking", "thinking": part.content}] if part.content else []
            case ToolCallPart():
                function = {"name": part.tool_name, "arguments": part.args_as_json_str()}
                calls.append({"id": ids.of_call(part), "type": "function", "function": function})
            case UnknownPart(raw=dict(raw)) if raw.keys() & set(_MESSAGE_FIELDS):
                message |= raw
            case UnknownPart(raw=dict(raw)) if raw.keys() == {"tool_calls"}:
                calls += raw["tool_calls"]
            case UnknownPart():
                content.append(part.raw)
    if content:
        message["content"] = _joined(content) if joined else content
    if calls:
        message["tool_calls"] = calls
    return message


def _joined(content: list[Any]) -> list[Any]:
    texts = [item["text"] for item in content if isinstance(item, dict) and item.get("type") == "text"]
    others = [item for item in content if not isinstance(item, dict) or item.get("type") != "text"]
    return [*others, {"type": "text", "text": "\n\n".join(texts)}] if texts else others


# --- reading answers --------------------------------------------------------------------------------------------------


class _AnswerDecoder:
    """Reads the events of a stream, or JSON where that came instead."""

    def __init__(self, model: str | None) -> None:
        self._source = EventSource()
        self._parts = StreamedParts()
        self._model = model
        self._id: str | None = None
        self._reason: str | None = None
        self._usage: Usage | None = None
        self._error: AnswerError | None = None
        self._calls: dict[int, tuple[str, int]] = {}
        self._starts = 0
        self._plan: list[str] = []
        self._citations: list[Any] = []

    def feed(self, data: bytes) -> list[ModelResponseStreamEvent]:
        """Take the next bytes and return the events that they completed. Raises `WireError` for what is no JSON."""
        return [event for sent in self._source.feed(data) for event in self._take(sent)]

    def close(self) -> list[ModelResponseStreamEvent]:
        """Say that no bytes follow, and return the last events."""
        events: list[ModelResponseStreamEvent] = []
        try:
            events += [event for sent in self._source.close() for event in self._take(sent)]
        except WireError:
            self._plan.clear()  # the stream was cut within an event
        if self._source.document is not None and self._source.document.strip():
            events += self._whole(self._source.document)
        return events

    @property
    def answer(self) -> Answer:
        """The answer as far as it has come."""
        parts = self._parts.parts()
        if self._error is not None and not parts:
            return Answer(error=self._error)
        response = ModelResponse(
            parts,
            model_name=self._model,
            timestamp=NO_TIMESTAMP,
            finish_reason=_FINISH_REASONS.get(self._reason or ""),
            usage=self._usage,
            provider_response_id=self._id,
        )
        return Answer(response, self._error)

    @property
    def finished(self) -> bool:
        """Whether the model has said why it stopped, or an error has come."""
        return self._reason is not None or self._error is not None

    def _whole(self, document: bytes) -> list[ModelResponseStreamEvent]:
        if document.lstrip()[:1] != b"{":
            self._error = refusal(None, document)
            return []
        body = read_object(document, _FORMAT)
        if not isinstance(body.get("message"), dict):
            self._error = error_in(body)
            return []
        self._note_id(body)
        self._end(body)
        return [event for part in _read_message(body["message"]) for event in self._parts.whole(part)]

    def _take(self, sent: ServerSentEvent) -> list[ModelResponseStreamEvent]:
        if sent.data.strip() in ("", "[DONE]"):
            return []
        data = read_json(sent.data.encode(), _FORMAT)
        fields = data if isinstance(data, dict) else {}
        handle = self._HANDLERS.get(str(fields.get("type") or sent.event))
        if handle is None:
            return self._unknown(data)
        delta = fields.get("delta")
        delta = delta if isinstance(delta, dict) else {}
        message = delta.get("message")
        planned = [] if handle is _AnswerDecoder._tool_plan else self._planned()
        return planned + handle(self, fields, delta, message if isinstance(message, dict) else {})

    def _unknown(self, data: object) -> list[ModelResponseStreamEvent]:
        if isinstance(data, dict) and "type" not in data and (data.get("message") or data.get("error")):
            self._error = error_in(data)
            return []
        return self._parts.whole(UnknownPart({"event": data}))

    def _planned(self) -> list[ModelResponseStreamEvent]:
        """Return the plan before the tool calls once it is complete."""
        plan, self._plan = "".join(self._plan), []
        return self._parts.whole(UnknownPart({"tool_plan": plan})) if plan else []

    def _start(self, event: Fields, _delta: Fields, _message: Fields) -> list[ModelResponseStreamEvent]:
        self._note_id(event)
        return []

    def _content(self, event: Fields, _delta: Fields, message: Fields) -> list[ModelResponseStreamEvent]:
        content, index = message.get("content"), counter(event.get("index"))
        match content:
            case {"thinking": str(text)} if text:
                return self._parts.thinking(("thinking", index), text)
            case {"text": str(text)} if text:
                return self._parts.text(("text", index), text)
            case {"type": "text" | "thinking"} | {"text": _} | {"thinking": _} | None:
                return []
        return self._parts.whole(UnknownPart(content))

    def _tool_plan(self, _event: Fields, _delta: Fields, message: Fields) -> list[ModelResponseStreamEvent]:
        if isinstance(message.get("tool_plan"), str):
            self._plan.append(message["tool_plan"])
        return []

    def _call_start(self, event: Fields, _delta: Fields, message: Fields) -> list[ModelResponseStreamEvent]:
        call = _read_call_part(message.get("tool_calls"))
        if call is None:
            return self._parts.whole(UnknownPart({"tool_calls": [message.get("tool_calls")]}))
        self._starts += 1
        key = self._calls[counter(event.get("index"))] = ("call", self._starts)
        args = message["tool_calls"]["function"].get("arguments")
        args = args if isinstance(args, str) and args else None
        return self._parts.tool_call(key, name=call.tool_name, args=args, call_id=call.tool_call_id)

    def _call_delta(self, event: Fields, _delta: Fields, message: Fields) -> list[ModelResponseStreamEvent]:
        key = self._calls.get(counter(event.get("index")))
        match message.get("tool_calls"):
            case {"function": {"arguments": str(piece)}} if key is not None:
                return self._parts.tool_call(key, args=piece)
        return self._parts.whole(UnknownPart({"event": event}))

    def _call_end(self, event: Fields, _delta: Fields, _message: Fields) -> list[ModelResponseStreamEvent]:
        key = self._calls.pop(counter(event.get("index")), None)
        return self._parts.tool_call(key, args="{}") if key is not None and self._parts.part(key) is None else []

    def _citation(self, _event: Fields, _delta: Fields, message: Fields) -> list[ModelResponseStreamEvent]:
        citations = message.get("citations")
        self._citations += citations if isinstance(citations, list) else [citations]
        return []

    def _message_end(self, event: Fields, delta: Fields, _message: Fields) -> list[ModelResponseStreamEvent]:
        self._note_id(event)
        self._end(delta)
        if isinstance(delta.get("error"), str):
            self._error = AnswerError(None, delta["error"])
        citations, self._citations = self._citations, []
        return self._parts.whole(UnknownPart({"citations": citations})) if citations else []

    def _nothing(self, _event: Fields, _delta: Fields, _message: Fields) -> list[ModelResponseStreamEvent]:
        return []

    def _note_id(self, fields: Fields) -> None:
        if isinstance(fields.get("id"), str) and fields["id"]:
            self._id = fields["id"]

    def _end(self, fields: Fields) -> None:
        reason = fields.get("finish_reason")
        self._reason = reason if isinstance(reason, str) else ""
        self._usage = _read_usage(fields.get("usage"))

    _HANDLERS: dict[str, Callable[[_AnswerDecoder, Fields, Fields, Fields], list[ModelResponseStreamEvent]]] = {  # noqa: RUF012
        "message-start": _start,
        "content-start": _content,
        "content-delta": _content,
        "content-end": _nothing,
        "tool-plan-delta": _tool_plan,
        "tool-call-start": _call_start,
        "tool-call-delta": _call_delta,
        "tool-call-end": _call_end,
        "citation-start": _citation,
        "citation-end": _nothing,
        "message-end": _message_end,
    }


def _read_usage(usage: object) -> Usage | None:
    if not isinstance(usage, dict):
        return None
    tokens, billed = usage.get("tokens"), usage.get("billed_units")
    tokens = tokens if isinstance(tokens, dict) else {}
    billed = billed if isinstance(billed, dict) else {}
    request_tokens, response_tokens = counter(tokens.get("input_tokens")), counter(tokens.get("output_tokens"))
    details = {"cache_read_tokens": counter(usage.get("cached_tokens"))}
    details |= {name: counter(billed.get(name)) for name in _BILLED}
    return Usage(
        request_tokens=request_tokens or None,
        response_tokens=response_tokens or None,
        total_tokens=request_tokens + response_tokens,
        details={name: count for name, count in details.items() if count} or None,
    )


# --- writing answers --------------------------------------------------------------------------------------------------


def _write_end(answer: ModelResponse) -> Fields:
    reason = answer.finish_reason
    if reason is None:
        reason = "tool_call" if any(isinstance(part, ToolCallPart) for part in answer.parts) else "stop"
    return {"finish_reason": _WIRE_REASONS[reason], "usage": _write_usage(answer.usage or Usage())}


def _write_usage(usage: Usage) -> Fields:
    details = usage.details or {}
    tokens = {"input_tokens": usage.request_tokens or 0, "output_tokens": usage.response_tokens or 0}
    cached = {"cached_tokens": details["cache_read_tokens"]} if "cache_read_tokens" in details else {}
    return {"billed_units": {name: details[name] for name in _BILLED if name in details}, "tokens": tokens, **cached}


def _write_events(response_id: str, message: Fields, answer: ModelResponse) -> Iterator[bytes]:
    empty = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
    yield _event("message-start", {"id": response_id, "delta": {"message": empty}})
    for piece in pieces(str(message.get("tool_plan") or "")):
        yield _event("tool-plan-delta", {"delta": {"message": {"tool_plan": piece}}})
    for index, item in enumerate(message.get("content", [])):
        yield from _write_content(index, item)
    for index, call in enumerate(message.get("tool_calls", [])):
        yield from _write_call_events(index, call)
    for index, citation in enumerate(message.get("citations", [])):
        yield _event("citation-start", {"index": index, "delta": {"message": {"citations": citation}}})
        yield _event("citation-end", {"index": index})
    yield _event("message-end", {"id": response_id, "delta": _write_end(answer)})


def _write_content(index: int, item: Any) -> Iterator[bytes]:
    match item:
        case {"event": dict(event)}:
            yield _event(str(event.get("type", "unknown")), event)
            return
        case {"type": "text" | "thinking" as kind}:
            start, texts = {"type": kind, kind: ""}, pieces(item[kind])
        case _:
            start, kind, texts = item, "text", []
    yield _event("content-start", {"index": index, "delta": {"message": {"content": start}}})
    for piece in texts:
        yield _event("content-delta", {"index": index, "delta": {"message": {"content": {kind: piece}}}})
    yield _event("content-end", {"index": index})


def _write_call_events(index: int, call: Any) -> Iterator[bytes]:
    match call:
        case {"function": {"name": name, "arguments": str(arguments)}}:
            started = {**call, "function": {"name": name, "arguments": ""}}
        case _:
            started, arguments = call, ""
    yield _event("tool-call-start", {"index": index, "delta": {"message": {"tool_calls": started}}})
    for piece in pieces(arguments):
        delta = {"tool_calls": {"function": {"arguments": piece}}}
        yield _event("tool-call-delta", {"index": index, "delta": {"message": delta}})
    yield _event("tool-call-end", {"index": index})


def _event(kind: str, fields: Fields) -> bytes:
    return encode_event(write_json({"type": kind, **fields}).decode(), kind)
