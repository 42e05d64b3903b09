"""JSON read with its spelling, and written to the very same text."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_agent.recording.cassettes.json_spelling import NUMBER, Number, Spelling, read_json, spell

VALUE = {"a": [1, 2.5, {"b": None}], "ü": "é\u2028<&>/", "empty": [{}, []]}

EXACT = [
    json.dumps(VALUE),
    json.dumps(VALUE, ensure_ascii=False),
    json.dumps(VALUE, separators=(",", ":")),
    json.dumps(VALUE, separators=(",", ": ")),
    json.dumps(VALUE, separators=(", ", ":")),
    json.dumps(VALUE, indent=2),
    json.dumps(VALUE, indent=4, ensure_ascii=False),
    json.dumps(VALUE, indent="\t"),
    json.dumps(VALUE, indent=0),
    json.dumps([1, 2, [3]]),
    "[1,2]",
    "{}",
    ' \n{"a":1}\r\n',
    '{"a":"\\u003cb\\u003e \\u0026 \\u0027"}',
    '{"a":"http:\\/\\/x"}',
    '{"a":"\\u00E9\\u001F"}',
    '{"a":"caf\\u00e9 \\ud83d\\ude00"}',
    '{"a":"é \\u2028"}',
    '{"n":[1.10,1e5,1E-7,-0,-0.0,1e999,123456789012345678901234567890]}',
    '{"a":"\\\\u0041 \\" \\n"}',
    '{"key with spaces":1,"":2}',
]


@pytest.mark.parametrize("text", EXACT)
def test_same_text_comes_back(text):
    found = read_json(text)
    assert found is not None
    assert spell(*found) == text


INEXACT = [
    '{"a":1,"a":2}',
    '{"a" :1}',
    '{"a":1,  "b":2}',
    '{"a":NaN}',
    '{"a":-Infinity}',
    '{"a":"\\u0041\x41"}',
    '{"a":[ ]}',
    "[" * 100 + "]" * 100,
    "[" * 100_000,
    '{"a":',
    '"text"',
    "12",
    "null",
    "",
    "plain",
    '{"a":"\x01"}',
]


@pytest.mark.parametrize("text", INEXACT)
def test_what_would_not_come_back_is_refused(text):
    assert read_json(text) is None


def test_numbers_keep_their_spelling():
    value, _ = read_json('{"a":1.10}')
    assert type(value["a"]) is Number
    assert value["a"] == "1.10"


def test_spelling_says_what_the_value_does_not():
    _, spelling = read_json('\n{\n  "a": "\\u00e9"\n}')
    assert spelling == Spelling("  ", ascii=True, before="\n")


def test_plain_values_can_be_spelled():
    assert spell({"a": [True, None, 1, 1.5, "x"]}, Spelling()) == '{"a":[true,null,1,1.5,"x"]}'


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "1e5", "1E-7"])
def test_json_numbers(text):
    assert NUMBER.fullmatch(text)


@pytest.mark.parametrize("text", ["01", "+1", ".5", "1.", "0x1", "1_0", "", "-", "٣"])
def test_what_json_has_no_number_for(text):
    assert not NUMBER.fullmatch(text)


LEAVES = st.one_of(st.text(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.none())
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


@given(st.dictionaries(st.text(), VALUES, min_size=1), st.booleans(), st.sampled_from([None, 0, 2, "\t"]))
def test_whatever_python_writes_comes_back(value, ascii_only, indent):
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    found = read_json(text)
    assert found is not None
    assert spell(*found) == text


@given(st.text())
def test_no_text_is_misread(text):
    found = read_json(text)
    assert found is None or spell(*found) == text
