"""Messages of Cohere's chat, as requests and responses and back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from replay_agent.messages import (
    NO_TIMESTAMP,
    ImageUrl,
    ModelMessage,
    ModelRequestPart,
    ModelResponse,
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
from replay_agent.wire.shapes.call_ids import CallIds
from replay_agent.wire.shapes.data_url import read_data_url
from replay_agent.wire.shapes.history import read_history, retry_reason
from replay_agent.wire.shapes.json_text import Fields

__all__ = "read_call_part", "read_message", "read_messages", "write_message", "write_messages"

_FORMAT = "cohere"
_MESSAGE_FIELDS = ("tool_plan", "citations")
"""What stands in a message of the model beside its content and is kept as unknown parts."""

# --- reading -----------------------------------------------------------------------------------------------------------


def read_messages(messages: object) -> list[ModelMessage]:
    """Return the conversation that a body's messages are."""
    return read_history(messages, read_message, _read_request_part, _FORMAT)


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


def read_message(message: Fields) -> Iterator[ModelResponsePart]:
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
        yield read_call_part(call) or UnknownPart({"tool_calls": [call]})
    if message.get("citations"):
        yield UnknownPart({"citations": message["citations"]})


def _read_content(item: object) -> list[ModelResponsePart]:
    match item:
        case {"type": "text", "text": str(text)}:
            return [TextPart(text)] if text else []
        case {"type": "thinking", "thinking": str(text)}:
            return [ThinkingPart(text)] if text else []
    return [UnknownPart(item)]


def read_call_part(call: Any) -> ToolCallPart | None:
    """Read one tool call; None for what is none."""
    match call:
        case {"function": {"name": str(name)} as function}:
            arguments, call_id = function.get("arguments"), call.get("id")
            args = arguments if isinstance(arguments, str | dict) else "{}"
            return ToolCallPart(name, args, call_id if isinstance(call_id, str) else None)
    return None


# --- writing -----------------------------------------------------------------------------------------------------------


def write_messages(messages: list[ModelMessage]) -> list[Fields]:
    """Return the messages of a conversation, one for each part of a request."""
    ids = CallIds()
    written: list[Fields] = []
    for message in messages:
        if isinstance(message, ModelResponse):
            fields = write_message(message.parts, ids, joined=True)
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


def write_message(parts: Sequence[ModelResponsePart], ids: CallIds, *, joined: bool = False) -> Fields:
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
            case UnknownPart(raw={"tool_calls": list(unknown), **rest}) if not rest:
                calls += unknown
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
