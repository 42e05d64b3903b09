from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_agent.exceptions import WireError
from replay_agent.wire.gemini.arguments import PartialCall


def args(*pieces):
    call = PartialCall("f", None)
    for piece in pieces:
        call.add(piece)
    return call.args


@pytest.mark.parametrize(
    ("piece", "wanted"),
    [
        ({"jsonPath": "$.a", "stringValue": "x"}, {"a": "x"}),
        ({"jsonPath": "a", "numberValue": 1.5}, {"a": 1.5}),
        ({"jsonPath": "$.a.b", "boolValue": False}, {"a": {"b": False}}),
        ({"jsonPath": "$.a[0]", "nullValue": "NULL_VALUE"}, {"a": [None]}),
        ({"jsonPath": "$.a[0][0].b", "numberValue": 1}, {"a": [[{"b": 1}]]}),
        ({"jsonPath": "$['a b']", "stringValue": "x"}, {"a b": "x"}),
        ({"jsonPath": '$["a.b"].c', "stringValue": "x"}, {"a.b": {"c": "x"}}),
    ],
)
def test_paths(piece, wanted):
    assert args(piece) == wanted


def test_texts_go_on_while_they_say_so():
    first = {"jsonPath": "$.a", "stringValue": "x", "willContinue": True}
    last = {"jsonPath": "$.a", "stringValue": "y"}
    assert args(first, first, last) == {"a": "xxy"}
    assert args(first, last, last) == {"a": "y"}


def test_lists_grow_at_their_end():
    assert args(
        {"jsonPath": "$.a[0].x", "numberValue": 1},
        {"jsonPath": "$.a[0].y", "numberValue": 2},
        {"jsonPath": "$.a[1].x", "numberValue": 3},
    ) == {"a": [{"x": 1, "y": 2}, {"x": 3}]}


@pytest.mark.parametrize(
    "piece",
    [
        {},
        {"jsonPath": 1},
        {"jsonPath": ""},
        {"jsonPath": "$"},
        {"jsonPath": "$.."},
        {"jsonPath": "$.a[x"},
        {"jsonPath": "$[0]"},
        {"jsonPath": "$.a[1]"},
        {"jsonPath": "$.a[999999999999999999999]"},
        {"jsonPath": "$" + ".a" * 101},
    ],
)
def test_paths_that_lead_nowhere(piece):
    with pytest.raises(WireError):
        args({**piece, "stringValue": "x"})


@pytest.mark.parametrize("path", ["$.a.b", "$.a[0]"])
def test_a_value_is_no_container(path):
    with pytest.raises(WireError, match="leads nowhere"):
        args({"jsonPath": "$.a", "stringValue": "x"}, {"jsonPath": path, "stringValue": "y"})


paths = st.lists(st.sampled_from(["a", "[0]", "[1]", "['x']", "b", ".", "["]), max_size=4).map(".".join)


@given(
    st.lists(
        st.fixed_dictionaries({"jsonPath": paths}, optional={"stringValue": st.text(), "willContinue": st.booleans()}),
        max_size=5,
    )
)
def test_odd_pieces_raise_nothing_else(pieces):
    with contextlib.suppress(WireError):
        args(*pieces)
