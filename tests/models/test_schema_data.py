from __future__ import annotations

import json
from datetime import date
from typing import Annotated, Any, Literal

import pytest
from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, TypeAdapter

from replay_agent.exceptions import UserError
from replay_agent.models.schema_data import CHARACTERS, SchemaData


def data(schema, seed=0):
    return SchemaData(schema, seed).generate()


@pytest.mark.parametrize(
    ("schema", "seed", "expected"),
    [
        ({"const": 7}, 3, 7),
        ({"const": 0, "type": "integer"}, 3, 0),
        ({"const": None}, 3, None),
        ({"enum": ["a", "b", "c"]}, 0, "a"),
        ({"enum": ["a", "b", "c"]}, 4, "b"),
        ({"type": "string", "examples": ["x", "y"]}, 1, "y"),
        ({"type": "string", "examples": ["x", "y"]}, 2, "x"),
        ({"type": "string", "examples": []}, 2, "c"),
        ({"anyOf": [{"type": "null"}, {"type": "integer"}]}, 0, None),
        ({"anyOf": [{"type": "null"}, {"type": "integer"}]}, 1, 1),
        ({"oneOf": [{"type": "null"}, {"type": "integer"}]}, 3, 3),
        ({"$ref": "#/$defs/N", "$defs": {"N": {"type": "integer"}}}, 5, 5),
        ({"$ref": "#/$defs/a~1b", "$defs": {"a/b": {"const": 1}}}, 0, 1),
        ({"type": "string"}, 0, "a"),
        ({"type": "string"}, 26, "A"),
        ({"type": "string"}, 52, "0"),
        ({"type": "string"}, 62, "!"),
        ({"type": "string", "minLength": 3}, 1, "bbb"),
        ({"type": "string", "minLength": 0}, 1, ""),
        ({"type": "string", "maxLength": 0}, 1, ""),
        ({"type": "string", "maxLength": 4}, 1, "b"),
        ({"type": "string", "format": "date"}, 0, "2024-01-01"),
        ({"type": "string", "format": "date"}, 31, "2024-02-01"),
        ({"type": "string", "format": "date", "maxLength": 0}, 31, ""),
        ({"type": "string", "format": "uuid"}, 0, "a"),
        ({"type": "integer"}, 4, 4),
        ({"type": "integer", "minimum": 10}, 4, 14),
        ({"type": "integer", "maximum": 10}, 4, 6),
        ({"type": "integer", "minimum": 10, "maximum": 13}, 4, 11),
        ({"type": "integer", "minimum": 10, "maximum": 10}, 4, 10),
        ({"type": "integer", "exclusiveMinimum": 10}, 0, 11),
        ({"type": "integer", "exclusiveMaximum": 10}, 0, 9),
        ({"type": "integer", "exclusiveMinimum": 10, "exclusiveMaximum": 14}, 3, 12),
        ({"type": "number", "minimum": 1}, 2, 3.0),
        ({"type": "boolean"}, 0, False),
        ({"type": "boolean"}, 3, True),
        ({"type": "null"}, 3, None),
        ({}, 1, "b"),
        ({"title": "anything"}, 0, "a"),
        ({"type": ["null", "string"]}, 1, "b"),
    ],
)
def test_seed_chooses_the_value(schema, seed, expected):
    found = data(schema, seed)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("schema", "seed", "expected"),
    [
        ({"type": "array"}, 0, []),
        ({"type": "array", "items": {}}, 0, []),
        ({"type": "array", "items": {"type": "integer"}}, 2, [2]),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 2}, 0, [0, 0]),
        ({"type": "array", "items": {"type": "integer"}, "maxItems": 0}, 0, []),
        ({"type": "array", "minItems": 2}, 0, ["a", "a"]),
        ({"type": "array", "items": True, "minItems": 1}, 0, ["a"]),
        ({"type": "array", "items": False, "prefixItems": [True]}, 0, ["a"]),
        ({"type": "array", "prefixItems": [{"const": 1}, {"const": 2}]}, 0, [1, 2]),
        ({"type": "array", "prefixItems": [{"const": 1}], "items": {"const": 2}}, 0, [1, 2]),
        ({"type": "array", "prefixItems": [{"const": 1}], "items": {"const": 2}, "minItems": 3}, 0, [1, 2, 2]),
        ({"type": "array", "prefixItems": [{"const": 1}], "items": {"const": 2}, "maxItems": 1}, 0, [1]),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 3, "uniqueItems": True}, 1, [1, 2, 3]),
        ({"type": "array", "prefixItems": [{"type": "integer"}] * 2, "uniqueItems": True}, 0, [0, 1]),
    ],
)
def test_arrays_hold_what_they_must(schema, seed, expected):
    assert data(schema, seed) == expected


