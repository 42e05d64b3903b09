"""Where tool-call ids stand in a request body, in any provider's format.

The places, by provider's reference: OpenAI chat completions ``tool_calls[].id`` and ``tool_call_id`` of a tool message
(Mistral, Groq, Cohere v2 alike); OpenAI Responses ``call_id`` of call and output items; Anthropic ``id`` of ``tool_use``
blocks and ``tool_use_id`` of result blocks; Gemini ``functionCall.id`` and ``functionResponse.id``; Bedrock Converse
``toolUseId`` of ``toolUse`` and ``toolResult``. A field of such a name inside a call's own arguments or a tool's schema
is the user's data and no id.
"""

from __future__ import annotations

from typing import Any

__all__ = "id_field", "is_data", "may_hold_ids"

_NEEDLES = (b'"id"', b"call_id", b"use_id", b"UseId", b"allId")
_FUNCTIONS = frozenset(
    {"functionCall", "functionResponse", "function_call", "function_response", "toolCall", "toolResponse"}
)
_FIELD_UNDER = {
    "tool_calls": "id",
    "toolCalls": "id",
    "toolUse": "toolUseId",
    "toolResult": "toolUseId",
    **dict.fromkeys(_FUNCTIONS, "id"),
}
"""By the name under which an object stands, itself or as an element of a list."""
_DATA = frozenset(
    {
        "arguments",
        "args",
        "functionDeclarations",
        "function_declarations",
        "inputSchema",
        "input_schema",
        "json",
        "metadata",
        "parameters",
        "parametersJsonSchema",
        "schema",
        "tools",
    }
)


def may_hold_ids(body: bytes) -> bool:
    """Tell, by a fast look at the JSON text, whether there may be a tool-call id at all."""
    return any(needle in body for needle in _NEEDLES)


def id_field(value: dict[str, Any], under: str) -> str | None:
    """Return the name of the member that holds a tool-call id, for an object that stands under the name ``under``."""
    name = _FIELD_UNDER.get(under) or _field_by_type(value)
    return name if name is not None and type(value.get(name)) is str else None


def _field_by_type(value: dict[str, Any]) -> str | None:
    kind = value.get("type")
    if type(kind) is str:
        if kind.endswith("tool_use"):
            return "id"
        if kind.endswith("tool_result"):
            return "tool_use_id"
        if kind.endswith(("_call", "_output")):
            return "call_id"
    elif "role" not in value:
        return None
    return "tool_call_id" if "tool_call_id" in value else "toolCallId"


def is_data(value: dict[str, Any], under: str, name: str) -> bool:
    """Tell whether a member holds what a user or a tool made: arguments, results, schemas."""
    if name in _DATA:
        return True
    if name == "input":
        kind = value.get("type")
        return under == "toolUse" or (type(kind) is str and kind.endswith(("tool_use", "_call")))
    return name == "response" and under in _FUNCTIONS
