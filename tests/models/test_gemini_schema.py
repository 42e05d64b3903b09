from __future__ import annotations

from copy import deepcopy
from datetime import date
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field

from replay_agent.exceptions import UserError
from replay_agent.models.gemini_schema import simplified

POINT = {"type": "object", "title": "Point", "properties": {"x": {"type": "integer", "title": "X", "default": 1}}}
SIMPLE_POINT = {"type": "object", "properties": {"x": {"type": "integer"}}}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string", "title": "T", "default": "d"}, {"type": "string"}),
        (POINT, SIMPLE_POINT),
        ({"$ref": "#/$defs/P", "$defs": {"P": POINT}}, SIMPLE_POINT),
        (
            {"type": "array", "items": {"$ref": "#/$defs/P"}, "$defs": {"P": POINT}},
            {"type": "array", "items": SIMPLE_POINT},
        ),
        (
            {"$ref": "#/$defs/P", "description": "Where.", "$defs": {"P": {**POINT, "description": "A point."}}},
            {**SIMPLE_POINT, "description": "Where."},
        ),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, {"type": "integer", "nullable": True}),
        (
            {"anyOf": [{"type": "null"}, POINT], "title": "P", "description": "Maybe.", "default": None},
            {**SIMPLE_POINT, "description": "Maybe.", "nullable": True},
        ),
        (
            {"anyOf": [{"type": "integer", "title": "I"}, {"type": "string"}]},
            {"anyOf": [{"type": "integer"}, {"type": "string"}]},
        ),
        ({"type": "string", "format": "date"}, {"type": "string", "description": "Format: date"}),
        (
            {"type": "string", "format": "date", "description": "Day."},
            {"type": "string", "description": "Day. (format: date)"},
        ),
        ({"type": "integer", "format": "int32"}, {"type": "integer", "format": "int32"}),
        ({"type": "string", "const": "a"}, {"type": "string", "enum": ["a"]}),
        ({"type": "object", "additionalProperties": False}, {"type": "object"}),
        (
            {"type": "array", "prefixItems": [POINT], "minItems": 1},
            {"type": "array", "prefixItems": [SIMPLE_POINT], "minItems": 1},
        ),
        (
            {"type": "object", "properties": {"title": {"type": "string", "title": "Title"}}, "required": ["title"]},
            {"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]},
        ),
    ],
)
def test_schema_becomes_simple(schema, expected):
    before = deepcopy(schema)
    assert simplified(schema) == expected
    assert schema == before


@pytest.mark.parametrize("additional", [True, {"type": "string"}])
def test_free_properties_are_refused(additional):
    with pytest.raises(UserError, match="Additional properties"):
        simplified({"type": "object", "properties": {"x": {"type": "object", "additionalProperties": additional}}})


class Tree(BaseModel):
    children: list[Tree]


def test_recursion_is_refused():
    with pytest.raises(UserError, match="Recursive"):
        simplified(Tree.model_json_schema())


class Leaf(BaseModel):
    day: date
    kind: Literal["oak", "elm"] = "oak"


class Bush(BaseModel):
    first: Leaf
    second: Leaf | None = None
    name: Annotated[str, Field(description="What it is called.")]


def test_one_definition_may_be_used_twice():
    leaf = {
        "type": "object",
        "properties": {
            "day": {"type": "string", "description": "Format: date"},
            "kind": {"type": "string", "enum": ["oak", "elm"]},
        },
        "required": ["day"],
    }
    assert simplified(Bush.model_json_schema()) == {
        "type": "object",
        "properties": {
            "first": leaf,
            "second": {**leaf, "nullable": True},
            "name": {"type": "string", "description": "What it is called."},
        },
        "required": ["first", "name"],
    }
