"""Messages of Ollama's chat, as requests and responses and back."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from typing import Any

from replay_agent.messages import (
    NO_TIMESTAMP,
    BinaryContent,
    ModelMessage,
    ModelRequest,
    ModelRequestPart,
    ModelResponsePart,
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
from replay_agent.wire.shapes.data_url import decode_base64
from replay_agent.wire.shapes.history import read_history, retry_reason
from replay_agent.wire.shapes.json_text import Fields
from replay_agent.wire.shapes.scalars import text_of

__all__ = "read_message", "read_messages", "write_history", "write_message"

_FORMAT = "ollama"
# Images come as base64 without a type: their first bytes tell.
_IMAGE_TYPES = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif", b"RIFF": "image/webp"}
_MESSAGE_FIELDS = {"role", "content", "thinking", "tool_calls"}


# --- reading ----------------------------------------------------------------------------------------------------------


def read_messages(messages: object) -> list[ModelMessage]:
    """Return the conversation that a body's messages are."""
    return read_history(messages, read_message, _read_request_part, _FORMAT)


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
    call_id = text_of(message, "tool_call_id")
    name = text_of(message, "tool_name") or names.get(call_id or "", "")
    reason = retry_reason(text)
    if reason is None:
        return ToolReturnPart(name, text, call_id, timestamp=NO_TIMESTAMP)
    return RetryPromptPart(reason, tool_name=name, tool_call_id=call_id, timestamp=NO_TIMESTAMP)


def read_message(message: Fields) -> Iterator[ModelResponsePart]:
    """Yield the parts of a message of the model; empty texts and thoughts are none."""
    if thought := text_of(message, "thinking"):
        yield ThinkingPart(thought)
    if text := text_of(message, "content"):
        yield TextPart(text)
    calls = message.get("tool_calls")
    for call in calls if isinstance(calls, list) else []:
        yield _read_tool_call(call) or UnknownPart({"tool_calls": [call]})
    rest = {key: value for key, value in message.items() if key not in _MESSAGE_FIELDS and value}
    if rest:
        yield UnknownPart(rest)


def _read_tool_call(call: Any) -> ToolCallPart | None:
    match call:
        case {"function": {"name": str(name), "arguments": dict(args)}}:
            return ToolCallPart(name, args, text_of(call, "id"))
        case {"function": {"name": str(name)} as function} if not function.get("arguments"):
            return ToolCallPart(name, {}, text_of(call, "id"))
    return None


# --- writing ----------------------------------------------------------------------------------------------------------


def write_history(message: ModelMessage) -> list[Fields]:
    """Return the messages that a request or an answer is. Raises `NotImplementedError` as `write_call` does."""
    if isinstance(message, ModelRequest):
        return [_write_request_part(part) for part in message.parts]
    return [write_message(message.parts)]


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


def write_message(parts: Sequence[ModelResponsePart]) -> Fields:
    """Return the message of the model that these parts are."""
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
