"""Parts of Gemini's contents, as parts of requests and responses and back.

Source of the format: https://ai.google.dev/api/caching#Part. Names of fields come in camel case and in snake case.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

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
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UnknownPart,
    UserContent,
    UserPromptPart,
)
from replay_agent.wire.shapes.data_url import decode_base64
from replay_agent.wire.shapes.history import retry_reason, user_prompt
from replay_agent.wire.shapes.json_text import Fields
from replay_agent.wire.shapes.scalars import text_of

__all__ = (
    "camel",
    "read_model_part",
    "read_signature",
    "read_user_parts",
    "write_model_parts",
    "write_user_part",
)

_CODE_EXECUTION = "code_execution"

_UNDERSCORE = re.compile(r"_([a-z0-9])")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")
_STANDARD = str.maketrans("-_", "+/")
_TOOL_NAMES = {"GOOGLE_SEARCH_WEB": "web_search", "URL_CONTEXT": "web_fetch", "FILE_SEARCH": "file_search"}
_TOOL_TYPES = {name: kind for kind, name in _TOOL_NAMES.items()}
_URLS: tuple[type[ImageUrl | AudioUrl | DocumentUrl], ...] = (ImageUrl, AudioUrl, DocumentUrl)


@lru_cache(maxsize=512)
def _camel_name(name: str) -> str:
    return _UNDERSCORE.sub(lambda letter: letter[1].upper(), name)


def camel(fields: Fields) -> Fields:
    """Return an object with its own field names in camel case; what is inside stays as it is."""
    return {_camel_name(name): value for name, value in fields.items()}


def _unbase64(text: object) -> bytes | None:
    if not isinstance(text, str):
        return None
    text = text.translate(_STANDARD)
    return decode_base64(text + "=" * (-len(text) % 4))


def read_signature(part: Fields) -> str | None:
    """Return the signature of a part in standard base64: clients send back in the other alphabet what they were sent."""
    signature = part.get("thoughtSignature")
    if not isinstance(signature, str) or not signature:
        return None
    return signature.translate(_STANDARD) if _BASE64.fullmatch(signature) else signature


# --- reading what the model made --------------------------------------------------------------------------------------


def read_model_part(raw: object) -> list[ModelResponsePart]:
    """Return what a part of the model's content stands for.

    A signature stands as an empty thinking part before the part that it signs, that of a thought in the thought
    itself. An empty text stands for nothing.
    """
    if not isinstance(raw, dict):
        return [UnknownPart(raw)]
    part = camel(raw)
    signature = read_signature(part)
    if part.get("thought") is True:
        return _read_thought(raw, part, signature)
    rest = {key: value for key, value in part.items() if key not in ("thought", "thoughtSignature")}
    found: list[ModelResponsePart] = [] if signature is None else [ThinkingPart("", signature)]
    for key, reader in _READERS.items():
        if key in rest and (value := rest.pop(key)) != "":
            found.append(reader(value) or UnknownPart({key: value}))
    return [*found, UnknownPart(rest)] if rest else found


def _read_thought(raw: Fields, part: Fields, signature: str | None) -> list[ModelResponsePart]:
    text = part.get("text")
    if not isinstance(text, str) or not part.keys() <= {"thought", "thoughtSignature", "text"}:
        return [UnknownPart(raw)]
    return [ThinkingPart(text, signature)] if text or signature else []


def _read_text(text: object) -> TextPart | None:
    return TextPart(text) if isinstance(text, str) else None


def read_call(value: object) -> ToolCallPart | None:
    call = camel(value) if isinstance(value, dict) else {}
    args = call.get("args", {})
    if not isinstance(call.get("name"), str) or not isinstance(args, dict | None):
        return None
    return ToolCallPart(call["name"], args or {}, text_of(call, "id"))


def _read_code(value: object) -> NativeToolCallPart | None:
    if not isinstance(value, dict):
        return None
    return NativeToolCallPart(_CODE_EXECUTION, {key: value[key] for key in value if key != "id"}, text_of(value, "id"))


def _read_code_result(value: object) -> NativeToolReturnPart | None:
    if not isinstance(value, dict):
        return None
    return NativeToolReturnPart(
        _CODE_EXECUTION, {key: value[key] for key in value if key != "id"}, text_of(value, "id")
    )


def _read_tool_call(value: object) -> NativeToolCallPart | None:
    call = camel(value) if isinstance(value, dict) else {}
    name, args = _tool_name(call), call.get("args", {})
    return NativeToolCallPart(name, args, text_of(call, "id")) if name and isinstance(args, dict) else None


def _read_tool_response(value: object) -> NativeToolReturnPart | None:
    result = camel(value) if isinstance(value, dict) else {}
    name = _tool_name(result)
    return NativeToolReturnPart(name, result.get("response"), text_of(result, "id")) if name else None


def _tool_name(fields: Fields) -> str | None:
    kind = text_of(fields, "toolType")
    return None if kind is None else _TOOL_NAMES.get(kind, kind.lower())


def _read_file(value: object) -> FilePart | None:
    content = _read_blob(value)
    return None if content is None else FilePart(content)


_READERS: dict[str, Callable[[object], ModelResponsePart | None]] = {
    "text": _read_text,
    "functionCall": read_call,
    "executableCode": _read_code,
    "codeExecutionResult": _read_code_result,
    "toolCall": _read_tool_call,
    "toolResponse": _read_tool_response,
    "inlineData": _read_file,
}

# --- reading what the user and the tools said -------------------------------------------------------------------------


def read_user_parts(raw_parts: Iterable[object]) -> list[ModelRequestPart]:
    """Return what the parts of a user's content stand for."""
    parts: list[ModelRequestPart] = []
    said: list[UserContent | UnknownPart] = []
    for raw in raw_parts:
        part = camel(raw) if isinstance(raw, dict) else {}
        result = _read_result(part["functionResponse"]) if part.keys() == {"functionResponse"} else None
        if result is None:
            said += _read_user_content(raw, part)
        else:
            parts += [*user_prompt(said), result]
            said = []
    return parts + user_prompt(said)


