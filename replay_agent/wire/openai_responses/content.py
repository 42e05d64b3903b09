"""Items of OpenAI's Responses API, as parts of a conversation and back.

Source: https://platform.openai.com/docs/api-reference/responses and the item types of the provider's own Python SDK.
A call of a tool that the provider runs is one item with its result; a conversation has a part for each.
"""

from __future__ import annotations

import base64
from bisect import bisect
from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any, TypeAlias

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
from replay_agent.wire.shapes.call_ids import CallIds
from replay_agent.wire.shapes.data_url import decode_base64, read_data_url, write_data_url
from replay_agent.wire.shapes.json_text import Fields, read_json, write_text
from replay_agent.wire.shapes.made_up import made_up_id

__all__ = "SEARCH_TOOL", "ItemReader", "Piece", "write_items"

_FORMAT = "openai_responses"
SEARCH_TOOL = "search_tools"
"""What a tool search is called that the client executes: the item has no name for it."""
_MCP = "mcp_server"

Piece: TypeAlias = tuple[Hashable, ModelResponsePart]
"""A part of an item, under the key that its pieces have in a stream."""
Native: TypeAlias = tuple[str, dict[str, Any], dict[str, Any], list[BinaryContent]]
"""A native tool's name, its arguments, its result, and the files it made."""

# --- read -------------------------------------------------------------------------------------------------------------


class ItemReader:
    """Reads the items of one answer, or of one conversation, in order."""

    def __init__(self) -> None:
        self._searches: dict[str, None] = {}
        self.native_ids: set[str] = set()
        """Ids of calls that the provider runs."""

    def read(self, item: object) -> list[Piece]:
        """Return the parts of an item; one that is not understood is an unknown part."""
        if not isinstance(item, dict):
            return [("item", UnknownPart(item))]
        kind = _kind(item)
        reader = _READERS.get(kind) if isinstance(kind, str) else None
        if kind == "tool_search_call" and item.get("execution") != "client":
            reader = self._search
        if kind == "tool_search_output":
            reader = self._search_output
        if isinstance(kind, str) and kind.endswith("_call_output") and _text(item, "call_id") in self.native_ids:
            reader = _read_native_output
        pieces = reader(item) if reader else None
        if pieces is None:
            return [("item", UnknownPart(item))]
        self.native_ids |= {
            part.tool_call_id for _, part in pieces if isinstance(part, NativeToolCallPart) and part.tool_call_id
        }
        return pieces

    def _search(self, item: Fields) -> list[Piece] | None:
        call_id = _text(item, "call_id") or _text(item, "id")
        if not _text(item, "call_id") and call_id:
            self._searches[call_id] = None
        args = item.get("arguments")
        if not isinstance(args, dict):
            return None
        if isinstance(args.get("paths"), list) and len(args) == 1:
            args = {"queries": args["paths"]}
        return [("call", NativeToolCallPart("tool_search", args, call_id))]

    def _search_output(self, item: Fields) -> list[Piece]:
        """Read what a search found. Searches without a call id get their results in order."""
        call_id = _text(item, "call_id")
        if call_id is None:
            call_id = next(iter(self._searches), _text(item, "id"))
        self._searches.pop(call_id or "", None)
        content = {key: item[key] for key in ("status", "tools") if key in item}
        return [("return", NativeToolReturnPart("tool_search", content, call_id))]


def _kind(item: Fields) -> object:
    return item.get("type") or ("message" if "role" in item else None)


def _text(item: Fields, key: str) -> str | None:
    value = item.get(key)
    return value if isinstance(value, str) else None


def _read_message(item: Fields) -> list[Piece] | None:
    content = item.get("content")
    if isinstance(content, str):
        return [(("text", 0), TextPart(content))]
    if not isinstance(content, list):
        return None
    pieces = [(("text", index), _read_content(piece)) for index, piece in enumerate(content)]
    return [(key, part) for key, part in pieces if not isinstance(part, TextPart) or part.content]


