"""Content blocks of Anthropic's Messages API, as parts of a conversation and back.

Source: https://docs.anthropic.com/en/api/messages and the block types of the provider's own Python SDK.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from replay_agent.exceptions import UserError, WireError
from replay_agent.messages import (
    NO_TIMESTAMP,
    AudioUrl,
    BinaryContent,
    DocumentUrl,
    FilePart,
    ImageUrl,
    ModelRequestPart,
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
    UserContent,
    UserPromptPart,
)
from replay_agent.wire.shapes.call_ids import CallIds
from replay_agent.wire.shapes.data_url import decode_base64
from replay_agent.wire.shapes.history import retry_reason
from replay_agent.wire.shapes.json_text import Fields, read_json, write_text
from replay_agent.wire.shapes.made_up import made_up_id

__all__ = (
    "REDACTED",
    "arguments",
    "read_request",
    "read_response",
    "read_response_block",
    "write_request",
    "write_response",
)

REDACTED = "redacted_thinking"
"""Id of a `ThinkingPart` whose text the provider hides; its signature is the encrypted text."""

_SEARCHES = ("tool_search_tool_bm25", "tool_search_tool_regex")
_LABELS = {
    "bash_code_execution": "code_execution",
    "text_editor_code_execution": "code_execution",
    **dict.fromkeys((*_SEARCHES, "tool_search_tool"), "tool_search"),
}
"""What a tool that the provider runs is called in a conversation, where that is not its wire name."""
_MCP = "mcp_server"

Names: TypeAlias = Mapping[str, str]
"""Names of called tools by the ids of their calls."""
PromptContent: TypeAlias = UserContent | UnknownPart

# --- what the model says ----------------------------------------------------------------------------------------------


def read_response(blocks: object) -> list[ModelResponsePart]:
    """Read the content of an assistant's message."""
    if isinstance(blocks, str):
        return [TextPart(blocks)]
    if not isinstance(blocks, list):
        return [] if blocks is None else [UnknownPart(blocks)]
    labels: dict[str, str] = {}
    return [read_response_block(block, labels) for block in blocks]


def read_response_block(block: object, labels: dict[str, str]) -> ModelResponsePart:
    """Read one block. ``labels`` collects the names of the provider's own tools by call id, for their results."""
    if not isinstance(block, dict):
        return UnknownPart(block)
    kind = block.get("type")
    reader = _READERS.get(kind) if isinstance(kind, str) else None
    if reader is None and isinstance(kind, str) and kind.endswith("_tool_result"):
        reader = _read_native_return
    part = reader(block) if reader else None
    if isinstance(part, NativeToolCallPart) and part.tool_call_id:
        labels[part.tool_call_id] = part.tool_name
    if isinstance(part, NativeToolReturnPart) and part.tool_name == _MCP:
        part.tool_name = labels.get(part.tool_call_id or "", _MCP)
    return part or UnknownPart(block)


def _read_text(block: Fields) -> TextPart | None:
    text = block.get("text")
    return TextPart(text) if isinstance(text, str) else None


def _read_thinking(block: Fields) -> ThinkingPart | None:
    text, signature = block.get("thinking"), block.get("signature")
    if not isinstance(text, str) or not isinstance(signature, str | None):
        return None
    return ThinkingPart(text, signature or None)


def _read_redacted(block: Fields) -> ThinkingPart | None:
    data = block.get("data")
    return ThinkingPart("", data, REDACTED) if isinstance(data, str) else None


def _called(block: Fields) -> tuple[str, dict[str, Any], str | None] | None:
    name, args, call_id = block.get("name"), block.get("input") or {}, block.get("id")
    if isinstance(name, str) and isinstance(args, dict) and isinstance(call_id, str | None):
        return name, args, call_id
    return None


def _read_tool_use(block: Fields) -> ToolCallPart | None:
    called = _called(block)
    # Arguments that are no JSON stay the text they are; gateways pass on what a model of another provider wrote.
    if called is None and isinstance(block.get("input"), str):
        called = _called({**block, "input": {}})
        return ToolCallPart(called[0], block["input"], called[2]) if called else None
    return ToolCallPart(*called) if called else None


def _read_native_call(block: Fields) -> NativeToolCallPart | None:
    called = _called(block)
    if called is None:
        return None
    name, args, call_id = called
    return NativeToolCallPart(_LABELS.get(name, name), _queries(args) if name in _SEARCHES else args, call_id)


def _queries(args: dict[str, Any]) -> dict[str, Any]:
    # BM25 asks by ``query``, the regular expression by ``pattern``; in a conversation either is one query.
    query = args.get("query", args.get("pattern"))
    return {"queries": [query]} if isinstance(query, str) and len(args) == 1 else args


