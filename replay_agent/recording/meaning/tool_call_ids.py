"""Where tool-call ids stand in the request of a model call; any other field, whatever its name, is data.

The places, by provider's reference: OpenAI chat completions ``messages[].tool_calls[].id`` and ``tool_call_id`` of a
tool message (Mistral, Groq, Ollama, Cohere v2 alike); Anthropic ``messages[].content[]``, ``id`` of ``tool_use`` blocks
and ``tool_use_id`` of result blocks; Bedrock Converse ``messages[].content[]``, ``toolUseId`` of ``toolUse`` and
``toolResult``; OpenAI Responses ``input[]`` (``items[]`` of a stored conversation), ``call_id`` of call and output items;
Gemini ``contents[].parts[]``, ``id`` of ``functionCall`` and ``functionResponse``.

A request is a model call if its path ends as one of the format does and its body has the shape. An id at such a place
may have been made by the client; elsewhere, a ``call_id`` is a thing that is asked for, and another one is another request.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

__all__ = "Places", "id_places", "number_ids"

Places: TypeAlias = Iterator[tuple[dict[str, Any], str]]
"""Objects of a decoded body, each with the name of its member that holds a tool-call id, in the order of the history."""

_NUMBERED = "\0tool call"
"""Stands for the id in the canonical form. No JSON that a client sends has such a name but by intent."""


def id_places(path: str) -> Callable[[Any], Places] | None:
    """Return what finds the ids in a body that was sent to this path; None where no model is called."""
    return next((find for pattern, find in _FAMILIES if pattern.search(path)), None)


def number_ids(places: Places, ids: list[str]) -> None:
    """Replace the ids in place by their index in ``ids``, where new ones are added."""
    known = {each: index for index, each in enumerate(ids)}
    for holder, name in places:
        call_id = holder.pop(name)
        holder[_NUMBERED] = known.setdefault(call_id, len(ids))
        if holder[_NUMBERED] == len(ids):
            ids.append(call_id)


# --- the formats ------------------------------------------------------------------------------------------------------


def _in_messages(body: Any) -> Places:
    for message in _objects(body, "messages"):
        # By its role a message of a model call differs from an e-mail or a log entry in a list of that name.
        if type(message.get("role")) is str:
            kind = type(message.get("content"))
            if kind is list:
                yield from _in_blocks(message)
            elif kind is str and len(message) == 2:
                continue  # as most are: there is no place for an id in it
            yield from _held(message, "tool_call_id", "toolCallId")
            for name in ("tool_calls", "toolCalls"):
                for call in _objects(message, name):
                    yield from _held(call, "id")


def _in_blocks(message: dict[str, Any]) -> Places:
    """The blocks of Anthropic's formats name their type, those of Bedrock's stand under it."""
    for block in _objects(message, "content"):
        kind = block.get("type")
        if type(kind) is str:
            # The endings take in the tools that the provider runs: server_tool_use, web_search_tool_result,
            # mcp_tool_use.
            yield from _held(block, *(["id"] if kind.endswith("tool_use") else []))
            yield from _held(block, *(["tool_use_id"] if kind.endswith("tool_result") else []))
        for name in ("toolUse", "toolResult"):
            yield from _held(block.get(name), "toolUseId")


def _in_batch(body: Any) -> Places:
    """Anthropic's message batches."""
    for request in _objects(body, "requests"):
        yield from _in_messages(request.get("params"))


def _in_items(body: Any) -> Places:
    for list_name in ("input", "items"):
        for item in _objects(body, list_name):
            kind = item.get("type")
            if type(kind) is str and kind.endswith(("_call", "_output")):
                yield from _held(item, "call_id")


# In both spellings of protobuf's JSON, which the API takes alike.
_FUNCTION_PARTS = (
    *("functionCall", "functionResponse", "function_call", "function_response"),
    *("toolCall", "toolResponse", "tool_call", "tool_response"),
)


def _in_contents(body: Any) -> Places:
    """Code Assist wraps the body of a call in ``request``, counting tokens in ``generateContentRequest``."""
    wrapped = [body.get(name) for name in ("request", "generateContentRequest")] if isinstance(body, dict) else []
    for call in (body, *wrapped):
        for content in _objects(call, "contents"):
            for part in _objects(content, "parts"):
                for name in _FUNCTION_PARTS:
                    yield from _held(part.get(name), "id")


def _objects(holder: Any, name: str) -> list[dict[str, Any]]:
    """Return the objects in the list that a member is; nothing where it is no list."""
    values = holder.get(name) if isinstance(holder, dict) else None
    return [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []


def _held(holder: Any, *names: str) -> Sequence[tuple[dict[str, Any], str]]:
    """Return the first of these members that is there, if it is text."""
    if isinstance(holder, dict):
        for name in names:
            if name in holder:
                return ((holder, name),) if type(holder[name]) is str else ()
    return ()


_FAMILIES: tuple[tuple[re.Pattern[str], Callable[[Any], Places]], ...] = (
    # /v1/chat/completions, /v2/chat, /api/chat, /v1/agents/completions
    (re.compile(r"/(?:chat|(?:chat|agents)/completions)/?$", re.IGNORECASE), _in_messages),
    # /v1/messages, /v1/messages/count_tokens, .../models/claude-x:streamRawPredict
    (re.compile(r"/messages(?:/count_tokens)?/?$|:(?:stream)?rawPredict$", re.IGNORECASE), _in_messages),
    # /model/us.amazon.nova-lite-v1%3A0/converse-stream
    (re.compile(r"/model/.+/(?:converse(?:-stream)?|invoke(?:-with-response-stream)?|count-tokens)/?$"), _in_messages),
    (re.compile(r"/messages/batches/?$"), _in_batch),
    # /v1/responses, /v1/responses/input_tokens, /v1/conversations/conv_1/items
    (re.compile(r"/responses(?:/(?:input_tokens|compact))?/?$|/conversations(?:/[^/]+/items)?/?$"), _in_items),
    # /v1beta/models/gemini-3-flash:streamGenerateContent, ...:countTokens
    (re.compile(r":(?:(?:stream)?generateContent|countTokens|computeTokens)$", re.IGNORECASE), _in_contents),
)
"""By how the path ends; see `claims` of the codecs in ``wire/``, which a test holds this table to."""