def _read_content(piece: object) -> ModelResponsePart:
    if isinstance(piece, dict) and piece.get("type") == "output_text" and isinstance(piece.get("text"), str | None):
        return TextPart(piece.get("text") or "")
    return UnknownPart(piece)


def _read_reasoning(item: Fields) -> list[Piece] | None:
    # The summary is what the provider wants to be shown; models without one show their reasoning itself.
    kind = "summary" if _texts(item.get("summary")) else "content"
    texts: list[tuple[Hashable, str]] = [((kind, index), text) for index, text in enumerate(_texts(item.get(kind)))]
    signature, item_id = _text(item, "encrypted_content"), _text(item, "id")
    first, *others = texts or [("hidden", "")]
    return [
        (first[0], ThinkingPart(first[1], signature, item_id)),
        *((key, ThinkingPart(text, None, item_id)) for key, text in others),
    ]


def _texts(pieces: object) -> list[str]:
    if not isinstance(pieces, list):
        return []
    return [piece["text"] for piece in pieces if isinstance(piece, dict) and isinstance(piece.get("text"), str)]


def _read_function_call(item: Fields) -> list[Piece] | None:
    name, args, call_id = item.get("name"), item.get("arguments") or "", item.get("call_id")
    if not isinstance(name, str) or not isinstance(args, str | dict) or not isinstance(call_id, str | None):
        return None
    return [("call", ToolCallPart(name, args, call_id))]


def _read_custom_call(item: Fields) -> list[Piece] | None:
    name, text = item.get("name"), item.get("input")
    if not isinstance(name, str) or not isinstance(text, str):
        return None
    return [("call", ToolCallPart(name, write_text({"input": text}), _text(item, "call_id")))]


def _read_client_search(item: Fields) -> list[Piece] | None:
    args = item.get("arguments")
    text = args if isinstance(args, str) else write_text(args)
    return [("call", ToolCallPart(SEARCH_TOOL, text, _text(item, "call_id") or _text(item, "id")))]


def _read_client_call(item: Fields) -> list[Piece] | None:
    """Read a call that the client executes with its own machine: a computer, a shell, a patch."""
    name, call_id = _wire_tool(item), _text(item, "call_id") or _text(item, "id")
    args = {key: value for key, value in item.items() if key not in ("type", "id", "call_id", "status")}
    # A shell in a container of the provider is run there.
    if isinstance(args.get("environment"), dict) and str(args["environment"].get("type")).startswith("container"):
        return [("call", NativeToolCallPart(name, args, call_id))]
    return [("call", ToolCallPart(name, write_text(args), call_id))]


def _wire_tool(item: Fields) -> str:
    kind: str = item["type"]
    return kind.removesuffix("_output").removesuffix("_call")


def _read_native_output(item: Fields) -> list[Piece] | None:
    content = {key: value for key, value in item.items() if key not in ("type", "id", "call_id")}
    return [("return", NativeToolReturnPart(_wire_tool(item), content, _text(item, "call_id")))]


def _native(read: Callable[[Fields], Native | None]) -> Callable[[Fields], list[Piece] | None]:
    def reader(item: Fields) -> list[Piece] | None:
        native = read(item)
        if native is None:
            return None
        name, args, result, files = native
        call_id = _text(item, "id")
        return [
            ("call", NativeToolCallPart(name, args, call_id)),
            *((("file", index), FilePart(file)) for index, file in enumerate(files)),
            ("return", NativeToolReturnPart(name, result, call_id)),
        ]

    return reader


def _read_web_search(item: Fields) -> Native | None:
    action = item.get("action")
    action = action if isinstance(action, dict) else {}
    args = {key: value for key, value in action.items() if key != "sources" and value is not None}
    result = {"status": item.get("status")}
    return "web_search", args, result | _present(action, "sources"), []


def _read_file_search(item: Fields) -> Native | None:
    return (
        "file_search",
        {"queries": item.get("queries")},
        {"status": item.get("status")} | _present(item, "results"),
        [],
    )