def _read_user_content(raw: object, part: Fields) -> list[UserContent | UnknownPart]:
    if isinstance(text := part.get("text"), str):
        rest = {key: value for key, value in part.items() if key != "text"}
        return [text, UnknownPart(rest)] if rest else [text]
    if len(part) == 1:
        media = _read_blob(part.get("inlineData")) or _read_file_url(part.get("fileData"))
        if media is not None:
            return [media]
    return [UnknownPart(raw)]


def _read_blob(value: object) -> BinaryContent | None:
    blob = camel(value) if isinstance(value, dict) else {}
    data, media_type = _unbase64(blob.get("data")), blob.get("mimeType")
    if blob.keys() != {"data", "mimeType"} or data is None or not isinstance(media_type, str):
        return None
    return BinaryContent(data, media_type)


def _read_file_url(value: object) -> ImageUrl | AudioUrl | DocumentUrl | None:
    """Return a file by its address, None where the address alone does not tell its type."""
    file = camel(value) if isinstance(value, dict) else {}
    address = file.get("fileUri")
    if file.keys() != {"fileUri", "mimeType"} or not isinstance(address, str):
        return None
    urls = [kind(address) for kind in _URLS]
    return next((url for url in urls if _media_type(url) == file["mimeType"]), None)


def _media_type(url: ImageUrl | AudioUrl | DocumentUrl) -> str | None:
    try:
        return url.media_type
    except (ValueError, RuntimeError):
        return None


def _read_result(value: object) -> ToolReturnPart | RetryPromptPart | None:
    result = camel(value) if isinstance(value, dict) else {}
    name, response, call_id = result.get("name"), result.get("response", {}), text_of(result, "id")
    if not isinstance(name, str) or not isinstance(response, dict):
        return None
    beside = _beside(result)
    reason = _read_error(response)
    if reason is not None and not beside:
        return RetryPromptPart(reason, tool_name=name, tool_call_id=call_id, timestamp=NO_TIMESTAMP)
    content = response["return_value"] if response.keys() == {"return_value"} else response
    if beside:
        content = [*([content] if response else []), *beside]
    return ToolReturnPart(name, content, call_id, timestamp=NO_TIMESTAMP)


def _read_error(response: Fields) -> str | None:
    text = response.get("call_error", response.get("error")) if len(response) == 1 else None
    if not isinstance(text, str):
        return None
    reason = retry_reason(text)
    return text if reason is None else reason


def _beside(result: Fields) -> list[BinaryContent | UnknownPart]:
    """Return the files of a result, and its fields that have no place elsewhere."""
    parts = result.get("parts")
    files = parts if isinstance(parts, list) else []
    rest = {key: value for key, value in result.items() if key not in ("name", "response", "id", "parts")}
    return [*(_read_result_file(file) for file in files), *([UnknownPart(rest)] if rest else [])]


def _read_result_file(file: object) -> BinaryContent | UnknownPart:
    fields = camel(file) if isinstance(file, dict) else {}
    content = _read_blob(fields["inlineData"]) if fields.keys() == {"inlineData"} else None
    return UnknownPart(file) if content is None else content


# --- writing ----------------------------------------------------------------------------------------------------------


def write_user_part(part: ModelRequestPart, *, with_ids: bool) -> list[Fields]:
    """Return the parts that a part of a request is written as; a system prompt is written elsewhere."""
    match part:
        case UserPromptPart():
            said = [part.content] if isinstance(part.content, str) else part.content
            return [_write_user_content(item) for item in said]
        case ToolReturnPart():
            return [_write_result(part, _write_return(part), with_ids=with_ids)]
        case RetryPromptPart(tool_name=None):
            return [{"text": part.model_response()}]
        case RetryPromptPart():
            return [_write_result(part, {"response": {"call_error": part.model_response()}}, with_ids=with_ids)]
        case UnknownPart():
            return [part.raw] if isinstance(part.raw, dict) else []
    return []


