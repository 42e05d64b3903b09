"""JSON schemas as Gemini's ``parameters`` take them: a part of OpenAPI 3.0 without references."""

from __future__ import annotations

import re
from typing import Any

from replay_agent.exceptions import UserError
from replay_agent.wire.shapes.json_text import Fields

__all__ = ("simplified_schema",)

_REFERENCE = re.compile(r"#/\$defs/(.+)")
_DROPPED = ("title", "default", "$defs")
_NULL = {"type": "null"}


def simplified_schema(schema: Fields) -> Fields:
    """Return the schema with references written out and without what Gemini refuses; the given one is untouched.

    Titles and defaults go, a string's format moves into its description, "X or null" becomes a nullable X.
    Raises `UserError` for schemas that refer to themselves and for objects with additional properties.
    """
    definitions = schema.get("$defs")
    simplified: Fields = _simplified(schema, definitions if isinstance(definitions, dict) else {}, ())
    return simplified


def _simplified(schema: Any, definitions: Fields, within: tuple[str, ...]) -> Any:
    if not isinstance(schema, dict):
        return schema
    kept = {key: value for key, value in schema.items() if key not in _DROPPED}
    if isinstance(reference := kept.pop("$ref", None), str):
        return _written_out(reference, kept, definitions, within)
    if kept.pop("additionalProperties", None):
        raise UserError("Additional properties in JSON Schema are not supported by Gemini")
    for key in ("properties", "anyOf", "prefixItems", "items"):
        if key in kept:
            kept[key] = _inside(kept[key], definitions, within, is_mapping=key == "properties")
    return _described(_nullable(kept))


def _inside(value: Any, definitions: Fields, within: tuple[str, ...], *, is_mapping: bool) -> Any:
    if isinstance(value, list):
        return [_simplified(item, definitions, within) for item in value]
    if is_mapping and isinstance(value, dict):
        return {name: _simplified(item, definitions, within) for name, item in value.items()}
    return _simplified(value, definitions, within)


def _written_out(reference: str, beside: Fields, definitions: Fields, within: tuple[str, ...]) -> Fields:
    named = _REFERENCE.fullmatch(reference)
    name = named[1] if named else reference
    if name in within:
        raise UserError(f"Recursive `$ref`s in JSON Schema are not supported by Gemini: {name} refers to itself")
    if not isinstance(definitions.get(name), dict):
        raise UserError(f"The JSON schema refers to {reference}, which it does not define")
    return {**_simplified(definitions[name], definitions, (*within, name)), **beside}


def _nullable(schema: Fields) -> Fields:
    """Turn "X or null" into X that may be null."""
    choices = schema.get("anyOf")
    if not isinstance(choices, list) or len(choices) != 2 or _NULL not in choices:
        return schema
    other = choices[0] if choices[1] == _NULL else choices[1]
    if not isinstance(other, dict):
        return schema
    beside = {key: value for key, value in schema.items() if key != "anyOf"}
    return {**beside, **other, "nullable": True}


def _described(schema: Fields) -> Fields:
    """Move a string's format into its description."""
    if schema.get("type") != "string" or not (name := schema.get("format")):
        return schema
    kept = {key: value for key, value in schema.items() if key != "format"}
    described = schema.get("description")
    return {**kept, "description": f"{described} (format: {name})" if described else f"Format: {name}"}
