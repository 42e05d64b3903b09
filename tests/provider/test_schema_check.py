from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_agent.models.schema_data import SchemaData
from replay_agent.provider.schema_check import misfits

PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 1, "pattern": "^[A-Z]"},
        "age": {"type": "integer", "minimum": 0, "exclusiveMaximum": 150},
        "mood": {"enum": ["good", "bad"]},
        "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 2, "uniqueItems": True},
        "friend": {"anyOf": [{"$ref": "#/$defs/Friend"}, {"type": "null"}]},
    },
    "required": ["name"],
    "additionalProperties": False,
    "$defs": {"Friend": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}},
}


@pytest.mark.parametrize(
    "value",
    [
        {"name": "Ada"},
        {"name": "Ada", "age": 36, "mood": "good", "tags": ["a", "b"], "friend": None},
        {"name": "Ada", "age": 36.0, "friend": {"name": "Bob", "more": 1}},
    ],
)
def test_what_fits_is_left_in_peace(value):
    assert misfits(value, PERSON) == []


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([], "$ is [], which is no object"),
        ({}, "$.name is missing"),
        ({"name": ""}, "0 characters, fewer than 1"),
        ({"name": "ada"}, "does not match ^[A-Z]"),
        ({"name": "Ada", "age": "36"}, "$.age is '36', which is no integer"),
        ({"name": "Ada", "age": True}, "$.age is True, which is no integer"),
        ({"name": "Ada", "age": -1}, "$.age is -1, which is less than 0"),
        ({"name": "Ada", "age": 150}, "is not less than 150"),
        ({"name": "Ada", "mood": "so-so"}, "not one of 'good', 'bad'"),
        ({"name": "Ada", "tags": ["a", 1]}, "$.tags[1] is 1, which is no string"),
        ({"name": "Ada", "tags": ["a", "b", "c"]}, "3 items, more than 2"),
        ({"name": "Ada", "tags": ["a", "a"]}, "the same item twice"),
        ({"name": "Ada", "friend": {}}, "fits none of 2 alternatives"),
        ({"name": "Ada", "nme": 1}, "$.nme is not among the properties (name,"),
    ],
)
def test_what_does_not_fit_is_named_with_its_place(value, words):
    assert any(words in line for line in misfits(value, PERSON))


@pytest.mark.parametrize(
    ("value", "schema", "fits"),
    [
        ("x", {"type": "STRING"}, True),
        (None, {"type": "STRING", "nullable": True}, True),
        (None, {"type": "string"}, False),
        (True, {"const": 1}, False),
        (1, {"allOf": [{"minimum": 1}, {"maximum": 0}]}, False),
        ({"a": 1}, {"properties": {"a": False}}, False),
        ({"x-a": "1"}, {"patternProperties": {"^x-": {"type": "integer"}}}, False),
        ([1, "a"], {"prefixItems": [{"type": "integer"}], "items": {"type": "string"}}, True),
        ("anything", {"pattern": "(?<name>x)[[:alpha:]]("}, True),
        ({"deep": 1}, {"$ref": "#"}, True),
        ({}, {"unknown": "keyword"}, True),
    ],
)
def test_other_spellings_of_schemas(value, schema, fits):
    assert (misfits(value, schema) == []) is fits


@given(st.integers(0, 200))
def test_made_up_data_fits_the_schema_it_was_made_for(seed):
    schema = {key: value for key, value in PERSON.items() if key != "properties"}
    schema["properties"] = {name: value for name, value in PERSON["properties"].items() if name != "name"}
    schema["properties"]["name"] = {"type": "string", "minLength": 1}
    assert misfits(SchemaData(schema, seed).generate(), schema) == []


def test_members_are_counted():
    schema = {"type": "object", "minProperties": 1, "maxProperties": 2}
    assert misfits({"a": 1}, schema) == misfits({"a": 1, "b": 2}, schema) == []
    assert misfits({}, schema) == ["$ has 0 members, fewer than 1"]
    assert misfits({"a": 1, "b": 2, "c": 3}, schema) == ["$ has 3 members, more than 2"]
