from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_agent.wire.shapes.unread_fields import put_back, unread_fields

CASES = [
    ({}, {"a": 1}, {"a": 1}),
    ({"a": 1}, {"a": 2}, {}),
    ({"a": {"b": 1}}, {"a": {"b": 1, "c": None}}, {"a.c": None}),
    ({"a": [{}, {}]}, {"a": [{}, {"b": [1]}]}, {"a[1].b": [1]}),
    ({"a": [{"b": {}}]}, {"a": [{"b": {"c": {"d": 1}}}]}, {"a[0].b.c": {"d": 1}}),
    ({"a": [1]}, {"a": [1, {"b": 2}]}, {}),
    ({"a": "text"}, {"a": [{"b": 1}]}, {}),
    ({"tools": [{"name": "f"}]}, {"tools": [{"type": "x"}, {"name": "f", "strict": True}]}, {"tools[f].strict": True}),
]


@pytest.mark.parametrize(("composed", "body", "leftovers"), CASES)
def test_fields_are_found_by_their_paths(composed, body, leftovers):
    assert unread_fields(composed, body) == leftovers


@pytest.mark.parametrize(("composed", "body", "leftovers"), CASES)
def test_what_is_put_back_is_not_left_over(composed, body, leftovers):
    rebuilt = copy.deepcopy(composed)
    put_back(rebuilt, leftovers)
    assert unread_fields(rebuilt, body) == {}


def test_unremarkable_fields_are_passed_over():
    body = {"a": [{"id": 1, "x": {"y": 1}, "z": 1}], "id": 2}
    found = unread_fields({"a": [{"x": {}}]}, body, unremarkable=frozenset({"id", "x"}))
    assert found == {"a[0].z": 1, "id": 2}


def test_a_named_place_wins_over_a_number():
    body = {"tools": [{"name": "a"}, {"name": "0"}]}
    put_back(body, {"tools[0].x": 1})
    assert body == {"tools": [{"name": "a"}, {"name": "0", "x": 1}]}


@pytest.mark.parametrize("path", ["a.b", "a[0]", "a[0].b", "a[9].b", "a[x].b", "c.b.d", "a[999999999999].b"])
def test_a_place_that_is_gone_is_left_out(path):
    body = {"a": [1]}
    put_back(body, {path: 1})
    assert body == {"a": [1]}


def test_what_is_there_stays():
    body = {"a": {"b": 1}}
    put_back(body, {"a.b": 2})
    assert body == {"a": {"b": 1}}


@given(st.dictionaries(st.text(".[]ab0", max_size=9), st.integers(), max_size=4))
def test_any_path_is_put_back_or_left_out(leftovers):
    put_back({"a": [{"b": {}}]}, leftovers)


def test_the_call_is_left_as_it_is():
    raw = {"b": {}}
    body = {"a": [raw]}
    put_back(body, {"a[0].b.c": raw})
    assert body == {"a": [{"b": {"c": {"b": {}}}}]}
    assert raw == {"b": {}}