def _write_result(part: ToolReturnPart | RetryPromptPart, result: Fields, *, with_ids: bool) -> Fields:
    call_id = {"id": part.tool_call_id} if with_ids and part.tool_call_id is not None else {}
    return {"functionResponse": {"name": part.tool_name, **result, **call_id}}


def _write_return(part: ToolReturnPart) -> Fields:
    content = part.content
    if not isinstance(content, list) or not any(isinstance(item, BinaryContent | UnknownPart) for item in content):
        return {"response": part.model_response_object()}
    values = [item for item in content if not isinstance(item, BinaryContent | UnknownPart)]
    value = ToolReturnPart(part.tool_name, values[0] if len(values) == 1 else values)
    written: Fields = {"response": value.model_response_object() if values else {}}
    for item in content:
        file = _write_result_file(item)
        if file is not None:
            written.setdefault("parts", []).append(file)
        elif isinstance(item, UnknownPart) and isinstance(item.raw, dict):
            written |= item.raw
    return written


def _write_result_file(item: object) -> Fields | None:
    if isinstance(item, BinaryContent):
        return {"inlineData": _write_blob(item)}
    if (
        isinstance(item, UnknownPart)
        and isinstance(item.raw, dict)
        and camel(item.raw).keys() & {"fileData", "inlineData"}
    ):
        return item.raw
    return None


def _write_user_content(item: UserContent | UnknownPart) -> Fields:
    if isinstance(item, str):
        return {"text": item}
    if isinstance(item, BinaryContent):
        return {"inlineData": _write_blob(item)}
    if isinstance(item, UnknownPart):
        return item.raw if isinstance(item.raw, dict) else {}
    media_type = _media_type(item)
    return {"fileData": {"fileUri": item.url, **({} if media_type is None else {"mimeType": media_type})}}


def _write_blob(content: BinaryContent) -> Fields:
    return {"data": base64.b64encode(content.data).decode(), "mimeType": content.media_type}


def write_model_parts(
    parts: Iterable[ModelResponsePart], *, with_ids: bool = True, sign_texts: bool = True
) -> list[Fields]:
    """Return the parts of the model's content.

    ``with_ids`` keeps ids of calls and signatures of thoughts; without ``sign_texts`` a signature before a text is
    written as a part of its own, as streams have it.
    """
    written: list[Fields] = []
    signature: str | None = None
    for part in parts:
        if isinstance(part, ThinkingPart) and not part.content:
            written += _write_signature(signature)
            signature = part.signature if with_ids else None
            continue
        fields = _write_model_part(part, with_ids=with_ids)
        if fields is None:
            continue
        if isinstance(part, ThinkingPart | UnknownPart) or (isinstance(part, TextPart) and not sign_texts):
            written += _write_signature(signature)
        elif signature is not None:
            fields["thoughtSignature"] = signature
        signature = None
        written.append(fields)
    return written + _write_signature(signature)


def _write_signature(signature: str | None) -> list[Fields]:
    return [] if signature is None else [{"text": "", "thoughtSignature": signature}]


def _write_model_part(part: ModelResponsePart, *, with_ids: bool) -> Fields | None:
    match part:
        case TextPart():
            return {"text": part.content} if part.content else None
        case ThinkingPart():
            signed = {"thoughtSignature": part.signature} if with_ids and part.signature else {}
            return {"text": part.content, "thought": True, **signed}
        case ToolCallPart():
            call = {"name": part.tool_name, "args": part.args_as_dict()}
            return {"functionCall": call | _id(part.tool_call_id if with_ids else None)}
        case NativeToolCallPart():
            return _write_native_call(part)
        case NativeToolReturnPart():
            return _write_native_return(part)
        case FilePart():
            return {"inlineData": _write_blob(part.content)}
        case UnknownPart():
            return dict(part.raw) if isinstance(part.raw, dict) else None


def _write_native_call(part: NativeToolCallPart) -> Fields:
    args = part.args_as_dict()
    if part.tool_name == _CODE_EXECUTION:
        return {"executableCode": args | _id(part.tool_call_id)}
    return {"toolCall": {"toolType": _tool_type(part.tool_name), "args": args} | _id(part.tool_call_id)}


def _write_native_return(part: NativeToolReturnPart) -> Fields:
    content: Any = part.content
    if part.tool_name == _CODE_EXECUTION and isinstance(content, dict):
        return {"codeExecutionResult": content | _id(part.tool_call_id)}
    return {"toolResponse": {"toolType": _tool_type(part.tool_name), "response": content} | _id(part.tool_call_id)}


def _tool_type(name: str) -> str:
    return _TOOL_TYPES.get(name, name.upper())


def _id(call_id: str | None) -> Fields:
    return {} if call_id is None else {"id": call_id}
