"""The input of OpenAI's Responses API, a flat list of items, as a conversation and back."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from replay_agent.exceptions import UserError
from replay_agent.messages import (
    AUDIO_FORMATS,
    DOCUMENT_FORMATS,
    NO_TIMESTAMP,
    AudioUrl,
    BinaryContent,
    DocumentUrl,
    ImageUrl,
    ModelMessage,
    ModelRequest,
    ModelRequestPart,
    ModelResponse,
    RetryPromptPart,
    SystemPromptPart,
    ToolCallPart,
    ToolReturnPart,
    UnknownPart,
    UserContent,
    UserPromptPart,
)
from replay_agent.wire.openai_responses.content import SEARCH_TOOL, ItemReader, write_items
from replay_agent.wire.shapes.call_ids import CallIds
from replay_agent.wire.shapes.data_url import decode_base64, read_data_url, write_data_url
from replay_agent.wire.shapes.history import retry_reason
from replay_agent.wire.shapes.json_text import Fields

__all__ = "read_input", "write_input"


PromptContent: TypeAlias = UserContent | UnknownPart

_SYSTEM_ROLES = ("system", "developer")
_RESULTS = ("function_call_output", "custom_tool_call_output")
_OF_THE_CLIENT = frozenset(
    {
        "additional_tools",
        "apply_patch_call_output",
        "compaction_trigger",
        "computer_call_output",
        "configuration_update",
        "local_shell_call_output",
        "mcp_approval_response",
        "shell_call_output",
        *_RESULTS,
    }
)
"""Items that say something to the model; messages tell by their role, all others are the model's."""
_AUDIO_TYPES: dict[str, str] = {name: media_type for media_type, name in AUDIO_FORMATS.items()}

# --- read -------------------------------------------------------------------------------------------------------------


def read_input(instructions: object, items: object) -> tuple[list[ModelMessage], str | None]:
    """Return the conversation, and the role of its system prompts where it is not that of the instructions."""
    messages = _Reader().read(items)
    if isinstance(instructions, str) and instructions:
        system = SystemPromptPart(instructions)
        if messages and isinstance(messages[0], ModelRequest):
            messages[0].parts.insert(0, system)
        else:
            messages.insert(0, ModelRequest([system]))
        return messages, None
    return messages, _system_role(items)


