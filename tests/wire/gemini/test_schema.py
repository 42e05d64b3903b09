from __future__ import annotations

import copy

import pytest
from pydantic import BaseModel, Field

from replay_agent.exceptions import UserError
from replay_agent.wire.gemini.schema import simplified_schema
from replay_agent.wire.shapes.json_text import read_json

CASES = [
    ({"type": "object", "title": "T", "default": {}}, {"type": "object"}),
    (
        {"properties": {"title": {"type": "string", "title": "Title"}, "default": {"type": "integer", "default": 1}}},
        {"properties": {"title": {"type": "string"}, "default": {"type": "integer"}}},
    ),
    ({"type": "string", "format": "date"}, {"type": "string", "description": "Format: date"}),
    (
        {"type": "string", "format": "date", "description": "When."},
        {"type": "string", "description": "When. (format: date)"},
    ),
    ({"type": "integer", "format": "int32"}, {"type": "integer", "format": "int32"}),
    ({"anyOf": [{"type": "string", "title": "S"}, {"type": "null"}]}, {"type": "string", "nullable": True}),
    ({"anyOf": [{"type": "null"}, {"type": "integer"}]}, {"type": "integer", "nullable": True}),
    (
        {"anyOf": [{"type": "string"}, {"type": "null"}], "description": "A name.", "default": None},
        {"type": "string", "nullable": True, "description": "A name."},
    ),
    (
        {"anyOf": [{"type": "string", "title": "S"}, {"type": "integer"}, {"type": "null"}]},
        {"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}]},
    ),
    (
        {
            "type": "array",
            "items": {"type": "string", "title": "I"},
            "prefixItems": [{"type": "integer", "title": "P"}],
        },
        {"type": "array", "items": {"type": "string"}, "prefixItems": [{"type": "integer"}]},
    ),
    ({"type": "object", "additionalProperties": False}, {"type": "object"}),
    (
        {
            "$defs": {
                "A": {"type": "object", "title": "A", "properties": {"b": {"$ref": "#/$defs/B"}}},
                "B": {"type": "integer"},
            },
            "properties": {"a": {"$ref": "#/$defs/A", "description": "here"}, "b": {"$ref": "#/$defs/B"}},
        },
        {
            "properties": {
                "a": {"type": "object", "properties": {"b": {"type": "integer"}}, "description": "here"},
                "b": {"type": "integer"},
            }
        },
    ),
    ({"properties": {"x": True}}, {"properties": {"x": True}}),
]


@pytest.mark.parametrize(("schema", "simplified"), CASES)
def test_schemas_are_simplified(schema, simplified):
    before = copy.deepcopy(schema)
    assert simplified_schema(schema) == simplified
    assert schema == before


@pytest.mark.parametrize(("schema", "simplified"), CASES)
def test_a_simplified_schema_stays_as_it_is(schema, simplified):
    assert simplified_schema(simplified) == simplified


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"$ref": "#/$defs/A", "$defs": {"A": {"properties": {"a": {"$ref": "#/$defs/A"}}}}}, "A refers to itself"),
        ({"$ref": "#/$defs/Missing"}, "does not define"),
        ({"$ref": "https://example.com/schema"}, "does not define"),
        ({"type": "object", "additionalProperties": True}, "Additional properties"),
        (
            {"properties": {"x": {"type": "object", "additionalProperties": {"type": "string"}}}},
            "Additional properties",
        ),
    ],
)
def test_what_gemini_cannot_take_is_an_error(schema, message):
    with pytest.raises(UserError, match=message):
        simplified_schema(schema)


class Place(BaseModel):
    lat: float = Field(description="North of the equator.")
    note: str | None = None


class Trip(BaseModel):
    start: Place
    stops: list[Place] = []


def test_a_pydantic_schema_is_simplified():
    place = {
        "type": "object",
        "properties": {
            "lat": {"type": "number", "description": "North of the equator."},
            "note": {"type": "string", "nullable": True},
        },
        "required": ["lat"],
    }
    assert simplified_schema(Trip.model_json_schema()) == {
        "type": "object",
        "properties": {"start": place, "stops": {"type": "array", "items": place}},
        "required": ["start"],
    }


def test_the_deepest_readable_schema_is_simplified():
    text = '{"items":' * 195 + "{}" + "}" * 195
    schema = read_json(text.encode(), "test")
    assert simplified_schema(schema) == schema