def _read_code(item: Fields) -> Native | None:
    outputs = item.get("outputs")
    logs, others, files = [], [], []
    for output in outputs if isinstance(outputs, list) else ():
        file = read_data_url(output.get("url")) if isinstance(output, dict) else None
        if file is not None:
            files.append(file)
        elif isinstance(output, dict) and output.get("type") == "logs" and isinstance(output.get("logs"), str):
            logs.append(output["logs"])
        else:
            others.append(output)
    result = {"status": item.get("status")} | ({"logs": logs} if logs else {}) | ({"outputs": others} if others else {})
    return "code_execution", {"container_id": item.get("container_id"), "code": item.get("code") or ""}, result, files


def _read_image(item: Fields) -> Native | None:
    result = {key: value for key, value in item.items() if key not in ("type", "id", "result") and value is not None}
    data = decode_base64(item.get("result")) if item.get("result") else None
    if data is None:
        return "image_generation", {}, result, []
    # A stream leaves the status at "generating" though the image is there.
    file = BinaryContent(data, f"image/{_text(item, 'output_format') or 'png'}")
    return "image_generation", {}, result | {"status": "completed"}, [file]


def _read_mcp_tools(item: Fields) -> Native | None:
    result = {"tools": item.get("tools"), "error": item.get("error")}
    return f"{_MCP}:{item.get('server_label')}", {"action": "list_tools"}, result, []


def _read_mcp_call(item: Fields) -> Native | None:
    args = {"action": "call_tool", "tool_name": item.get("name"), "tool_args": _parsed(item.get("arguments"))}
    return f"{_MCP}:{item.get('server_label')}", args, {"output": item.get("output"), "error": item.get("error")}, []


def _parsed(args: object) -> object:
    if not isinstance(args, str):
        return args
    try:
        return read_json(args or "{}", _FORMAT)
    except WireError:
        return args


def _present(item: Fields, key: str) -> Fields:
    return {key: item[key]} if item.get(key) is not None else {}


_READERS: dict[str, Callable[[Fields], list[Piece] | None]] = {
    "message": _read_message,
    "reasoning": _read_reasoning,
    "function_call": _read_function_call,
    "custom_tool_call": _read_custom_call,
    "tool_search_call": _read_client_search,
    **dict.fromkeys(("computer_call", "local_shell_call", "shell_call", "apply_patch_call"), _read_client_call),
    "web_search_call": _native(_read_web_search),
    "file_search_call": _native(_read_file_search),
    "code_interpreter_call": _native(_read_code),
    "image_generation_call": _native(_read_image),
    "mcp_list_tools": _native(_read_mcp_tools),
    "mcp_call": _native(_read_mcp_call),
}

# --- written ----------------------------------------------------------------------------------------------------------


def write_items(parts: Sequence[ModelResponsePart], ids: CallIds, *, answering: bool) -> list[Any]:
    """Write the parts of a response as items: those of an answer, with ids and status, or those of a history."""
    return list(_ItemWriter(parts, ids, answering=answering).items())


