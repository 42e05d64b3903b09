from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field, ValidationError
from typing_extensions import TypedDict

from replay_agent import RunContext, UserError
from replay_agent.agent.parameters import read_parameters, takes_context
from replay_agent.models.test import TestModel
from replay_agent.usage import Usage

CTX: RunContext[Any] = RunContext(deps=None, model=TestModel(), usage=Usage(), prompt="")


class Point(BaseModel):
    """A point of the plane."""

    x: int
    y: int = 0


@dataclass
class Undescribed:
    x: int


def read(function, takes_ctx=False, *, format="auto", require=False):
    return read_parameters(function, takes_ctx, format, require)


def called(function, args, takes_ctx=False):
    bound = read(function, takes_ctx).bind(args, CTX)
    return function(*bound.args, **bound.kwargs)


def test_schema_of_plain_parameters():
    def function(whole_number: int, text: str = "x", *, flag: bool):
        """Does.

        Args:
            whole_number: The number.
        """

    parameters = read(function)
    assert parameters.description == "Does."
    assert parameters.json_schema == {
        "type": "object",
        "properties": {
            "whole_number": {"title": "Whole Number", "type": "integer", "description": "The number."},
            "text": {"title": "Text", "type": "string"},
            "flag": {"title": "Flag", "type": "boolean"},
        },
        "required": ["whole_number", "flag"],
        "additionalProperties": False,
    }


def test_an_annotation_describes_better_than_the_docstring():
    def function(a: Annotated[int, Field(description="mine")], b: int = Field(description="also mine")):
        """Does.

        :param a: not this
        :param b: not this
        """

    properties = read(function).json_schema["properties"]
    assert [properties[name]["description"] for name in "ab"] == ["mine", "also mine"]
    assert read(function).json_schema["required"] == ["a", "b"]


def test_defaults_reach_the_call_and_not_the_schema():
    def function(a: int, b: int = 5):
        return a, b

    assert "default" not in read(function).json_schema["properties"]["b"]
    assert called(function, '{"a": 1}') == (1, 5)
    assert called(function, {"a": 1, "b": 2}) == (1, 2)


def test_a_default_written_with_field_is_filled_in():
    def function(a: int = Field(default=7)):
        return a

    assert "required" not in read(function).json_schema
    assert called(function, {}) == 7


def test_every_kind_of_parameter_is_called_rightly():
    def function(ctx: RunContext[None], a: int, /, b: int, *rest: int, c: int = 1, **more: int):
        return ctx, a, b, rest, c, more

    schema = read(function, True).json_schema
    assert list(schema["properties"]) == ["a", "b", "rest", "c"]
    assert schema["properties"]["rest"] == {"title": "Rest", "type": "array", "items": {"type": "integer"}}
    assert schema["additionalProperties"] is True
    args = {"a": 1, "b": 2, "rest": [3, 4], "d": "5", "ctx": 6}
    assert called(function, args, True) == (CTX, 1, 2, (3, 4), 1, {"d": 5, "ctx": 6})


def test_a_missing_positional_default_does_not_shift_the_rest():
    def function(a: int = 1, b: int = 2, /):
        return a, b

    assert called(function, {"b": 5}) == (1, 5)


@pytest.mark.parametrize("args", ['{"a": 1, "z": 2}', {"a": 1, "z": 2}, {}, '{"a": "x"}', "[1]", '{"a": '])
def test_wrong_arguments_are_refused(args):
    def function(a: int): ...

    with pytest.raises(ValidationError):
        read(function).bind(args, CTX)


def test_extra_arguments_have_the_type_of_the_rest():
    def function(**more: int): ...

    with pytest.raises(ValidationError):
        read(function).bind({"d": "x"}, CTX)


def test_arguments_are_read_leniently():
    def function(a: int, b: tuple[int, int]):
        return a, b

    assert called(function, '{"a": "1", "b": [1, 2]}') == (1, (1, 2))
    assert called(function, {"a": 1.0, "b": [1, 2]}) == (1, (1, 2))


@pytest.mark.parametrize("args", ["", " ", "null", "[]", "{"])
def test_no_text_is_no_arguments(args):
    def function():
        return "called"

    assert called(function, "{}") == called(function, {}) == "called"
    with pytest.raises(ValidationError):
        called(function, args)


@dataclass
class At:
    x: int


class AtDict(TypedDict):
    x: int


@pytest.mark.parametrize("kind", [At, AtDict, list[At], dict[str, AtDict], At | None, Annotated[AtDict, "there"]])
@pytest.mark.parametrize("rest", [False, True])
def test_values_of_several_parameters_are_as_strict_as_their_types(kind, rest):
    def function(at: Any, further: int = 0, **others: Any):
        return at

    def without(at: Any, further: int = 0):
        return at

    function.__annotations__["at"] = without.__annotations__["at"] = kind
    value = {"x": 1, "beside": 2}
    args = {"at": [value] if kind == list[At] else {"k": value} if kind == dict[str, AtDict] else value}
    chosen = function if rest else without
    assert "beside" not in str(called(chosen, args))
    assert "additionalProperties" not in next(iter(read(chosen).json_schema["$defs"].values()))
    assert read(chosen).json_schema["additionalProperties"] is rest
    if not rest:
        with pytest.raises(ValidationError, match="unknown"):
            called(chosen, args | {"unknown": 1})


class Strict(BaseModel, extra="forbid"):
    x: int


