"""JSON in one spelling."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_agent.recording.meaning.canonical_json import canonical_json
from replay_agent.recording.meaning.json_path import JSONPath


def canon(text: str | bytes, *ignored: str) -> bytes:
    body = text if isinstance(text, bytes) else text.encode()
    return canonical_json(body, [JSONPath.parse(path) for path in ignored], [])


SAME = [
    ('{"a": 1, "b": [2]}', '{"b":[2.0],"a":1e0}'),
    ("1", "1.000"),
    ("0.7", "7e-1"),
    ("100", "1E2"),
    ("0", "-0.0"),
    ("100000000000000000000000", "1e23"),
    ("9007199254740993", "9007199254740993.0"),
    (r'"\u00e9\ud83d\ude00\/"', '"é😀/"'),
    ('{"a": 1, "a": 2}', '{"a": 2}'),
    (" [1 ,\n2] ", "[1,2]"),
]
DIFFERENT = [
    ("1", '"1"'),
    ("1", "true"),
    ("0", "false"),
    ("null", '"null"'),
    ("[]", "{}"),
    ("[1,2]", "[2,1]"),
    ("9007199254740992", "9007199254740993"),
    ("10000000000000000000001", "10000000000000000000000"),
    ("0.7", "0.70000000000001"),
    ('{"a": null}', "{}"),
    ('"a"', '"A"'),
    ('"e\u0301"', '"\u00e9"'),
    ("0.5", '{"\\u0000": "0.5"}'),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_same(one, other):
    assert canon(one) == canon(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_different(one, other):
    assert canon(one) != canon(other)


@pytest.mark.parametrize(
    "text", ["", "{", "nope", '{"a": 1,}', "1e400", "1 2", r'"\ud800"', b"\xff", b'"\xed\xa0\x80"', "9" * 5000]
)
def test_what_has_no_meaning_as_json_is_refused(text):
    with pytest.raises(ValueError):
        canon(text)


@pytest.mark.parametrize("depth", [101, 150, 5_000, 100_000])
@pytest.mark.parametrize("brackets", ["[]", "{}"])
def test_deep_nesting_is_refused(depth, brackets):
    opening = '{"a":' if brackets == "{}" else "["
    with pytest.raises(ValueError):
        canon(opening * depth + "1" + brackets[1] * depth)


def test_reasonable_nesting_is_read():
    assert canon("[" * 100 + "]" * 100) == b"[" * 100 + b"]" * 100


def test_what_is_ignored_does_not_show():
    assert canon('{"a": 1, "t": "x"}', "$.t") == canon('{"a": 1}', "$.t", "$.b")


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=6),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=6), inner, max_size=4)
    ),
    max_leaves=12,
)


def respelled(value, draw) -> str:
    """JSON text of the value with members in any order and numbers, strings in any spelling."""
    if isinstance(value, dict):
        members = draw(st.permutations(list(value.items())))
        return "{" + ",".join(f"{respelled(name, draw)} : {respelled(item, draw)}" for name, item in members) + "}"
    if isinstance(value, list):
        return "[ " + ",".join(respelled(item, draw) for item in value) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=draw(st.booleans()))
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    return draw(st.sampled_from(spellings(value)))


def spellings(number: int | float) -> list[str]:
    exact = Decimal(number) if isinstance(number, int) else Decimal(repr(number))
    if isinstance(number, int) and abs(number) >= 10**300:
        return [str(number)]
    plain = format(exact, "f")
    return [str(number), f"{exact:E}", plain if "." in plain else plain + ".0"]


@given(values, st.data())
def test_respelling_changes_nothing(value, data):
    assert canon(respelled(value, data.draw)) == canon(json.dumps(value))


def semantic(value):
    """The value with numbers as exact numbers, told apart from everything else."""
    if isinstance(value, dict):
        return ("object", frozenset((name, semantic(item)) for name, item in value.items()))
    if isinstance(value, list):
        return ("list", tuple(semantic(item) for item in value))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return ("number", value)
    return (type(value).__name__, value)


@given(values, values)
def test_different_values_differ(one, other):
    assert (canon(json.dumps(one)) == canon(json.dumps(other))) == (semantic(one) == semantic(other))


@given(values, st.data())
def test_a_changed_leaf_shows(value, data):
    text = json.dumps({"kept": value, "leaf": value})
    other = data.draw(values.filter(lambda item: semantic(item) != semantic(value)))
    assert canon(text) != canon(json.dumps({"kept": value, "leaf": other}))
