"""Known values in every spelling, and tokens by their shape."""

from __future__ import annotations

import base64
import json

import pytest

from replay_agent.recording.redaction.by_value import KnownValues, find_shapes
from replay_agent.recording.redaction.secrets import Secret
from replay_agent.recording.redaction.spans import Draft, Text

VALUE = 'pw"with\\odd/chars+é-1234'
KNOWN = KnownValues([Secret("MY_SECRET", VALUE), Secret("SHORTER", "with-odd-1234")])


def cleaned(data):
    draft = Draft(data)
    draft.apply(KNOWN.find)
    draft.apply(KNOWN.find_in_base64)
    return draft.data


@pytest.mark.parametrize(
    "spell",
    [str, json.dumps, lambda v: json.dumps(json.dumps(v)), lambda v: json.dumps(v, ensure_ascii=False)],
)
def test_value_in_text(spell):
    text = f"before {spell(VALUE)} after"
    found = cleaned(text.encode()).decode()
    assert "REDACTED(MY_SECRET)" in found
    assert "1234" not in found


def test_every_occurrence_goes():
    assert cleaned(b"with-odd-1234 with-odd-1234") == b"REDACTED(SHORTER) REDACTED(SHORTER)"


@pytest.mark.parametrize("before", ["", "a", "ab", "abc"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_value_in_base64_is_recoded(before, encode):
    run = encode(f"{before}{VALUE} tail".encode())
    found = cleaned(b'{"a":"' + run + b'"}')
    inner = found.removeprefix(b'{"a":"').removesuffix(b'"}')
    assert (
        base64.urlsafe_b64decode(inner.replace(b"+", b"-").replace(b"/", b"_"))
        == f"{before}REDACTED(MY_SECRET) tail".encode()
    )


def test_base64_behind_letters():
    run = base64.b64encode(VALUE.encode() + b"12")
    assert b"REDACTED" not in cleaned(b"xx\\n" + run)
    assert base64.b64decode(cleaned(b"\\n" + run)[2:]) == b"REDACTED(MY_SECRET)12"


def test_nothing_known_finds_nothing():
    nothing = KnownValues(())
    assert not nothing
    assert nothing.find(Text(b"anything")) == []


def test_shapes_are_found_in_order():
    first, second = "sk-" + "proj-Qz7Lk9Wm3PvXt5Rb", "hf_" + "Qz7Lk9Wm3PvXt5Rb2Ny8Hc"
    spans = find_shapes(Text(f"{second} {first}".encode()))
    assert [span.rule for span in spans] == ["huggingface-token", "openai-key"]


def test_shape_in_one_place_is_one_span():
    token = "sk-" + "ant-api03-Qz7Lk9Wm3PvXt5Rb"
    spans = find_shapes(Text(f"Bearer {token}".encode()))
    assert [span.rule for span in spans] == ["anthropic-key"]
