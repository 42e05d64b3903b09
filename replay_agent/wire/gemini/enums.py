"""Enumerations as numbers, which Google sends for ``$alt=json;enum-encoding=int``: numbers to words.

Source: the protobuf definitions of ``google.cloud.aiplatform.v1`` and ``google.ai.generativelanguage.v1beta``, which
number finish reasons, harms and blocks differently. A number without a word stays as it came.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from replay_agent.wire.gemini.content import camel
from replay_agent.wire.shapes.json_text import Fields

__all__ = "STUDIO", "Enums", "enums_of", "rated", "spelled", "spelled_part", "spelled_schema"

STUDIO = "generativelanguage"
"""The dialect of AI Studio; any other numbers as Vertex AI does."""


def _numbered(prefix: str, *words: str) -> dict[int, str]:
    return {number: prefix + word for number, word in enumerate(words)}


_HARMS = "HARM_CATEGORY_"
_LEVELS = ("NEGLIGIBLE", "LOW", "MEDIUM", "HIGH")
_SAFETY: dict[str, Mapping[int, str]] = {
    "probability": _numbered("", "HARM_PROBABILITY_UNSPECIFIED", *_LEVELS),
    "severity": _numbered("HARM_SEVERITY_", "UNSPECIFIED", *_LEVELS),
    "threshold": _numbered(
        "",
        "HARM_BLOCK_THRESHOLD_UNSPECIFIED",
        "BLOCK_LOW_AND_ABOVE",
        "BLOCK_MEDIUM_AND_ABOVE",
        "BLOCK_ONLY_HIGH",
        "BLOCK_NONE",
        "OFF",
    ),
    "method": _numbered("", "HARM_BLOCK_METHOD_UNSPECIFIED", "SEVERITY", "PROBABILITY"),
}
_MODALITY = _numbered("", "MODALITY_UNSPECIFIED", "TEXT", "IMAGE", "VIDEO", "AUDIO", "DOCUMENT")
_COMMON: dict[str, Mapping[int, str]] = {
    **_SAFETY,
    "mode": _numbered("", "MODE_UNSPECIFIED", "AUTO", "ANY", "NONE", "VALIDATED"),
    "modality": _MODALITY,
    "language": _numbered("", "LANGUAGE_UNSPECIFIED", "PYTHON"),
    "outcome": _numbered("OUTCOME_", "UNSPECIFIED", "OK", "FAILED", "DEADLINE_EXCEEDED"),
    "type": _numbered("", "TYPE_UNSPECIFIED", "STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT", "NULL"),
    "urlRetrievalStatus": _numbered("URL_RETRIEVAL_STATUS_", "UNSPECIFIED", "SUCCESS", "ERROR"),
}
_VERTEX: dict[str, Mapping[int, str]] = {
    **_COMMON,
    "finishReason": _numbered(
        "",
        "FINISH_REASON_UNSPECIFIED",
        "STOP",
        "MAX_TOKENS",
        "SAFETY",
        "RECITATION",
        "OTHER",
        "BLOCKLIST",
        "PROHIBITED_CONTENT",
        "SPII",
        "MALFORMED_FUNCTION_CALL",
        "MODEL_ARMOR",
        "IMAGE_SAFETY",
        "IMAGE_PROHIBITED_CONTENT",
        "IMAGE_RECITATION",
        "IMAGE_OTHER",
        "UNEXPECTED_TOOL_CALL",
        "NO_IMAGE",
    ),
    "blockReason": _numbered(
        "",
        "BLOCKED_REASON_UNSPECIFIED",
        "SAFETY",
        "OTHER",
        "BLOCKLIST",
        "PROHIBITED_CONTENT",
        "MODEL_ARMOR",
        "IMAGE_SAFETY",
        "JAILBREAK",
    ),
    "category": _numbered(
        _HARMS,
        "UNSPECIFIED",
        "HATE_SPEECH",
        "DANGEROUS_CONTENT",
        "HARASSMENT",
        "SEXUALLY_EXPLICIT",
        "CIVIC_INTEGRITY",
        "JAILBREAK",
    ),
}
_AI_STUDIO: dict[str, Mapping[int, str]] = {
    **_COMMON,
    "finishReason": _numbered(
        "",
        "FINISH_REASON_UNSPECIFIED",
        "STOP",
        "MAX_TOKENS",
        "SAFETY",
        "RECITATION",
        "OTHER",
        "LANGUAGE",
        "BLOCKLIST",
        "PROHIBITED_CONTENT",
        "SPII",
        "MALFORMED_FUNCTION_CALL",
        "IMAGE_SAFETY",
        "UNEXPECTED_TOOL_CALL",
        "TOO_MANY_TOOL_CALLS",
    ),
    "blockReason": _numbered(
        "", "BLOCK_REASON_UNSPECIFIED", "SAFETY", "OTHER", "BLOCKLIST", "PROHIBITED_CONTENT", "IMAGE_SAFETY"
    ),
    "category": _numbered(
        _HARMS,
        "UNSPECIFIED",
        "DEROGATORY",
        "TOXICITY",
        "VIOLENCE",
        "SEXUAL",
        "MEDICAL",
        "DANGEROUS",
        "HARASSMENT",
        "HATE_SPEECH",
        "SEXUALLY_EXPLICIT",
        "DANGEROUS_CONTENT",
        "CIVIC_INTEGRITY",
    ),
}

Enums = Mapping[str, Mapping[int, str]]


def enums_of(dialect: str | None) -> Enums:
    """Return the words of a service's numbers, by the names of the fields that hold them."""
    return _AI_STUDIO if dialect == STUDIO else _VERTEX