def _read_mcp_call(block: Fields) -> NativeToolCallPart | None:
    called, server = _called(block), block.get("server_name")
    if called is None or not isinstance(server, str):
        return None
    name, args, call_id = called
    return NativeToolCallPart(
        f"{_MCP}:{server}", {"action": "call_tool", "tool_name": name, "tool_args": args}, call_id
    )


def _read_native_return(block: Fields) -> NativeToolReturnPart | None:
    call_id = block.get("tool_use_id")
    if not isinstance(call_id, str | None) or "content" not in block:
        return None
    name = block["type"].removesuffix("_tool_result")  # web_search_tool_result is what web_search found
    return NativeToolReturnPart(_LABELS.get(name, name), block["content"], call_id)


def _read_mcp_return(block: Fields) -> NativeToolReturnPart | None:
    call_id = block.get("tool_use_id")
    if not isinstance(call_id, str | None):
        return None
    content = {key: block[key] for key in ("content", "is_error") if key in block}
    return NativeToolReturnPart(_MCP, content, call_id)


def _read_file(block: Fields) -> FilePart | None:
    content = _read_media(block)
    return FilePart(content) if isinstance(content, BinaryContent) else None


def _read_media(block: Fields) -> PromptContent | None:
    source = block.get("source")
    if not isinstance(source, dict):
        return None
    reader = _SOURCES.get((block["type"], source.get("type"))) if isinstance(source.get("type"), str) else None
    return reader(source) if reader else None


_READERS: dict[str, Callable[[Fields], ModelResponsePart | None]] = {
    "text": _read_text,
    "thinking": _read_thinking,
    "redacted_thinking": _read_redacted,
    "tool_use": _read_tool_use,
    "server_tool_use": _read_native_call,
    "mcp_tool_use": _read_mcp_call,
    "mcp_tool_result": _read_mcp_return,
    "image": _read_file,
}


def write_response(parts: Sequence[ModelResponsePart], ids: CallIds) -> list[Any]:
    """Write the content of an assistant's message."""
    return [
        _write_tool_use(part, ids) if isinstance(part, ToolCallPart) else _RESPONSE_WRITERS[type(part)](part)
        for part in parts
    ]


def _write_text(part: TextPart) -> Fields:
    return {"type": "text", "text": part.content}


def _write_thinking(part: ThinkingPart) -> Fields:
    if part.id == REDACTED:
        return {"type": "redacted_thinking", "data": part.signature or ""}
    return {"type": "thinking", "thinking": part.content, "signature": part.signature or ""}


def _write_tool_use(part: ToolCallPart, ids: CallIds) -> Fields:
    return {"type": "tool_use", "id": ids.of_call(part), "name": part.tool_name, "input": arguments(part)}


def arguments(part: ToolCallPart | NativeToolCallPart) -> dict[str, Any]:
    """Return a call's arguments as the object that the format wants; a text that is none stands in one."""
    if isinstance(part.args, dict):
        return part.args
    try:
        args = read_json(part.args.encode("utf-8", "replace") or b"{}", "anthropic")
    except WireError:
        args = None
    return args if isinstance(args, dict) else {"invalid_json": part.args}


def _write_native_call(part: NativeToolCallPart) -> Fields:
    args = arguments(part)
    call_id = part.tool_call_id or made_up_id("srvtoolu_", part.tool_name, args)
    server = part.tool_name.removeprefix(f"{_MCP}:")
    if server != part.tool_name and isinstance(args.get("tool_args"), dict) and isinstance(args.get("tool_name"), str):
        tool, tool_args = args["tool_name"], args["tool_args"]
        return {"type": "mcp_tool_use", "id": call_id, "name": tool, "server_name": server, "input": tool_args}
    name, args = _wire_call(part.tool_name, args)
    return {"type": "server_tool_use", "id": call_id, "name": name, "input": args}


