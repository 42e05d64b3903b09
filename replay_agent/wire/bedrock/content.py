"""Content blocks of Bedrock's Converse API, as parts of requests and responses and back.

Source of the format: the service model ``bedrock-runtime`` of botocore, shape ``ContentBlock``.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from itertools import count
from typing import Any

from replay_agent.messages import (
    DOCUMENT_FORMATS,
    IMAGE_FORMATS,
    NO_TIMESTAMP,
    BinaryContent,
    FilePart,
    ModelRequestPart,
    ModelResponsePart,
    NativeToolCallPart,
    NativeToolReturnPart,
    RetryPromptPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UnknownPart,
    UserContent,
    UserPromptPart,
)
from replay_agent.wire.shapes.call_ids import CallIds
from replay_agent.wire.shapes.data_url import decode_base64
from replay_agent.wire.shapes.history import retry_reason, user_prompt
from replay_agent.wire.shapes.json_text import Fields, write_text
from replay_agent.wire.shapes.scalars import text_of

__all__ = (
    "REDACTED",
    "RESPONSE_FIELDS",
    "RequestBlocks",
    "joined_citations",
    "read_image",
    "read_native_call",
    "read_native_return",
    "read_request_parts",
    "read_response_parts",
    "write_response_block",
)

REDACTED = "redacted_content"
"""Id of a thinking part whose signature is reasoning that only the provider can read."""

RESPONSE_FIELDS = ("additionalModelResponseFields", "trace", "performanceConfig", "serviceTier")
"""What stands beside the message in an answer and is kept as unknown parts."""

_SERVER_TOOL = "server_tool_use"
_NATIVE_NAMES = {"nova_code_interpreter": "code_execution"}
_WIRE_NAMES = {native: wire for wire, native in _NATIVE_NAMES.items()}
_DOCUMENT_FORMATS: dict[str, str] = {**DOCUMENT_FORMATS, "application/msword": "doc"}
_IMAGE_TYPES: dict[str, str] = {name: media_type for media_type, name in IMAGE_FORMATS.items()}
_DOCUMENT_TYPES = {name: media_type for media_type, name in _DOCUMENT_FORMATS.items()}

# --- reading requests -------------------------------------------------------------------------------------------------


def read_request_parts(content: list[Any], names: dict[str, str]) -> list[ModelRequestPart]:
    """Return the parts of a user message; ``names`` are the names of the tools by the ids of their calls."""
    parts: list[ModelRequestPart] = []
    said: list[UserContent | UnknownPart] = []
    for block in content:
        result = _only(block, "toolResult")
        if isinstance(result, dict):
            parts += [*user_prompt(said), _read_result(result, names)]
            said = []
        else:
            said.append(_read_user_content(block))
    return parts + user_prompt(said)


def _read_user_content(block: object) -> UserContent | UnknownPart:
    text = _only(block, "text")
    if isinstance(text, str):
        return text
    return read_image(_only(block, "image")) or _read_document(_only(block, "document")) or UnknownPart(block)


def _read_result(result: Fields, names: dict[str, str]) -> ModelRequestPart:
    call_id = result.get("toolUseId")
    call_id = call_id if isinstance(call_id, str) else None
    name = names.get(call_id or "", "")
    blocks = result.get("content")
    content = _read_result_content(blocks if isinstance(blocks, list) else [])
    if result.get("status") == "error":
        text = content if isinstance(content, str) else write_text(content)
        return RetryPromptPart(_reason(text), tool_name=name, tool_call_id=call_id, timestamp=NO_TIMESTAMP)
    return ToolReturnPart(name, content, call_id, timestamp=NO_TIMESTAMP)


def _reason(text: str) -> str:
    reason = retry_reason(text)
    return text if reason is None else reason


def _read_result_content(blocks: list[Any]) -> Any:
    """Return what a tool gave back: a lone text or JSON value as it is, anything else as a list."""
    values = [_read_result_block(block) for block in blocks]
    if len(values) == 1 and not isinstance(values[0], BinaryContent | UnknownPart):
        return values[0]
    return values


def _read_result_block(block: object) -> Any:
    if isinstance(block, dict) and block.keys() == {"json"}:
        return block["json"]
    return _read_user_content(block)


# --- reading responses ------------------------------------------------------------------------------------------------


def read_response_parts(block: object) -> list[ModelResponsePart]:
    """Return the parts that a block of the model's message stands for; an empty text stands for none."""
    if isinstance(text := _only(block, "text"), str):
        return [TextPart(text)] if text else []
    if isinstance(use := _only(block, "toolUse"), dict) and isinstance(use.get("name"), str):
        return [_read_use(use)]
    if isinstance(reasoning := _only(block, "reasoningContent"), dict):
        return [_read_reasoning(reasoning) or UnknownPart(block)]
    if isinstance(result := _only(block, "toolResult"), dict):
        return [read_native_return(result)]
    if isinstance(cited := _only(block, "citationsContent"), dict):
        return _read_cited(cited) or [UnknownPart(block)]
    image = read_image(_only(block, "image"))
    return [UnknownPart(block) if image is None else FilePart(image)]


