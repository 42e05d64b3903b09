"""JSON schemas in the subset of OpenAPI that Gemini takes for the parameters of a function."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from replay_agent.exceptions import UserError

__all__ = ("simplified",)

Schema: TypeAlias = dict[str, Any]

_NULL = {"type": "null"}
_LEFT_OUT = ("title", "default", "$defs")


def simplified(schema: Mapping[str, Any]) -> Schema:
    """Return the schema without references, titles, defaults and formats.

    Raises `UserError` for what Gemini cannot be told: a schema that refers to itself, free additional properties.
    """
    return _Simplifier(schema.get("$defs", {})).simple(schema, ())


class _Simplifier:
    def __init__(self, definitions: Mapping[str, Any]) -> None:
        self._definitions = definitions

    def simple(self, schema: Mapping[str, Any], inside: tuple[str, ...]) -> Schema:
        found = {key: value for key, value in schema.items() if key not in _LEFT_OUT}
        if "$ref" in found:
            return self._referred(found, inside)
        if "anyOf" in found:
            found["anyOf"] = [self.simple(member, inside) for member in found["anyOf"]]
            if (wanted := _optional(found["anyOf"])) is not None:
                del found["anyOf"]
                return {**wanted, **found, "nullable": True}
        if "const" in found:
            found["enum"] = [found.pop("const")]
        return self._typed(found, inside)

    def _referred(self, schema: Schema, inside: tuple[str, ...]) -> Schema:
        name = schema.pop("$ref").removeprefix("#/$defs/")
        if name in inside:
            raise UserError("Recursive `$ref`s in JSON Schema are not supported by Gemini")
        return {**self.simple(self._definitions[name], (*inside, name)), **schema}

    def _typed(self, schema: Schema, inside: tuple[str, ...]) -> Schema:
        kind = schema.get("type")
        if kind == "object":
            if schema.pop("additionalProperties", None):
                raise UserError("Additional properties in JSON Schema are not supported by Gemini")
            if schema.get("properties"):
                schema["properties"] = {
                    name: self.simple(value, inside) for name, value in schema["properties"].items()
                }
        elif kind == "array":
            if schema.get("prefixItems"):
                schema["prefixItems"] = [self.simple(item, inside) for item in schema["prefixItems"]]
            if schema.get("items"):
                schema["items"] = self.simple(schema["items"], inside)
        elif kind == "string" and "format" in schema:
            _tell_format(schema, schema.pop("format"))
        return schema


def _optional(members: list[Schema]) -> Schema | None:
    wanted = [member for member in members if member != _NULL]
    return wanted[0] if len(members) == 2 and len(wanted) == 1 else None


def _tell_format(schema: Schema, format: str) -> None:
    description = schema.get("description")
    schema["description"] = f"{description} (format: {format})" if description else f"Format: {format}"