def _wire_call(label: str, args: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Undo the labels: which of the tools behind one label was called shows in its arguments."""
    if label == "tool_search":
        queries = args.get("queries")
        single = isinstance(queries, list) and len(queries) == 1 and isinstance(queries[0], str) and len(args) == 1
        return _SEARCHES[0], {"query": queries[0]} if single and queries else args
    if label == "code_execution" and "command" in args:
        return ("text_editor_code_execution" if "path" in args else "bash_code_execution"), args
    return label, args


def _write_native_return(part: NativeToolReturnPart) -> Fields:
    result = {"tool_use_id": part.tool_call_id or "", "content": part.content}
    if part.tool_name == _MCP or part.tool_name.startswith(f"{_MCP}:"):
        content = part.content if isinstance(part.content, dict) else {"content": part.content, "is_error": False}
        return {"type": "mcp_tool_result", "tool_use_id": part.tool_call_id or "", **content}
    return {"type": f"{_wire_result(part)}_tool_result", **result}


def _wire_result(part: NativeToolReturnPart) -> str:
    if part.tool_name == "tool_search":
        return "tool_search"
    # The content names the tool more exactly than its label: ``bash_code_execution_result``.
    kind = part.content.get("type") if isinstance(part.content, dict) else None
    tools = [tool for tool, label in _LABELS.items() if label == part.tool_name]
    return next((tool for tool in tools if isinstance(kind, str) and kind.startswith(tool)), part.tool_name)


def _write_file(part: FilePart) -> Fields:
    return _write_image(part.content)


def _write_unknown(part: UnknownPart) -> Any:
    return part.raw


_RESPONSE_WRITERS: dict[type, Callable[[Any], Any]] = {
    TextPart: _write_text,
    ThinkingPart: _write_thinking,
    NativeToolCallPart: _write_native_call,
    NativeToolReturnPart: _write_native_return,
    FilePart: _write_file,
    UnknownPart: _write_unknown,
}

# --- what the model is told -------------------------------------------------------------------------------------------


def read_request(role: object, content: object, names: Names) -> list[ModelRequestPart]:
    """Read the content of a message that is not the assistant's. ``names`` are those of the tools called before."""
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    if not isinstance(content, list):
        return [] if content is None else [UnknownPart(content)]
    if role == "system":
        return [_read_system(block) for block in content]
    parts: list[ModelRequestPart] = []
    prompt: list[PromptContent] = []
    for block in content:
        part = _read_result(block, names) or _read_retry(block)
        if part is None:
            prompt.append(_read_prompt_block(block))
            continue
        parts += _prompt_part(prompt)
        prompt = []
        parts.append(part)
    return [*parts, *_prompt_part(prompt)]


def _read_system(block: object) -> ModelRequestPart:
    part = _read_text(block) if isinstance(block, dict) and block.get("type") == "text" else None
    return SystemPromptPart(part.content) if part else UnknownPart(block)


def _prompt_part(content: list[PromptContent]) -> list[ModelRequestPart]:
    if not content:
        return []
    if len(content) == 1 and isinstance(content[0], str | UnknownPart):
        only = content[0]
        return [UserPromptPart(only, NO_TIMESTAMP) if isinstance(only, str) else only]
    return [UserPromptPart(content, NO_TIMESTAMP)]


def _read_retry(block: object) -> RetryPromptPart | None:
    part = _read_text(block) if isinstance(block, dict) and block.get("type") == "text" else None
    reason = retry_reason(part.content) if part else None
    return None if reason is None else RetryPromptPart(reason, timestamp=NO_TIMESTAMP)


def _read_result(block: object, names: Names) -> ToolReturnPart | RetryPromptPart | None:
    if not isinstance(block, dict) or block.get("type") != "tool_result":
        return None
    call_id = block.get("tool_use_id")
    if not isinstance(call_id, str):
        return None
    name, content = names.get(call_id, ""), _read_result_content(block.get("content"))
    if block.get("is_error") is not True:
        return ToolReturnPart(name, content, call_id or None, NO_TIMESTAMP)
    text = content if isinstance(content, str) else write_text(block["content"])
    reason = retry_reason(text)
    return RetryPromptPart(text if reason is None else reason, name or None, call_id or None, NO_TIMESTAMP)


def _read_result_content(content: object) -> object:
    if not isinstance(content, list):
        return "" if content is None else content
    pieces = [_read_prompt_block(block) for block in content]
    return pieces[0] if len(pieces) == 1 and isinstance(pieces[0], str) else pieces


def _read_prompt_block(block: object) -> PromptContent:
    """Read one block of what a user or a tool shows to the model."""
    if not isinstance(block, dict):
        return UnknownPart(block)
    if block.get("type") == "text" and isinstance(block.get("text"), str):
        text: str = block["text"]
        return text
    content = _read_media(block) if block.get("type") in ("image", "document") else None
    return UnknownPart(block) if content is None else content


def _read_image(source: Fields) -> BinaryContent | None:
    return _read_base64(source, "image/")


def _read_pdf(source: Fields) -> BinaryContent | None:
    return _read_base64(source, "application/pdf")


def _read_base64(source: Fields, prefix: str) -> BinaryContent | None:
    data, media_type = decode_base64(source.get("data")), source.get("media_type")
    if data is None or not isinstance(media_type, str) or not media_type.startswith(prefix):
        return None
    return BinaryContent(data, media_type)


def _read_plain(source: Fields) -> BinaryContent | None:
    text = source.get("data")
    return BinaryContent(text.encode("utf-8", "replace"), "text/plain") if isinstance(text, str) else None


def _read_image_url(source: Fields) -> ImageUrl | None:
    return ImageUrl(source["url"]) if isinstance(source.get("url"), str) else None


def _read_document_url(source: Fields) -> DocumentUrl | None:
    return DocumentUrl(source["url"]) if isinstance(source.get("url"), str) else None


_SOURCES: dict[tuple[str, object], Callable[[Fields], PromptContent | None]] = {
    ("image", "base64"): _read_image,
    ("image", "url"): _read_image_url,
    ("document", "base64"): _read_pdf,
    ("document", "text"): _read_plain,
    ("document", "url"): _read_document_url,
}


def write_request(parts: Iterable[ModelRequestPart], ids: CallIds) -> list[Any]:
    """Write the blocks of a user's message; system prompts have no place in it.

    Raises `UserError` for media that the format has no block for.
    """
    return [block for part in parts for block in _REQUEST_WRITERS[type(part)](part, ids)]


def _write_nothing(_: SystemPromptPart, ids: CallIds) -> list[Fields]:  # noqa: ARG001
    return []


def _write_prompt(part: UserPromptPart, ids: CallIds) -> list[Fields]:  # noqa: ARG001
    content = [part.content] if isinstance(part.content, str) else part.content
    return [_write_prompt_block(piece) for piece in content]


def _write_return(part: ToolReturnPart, ids: CallIds) -> list[Fields]:
    shown = part.content
    if isinstance(shown, list) and any(isinstance(piece, _MEDIA) for piece in shown):
        content: object = [_write_prompt_block(piece) for piece in shown]
    else:
        content = part.model_response_str()
    return [_result(ids.of_result(part), content, is_error=False)]


def _write_retry(part: RetryPromptPart, ids: CallIds) -> list[Fields]:
    if part.tool_name is None and part.tool_call_id is None:
        return [{"type": "text", "text": part.model_response()}]
    return [_result(ids.of_result(part), part.model_response(), is_error=True)]


def _result(call_id: str, content: object, *, is_error: bool) -> Fields:
    return {"type": "tool_result", "tool_use_id": call_id, "content": content, "is_error": is_error}


def _write_unknown_request(part: UnknownPart, ids: CallIds) -> list[Any]:  # noqa: ARG001
    return [part.raw]


_REQUEST_WRITERS: dict[type, Callable[[Any, CallIds], list[Any]]] = {
    SystemPromptPart: _write_nothing,
    UserPromptPart: _write_prompt,
    ToolReturnPart: _write_return,
    RetryPromptPart: _write_retry,
    UnknownPart: _write_unknown_request,
}


def _write_prompt_block(piece: PromptContent) -> Any:
    return _PROMPT_WRITERS[type(piece)](piece) if type(piece) in _PROMPT_WRITERS else _write_prompt_text(str(piece))


def _write_prompt_text(text: str) -> Fields:
    return {"type": "text", "text": text}


def _write_image_url(image: ImageUrl) -> Fields:
    return {"type": "image", "source": {"type": "url", "url": image.url}}


def _write_document_url(document: DocumentUrl) -> Fields:
    return {"type": "document", "source": {"type": "url", "url": document.url}}


def _refuse_audio(audio: AudioUrl) -> Fields:
    raise UserError(f"Anthropic's Messages API takes no audio: {audio.url}")


def _write_binary(content: BinaryContent) -> Fields:
    if content.is_image:
        return _write_image(content)
    if content.media_type == "application/pdf":
        return {"type": "document", "source": _base64_source(content)}
    if content.media_type == "text/plain":
        return {"type": "document", "source": _text_source(content)}
    raise UserError(
        f"Anthropic's Messages API takes images, PDF and plain text as binary content, not {content.media_type}"
    )


def _text_source(content: BinaryContent) -> Fields:
    try:
        text = content.data.decode()
    except UnicodeDecodeError as exc:
        raise UserError(f"A text/plain document must be UTF-8: {exc}") from exc
    return {"type": "text", "media_type": "text/plain", "data": text}


def _write_image(content: BinaryContent) -> Fields:
    return {"type": "image", "source": _base64_source(content)}


def _base64_source(content: BinaryContent) -> Fields:
    data = base64.b64encode(content.data).decode()
    return {"type": "base64", "media_type": content.media_type, "data": data}


_PROMPT_WRITERS: dict[type, Callable[[Any], Any]] = {
    str: _write_prompt_text,
    ImageUrl: _write_image_url,
    DocumentUrl: _write_document_url,
    AudioUrl: _refuse_audio,
    BinaryContent: _write_binary,
    UnknownPart: lambda part: part.raw,
}
_MEDIA = (ImageUrl, DocumentUrl, AudioUrl, BinaryContent, UnknownPart)