def _read_use(use: Fields) -> ModelResponsePart:
    given = use.get("input", {})
    args: str | Fields = given if isinstance(given, dict | str) else write_text(given)
    if use.get("type") == _SERVER_TOOL:
        return read_native_call(use, args)
    return ToolCallPart(use["name"], args, text_of(use, "toolUseId"))


def read_native_call(use: Fields, args: str | Fields) -> NativeToolCallPart:
    """Return a call of a tool that the provider runs."""
    name = text_of(use, "name") or ""
    return NativeToolCallPart(_NATIVE_NAMES.get(name, name), args, text_of(use, "toolUseId"))


def read_native_return(result: Fields) -> NativeToolReturnPart:
    """Return the result of a tool that the provider ran; its content is the block as it came, but for the id."""
    kind = text_of(result, "type") or ""
    name = kind.removesuffix("_result")
    content = {key: value for key, value in result.items() if key != "toolUseId"}
    return NativeToolReturnPart(_NATIVE_NAMES.get(name, name), content, text_of(result, "toolUseId"))


def _read_reasoning(reasoning: Fields) -> ThinkingPart | None:
    redacted = _only(reasoning, "redactedContent")
    if isinstance(redacted, str):
        return ThinkingPart("", redacted, REDACTED)
    shown = _only(reasoning, "reasoningText")
    if isinstance(shown, dict) and shown.keys() <= {"text", "signature"}:
        return ThinkingPart(text_of(shown, "text") or "", text_of(shown, "signature"))
    return None


def _read_cited(cited: Fields) -> list[ModelResponsePart]:
    content = cited.get("content")
    texts = [_only(item, "text") for item in content] if isinstance(content, list) else [None]
    known = [text for text in texts if isinstance(text, str)]
    if len(known) != len(texts):
        return []
    rest = {key: value for key, value in cited.items() if key != "content"}
    return [TextPart("".join(known)), UnknownPart({"citationsContent": rest})]


# --- media ------------------------------------------------------------------------------------------------------------


def read_image(image: object) -> BinaryContent | None:
    """Return an image that is there as bytes, None for anything else."""
    return _read_media(image, _IMAGE_TYPES, {"format", "source"})


def _read_document(document: object) -> BinaryContent | None:
    return _read_media(document, _DOCUMENT_TYPES, {"format", "source", "name"})


def _read_media(media: object, types: dict[str, str], known: set[str]) -> BinaryContent | None:
    if not isinstance(media, dict) or not media.keys() <= known:
        return None
    media_type = types.get(str(media.get("format")))
    data = decode_base64(_only(media.get("source"), "bytes"))
    return None if media_type is None or data is None else BinaryContent(data, media_type)


def _write_image(content: BinaryContent) -> Fields:
    return {"format": IMAGE_FORMATS[content.media_type], "source": {"bytes": _base64(content.data)}}


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


# --- writing ----------------------------------------------------------------------------------------------------------


