from __future__ import annotations

import json

import pytest

from replay_agent.calls import ToolDefinition
from replay_agent.models.mistral_json import fitting_tool, wanted_objects


def tool(name, required=(), /, **properties):
    schema = {"type": "object", "properties": properties, "required": list(required)}
    return ToolDefinition(name, None, schema)


def shape(schema, **definitions):
    """What the model is told of one property."""
    parameters = {"type": "object", "properties": {"x": schema}, "$defs": definitions}
    told = wanted_objects([ToolDefinition("t", None, parameters)])
    return json.loads(told.splitlines()[2])["x"]


NODE = {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}}


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({"type": "string"}, "str"),
        ({"type": "null"}, "None"),
        ({"type": "object"}, "dict[str, Any]"),
        ({"type": "object", "additionalProperties": True}, "dict[str, Any]"),
        ({"type": "object", "additionalProperties": {"type": "number"}}, "dict[str, float]"),
        ({"type": "array"}, "list[Any]"),
        ({"type": "array", "items": {"type": "boolean"}}, "list[bool]"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "int | None"),
        ({}, "Any"),
        ({"$ref": "#/$defs/Missing"}, "Any"),
    ],
)
def test_types_are_told_as_python_writes_them(schema, told):
    assert shape(schema) == told


def test_references_are_followed_and_a_circle_ends_in_its_name():
    assert shape({"$ref": "#/$defs/Node"}, Node=NODE) == {"next": "Node"}


def test_each_tool_is_one_form():
    one, two = tool("a", x={"type": "string"}), tool("b", y={"type": "integer"})
    assert "an object of this form" in wanted_objects([one])
    told = wanted_objects([one, two])
    assert "an object of one of these forms" in told
    assert [json.loads(line) for line in told.splitlines()[2:4]] == [{"x": "str"}, {"y": "int"}]


CITY, POINT = (
    tool("city", ["name"], name={"type": "string"}),
    tool("point", ["x"], x={"type": "number"}, label={"type": "string"}),
)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ({"name": "Oslo"}, "city"),
        ({"name": "Oslo", "x": 1}, "city"),
        ({"x": 1}, "point"),
        ({"x": 1.5}, "point"),
        ({"x": 1, "label": None}, "point"),
        ({"x": "1"}, None),
        ({"x": True}, None),
        ({"name": None}, None),
        ({}, None),
        ([], None),
        ("Oslo", None),
        (None, None),
    ],
)
def test_the_first_tool_that_has_what_it_requires(value, name):
    found = fitting_tool(value, [CITY, POINT])
    assert (found and found.name) == name


@pytest.mark.parametrize(
    ("type_", "fits", "fits_not"),
    [
        ("integer", 1, 1.5),
        ("boolean", False, 0),
        ("array", [], {}),
        ("object", {}, []),
        ("null", None, ""),
        ("something else", object(), None),
        (None, True, None),
    ],
)
def test_a_required_argument_must_be_of_its_type(type_, fits, fits_not):
    wants = [tool("t", ["x"], x={"type": type_} if type_ else {})]
    assert fitting_tool({"x": fits}, wants)
    if type_ not in (None, "something else"):
        assert fitting_tool({"x": fits_not}, wants) is None