def test_unique_items_leave_the_seed_grown():
    schema = {
        "type": "object",
        "properties": {
            "some": {"type": "array", "items": {"type": "integer"}, "minItems": 2, "uniqueItems": True},
            "after": {"type": "integer"},
        },
        "required": ["some", "after"],
    }
    assert data(schema) == {"some": [0, 1], "after": 2}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "object"}, {}),
        ({"type": "object", "properties": {"a": {}, "b": {}}, "required": ["b"]}, {"b": "a"}),
        ({"type": "object", "additionalProperties": True}, {"additionalProperty": "a"}),
        ({"type": "object", "additionalProperties": False}, {}),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, {"additionalProperty": 0}),
        (
            {
                "type": "object",
                "properties": {"additionalProperty": {"const": 1}, "additionalProperty_": {"const": 2}},
                "required": ["additionalProperty", "additionalProperty_"],
                "additionalProperties": True,
            },
            {"additionalProperty": 1, "additionalProperty_": 2, "additionalProperty__": "a"},
        ),
    ],
)
def test_objects_hold_what_is_required(schema, expected):
    assert data(schema) == expected


@pytest.mark.parametrize(
    ("seed", "name"),
    [
        (0, "a"),
        (93, "~"),
        (94, "aa"),
        (95, "ab"),
        (94 + 93, "a~"),
        (94 + 94, "ba"),
        (94 + 94 * 94 - 1, "~~"),
        (94 + 94 * 94, "aaa"),
    ],
)
def test_strings_count_like_spreadsheet_columns(seed, name):
    assert len(CHARACTERS) == 94
    assert data({"type": "string"}, seed) == name


def test_names_are_never_repeated():
    names = [data({"type": "string"}, seed) for seed in range(20_000)]
    assert len(set(names)) == len(names)


class Tree(BaseModel):
    children: list[Tree]
    twin: Tree | None


def test_recursion_ends_where_the_schema_lets_it():
    for seed in range(4):
        Tree.model_validate(data(Tree.model_json_schema(), seed))


def test_endless_recursion_is_refused():
    schema = {
        "$ref": "#/$defs/A",
        "$defs": {"A": {"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}, "required": ["a"]}},
    }
    with pytest.raises(UserError, match="requires itself"):
        data(schema)


def test_endless_union_is_refused():
    schema = {"$ref": "#/$defs/A", "$defs": {"A": {"anyOf": [{"$ref": "#/$defs/A"}, {"$ref": "#/$defs/A"}]}}}
    with pytest.raises(UserError, match="requires itself"):
        data(schema)


def test_unknown_types_are_refused():
    with pytest.raises(UserError, match="'tuple'"):
        data({"type": "tuple"})


@pytest.mark.parametrize("ref", ["#/$defs/Missing", "#/title/x", "other.json"])
def test_dangling_references_are_refused(ref):
    with pytest.raises(UserError, match="no definition"):
        data({"$ref": ref, "title": "T"})


class Inner(BaseModel):
    number: int
    flag: bool


class Everything(BaseModel):
    text: str
    long_text: Annotated[str, MinLen(10), MaxLen(12)]
    number: float
    low: Annotated[int, Ge(5)]
    high: Annotated[int, Le(-5)]
    between: Annotated[int, Gt(2), Lt(9)]
    day: date
    choice: Literal["red", "green"]
    inner: Inner
    maybe: Inner | None
    pair: tuple[int, str]
    many: Annotated[list[Inner], MinLen(2)]
    unique: Annotated[set[str], MinLen(4)]
    by_name: dict[str, int]
    anything: Any
    left_out: str = Field(default="x", min_length=1)


@given(st.integers(min_value=0, max_value=500_000))
def test_data_is_valid_for_every_seed(seed):
    made = data(Everything.model_json_schema(), seed)
    Everything.model_validate_json(json.dumps(made))
    assert "left_out" not in made


@given(st.integers(min_value=0, max_value=10_000))
def test_same_seed_same_data(seed):
    schema = TypeAdapter(dict[str, list[Everything]]).json_schema()
    assert data(schema, seed) == data(schema, seed)