class _ItemWriter:
    def __init__(self, parts: Sequence[ModelResponsePart], ids: CallIds, *, answering: bool) -> None:
        self._parts = parts
        self._ids = ids
        self._answering = answering
        self._taken: set[int] = set()
        self._files = [index for index, part in enumerate(parts) if isinstance(part, FilePart)]
        self._results: defaultdict[tuple[str, str | None], deque[int]] = defaultdict(deque)
        for index, part in enumerate(parts):
            if isinstance(part, NativeToolReturnPart):
                self._results[part.tool_name, part.tool_call_id].append(index)

    def items(self) -> Iterator[Any]:
        for index, part in enumerate(self._parts):
            if index not in self._taken:
                yield self._item(index, part)

    def _item(self, index: int, part: ModelResponsePart) -> Any:
        match part:
            case TextPart():
                return self._message(index, _written_text(part))
            case ThinkingPart():
                return self._reasoning(index, part)
            case ToolCallPart():
                return self._function_call(index, part)
            case NativeToolCallPart():
                return self._native(index, part)
            case NativeToolReturnPart():
                return _written_output(part)
            case FilePart():
                item_id = made_up_id("ig_", index, base64.b64encode(part.content.data).decode())
                return _write_image({"id": item_id}, {}, {}, [part.content])
            case UnknownPart():
                return self._unknown(index, part)

    def _message(self, index: int, content: Fields) -> Fields:
        if self._answering:
            item_id = made_up_id("msg_", index, content)
            return {"id": item_id, "type": "message", "status": "completed", "role": "assistant", "content": [content]}
        if isinstance(content.get("text"), str):
            return {"role": "assistant", "content": content["text"]}
        return {"type": "message", "role": "assistant", "content": [content]}

    def _reasoning(self, index: int, part: ThinkingPart) -> Fields:
        group = [part]
        # Thoughts of one id were the summaries of one item.
        for place in range(index + 1, len(self._parts)):
            following = self._parts[place]
            if not isinstance(following, ThinkingPart) or part.id is None or following.id != part.id:
                break
            self._taken.add(place)
            group.append(following)
        texts = [thought.content for thought in group] if len(group) > 1 or part.content else []
        summary = [{"type": "summary_text", "text": text} for text in texts]
        item_id = part.id or (made_up_id("rs_", index, summary) if self._answering else None)
        signature = next((thought.signature for thought in group if thought.signature is not None), None)
        return {
            **({} if item_id is None else {"id": item_id}),
            "type": "reasoning",
            "summary": summary,
            **({} if signature is None else {"encrypted_content": signature}),
        }

    def _function_call(self, index: int, part: ToolCallPart) -> Fields:
        call_id, args = self._ids.of_call(part), part.args_as_json_str()
        item = {"type": "function_call", "call_id": call_id, "name": part.tool_name, "arguments": args}
        if not self._answering:
            return item
        return {"id": made_up_id("fc_", index, call_id, part.tool_name, args), **item, "status": "completed"}

    def _native(self, index: int, part: NativeToolCallPart) -> Fields:
        args = part.args if isinstance(part.args, dict) else {"input": part.args}
        base = {"id": part.tool_call_id or made_up_id("nt_", index, part.tool_name, args)}
        if part.tool_name == "tool_search":
            return _write_search(base, args)
        if part.tool_name == "shell" and "action" in args:
            return {"type": "shell_call", "call_id": base["id"], "status": "completed", **args}
        files, result = self._result_of(index, part)
        name = _MCP if part.tool_name.startswith(f"{_MCP}:") else part.tool_name
        writer = _NATIVE_WRITERS.get(name)
        if writer is not None:
            return writer(base | {"server_label": part.tool_name.removeprefix(f"{_MCP}:")}, args, result, files)
        return {"type": f"{part.tool_name}_call", **base, "status": "completed", "arguments": args, "output": result}

    def _result_of(self, index: int, call: NativeToolCallPart) -> tuple[list[BinaryContent], Any]:
        """Find the result of a native call among the parts that follow, and the files between the two."""
        places = self._results[call.tool_name, call.tool_call_id]
        while places and places[0] < index:
            places.popleft()
        if not places:
            return [], {}
        place = places.popleft()
        self._taken.add(place)
        result = self._parts[place]
        assert isinstance(result, NativeToolReturnPart)
        return self._files_between(index, place) if call.tool_name in _MAKING_FILES else [], result.content

    def _files_between(self, start: int, end: int) -> list[BinaryContent]:
        first, last = bisect(self._files, start), bisect(self._files, end)
        places = self._files[first:last]
        del self._files[first:last]
        self._taken.update(places)
        return [part.content for part in (self._parts[place] for place in places) if isinstance(part, FilePart)]

    def _unknown(self, index: int, part: UnknownPart) -> Any:
        kind = part.raw.get("type") if isinstance(part.raw, dict) else None
        is_content = isinstance(kind, str) and (kind == "refusal" or kind.startswith("output_"))
        return self._message(index, part.raw) if is_content else part.raw


