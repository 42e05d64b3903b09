"""Texts that are spelled as numbers."""

from __future__ import annotations

import base64
import random

import pytest

from replay_agent.recording.redaction.layers.in_digits import find_in_digits
from replay_agent.recording.redaction.spans import Place, replaced

TEXT = b"the weather is nice, the key is SECRET, it is warm."


def cleaned(data):
    return (data.replace(b"SECRET", b"***"), "x") if b"SECRET" in data else None


def without(text):
    return replaced(text, [Place(span.start, span.end, span.text) for span in find_in_digits(text, cleaned)])


@pytest.mark.parametrize(
    "spell",
    [
        lambda data: data.hex().encode(),
        lambda data: data.hex().upper().encode(),
        lambda data: data.hex(":").encode(),
        lambda data: data.hex(" ").encode(),
        lambda data: b"0x" + data.hex().encode(),
        base64.b32encode,
        lambda data: base64.b32encode(data).rstrip(b"="),
        lambda data: str(list(data)).encode(),
        lambda data: str(list(data)).replace(" ", "").encode(),
    ],
)
def test_a_text_in_digits(spell):
    assert without(b"see " + spell(TEXT) + b".") == b"see " + spell(TEXT.replace(b"SECRET", b"***")) + b"."


def test_digits_that_are_no_text():
    noise = random.Random(1).randbytes(64)
    for text in (noise.hex().encode(), base64.b32encode(noise), str(list(range(300))).encode(), b"1, 2, " * 30):
        assert without(text) == text