def _system_role(items: object) -> str | None:
    """Return the role that opens the conversation; ``system`` further on needs no mention."""
    roles = [item.get("role") for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    if "developer" in roles:
        return "developer"
    return "system" if roles[:1] == ["system"] else None


class _Reader:
    """Sorts items into requests and responses."""

    def __init__(self) -> None:
        self._items = ItemReader()
        self._names: dict[str, str] = {}
        self._messages: list[ModelMessage] = []

    def read(self, items: object) -> list[ModelMessage]:
        if isinstance(items, str):
            return [ModelRequest(_prompt_parts(items))]
        for item in items if isinstance(items, list) else () if items is None else (items,):
            if self._is_clients(item):
                self._request().parts.extend(self._client_item(item))
            else:
                self._answer(item)
        return self._messages

    def _is_clients(self, item: object) -> bool:
        if not isinstance(item, dict):
            return True
        kind = item.get("type")
        if _is_message(item):
            return bool(item["role"] != "assistant")
        if kind == "tool_search_output":
            return item.get("execution") == "client"
        call_id = item.get("call_id")
        is_native = isinstance(call_id, str) and call_id in self._items.native_ids
        return isinstance(kind, str) and kind in _OF_THE_CLIENT and not is_native

    def _request(self) -> ModelRequest:
        if self._messages and isinstance(self._messages[-1], ModelRequest):
            return self._messages[-1]
        self._messages.append(request := ModelRequest([]))
        return request

    def _answer(self, item: Any) -> None:
        parts = [part for _, part in self._items.read(item)]
        calls = [part for part in parts if isinstance(part, ToolCallPart)]
        self._names |= {call.tool_call_id: call.tool_name for call in calls if call.tool_call_id}
        if self._messages and isinstance(self._messages[-1], ModelResponse):
            self._messages[-1].parts.extend(parts)
        else:
            self._messages.append(ModelResponse(parts, timestamp=NO_TIMESTAMP))

    def _client_item(self, item: Any) -> list[ModelRequestPart]:
        if not isinstance(item, dict):
            return [UnknownPart(item)]
        kind = item.get("type")
        if _is_message(item):
            return _message_parts(item)
        call_id = item.get("call_id") or item.get("id")
        if not isinstance(call_id, str):
            return [UnknownPart(item)]
        if kind in _RESULTS:
            return [self._result(call_id, _tool_content(item.get("output")))]
        if kind == "tool_search_output":
            return [ToolReturnPart(SEARCH_TOOL, {"tools": item.get("tools")}, call_id, NO_TIMESTAMP)]
        if isinstance(kind, str) and kind.endswith("_call_output"):
            return [ToolReturnPart(self._names.get(call_id, ""), item.get("output"), call_id, NO_TIMESTAMP)]
        return [UnknownPart(item)]

    def _result(self, call_id: str, content: object) -> ModelRequestPart:
        name = self._names.get(call_id, "")
        reason = retry_reason(content) if isinstance(content, str) else None
        if reason is None:
            return ToolReturnPart(name, content, call_id, NO_TIMESTAMP)
        return RetryPromptPart(reason, name or None, call_id, NO_TIMESTAMP)


def _is_message(item: Fields) -> bool:
    return "role" in item and item.get("type") in (None, "message")


def _message_parts(item: Fields) -> list[ModelRequestPart]:
    content = item.get("content")
    if not isinstance(content, str | list):
        return [UnknownPart(item)]
    if item["role"] not in _SYSTEM_ROLES:
        return _prompt_parts(content)
    pieces = [content] if isinstance(content, str) else [_read_content(piece) for piece in content]
    if not all(isinstance(piece, str) for piece in pieces):
        return [UnknownPart(item)]
    return [SystemPromptPart(piece) for piece in pieces if isinstance(piece, str)]


def _prompt_parts(content: str | list[Any]) -> list[ModelRequestPart]:
    pieces: list[PromptContent] = [content] if isinstance(content, str) else [_read_content(piece) for piece in content]
    parts: list[ModelRequestPart] = []
    prompt: list[PromptContent] = []
    for piece in pieces:
        reason = retry_reason(piece) if isinstance(piece, str) else None
        if reason is None:
            prompt.append(piece)
            continue
        parts += _prompt_part(prompt)
        prompt = []
        parts.append(RetryPromptPart(reason, timestamp=NO_TIMESTAMP))
    return [*parts, *_prompt_part(prompt)]


def _prompt_part(content: list[PromptContent]) -> list[ModelRequestPart]:
    if len(content) == 1 and isinstance(content[0], str):
        return [UserPromptPart(content[0], NO_TIMESTAMP)]
    return [UserPromptPart(content, NO_TIMESTAMP)] if content else []


def _tool_content(output: object) -> object:
    if not isinstance(output, list):
        return "" if output is None else output
    pieces = [_read_content(piece) for piece in output]
    return pieces[0] if len(pieces) == 1 and isinstance(pieces[0], str) else pieces


def _read_content(piece: object) -> PromptContent:
    kind = piece.get("type") if isinstance(piece, dict) else None
    reader = _CONTENT_READERS.get(kind) if isinstance(kind, str) else None
    content = reader(piece) if reader and isinstance(piece, dict) else None
    return UnknownPart(piece) if content is None else content


def _read_text(piece: Fields) -> str | None:
    text = piece.get("text")
    return text if isinstance(text, str) else None


def _read_image(piece: Fields) -> PromptContent | None:
    url = piece.get("image_url")
    if not isinstance(url, str) or not url:
        return None
    if not url.lower().startswith("data:"):
        return ImageUrl(url)
    image = read_data_url(url)
    return image if image and image.is_image else None


def _read_file(piece: Fields) -> PromptContent | None:
    if isinstance(piece.get("file_url"), str):
        return DocumentUrl(piece["file_url"])
    file = read_data_url(piece.get("file_data"))
    return file if file and not file.is_image and file.media_type not in AUDIO_FORMATS else None


def _read_audio(piece: Fields) -> PromptContent | None:
    audio = piece.get("input_audio")
    data = decode_base64(audio.get("data")) if isinstance(audio, dict) else None
    name = audio.get("format") if isinstance(audio, dict) else None
    media_type = _AUDIO_TYPES.get(name) if isinstance(name, str) else None
    return None if data is None or media_type is None else BinaryContent(data, media_type)


_CONTENT_READERS: dict[str, Callable[[Fields], PromptContent | None]] = {
    "input_text": _read_text,
    "text": _read_text,
    "output_text": _read_text,
    "input_image": _read_image,
    "input_file": _read_file,
    "input_audio": _read_audio,
}

# --- written ----------------------------------------------------------------------------------------------------------


def write_input(messages: list[ModelMessage], system_role: str | None) -> tuple[str | None, list[Any]]:
    """Return the instructions and the items of a conversation.

    System prompts that open it are the instructions, unless a role is given for them. `UserError` for media that the
    format has no place for.
    """
    opening = _opening(messages) if system_role is None else []
    ids = CallIds()
    items: list[Any] = []
    for number, message in enumerate(messages):
        if isinstance(message, ModelResponse):
            items += write_items(message.parts, ids, answering=False)
        else:
            parts = message.parts[len(opening) :] if number == 0 else message.parts
            items += [item for part in parts for item in _request_items(part, ids, system_role or "system")]
    return "\n\n".join(opening) or None, items


def _opening(messages: list[ModelMessage]) -> list[str]:
    opening: list[str] = []
    for part in messages[0].parts if messages else ():
        if not isinstance(part, SystemPromptPart):
            break
        opening.append(part.content)
    return opening


def _request_items(part: ModelRequestPart, ids: CallIds, system_role: str) -> Iterable[Any]:
    match part:
        case SystemPromptPart():
            return [{"role": system_role, "content": part.content}]
        case UserPromptPart():
            return [{"role": "user", "content": _prompt(part)}]
        case ToolReturnPart():
            return [_output(ids.of_result(part), _shown(part))]
        case RetryPromptPart():
            if part.tool_name is None and part.tool_call_id is None:
                return [{"role": "user", "content": part.model_response()}]
            return [_output(ids.of_result(part), part.model_response())]
        case UnknownPart():
            return [part.raw]


def _output(call_id: str, output: object) -> Fields:
    return {"type": "function_call_output", "call_id": call_id, "output": output}


def _prompt(part: UserPromptPart) -> object:
    if isinstance(part.content, str):
        return part.content
    return [_write_content(piece) for piece in part.content]


def _shown(part: ToolReturnPart) -> object:
    if isinstance(part.content, list) and any(isinstance(piece, _MEDIA) for piece in part.content):
        return [_write_content(piece) for piece in part.content]
    return part.model_response_str()


def _write_content(piece: PromptContent) -> Any:
    match piece:
        case ImageUrl():
            return {"type": "input_image", "image_url": piece.url}
        case DocumentUrl():
            return {"type": "input_file", "file_url": piece.url}
        case BinaryContent():
            return _write_binary(piece)
        case UnknownPart():
            return piece.raw
        case AudioUrl():
            raise UserError(
                f"OpenAI's Responses API takes audio as binary content only, not by its address: {piece.url}"
            )
        case _:
            return {"type": "input_text", "text": str(piece)}


def _write_binary(content: BinaryContent) -> Fields:
    if content.is_image:
        return {"type": "input_image", "image_url": write_data_url(content)}
    if content.media_type in AUDIO_FORMATS:
        data = base64.b64encode(content.data).decode()
        return {"type": "input_audio", "input_audio": {"data": data, "format": AUDIO_FORMATS[content.media_type]}}
    extension = DOCUMENT_FORMATS.get(content.media_type, "bin")
    return {"type": "input_file", "filename": f"file.{extension}", "file_data": write_data_url(content)}


_MEDIA = (ImageUrl, DocumentUrl, AudioUrl, BinaryContent, UnknownPart)
