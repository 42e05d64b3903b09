"""Nothing that cannot be seen is left in a text, whatever it is; what can be seen stays."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_agent.exceptions import CassetteMiss, CassetteUnreadable, NetworkBlocked, WireError
from replay_agent.surroundings.visible import visible
from replay_agent.traffic import Request

INKED = set(range(0x600, 0x606)) | {0x6DD, 0x8E2, 0x890, 0x891}
"""Formats of Arabic that have a shape."""
UNSEEN = [
    "\0",
    "\b",
    "\r",
    "\x1b",
    "\x7f",
    "\x9b",
    "\u2028",
    "\ud800",
    "\u200b",
    "\u202e",
    "\u2066",
    "\u00ad",
    "\u061c",
    "\ufeff",
    "\u2063",
    "\u3164",
    "\u2800",
    "\ufe01",
    "\U000e0041",
    "\U000e0100",
]


@pytest.mark.parametrize("character", UNSEEN, ids=ascii)
def test_what_cannot_be_seen_is_shown(character):
    text = visible(f"a{character}b")
    assert character not in text
    assert text[0] == "a"
    assert text[-1] == "b"
    assert len(text) > 2


def test_every_control_and_format_is_shown():
    left = [
        code
        for code in range(0x110000)
        if unicodedata.category(chr(code)) in ("Cc", "Cf", "Cs", "Zl", "Zp")
        and visible(chr(code)) == chr(code)
        and code not in INKED
    ]
    assert left == [0x09, 0x0A]


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "a\n\tb",
        "Zürich, 東京, القاهرة",
        "é",
        "\u2764\ufe0f",
        "1\ufe0f\u20e3",
        "\U0001f469\u200d\U0001f4bb",
        "🏳️‍🌈",
        "👍🏽",
    ],
)
def test_what_can_be_seen_stays(text):
    assert visible(text) == text


def test_a_joiner_between_letters_is_shown():
    assert visible("ad\u200dmin") == "ad\\u200dmin"
    assert visible("a\ufe0f") == "a\\ufe0f"


@given(st.text(st.characters(exclude_categories=())))
def test_twice_is_once(text):
    assert visible(visible(text)) == visible(text)


REQUEST = Request("POST", "http://h/x", (), b"")


@pytest.mark.parametrize(
    "error",
    [
        NetworkBlocked("a\x1b[2Jb"),
        CassetteUnreadable("a\x1b[2Jb"),
        CassetteMiss("a\x1b[2Jb", REQUEST),
        WireError("a\x1b[2Jb", "openai_chat"),
    ],
)
def test_errors_show_what_they_say(error):
    assert "a\u241b[2Jb" in str(error)
