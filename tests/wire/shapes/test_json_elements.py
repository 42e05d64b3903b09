from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_agent.exceptions import WireError
from replay_agent.wire.shapes.json_elements import JSONElements
from tests.wire import generated as g

tricky = st.text(st.sampled_from('"\\[]{},: \nä🌍a'), max_size=12)
objects = st.dictionaries(tricky, tricky | st.lists(tricky, max_size=2) | g.json_objects, max_size=3)


def elements(*pieces):
    cutter = JSONElements("test")
    return [json.loads(element) for piece in pieces for element in cutter.feed(piece)], cutter


def at(text, cuts):
    cuts = sorted(cut % (len(text) + 1) for cut in cuts)
    return [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]


@given(st.lists(objects, max_size=4), st.lists(st.integers(0, 500), max_size=8), st.sampled_from([None, 2]))
def test_an_array_with_any_boundaries(values, cuts, indent):
    text = json.dumps(values, indent=indent, ensure_ascii=False).encode()
    found, cutter = elements(*at(text, cuts))
    assert (found, cutter.is_array, cutter.closed, cutter.inside) == (values, True, True, False)


@given(st.lists(objects, min_size=1, max_size=4), st.lists(st.integers(0, 500), max_size=8))
def test_objects_that_follow_each_other(values, cuts):
    text = b"\r\n".join(json.dumps(value).encode() for value in values)
    found, cutter = elements(*at(text, cuts))
    assert (found, cutter.is_array, cutter.closed) == (values, False, False)


@given(st.lists(objects, min_size=1, max_size=3))
def test_byte_by_byte(values):
    text = json.dumps(values).encode()
    found, _ = elements(*(text[n : n + 1] for n in range(len(text))))
    assert found == values


def test_an_element_is_there_with_its_last_byte():
    cutter = JSONElements("test")
    assert cutter.feed(b'[{"a": "}') == []
    assert cutter.inside
    assert cutter.feed(b'"}') == [b'{"a": "}"}']
    assert not cutter.inside
    assert not cutter.closed
    assert cutter.feed(b" ,\n[1]") == [b"[1]"]
    assert cutter.feed(b"]") == []
    assert cutter.closed


@pytest.mark.parametrize("text", [b"", b"  \n", b"["])
def test_nothing_has_come_yet(text):
    found, cutter = elements(text)
    assert (found, cutter.inside, cutter.closed) == ([], False, False)


@pytest.mark.parametrize(
    "text", [b"x", b"1", b'"a"', b"]", b"[1]", b"[{} x", b"[{}] {}", b"[]]", b"{} [", b"{}]", b"<html>"]
)
def test_other_things_are_refused(text):
    with pytest.raises(WireError, match=r"stands where|follows"):
        elements(text)


def test_deep_nesting_is_refused_at_once():
    cutter = JSONElements("test")
    with pytest.raises(WireError, match="deeper than 200"):
        cutter.feed(b"[" * 5_000_000)


@given(st.binary(max_size=60))
def test_garbage_raises_nothing_else(data):
    with contextlib.suppress(WireError):
        JSONElements("test").feed(data)


def test_a_long_string_in_many_pieces():
    cutter = JSONElements("test")
    cutter.feed(b'[{"data": "')
    for _ in range(2000):
        assert cutter.feed(b"A" * 1000 + b'\\"') == []
    assert [len(element) for element in cutter.feed(b'"}')] == [11 + 2000 * 1002 + 1]