def _written_text(part: TextPart) -> Fields:
    return {"type": "output_text", "text": part.content, "annotations": [], "logprobs": []}


def _write_search(base: Fields, args: Fields) -> Fields:
    queries = args.get("queries")
    return {
        "type": "tool_search_call",
        **base,
        "call_id": base["id"],
        "execution": "server",
        "status": "completed",
        "arguments": {"paths": queries} if isinstance(queries, list) and len(args) == 1 else args,
    }


def _written_output(part: NativeToolReturnPart) -> Fields:
    """Write a result that is an item of its own, or has lost its call."""
    content = part.content if isinstance(part.content, dict) else {"output": part.content}
    if part.tool_name == "tool_search":
        base = {"type": "tool_search_output", "id": made_up_id("tso_", part.tool_call_id, content)}
        return {**base, "call_id": part.tool_call_id, "execution": "server", **content}
    return {"type": f"{part.tool_name}_call_output", "call_id": part.tool_call_id, **content}


def _write_web_search(base: Fields, args: Fields, result: Any, _: list[BinaryContent]) -> Fields:
    result = _as_fields(result)
    action = args | _present(result, "sources")
    return {"type": "web_search_call", "id": base["id"], "status": _status(result), "action": action}


def _write_file_search(base: Fields, args: Fields, result: Any, _: list[BinaryContent]) -> Fields:
    result = _as_fields(result)
    item = {"type": "file_search_call", "id": base["id"], "status": _status(result), "queries": args.get("queries")}
    return item | _present(result, "results")


def _write_code(base: Fields, args: Fields, result: Any, files: list[BinaryContent]) -> Fields:
    result = _as_fields(result)
    logs = [{"type": "logs", "logs": text} for text in result.get("logs") or ()]
    images = [{"type": "image", "url": write_data_url(file)} for file in files]
    return {
        "type": "code_interpreter_call",
        "id": base["id"],
        "status": _status(result),
        "container_id": args.get("container_id"),
        "code": args.get("code") or "",
        "outputs": [*logs, *images, *(result.get("outputs") or ())],
    }


def _write_image(base: Fields, _: Fields, result: Any, files: list[BinaryContent]) -> Fields:
    result = _as_fields(result)
    item = {"type": "image_generation_call", "id": base["id"], **result, "status": _status(result), "result": None}
    if files:
        item["result"] = base64.b64encode(files[0].data).decode()
        item["output_format"] = files[0].media_type.removeprefix("image/")
    return item


def _write_mcp(base: Fields, args: Fields, result: Any, _: list[BinaryContent]) -> Fields:
    result = _as_fields(result)
    item = {"id": base["id"], "server_label": base["server_label"]}
    if args.get("action") == "list_tools":
        return {"type": "mcp_list_tools", **item, "tools": result.get("tools"), "error": result.get("error")}
    text = args["tool_args"] if isinstance(args.get("tool_args"), str) else write_text(args.get("tool_args"))
    called = {"name": args.get("tool_name"), "arguments": text}
    return {"type": "mcp_call", **item, **called, "output": result.get("output"), "error": result.get("error")}


def _as_fields(result: Any) -> Fields:
    return result if isinstance(result, dict) else {"output": result}


def _status(result: Fields) -> Any:
    return result.get("status") or "completed"


_NATIVE_WRITERS: dict[str, Callable[[Fields, Fields, Any, list[BinaryContent]], Fields]] = {
    "web_search": _write_web_search,
    "file_search": _write_file_search,
    "code_execution": _write_code,
    "image_generation": _write_image,
    _MCP: _write_mcp,
}
_MAKING_FILES = ("code_execution", "image_generation")
