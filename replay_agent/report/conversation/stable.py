"""Takes a decoded exchange, returns a copy with ``<uuid 1>``, ``<call 2>`` and the like for what every run makes anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from replay_agent.calls import AnswerError, Exchange, ModelCall
from replay_agent.messages import (
    NO_TIMESTAMP,
    AudioUrl,
    DocumentUrl,
    FilePart,
    ImageUrl,
    ModelMessage,
    ModelRequest,
    ModelRequestPart,
    ModelResponse,
    ModelResponsePart,
    NativeToolCallPart,
    NativeToolReturnPart,
    RetryPromptPart,
    SystemPromptPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UnknownPart,
    UserPromptPart,
)
from replay_agent.report.conversation.volatile import Placeholders
from replay_agent.traffic import Chunk, Failure, Outcome, Request

__all__ = "stable_exchange", "stable_outcome", "stable_request"


def stable_exchange(exchange: Exchange, names: Placeholders) -> Exchange:
    """Return a copy in which ``names`` stand for ids, times and whatever else differs between recordings of one run."""
    call = _call(exchange.call, names)
    answer = exchange.answer
    response = _response(answer.response, names) if answer.response else None
    error = AnswerError(answer.error.status, names.text(answer.error.message)) if answer.error else None
    return replace(exchange, call=call, answer=replace(answer, response=response, error=error))


def stable_request(request: Request, names: Placeholders) -> Request:
    """Return a copy of a request of unknown traffic, its headers left out."""
    return Request(request.method, names.text(request.url), (), _body(request.body, names))


def stable_outcome(outcome: Outcome, names: Placeholders) -> Outcome:
    """Return a copy of what became of unknown traffic: headers and pace left out, the body in one piece."""
    if isinstance(outcome, Failure):
        return replace(outcome, message=names.text(outcome.message), after_ms=0)
    body = _body(outcome.body, names)
    failure = None if outcome.failure is None else replace(outcome.failure, after_ms=0)
    chunks = (Chunk(body),) if body else ()
    return replace(outcome, headers=(), chunks=chunks, waited_ms=0, failure=failure)


def _body(body: bytes, names: Placeholders) -> bytes:
    try:
        return names.text(body.decode()).encode()
    except UnicodeDecodeError:
        return body


def _call(call: ModelCall, names: Placeholders) -> ModelCall:
    messages = [_message(message, names) for message in call.messages]
    previous = call.previous_response_id
    return replace(
        call,
        messages=messages,
        previous_response_id=None if previous is None else names.name("response", previous),
        extras=names.value(call.extras),
    )


def _message(message: ModelMessage, names: Placeholders) -> ModelMessage:
    if isinstance(message, ModelRequest):
        return ModelRequest([_request_part(part, names) for part in message.parts])
    return _response(message, names)


def _response(response: ModelResponse, names: Placeholders) -> ModelResponse:
    name = response.provider_response_id
    return replace(
        response,
        parts=[_response_part(part, names) for part in response.parts],
        timestamp=NO_TIMESTAMP,
        provider_response_id=None if name is None else names.name("response", name),
    )


def _request_part(part: ModelRequestPart, names: Placeholders) -> ModelRequestPart:
    match part:
        case SystemPromptPart():
            return replace(part, content=names.text(part.content))
        case UserPromptPart():
            return replace(part, content=_user_content(part.content, names), timestamp=NO_TIMESTAMP)
        case ToolReturnPart() | RetryPromptPart():
            named = replace(part, tool_call_id=_call_id(part.tool_call_id, names), timestamp=NO_TIMESTAMP)
            named.content = names.value(part.content)
            return named
        case UnknownPart():
            return UnknownPart(names.value(part.raw))


def _user_content(content: Any, names: Placeholders) -> Any:
    if isinstance(content, str):
        return names.text(content)
    if isinstance(content, Sequence):
        return [_user_content(item, names) for item in content]
    if isinstance(content, ImageUrl | AudioUrl | DocumentUrl):
        return replace(content, url=names.text(content.url))
    return UnknownPart(names.value(content.raw)) if isinstance(content, UnknownPart) else content


def _response_part(part: ModelResponsePart, names: Placeholders) -> ModelResponsePart:
    match part:
        case TextPart():
            return replace(part, content=names.text(part.content))
        case ThinkingPart():
            signature = None if part.signature is None else "<signature>"
            name = None if part.id is None else names.name("id", part.id)
            return replace(part, content=names.text(part.content), signature=signature, id=name)
        case ToolCallPart() | NativeToolCallPart():
            return replace(part, args=names.value(part.args), tool_call_id=_call_id(part.tool_call_id, names))
        case NativeToolReturnPart():
            return replace(part, content=names.value(part.content), tool_call_id=_call_id(part.tool_call_id, names))
        case FilePart():
            return part
        case UnknownPart():
            return UnknownPart(names.value(part.raw))


def _call_id(call_id: str | None, names: Placeholders) -> str | None:
    return None if call_id is None else names.name("call", call_id)
