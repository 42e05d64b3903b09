from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_agent.exceptions import WireError
from replay_agent.wire.shapes import json_text
from replay_agent.wire.shapes.json_text import (
    dump_json,
    read_json,
    read_object,
    write_json,
    write_text,
)
from tests.wire import generated as g


@given(g.json_values)
def test_values_come_back(value):
    assert read_json(write_json(value), "test") == value
    assert read_json(dump_json(value), "test") == value
    assert read_json(json.dumps(value), "test") == value


@st.composite
def nearly_json(draw):
    """JSON that may be cut short, or have something put in or out of place: numbers of every spelling, brackets, bytes."""
    text = json.dumps(draw(g.json_values), ensure_ascii=draw(st.booleans())).encode("utf-8", "replace")
    at, until = sorted((draw(st.integers(0, len(text))), draw(st.integers(0, len(text)))))
    oddities = [
        b"",
        b"-0",
        b"1e999",
        b"NaN",
        b"-Infinity",
        b"0x1",
        b"01",
        b"1.",
        b"\\u0041",
        b"\xff",
        b"\xc3\xa9",
        b",",
        b"[",
        b"}",
    ]
    put = draw(
        st.sampled_from([*oddities, b"\xef\xbb\xbf", b"\x00", b"9" * 400, b'"a":1,"a":2', b"[" * 201, b"\xed\xa0\x80"])
    )
    return text[:at] + put + text[until:]


def read_or_refused(body):
    try:
        return repr(read_json(body, "test"))
    except WireError as refused:
        return str(refused)


@given(nearly_json())
def test_a_short_text_reads_the_same_where_pydantic_was_never_imported(body):
    there = read_or_refused(body)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_text, "_is_pydantic_there", lambda: False)
        assert read_or_refused(body) == there


@pytest.mark.parametrize("levels", [199, 200, 201, 202, 900])
@pytest.mark.parametrize(("opened", "closed"), [("[", "]"), ('{"a":', "}"), ('[{"[":', "}]")])
def test_the_deepest_value_is_as_deep_without_pydantic(monkeypatch, levels, opened, closed):
    body = opened * levels + "1" + closed * levels
    there = read_or_refused(body)
    monkeypatch.setattr(json_text, "_is_pydantic_there", lambda: False)
    assert read_or_refused(body) == there


def test_json_is_compact_and_plain():
    assert write_json({"a": ["é", 1]}) == '{"a":["é",1]}'.encode()


@pytest.mark.parametrize(
    "body", [b"", b" ", b"{", b"nonsense", b"{} x", b"\xff", b'"\xff"', b"9" * 5000, b"[" * 201, b"[" * 10**6]
)
def test_anything_else_is_a_wire_error(body):
    with pytest.raises(WireError, match=r"^test: this is not JSON") as caught:
        read_json(body, "test")
    assert caught.value.format == "test"


@pytest.mark.parametrize("text", [b'{"a": 1}', '{"a": 1}', b'\xef\xbb\xbf{"a": 1}', '\ufeff{"a": 1}'])
def test_an_object_is_an_object(text):
    assert read_object(text, "test") == {"a": 1}
    with pytest.raises(WireError, match="object was expected, not list"):
        read_object(b"[]", "test")


def test_a_byte_order_mark_is_passed_over():
    assert read_json(b"\xef\xbb\xbf{}", "test") == {}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (rb'"\ud83d\ude00"', "😀"),
        (rb'"\uD83D\uDE00"', "😀"),
        (rb'"\ud83d"', "\ufffd"),
        (rb'"\ude00x"', "\ufffdx"),
        (rb'"\ud83d\ud83d\ude00"', "\ufffd😀"),
        (rb'"\\ud83d"', r"\ud83d"),
        (rb'"\\\ud83d"', "\\\ufffd"),
        (rb'"\n\ud83d"', "\n\ufffd"),
    ],
)
def test_half_a_surrogate_pair_is_replaced(text, value):
    assert read_json(text, "test") == value


@given(st.lists(st.sampled_from([r"\ud83d", r"\ude00", r"\\", r"\"", "u", "d83d", "x"]), max_size=8).map("".join))
def test_what_was_read_can_be_written(text):
    value = read_json(f'"{text}"'.encode(), "test")
    assert read_json(write_json(value), "test") == value


def test_halves_that_python_made_can_be_written():
    assert write_json("\ud83d") == b'"?"'
    assert dump_json("é\ud83d") == r'"\u00e9\ud83d"'


def test_other_types_are_written_as_pydantic_does():
    assert write_text({"a": {1}, "b": b"x"}) == '{"a":[1],"b":"x"}'
