"""Conversations of the chat completions format, read and written: what the user, the tools and the system say.

A message or a block of one that our vocabulary has no word for becomes an `UnknownPart` that holds it as it came.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from replay_agent.messages import (
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
from replay_agent.wire.openai_chat.assistant import address_in, assistant_fields, is_text, read_assistant
from replay_agent.wire.openai_chat.dialects import Dialect
from replay_agent.wire.shapes.data_url import decode_base64, read_data_url, write_data_url
from replay_agent.wire.shapes.history import read_lately, retry_reason
from replay_agent.wire.shapes.json_text import Fields

__all__ = "read_messages", "write_messages"


def read_messages(messages: Sequence[object], dialect: Dialect) -> tuple[list[ModelMessage], str | None]:
    """Return the conversation and the role of its system prompts where that is not ``system``.

    Each request of a conversation repeats those before it: within `sharing` what stands at its beginning and was read lately
    is not read again, and the messages of both are the same objects.
    """
    lately: list[_Said] | None = read_lately(_Said)
    known = next((said for said in lately or () if said.begins(messages, dialect)), None)
    reader = _Conversation(dialect) if known is None else known.reader.again()
    new = messages[0 if known is None else len(known.raw) :]
    for message in new:
        reader.add(message)
    if lately is None or len(messages) <= _FEW or not all(map(_is_plain, new)):
        return reader.messages, reader.system_role
    lately[:] = [_Said(messages, reader), *(said for said in lately if said is not known)][:_MOST]
    return list(reader.messages), reader.system_role


class _Said(NamedTuple):
    """What was read of a conversation; ``raw`` holds texts alone, so that what equals it is the same."""

    raw: Sequence[object]
    reader: _Conversation

    def begins(self, messages: Sequence[object], dialect: Dialect) -> bool:
        """Tell whether another conversation goes on from this one."""
        count = len(self.raw)
        return (
            count <= len(messages)
            and self.reader.dialect is dialect
            and self.raw[-1] == messages[count - 1]
            and self.raw == messages[:count]
        )


_MOST = 4
"""Conversations that are remembered, as several agents may take turns."""
_FEW = 4
"""Messages that are sooner read than compared."""


def _is_plain(value: object) -> bool:
    """Tell whether there is nothing in a value that equals another one: ``1`` equals ``1.0`` and ``true``."""
    if type(value) is dict:
        return all(map(_is_plain, value.values()))
    return value is None or type(value) is str or (type(value) is list and all(map(_is_plain, value)))


class _Conversation:
    def __init__(self, dialect: Dialect) -> None:
        self.messages: list[ModelMessage] = []
        self.system_role: str | None = None
        self.dialect = dialect
        self._tools: dict[str, str] = {}
        self._readers: dict[object, Callable[[Fields], Sequence[ModelRequestPart]]] = {
            "system": self._system,
            "developer": self._system,
            "user": self._user,
            "tool": self._tool,
            "function": self._function,
        }

    def again(self) -> _Conversation:
        """Return one that goes on from here, and leaves this one as it is."""
        twin = _Conversation(self.dialect)
        twin.messages, twin.system_role, twin._tools = list(self.messages), self.system_role, dict(self._tools)
        if twin.messages and isinstance(twin.messages[-1], ModelRequest):  # to which the next part is added
            twin.messages[-1] = replace(twin.messages[-1], parts=list(twin.messages[-1].parts))
        return twin

    def add(self, message: object) -> None:
        if not isinstance(message, dict):
            self._say([UnknownPart(message)])
        elif message.get("role") == "assistant":
            self._answered(message)
        else:
            role = message.get("role")
            read = self._readers.get(role) if isinstance(role, str) else None
            self._say(read(message) if read is not None else [UnknownPart(message)])

    def _say(self, parts: Sequence[ModelRequestPart]) -> None:
        if self.messages and isinstance(self.messages[-1], ModelRequest):
            self.messages[-1].parts.extend(parts)
        else:
            self.messages.append(ModelRequest(list(parts)))

    def _answered(self, message: Fields) -> None:
        parts = read_assistant(message, self.dialect)
        for part in parts:
            if isinstance(part, ToolCallPart) and part.tool_call_id is not None:
                self._tools[part.tool_call_id] = part.tool_name
        self.messages.append(ModelResponse(parts, timestamp=NO_TIMESTAMP))

    def _system(self, message: Fields) -> Sequence[ModelRequestPart]:
        if message["role"] == "developer":
            self.system_role = "developer"
        content = message.get("content")
        if isinstance(content, str):
            return [SystemPromptPart(content)]
        if not isinstance(content, list) or not all(is_text(block) for block in content):
            return [UnknownPart(message)]
        return [SystemPromptPart(block["text"]) for block in content]

    def _user(self, message: Fields) -> Sequence[ModelRequestPart]:
        content = message.get("content")
        if isinstance(content, str):
            reason = retry_reason(content)
            if reason is not None:
                return [RetryPromptPart(reason, timestamp=NO_TIMESTAMP)]
            return [UserPromptPart(content, timestamp=NO_TIMESTAMP)]
        if not isinstance(content, list):
            return [UnknownPart(message)]
        return [UserPromptPart([_read_block(block) for block in content], timestamp=NO_TIMESTAMP)]

    def _tool(self, message: Fields) -> Sequence[ModelRequestPart]:
        call_id = message.get("tool_call_id")
        if not isinstance(call_id, str):
            return [UnknownPart(message)]
        name = self._tools.get(call_id) or message.get("name")
        return [_tool_return(name if isinstance(name, str) else "unknown", message.get("content"), call_id)]

    def _function(self, message: Fields) -> Sequence[ModelRequestPart]:
        name = message.get("name")
        return [_tool_return(name, message.get("content"), None)] if isinstance(name, str) else [UnknownPart(message)]


def _tool_return(name: str, content: object, call_id: str | None) -> ToolReturnPart | RetryPromptPart:
    if isinstance(content, list) and content and all(is_text(block) for block in content):
        content = "\n".join(block["text"] for block in content)
    reason = retry_reason(content) if isinstance(content, str) else None
    if reason is not None:
        return RetryPromptPart(reason, name, call_id, timestamp=NO_TIMESTAMP)
    return ToolReturnPart(name, "" if content is None else content, call_id, timestamp=NO_TIMESTAMP)


def _read_block(block: object) -> UserContent | UnknownPart:
    kind = block.get("type") if isinstance(block, dict) else None
    read = _BLOCKS.get(kind) if isinstance(kind, str) else None
    found = read(block) if read is not None and isinstance(block, dict) else None
    return UnknownPart(block) if found is None else found


def _text_block(block: Fields) -> str | None:
    text = block.get("text")
    return text if isinstance(text, str) else None


def _image_block(block: Fields) -> UserContent | None:
    url = address_in(block)
    return read_data_url(url) or (ImageUrl(url) if url is not None and not url.startswith("data:") else None)


def _document_block(block: Fields) -> UserContent | None:
    url = address_in(block)
    return read_data_url(url) or (DocumentUrl(url) if url is not None and not url.startswith("data:") else None)


def _video_block(block: Fields) -> UserContent | None:
    return read_data_url(address_in(block))


_AUDIO_TYPES = {"mp3": "audio/mpeg", "wav": "audio/wav"}


def _audio_block(block: Fields) -> UserContent | None:
    sound = block.get("input_audio")
    if not isinstance(sound, dict):
        return None
    name = sound.get("format")
    data = decode_base64(sound.get("data"))
    if data is None or not isinstance(name, str):
        return read_data_url(sound.get("data"))
    return BinaryContent(data, _AUDIO_TYPES.get(name) or f"audio/{name}")


def _file_block(block: Fields) -> UserContent | None:
    file = block.get("file")
    return read_data_url(file.get("file_data")) if isinstance(file, dict) else None


_BLOCKS: dict[str, Callable[[Fields], UserContent | None]] = {
    "text": _text_block,
    "image_url": _image_block,
    "input_audio": _audio_block,
    "file": _file_block,
    "document_url": _document_block,
    "video_url": _video_block,
}


def write_messages(
    messages: Iterable[ModelMessage],
    dialect: Dialect,
    *,
    system_role: str | None = None,
    legacy: bool = False,
    custom: frozenset[str] = frozenset(),
) -> list[Any]:
    """Write a conversation.

    ``legacy`` allows calls and returns without an id, as functions were called before there were tools. Without it a
    missing id is an `AssertionError`. ``custom`` names the tools that take a text instead of JSON. Raises `NotImplementedError` for sounds and documents given by address, except
    for what Mistral reads itself.
    """
    writer = _Writer(dialect, system_role or "system", legacy=legacy, custom=custom)
    for message in messages:
        if isinstance(message, ModelResponse):
            writer.messages.append(writer.response(message))
        else:
            writer.messages.extend(writer.request_part(part) for part in message.parts)
    return writer.messages


class _Writer:
    def __init__(self, dialect: Dialect, system_role: str, *, legacy: bool, custom: frozenset[str]) -> None:
        self.messages: list[Any] = []
        self._dialect = dialect
        self._system_role = system_role
        self._legacy = legacy
        self._custom = custom

    def response(self, message: ModelResponse) -> Fields:
        fields = assistant_fields(message.parts, self._dialect, legacy=self._legacy, custom=self._custom)
        if self._dialect.chunks:
            fields.setdefault("prefix", False)
        return {"role": "assistant", **fields}

    def request_part(self, part: ModelRequestPart) -> Any:
        if isinstance(part, SystemPromptPart):
            return {"role": self._system_role, "content": part.content}
        if isinstance(part, UserPromptPart):
            return {"role": "user", "content": self._user_content(part.content)}
        if isinstance(part, ToolReturnPart):
            return self._returned(part.model_response_str(), part.tool_name, part.tool_call_id)
        if isinstance(part, RetryPromptPart):
            if part.tool_name is None:
                return {"role": "user", "content": part.model_response()}
            return self._returned(part.model_response(), part.tool_name, part.tool_call_id)
        return part.raw

    def _returned(self, text: str, name: str, call_id: str | None) -> Fields:
        if call_id is None and self._legacy:
            return {"role": "function", "name": name, "content": text}
        assert call_id is not None, f"the return of tool {name!r} has no tool_call_id, which this format needs"
        return {"role": "tool", "tool_call_id": call_id, "content": text}

    def _user_content(self, content: str | Sequence[UserContent | UnknownPart]) -> str | list[Any]:
        return content if isinstance(content, str) else [self._block(item) for item in content]

    def _block(self, item: UserContent | UnknownPart) -> Any:
        if isinstance(item, str):
            return {"type": "text", "text": item}
        if isinstance(item, ImageUrl):
            return {"type": "image_url", "image_url": {"url": item.url}}
        if isinstance(item, BinaryContent):
            return _binary_block(item)
        if isinstance(item, UnknownPart):
            return item.raw
        if isinstance(item, DocumentUrl) and self._dialect.chunks:
            return {"type": "document_url", "document_url": item.url}
        kind = "sounds" if isinstance(item, AudioUrl) else "documents"
        raise NotImplementedError(f"chat completions take no {kind} by their address: {item.url}")


def _binary_block(content: BinaryContent) -> Fields:
    if content.is_image:
        return {"type": "image_url", "image_url": {"url": write_data_url(content)}}
    if content.is_audio:
        name = next((name for name, kind in _AUDIO_TYPES.items() if kind == content.media_type), None)
        data = write_data_url(content).partition(",")[2]
        return {
            "type": "input_audio",
            "input_audio": {"data": data, "format": name or content.media_type.removeprefix("audio/")},
        }
    ending = content.format if content.is_document else content.media_type.rpartition("/")[2]
    return {"type": "file", "file": {"file_data": write_data_url(content), "filename": f"filename.{ending}"}}
