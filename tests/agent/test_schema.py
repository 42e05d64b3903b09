from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Generic, TypedDict, TypeVar

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError, field_validator

from replay_agent import UserError
from replay_agent.agent.schema import error_details, is_model_like, object_schema

T = TypeVar("T")


class Model(BaseModel):
    number: int

    @field_validator("number")
    @classmethod
    def positive(cls, number):
        if number < 0:
            raise ValueError("must not be negative")
        return number


class Boxed(BaseModel, Generic[T]):
    value: T


@dataclass
class Data:
    number: int


class Typed(TypedDict):
    number: int


class Tree(BaseModel):
    children: list[Tree]


@pytest.mark.parametrize("type_", [Model, Boxed[int], Data, Typed])
def test_objects_with_fields_are_model_like(type_):
    assert is_model_like(type_)


@pytest.mark.parametrize("type_", [int, str, dict, list[Model], dict[str, int], Model | None, Data(1), None])
def test_other_types_are_not_model_like(type_):
    assert not is_model_like(type_)


def test_a_recursive_model_has_its_object_at_the_root():
    schema = object_schema(Tree.model_json_schema())
    assert schema["type"] == "object"
    assert schema["properties"]["children"]["items"] == {"$ref": "#/$defs/Tree"}
    assert "Tree" in schema["$defs"]


@pytest.mark.parametrize("schema", [{"type": "array"}, {}, {"$ref": "#/$defs/Gone"}, TypeAdapter(int).json_schema()])
def test_other_schemas_are_refused(schema):
    with pytest.raises(UserError, match="Schema must be an object"):
        object_schema(schema)


def test_error_details_can_be_written_as_json():
    with pytest.raises(ValidationError) as caught:
        Model.model_validate({"number": -1})
    details = error_details(caught.value)
    assert json.loads(json.dumps(details)) == [
        {
            "type": "value_error",
            "loc": ["number"],
            "msg": "Value error, must not be negative",
            "input": -1,
            "ctx": {"error": "must not be negative"},
        }
    ]
