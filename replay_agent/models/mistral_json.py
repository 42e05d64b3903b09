"""Results from models that stream no tool calls: the wanted object is described, and read from the text as it comes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from pydantic_core import from_json

from replay_agent.calls import ToolDefinition
from replay_agent.messages import ModelResponse, ModelResponseStreamEvent, TextPart, ToolCallPart
from replay_agent.models.streaming import HTTPStreamedResponse
from replay_agent.wire.shapes.made_up import made_up_id

__all__ = "JSONStreamedResponse", "fitting_tool", "wanted_objects"

Schema: TypeAlias = Mapping[str, Any]

_TYPE_NAMES = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}
_ID_LENGTH = 9
"""Of the ids that Mistral takes for tool calls."""


def wanted_objects(tools: Sequence[ToolDefinition], prompt: str | None = None) -> str:
    """Return what to tell the model: an object for each tool, with the names of Python's types as values.

    The objects take the place of ``{schema}`` in ``prompt`` if there is one.
    """
    shown = [_shape(tool.parameters_json_schema, _definitions(tool.parameters_json_schema)) for tool in tools]
    wanted = "an object of this form" if len(shown) == 1 else "an object of one of these forms"
    forms = "\n".join(json.dumps(form) for form in shown)
    if prompt is not None:
        return prompt.replace("{schema}", forms)
    return f"Answer with JSON alone, {wanted}:\n```\n{forms}\n```"


def _definitions(schema: Schema) -> Schema:
    definitions: Schema = schema.get("$defs", {})
    return definitions


def _shape(schema: Schema, definitions: Schema, within: tuple[str, ...] = ()) -> Any:
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        return name if name in within else _shape(definitions.get(name, {}), definitions, (*within, name))
    if "anyOf" in schema:
        return " | ".join(str(_shape(member, definitions, within)) for member in schema["anyOf"])
    kind = schema.get("type")
    if kind == "object" and "properties" in schema:
        return {name: _shape(value, definitions, within) for name, value in schema["properties"].items()}
    if kind == "object":
        values = schema.get("additionalProperties")
        return f"dict[str, {_shape(values if isinstance(values, dict) else {}, definitions, within)}]"
    if kind == "array":
        return f"list[{_shape(schema.get('items') or {}, definitions, within)}]"
    return _TYPE_NAMES.get(str(kind), "Any")


def fitting_tool(value: object, tools: Sequence[ToolDefinition]) -> ToolDefinition | None:
    """Return the first tool whose required arguments a value has, each of its type; None if there is none."""
    if not isinstance(value, dict):
        return None
    return next((tool for tool in tools if _fits(value, tool.parameters_json_schema)), None)


def _fits(value: Mapping[str, Any], schema: Schema) -> bool:
    properties: Schema = schema.get("properties", {})
    return all(
        name in value and _has_type(value[name], properties.get(name, {})) for name in schema.get("required", ())
    )


def _has_type(value: object, schema: Schema) -> bool:
    types = _TYPES.get(str(schema.get("type")))
    if types is None or isinstance(value, bool):
        return types is None or bool in types
    return isinstance(value, types)


@dataclass
class JSONStreamedResponse(HTTPStreamedResponse):
    """A text under way that becomes a call of a result tool as soon as it fits one, and stays text if it never does."""

    _tools: Sequence[ToolDefinition]

    async def _next_events(self) -> list[ModelResponseStreamEvent]:
        await super()._next_events()
        response = super().get()
        text = "".join(part.content for part in response.parts if isinstance(part, TextPart))
        events = self._call_events(text, response)
        if self._at_end and text and not self._parts.parts():
            return self._parts.text(None, text)
        return events

    def _call_events(self, text: str, response: ModelResponse) -> list[ModelResponseStreamEvent]:
        try:
            args = from_json(text, allow_partial="trailing-strings")
        except ValueError:
            return []
        tool = fitting_tool(args, self._tools)
        if tool is None:
            return []
        call_id = made_up_id("", response.provider_response_id or "")[:_ID_LENGTH]
        call = ToolCallPart(tool.name, args, call_id)
        return [] if call == self._parts.part("result") else self._parts.whole(call, "result")

    def get(self) -> ModelResponse:
        return replace(super().get(), parts=self._parts.parts())