def spelled(fields: Fields, names: Sequence[str], enums: Enums) -> Fields:
    """Return an object with the numbers under some of its names as words; the object itself where there are none."""
    words = {name: word for name in names if (word := _word(fields.get(name), enums[name])) is not None}
    return {**fields, **words} if words else fields


def _word(value: object, words: Mapping[int, str]) -> str | None:
    return words.get(value) if isinstance(value, int) and not isinstance(value, bool) else None


def rated(ratings: Any, enums: Enums) -> Any:
    """Return settings or ratings of safety in words; anything but a list as it came."""
    if not isinstance(ratings, list):
        return ratings
    names = ("category", "probability", "severity", "threshold", "method")
    return [spelled(one, names, enums) if isinstance(one, dict) else one for one in ratings]


def spelled_part(raw: object, enums: Enums) -> object:
    """Return a part of a content with words for the language of executed code, and for how it ended."""
    part = camel(raw) if isinstance(raw, dict) else {}
    for key, name in (("executableCode", "language"), ("codeExecutionResult", "outcome")):
        value = part.get(key)
        if isinstance(value, dict) and (said := spelled(value, (name,), enums)) is not value:
            return part | {key: said}
    return raw


def spelled_schema(schema: Any, enums: Enums) -> Any:
    """Return a schema with the types of all its parts as words, the schema itself where they are."""
    if not isinstance(schema, dict):
        return schema
    changed = spelled(schema, ("type",), enums)
    for name, value in schema.items():
        inner = _spelled_within(name, value, enums)
        if inner is not value:
            changed = changed | {name: inner}
    return changed


def _spelled_within(name: str, value: Any, enums: Enums) -> Any:
    if name in ("items", "additionalProperties", "additional_properties"):
        return spelled_schema(value, enums)
    if name == "properties" and isinstance(value, dict):
        inner = {key: spelled_schema(each, enums) for key, each in value.items()}
        return inner if any(inner[key] is not value[key] for key in value) else value
    if name in ("anyOf", "any_of", "prefixItems", "prefix_items") and isinstance(value, list):
        members = [spelled_schema(each, enums) for each in value]
        return members if any(one is not other for one, other in zip(members, value, strict=True)) else value
    return value
