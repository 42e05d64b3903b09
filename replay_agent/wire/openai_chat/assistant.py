"""Assistant messages of the chat completions format, read and written: in a history and as an answer.

What such a message holds beyond our vocabulary becomes an `UnknownPart`, whose ``raw`` is either a block of its content
(it has a ``type``) or one of its fields, ``{"annotations": [...]}``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from replay_agent.exceptions import WireError
from replay_agent.messages import (
    BinaryContent,
    FilePart,
    ModelResponsePart,
    NativeToolCallPart,
    NativeToolReturnPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    UnknownPart,
)
from replay_agent.wire.openai_chat.dialects import Dialect
from replay_agent.wire.shapes.data_url import decode_base64, read_data_url, write_data_url
from replay_agent.wire.shapes.json_text import Fields, dump_json, read_json
from replay_agent.wire.shapes.think_tags import OPENING, split_thinking

__all__ = (
    "CustomInput",
    "address_in",
    "assistant_fields",
    "audio_parts",
    "beyond_a_call",
    "call_args",
    "content_block",
    "custom_names",
    "executed_tool",
    "file_of",
    "is_text",
    "read_assistant",
    "reasoning_detail",
    "said_by_a_call",
    "says_nothing",
)

# One thing under the names that servers have for it; where several are there, they say the same.
_REASONING_FIELDS = ("reasoning", "reasoning_content", "thinking")
_KNOWN_FIELDS = frozenset(
    {"role", "content", "tool_calls", "reasoning_details", "executed_tools", "images", "audio", "function_call"}
    | {"name", "prefix", "index", *_REASONING_FIELDS}
)

_TEXT_ALONE = frozenset({"role", "content"})
"""What nearly every answer in a history has. A conversation of 200 turns repeats 40,000 of them in its requests, so these are
read and written without asking for anything else: that halves the time to take such a recording apart."""


def read_assistant(message: Fields, dialect: Dialect, *, audio_type: str = "audio/wav") -> list[ModelResponsePart]:
    """Return the parts of an assistant message: reasoning, the provider's own tools, text, calls, files, the rest.

    An empty text counts only where there is nothing else.
    ``audio_type`` is the media type of a spoken answer, which the message itself does not tell.
    """
    content = message.get("content")
    if message.keys() == _TEXT_ALONE and isinstance(content, str) and not (dialect.think_tags and OPENING in content):
        return [TextPart(content)]
    parts = [
        *_reasoning(message),
        *_executed_tools(message.get("executed_tools")),
        *_content(message.get("content"), dialect),
        *_tool_calls(message),
        *_images(message.get("images")),
        *audio_parts(message.get("audio"), audio_type),
        *_unknown_calls(message.get("tool_calls")),
        *_rest(message),
    ]
    return parts or ([TextPart("")] if message.get("content") == "" else [])


def says_nothing(value: object) -> bool:
    """Tell whether a value, with all that is in it, is empty, null or zero: some servers fill in unused fields."""
    if isinstance(value, dict):
        return all(says_nothing(item) for item in value.values())
    if isinstance(value, list):
        return all(says_nothing(item) for item in value)
    return not value


def _rest(message: Fields) -> list[ModelResponsePart]:
    return [
        UnknownPart({key: value})
        for key, value in message.items()
        if key not in _KNOWN_FIELDS and not says_nothing(value)
    ]


def _reasoning(message: Fields) -> list[ModelResponsePart]:
    details = message.get("reasoning_details")
    if isinstance(details, list) and details:
        return [reasoning_detail(detail) or UnknownPart({"reasoning_details": [detail]}) for detail in details]
    for name in _REASONING_FIELDS:
        value = message.get(name)
        if isinstance(value, str) and value:
            return [ThinkingPart(value)]
        if not says_nothing(value):
            return [UnknownPart({name: value})]
    return []


def reasoning_detail(detail: object) -> ThinkingPart | None:
    """Read an item of ``reasoning_details`` (openrouter.ai/docs, "Reasoning tokens"); None for an unknown kind.

    Encrypted reasoning has no content, and its data is the signature.
    """
    if not isinstance(detail, dict):
        return None
    kind = detail.get("type")
    if kind == "reasoning.text":
        content, signature = detail.get("text"), detail.get("signature")
    elif kind == "reasoning.summary":
        content, signature = detail.get("summary"), None
    elif kind == "reasoning.encrypted":
        content, signature = None, detail.get("data")
    else:
        return None
    return ThinkingPart(_string(content) or "", _string(signature), _string(detail.get("id")))


def _string(value: object) -> str | None:
    return value if isinstance(value, str) else None


_NATIVE_NAMES = {"search": "web_search", "python": "code_execution"}
"""Groq's kinds of tools that it runs itself, and what they are called everywhere else."""
_NATIVE_KINDS = {name: kind for kind, name in _NATIVE_NAMES.items()}