def test_a_type_may_still_forbid_what_it_does_not_know():
    def function(at: Strict, further: int = 0): ...

    with pytest.raises(ValidationError, match="beside"):
        called(function, {"at": {"x": 1, "beside": 2}})


def test_one_model_is_the_whole_of_the_arguments():
    def function(point: Point):
        return point

    parameters = read(function)
    assert parameters.description == "A point of the plane."
    assert parameters.json_schema == {
        "type": "object",
        "title": "Point",
        "properties": {"x": {"title": "X", "type": "integer"}, "y": {"title": "Y", "type": "integer", "default": 0}},
        "required": ["x"],
    }
    assert called(function, '{"x": 1}') == Point(x=1)


def test_the_docstring_goes_before_the_description_of_the_model():
    def function(point: Point):
        """Takes a point."""

    parameters = read(function)
    assert parameters.description == "Takes a point."
    assert parameters.json_schema["description"] == "A point of the plane."


def test_a_model_without_words_leaves_no_description():
    def function(value: Undescribed): ...

    assert not read(function).description


def test_a_model_beside_others_is_a_property():
    def function(point: Point, n: int): ...
    def with_rest(point: Point, **more: Any): ...
    def several(*points: Point): ...

    assert set(read(function).json_schema["properties"]) == {"point", "n"}
    assert "$defs" in read(function).json_schema
    assert set(read(with_rest).json_schema["properties"]) == {"point"}
    assert set(read(several).json_schema["properties"]) == {"points"}


def test_context_is_told_by_its_annotation():
    def bare(ctx: RunContext): ...
    def typed(ctx: RunContext[int]): ...
    def without(ctx): ...
    def second(a: int, ctx: RunContext[int]): ...
    def nothing(): ...

    assert [takes_context(function) for function in (bare, typed, without, second, nothing)] == [
        True,
        True,
        False,
        False,
        False,
    ]


def test_an_unannotated_first_parameter_may_be_the_context():
    def function(ctx, a: int):
        return ctx, a

    assert called(function, {"a": 1}, True) == (CTX, 1)


NOT_FIRST = "First parameter of tools that take context must be annotated with RunContext[...]"


def misplaced(a: int, ctx: RunContext[None]): ...
def wanted(ctx: RunContext[None]): ...
def nothing(): ...


@pytest.mark.parametrize(
    ("function", "takes_ctx", "problems"),
    [
        (
            misplaced,
            True,
            f"  {NOT_FIRST}\n  RunContext annotations can only be used as the first argument",
        ),
        (misplaced, False, "  RunContext annotations can only be used with tools that take context"),
        (wanted, False, "  RunContext annotations can only be used with tools that take context"),
    ],
)
def test_misuse_of_the_context_names_the_function(function, takes_ctx, problems):
    with pytest.raises(UserError) as caught:
        read(function, takes_ctx)
    assert str(caught.value) == f"Error generating schema for {function.__name__}:\n{problems}"


def test_a_function_without_room_for_the_context_says_so_when_it_is_called():
    assert read(nothing, True).json_schema["properties"] == {}
    with pytest.raises(TypeError, match=r"nothing\(\) takes no arguments.*`tool_plain`"):
        called(nothing, {}, True)


def test_a_function_without_signature_is_refused():
    with pytest.raises(UserError, match="Error generating schema for min:\n  no signature found for builtin"):
        read(min)


def test_missing_descriptions_are_named():
    def function(ctx: RunContext[None], told: int, untold: int, other: Annotated[int, Field(description="own")]):
        """Does.

        Args:
            told: Yes.
            stranger: No such parameter.
        """

    assert read(function, True)
    with pytest.raises(UserError, match=r"function:\n  Missing parameter descriptions for untold$"):
        read(function, True, require=True)


def test_methods_partials_and_callable_objects_work():
    class Counter:
        def add(self, a: int):
            return a + 1

        def __call__(self, a: int):
            return a + 2

    def subtract(a: int, b: int):
        return a - b

    @functools.wraps(subtract)
    def wrapper(*args, **kwargs):
        return subtract(*args, **kwargs)

    assert called(Counter().add, {"a": 1}) == 2
    assert called(Counter(), {"a": 1}) == 3
    assert called(functools.partial(subtract, b=1), {"a": 3}) == 2
    assert called(wrapper, {"a": 3, "b": 1}) == 2


def test_a_parameter_without_annotation_takes_anything():
    def function(a):
        return a

    assert read(function).json_schema["properties"] == {"a": {"title": "A"}}
    assert called(function, {"a": [1]}) == [1]


def test_annotations_are_resolved_where_the_function_was_written():
    elsewhere: dict[str, Any] = {"Elsewhere": Point}
    exec("def written_elsewhere(point: 'Elsewhere', n: 'int'):\n    return point, n", elsewhere)

    @functools.wraps(elsewhere["written_elsewhere"])
    def wrapper(*args, **kwargs):
        return elsewhere["written_elsewhere"](*args, **kwargs)

    assert called(wrapper, {"point": {"x": 1}, "n": "2"}) == (Point(x=1), 2)


def only_numbers(a: int, b: float = 1.0) -> None: ...


def only_texts(texts: list[str], *more: str) -> None: ...


@pytest.mark.parametrize("function", [only_numbers, only_texts, nothing])
def test_what_is_refused_stands_behind_what_is_taken(function):
    assert list(read(function).json_schema)[-1] == "additionalProperties"
