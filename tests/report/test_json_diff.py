"""Differences of JSON values by path."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_agent.report.json_diff import ABSENT, ValueChange, json_diff


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        ({"a": 1}, {"a": 2}, [("$.a", 1, 2)]),
        ({"a": 1}, {"a": 1.0}, []),
        ({"a": 1}, {"a": True}, [("$.a", 1, True)]),
        ({"a": 0}, {"a": False}, [("$.a", 0, False)]),
        ({"a": None}, {}, [("$.a", None, ABSENT)]),
        ({}, {"odd name": 1}, [('$["odd name"]', ABSENT, 1)]),
        ({"a": {"b": [1, {"c": 2}]}}, {"a": {"b": [1, {"c": 3}]}}, [("$.a.b[1].c", 2, 3)]),
        ([1, 2, 3], [1, 9, 2, 3], [("$[1]", ABSENT, 9)]),
        ([1, 2, 3], [1, 3], [("$[1]", 2, ABSENT)]),
        (["a", "b"], ["b", "c"], [("$[0]", "a", "b"), ("$[1]", "b", "c")]),
        ([1, 2, 3, 4], [1, 7, 8], [("$[1]", 2, 7), ("$[2]", 3, 8), ("$[3]", 4, ABSENT)]),
        ([0, 1, 2], [9, 0, 1, 7], [("$[0]", ABSENT, 9), ("$[3]", 2, 7)]),
        ([{"a": 1, "b": 2}, "x"], ["y", {"b": 2, "a": 1}, "x"], [("$[0]", ABSENT, "y")]),
        (["a", *["x"] * 250], ["x"] * 250, [("$[0]", "a", ABSENT)]),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, []),
        ("x", {"x": 1}, [("$", "x", {"x": 1})]),
        ([], {}, [("$", [], {})]),
    ],
)
def test_the_smallest_difference_is_named(before, after, changes):
    assert json_diff(before, after) == [ValueChange(*change) for change in changes]


def test_the_number_of_changes_is_bounded():
    assert len(json_diff(list(range(1_000)), list(range(1_000, 2_000)))) == 200


def test_deep_values_are_compared_as_a_whole():
    before, after = 1, 2
    for _ in range(300):
        before, after = [before], [after]
    [change] = json_diff(before, after)
    assert change.path.count("[0]") == 80


values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=2), inner, max_size=3),
    max_leaves=8,
)


@given(values, values)
def test_there_is_a_change_exactly_where_values_differ(before, after):
    assert bool(json_diff(before, after)) == (json.dumps(before, sort_keys=True) != json.dumps(after, sort_keys=True))