class RequestBlocks:
    """Writes the requests of one conversation, in order: documents are numbered through it."""

    def __init__(self, ids: CallIds) -> None:
        self._ids = ids
        self._documents = count(1)

    def write(self, part: ModelRequestPart) -> list[Fields]:
        """Return the blocks of a part; a system prompt has none.

        Raises `NotImplementedError` for media that Converse does not take or that must be downloaded first.
        """
        match part:
            case UserPromptPart():
                said = [part.content] if isinstance(part.content, str) else part.content
                return [self._user_content(item) for item in said]
            case ToolReturnPart():
                return [self._result(part, self._result_content(part), "success")]
            case RetryPromptPart(tool_name=None):
                return [{"text": part.model_response()}]
            case RetryPromptPart():
                return [self._result(part, [{"text": part.model_response()}], "error")]
            case UnknownPart():
                return [part.raw] if isinstance(part.raw, dict) else []
        return []

    def _result(self, part: ToolReturnPart | RetryPromptPart, content: list[Fields], status: str) -> Fields:
        return {"toolResult": {"toolUseId": self._ids.of_result(part), "content": content, "status": status}}

    def _result_content(self, part: ToolReturnPart) -> list[Fields]:
        if not _holds_media(part.content):
            return [{"text": part.model_response_str()}]
        return [
            self._user_content(item) if isinstance(item, str | BinaryContent | UnknownPart) else {"json": item}
            for item in part.content
        ]

    def _user_content(self, item: UserContent | UnknownPart) -> Fields:
        if isinstance(item, str):
            return {"text": item}
        if isinstance(item, UnknownPart):
            return item.raw if isinstance(item.raw, dict) else {"text": write_text(item.raw)}
        if not isinstance(item, BinaryContent):
            raise NotImplementedError(f"Bedrock takes media inline: download {item.url} first")
        if item.media_type in IMAGE_FORMATS:
            return {"image": _write_image(item)}
        if item.media_type in _DOCUMENT_FORMATS:
            return {"document": self._document(item)}
        raise NotImplementedError(f"Bedrock's Converse API takes no {item.media_type}")

    def _document(self, content: BinaryContent) -> Fields:
        return {
            "name": f"Document {next(self._documents)}",  # required, and no two may be alike
            "format": _DOCUMENT_FORMATS[content.media_type],
            "source": {"bytes": _base64(content.data)},
        }


def _holds_media(content: object) -> bool:
    return isinstance(content, list) and any(isinstance(item, BinaryContent | UnknownPart) for item in content)


def write_response_block(part: ModelResponsePart, ids: CallIds) -> Fields | None:
    """Return the block of a part, None for one that Converse has no room for (an empty text, an empty thought).

    Raises `NotImplementedError` for a file that is no image.
    """
    match part:
        case TextPart():
            return {"text": part.content} if part.content else None
        case ToolCallPart():
            return {
                "toolUse": {
                    "toolUseId": ids.of_call(part),
                    "name": part.tool_name,
                    "input": _write_call_input(part.args),
                }
            }
        case ThinkingPart():
            return _write_reasoning(part)
        case NativeToolCallPart():
            return {"toolUse": _write_native_call(part)}
        case NativeToolReturnPart():
            return {"toolResult": _write_native_return(part)}
        case FilePart():
            if part.content.media_type not in IMAGE_FORMATS:
                raise NotImplementedError(f"Bedrock's Converse API answers with no {part.content.media_type}")
            return {"image": _write_image(part.content)}
        case UnknownPart():
            return part.raw if isinstance(part.raw, dict) else None


def _write_reasoning(part: ThinkingPart) -> Fields | None:
    if part.id == REDACTED and part.signature is not None:
        return {"reasoningContent": {"redactedContent": part.signature}}
    shown = {"text": part.content} | ({} if part.signature is None else {"signature": part.signature})
    return {"reasoningContent": {"reasoningText": shown}} if part.content or part.signature else None


def _write_native_call(part: NativeToolCallPart) -> Fields:
    return {
        "toolUseId": part.tool_call_id or "",
        "name": _WIRE_NAMES.get(part.tool_name, part.tool_name),
        "input": _write_call_input(part.args),
        "type": _SERVER_TOOL,
    }


def _write_native_return(part: NativeToolReturnPart) -> Fields:
    content = part.content
    if not isinstance(content, dict) or not isinstance(content.get("content"), list):
        kind = f"{_WIRE_NAMES.get(part.tool_name, part.tool_name)}_result"
        content = {"content": [{"json": content}], "status": "success", "type": kind}
    return {"toolUseId": part.tool_call_id or "", **content}


def _write_call_input(args: str | Fields) -> Any:
    """Return the arguments of a call as JSON; a text that holds neither object nor array stays a text."""
    if not isinstance(args, str):
        return args
    try:
        value = json.loads(args or "{}")
    except (ValueError, RecursionError):
        return args
    return value if isinstance(value, dict | list) else args


def _only(fields: object, key: str) -> Any:
    """Return the value under ``key`` of an object that has no other key, None for anything else."""
    return fields.get(key) if isinstance(fields, dict) and len(fields) == 1 else None


def joined_citations(blocks: Iterable[Fields]) -> Iterator[Fields]:
    """Put citations that stand as a block of their own around the text before them."""
    held: Fields | None = None
    for block in blocks:
        cited = _only(block, "citationsContent")
        if isinstance(cited, dict) and "content" not in cited and held is not None and "text" in held:
            yield {"citationsContent": {"content": [held], **cited}}
            held = None
            continue
        if held is not None:
            yield held
        held = block
    if held is not None:
        yield held