def _executed_tools(tools: object) -> list[ModelResponsePart]:
    if not isinstance(tools, list):
        return [] if says_nothing(tools) else [UnknownPart({"executed_tools": tools})]
    found: list[ModelResponsePart] = []
    for tool in tools:
        found += executed_tool(tool) or [UnknownPart({"executed_tools": [tool]})]
    return found


def executed_tool(tool: object) -> list[NativeToolCallPart | NativeToolReturnPart]:
    """Read an item of Groq's ``executed_tools``: a call, its result, or both; nothing if it is none."""
    kind = tool.get("type") if isinstance(tool, dict) else None
    if not isinstance(tool, dict) or not isinstance(kind, str):
        return []
    name = _NATIVE_NAMES.get(kind, kind)
    found: list[NativeToolCallPart | NativeToolReturnPart] = []
    if isinstance(tool.get("arguments"), str | dict):
        found.append(NativeToolCallPart(name, tool["arguments"]))
    result = {key: value for key, value in tool.items() if key not in ("type", "index", "arguments")}
    if not says_nothing(result):
        found.append(NativeToolReturnPart(name, result))
    return found


def _content(content: object, dialect: Dialect) -> list[ModelResponsePart]:
    if isinstance(content, str):
        if not dialect.think_tags:
            return [TextPart(content)] if content else []
        parts = {"text": TextPart, "thinking": ThinkingPart}
        return [parts[kind](piece) for kind, piece in split_thinking(content)]
    if not isinstance(content, list):
        return [] if says_nothing(content) else [UnknownPart({"content": content})]
    return [part for block in content for part in content_block(block)]


def content_block(block: object) -> list[ModelResponsePart]:
    """Read a block of an assistant message's content."""
    if is_text(block):
        assert isinstance(block, dict)
        return [TextPart(block["text"])]
    if isinstance(block, dict) and block.get("type") == "thinking" and _all_text(block.get("thinking")):
        return [ThinkingPart("".join(thought["text"] for thought in block["thinking"]))]
    return [UnknownPart(block if isinstance(block, dict) and "type" in block else {"content": [block]})]


def _all_text(blocks: object) -> bool:
    return isinstance(blocks, list) and all(is_text(block) for block in blocks)


def _tool_calls(message: Fields) -> list[ModelResponsePart]:
    legacy = message.get("function_call")
    found: list[ModelResponsePart] = []
    if isinstance(legacy, dict) and isinstance(legacy.get("name"), str) and legacy["name"]:
        found.append(ToolCallPart(legacy["name"], call_args(legacy.get("arguments"))))
    elif not says_nothing(legacy):
        found.append(UnknownPart({"function_call": legacy}))
    calls = message.get("tool_calls")
    return [*found, *(part for call in calls if (part := _tool_call(call)))] if isinstance(calls, list) else found


def _unknown_calls(calls: object) -> list[ModelResponsePart]:
    if not isinstance(calls, list):
        return [] if says_nothing(calls) else [UnknownPart({"tool_calls": calls})]
    unknown = [more for call in calls if (more := beyond_a_call(call) if _tool_call(call) else call)]
    return [UnknownPart({"tool_calls": unknown})] if unknown else []


def _tool_call(call: object) -> ToolCallPart | None:
    if not isinstance(call, dict):
        return None
    name, args = said_by_a_call(call)
    if not isinstance(name, str) or not name:
        return None
    if isinstance(args, CustomInput):
        args = dump_json({"input": args.text})
    return ToolCallPart(name, call_args(args), _string(call.get("id")) or None)


class CustomInput(NamedTuple):
    """What a custom tool is called with: a text of its own, no JSON."""

    text: str


def said_by_a_call(call: Fields) -> tuple[object, object]:
    """Return name and arguments of a call: of a function, or of a custom tool, whose input is a text."""
    function = call.get("function")
    if isinstance(function, dict):
        return function.get("name"), function.get("arguments")
    custom = call.get("custom")
    if not isinstance(custom, dict) or not isinstance(custom.get("input", ""), str):
        return None, None
    return custom.get("name"), CustomInput(custom.get("input", ""))


def custom_names(tools: object) -> frozenset[str]:
    """Return the names of the custom tools among those of a body."""
    found = [tool.get("custom") for tool in tools if isinstance(tool, dict)] if isinstance(tools, list) else []
    return frozenset(custom["name"] for custom in found if isinstance(custom, dict) and _string(custom.get("name")))


