from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_agent.report.comparison.trials.shapes import shape_changes, shape_of


def changes(before, after):
    return list(shape_changes(shape_of(before), shape_of(after), "it"))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"a": 1, "b": "x"}, {"b": "y", "a": 2.5}),
        ({"a": []}, {"a": [1, 2]}),
        ({"a": [{"b": 1}]}, {"a": [{"b": 2}, {"b": 3}]}),
        ([1, "a"], [2]),
        ({"a": None}, {"a": None}),
        ("text", "another text"),
    ],
)
def test_other_values_have_the_same_shape(before, after):
    assert changes(before, after) == []


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ({"a": 1}, {"b": 1}, ["it.a is missing", "it.b is new, a number"]),
        ({"a": 1}, {"a": "1"}, ["it.a is a string, was a number"]),
        ({"a": {"b": True}}, {"a": {"b": None}}, ["it.a.b is null, was a boolean"]),
        ({"a": [{"b": 1}]}, {"a": [{"c": 1}]}, ["it.a[].b is missing", "it.a[].c is new, a number"]),
        ({"a": [1]}, {"a": {"0": 1}}, ["it.a is an object, was a list"]),
        ([1], ["1"], ["it[] is a string, was a number"]),
        ({}, [], ["it is a list, was an object"]),
    ],
)
def test_another_shape_is_told_by_its_place(before, after, says):
    assert changes(before, after) == says


def test_a_deep_value_ends():
    value = []
    for _ in range(500):
        value = [value]
    assert changes(value, value) == []


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=20,
)


@given(values)
def test_every_value_has_its_own_shape(value):
    assert changes(value, value) == []