def beyond_a_call(call: Fields) -> Fields | None:
    """Return what a tool call says beyond name and arguments, with its id; None where that is nothing."""
    said = ("id", "type", "index", "function", *(["custom"] if said_by_a_call(call)[1] is not None else []))
    more = {key: value for key, value in call.items() if key not in said and not says_nothing(value)}
    return {"id": call.get("id"), **more} if more else None


def call_args(arguments: object) -> str | dict[str, Any]:
    """Return a call's arguments as they came, JSON text or an object; where there are none, an empty object's text."""
    if isinstance(arguments, str | dict):
        return arguments
    return "{}" if arguments is None else dump_json(arguments)


def _images(images: object) -> list[ModelResponsePart]:
    if not isinstance(images, list):
        return [] if says_nothing(images) else [UnknownPart({"images": images})]
    return [file_of(image) or UnknownPart({"images": [image]}) for image in images]


def file_of(image: object) -> FilePart | None:
    """Read an image that the model made, where its data is in the answer."""
    if not isinstance(image, dict) or image.get("type") != "image_url":
        return None
    content = read_data_url(address_in(image))
    return None if content is None else FilePart(content)


def audio_parts(audio: object, audio_type: str) -> list[ModelResponsePart]:
    """Read a spoken answer: its sound as a file, what else is said of it as one unknown part."""
    if says_nothing(audio):
        return []
    data = decode_base64(audio.get("data")) if isinstance(audio, dict) else None
    if not data or not isinstance(audio, dict):
        return [UnknownPart({"audio": audio})]
    more = {key: value for key, value in audio.items() if key != "data"}
    file = FilePart(BinaryContent(data, audio_type))
    return [file, UnknownPart({"audio": more})] if more else [file]


def is_text(block: object) -> bool:
    """Tell whether a block of content is text."""
    return isinstance(block, dict) and block.get("type") == "text" and isinstance(block.get("text"), str)


def address_in(block: Fields) -> str | None:
    """Return the address in ``{"type": "x", "x": {"url": ...}}``, or in the short form ``{"type": "x", "x": ...}``."""
    value = block.get(block["type"])
    url = value.get("url") if isinstance(value, dict) else value
    return url if isinstance(url, str) else None


def assistant_fields(
    parts: Sequence[ModelResponsePart],
    dialect: Dialect,
    *,
    legacy: bool = False,
    custom: frozenset[str] = frozenset(),
) -> Fields:
    """Return the fields of an assistant message, its role aside; those without a value are left out.

    ``custom`` names the tools that take a text instead of JSON.
    """
    if len(parts) == 1 and type(parts[0]) is TextPart and not dialect.chunks:
        return {"content": parts[0].content}
    fields: Fields = {}
    _write_content(fields, parts, dialect)
    _write_reasoning(fields, [part for part in parts if isinstance(part, ThinkingPart)], dialect)
    calls = [part for part in parts if isinstance(part, ToolCallPart)]
    _write_calls(fields, calls, dialect, legacy=legacy, custom=custom)
    if not dialect.strict:
        _write_executed(fields, parts)
        _write_files(fields, [part.content for part in parts if isinstance(part, FilePart)])
    for part in parts:
        if isinstance(part, UnknownPart) and isinstance(part.raw, dict) and not _unknown_blocks(part):
            _write_unknown(fields, part.raw, _TAKEN_BACK if dialect.strict else None)
    return fields


def _write_content(fields: Fields, parts: Sequence[ModelResponsePart], dialect: Dialect) -> None:
    texts = [part.content for part in parts if isinstance(part, TextPart)]
    if dialect.chunks or any(_unknown_blocks(part) for part in parts):
        blocks = [block for part in parts for block in _blocks_of(part, dialect)]
        if blocks:
            fields["content"] = blocks
    elif texts:
        fields["content"] = "\n\n".join(text for text in texts if text)


def _unknown_blocks(part: ModelResponsePart) -> list[Any]:
    if not isinstance(part, UnknownPart) or not isinstance(part.raw, dict):
        return []
    blocks = [part.raw] if "type" in part.raw else part.raw.get("content")
    return blocks if isinstance(blocks, list) else []


def _blocks_of(part: ModelResponsePart, dialect: Dialect) -> list[Any]:
    if isinstance(part, TextPart):
        return [{"type": "text", "text": part.content}]
    if isinstance(part, ThinkingPart) and dialect.chunks:
        return [{"type": "thinking", "thinking": [{"type": "text", "text": part.content}]}]
    return _unknown_blocks(part)


def _write_reasoning(fields: Fields, parts: Sequence[ThinkingPart], dialect: Dialect) -> None:
    if not parts or dialect.reasoning is None:
        return
    # Signatures, ids and several thoughts have room in ``reasoning_details`` alone.
    only_text = all(part.signature is None and part.id is None for part in parts)
    if dialect.reasoning == "reasoning_details" or (dialect.name is None and not (only_text and len(parts) == 1)):
        fields["reasoning_details"] = [_detail(index, part) for index, part in enumerate(parts)]
    else:
        contents = [part.content for part in parts if part.content]
        if contents:
            fields[dialect.reasoning] = "\n\n".join(contents)


def _detail(index: int, part: ThinkingPart) -> Fields:
    detail: Fields = {"type": "reasoning.text", "text": part.content, "index": index}
    if part.signature is not None:
        detail["signature"] = part.signature
        if not part.content:
            detail = {"type": "reasoning.encrypted", "data": part.signature, "index": index}
    return detail if part.id is None else {**detail, "id": part.id}


def _write_calls(
    fields: Fields, calls: Sequence[ToolCallPart], dialect: Dialect, *, legacy: bool, custom: frozenset[str]
) -> None:
    for call in calls:
        if call.tool_call_id is None and legacy:
            fields["function_call"] = {"name": call.tool_name, "arguments": call.args_as_json_str()}
            continue
        assert call.tool_call_id is not None, f"the call of {call.tool_name!r} has no tool_call_id"
        fields.setdefault("tool_calls", []).append(
            _written_custom(call) if call.tool_name in custom else _written_call(call, dialect)
        )


def _written_custom(call: ToolCallPart) -> Fields:
    try:
        args = read_json(call.args, "openai_chat") if isinstance(call.args, str) else call.args
    except WireError:
        args = None
    text = args["input"] if isinstance(args, dict) and args.keys() == {"input"} else None
    given = text if isinstance(text, str) else call.args_as_json_str()
    return {"id": call.tool_call_id, "type": "custom", "custom": {"name": call.tool_name, "input": given}}


def _written_call(call: ToolCallPart, dialect: Dialect) -> Fields:
    if dialect.chunks:
        return {"id": call.tool_call_id, "function": {"name": call.tool_name, "arguments": call.args}, "index": 0}
    function = {"name": call.tool_name, "arguments": call.args_as_json_str()}
    return {"id": call.tool_call_id, "type": "function", "function": function}


def _write_executed(fields: Fields, parts: Sequence[ModelResponsePart]) -> None:
    """Write the provider's own tools; a result belongs to the call before it."""
    tools: list[Fields] = []
    for part in parts:
        if isinstance(part, NativeToolCallPart):
            kind = _NATIVE_KINDS.get(part.tool_name, part.tool_name)
            tools.append({"type": kind, "index": len(tools), "arguments": part.args})
        elif isinstance(part, NativeToolReturnPart):
            content = part.content if isinstance(part.content, dict) else {"output": part.content}
            kind = _NATIVE_KINDS.get(part.tool_name, part.tool_name)
            if not tools or tools[-1]["type"] != kind or len(tools[-1]) > len(("type", "index", "arguments")):
                tools.append({"type": kind, "index": len(tools)})
            tools[-1].update(content)
    if tools:
        fields["executed_tools"] = tools


def _write_files(fields: Fields, files: Sequence[BinaryContent]) -> None:
    for content in files:
        url = write_data_url(content)
        if content.is_audio:
            fields["audio"] = {"data": url.partition(",")[2]}
        else:
            fields.setdefault("images", []).append({"type": "image_url", "image_url": {"url": url}})


_TAKEN_BACK = frozenset({"audio", "content", "function_call", "refusal", "tool_calls"})
"""What every provider takes in a message that it once sent."""


def _write_unknown(fields: Fields, raw: Fields, only: frozenset[str] | None) -> None:
    for key, value in raw.items():
        known = fields.get(key)
        if only is not None and key not in only:
            continue
        if key == "tool_calls" and isinstance(value, list):
            fields[key] = _with_more_calls(known or [], value)
        elif isinstance(known, list) and isinstance(value, list):
            fields[key] = [*known, *value]
        elif isinstance(known, dict) and isinstance(value, dict):
            fields[key] = {**known, **value}
        else:
            fields[key] = value


def _with_more_calls(calls: list[Fields], more: list[Any]) -> list[Any]:
    """Add raw calls; one without a function is what there was to say beyond the call of the same id."""
    found: list[Any] = [dict(call) for call in calls]
    for raw in more:
        extends = isinstance(raw, dict) and "function" not in raw
        known = next((call for call in found if extends and _has_id(call, raw.get("id"))), None)
        if known is None:
            found.append(raw)
        else:
            known.update(raw)
    return found


def _has_id(call: object, call_id: object) -> bool:
    return isinstance(call, dict) and call.get("id") == call_id
