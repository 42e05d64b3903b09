from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from replay_agent.wire.shapes.made_up import made_up_id, pieces


def test_an_id_depends_on_the_content_alone():
    assert made_up_id("call_", 1, {"a": 1}) == made_up_id("call_", 1, {"a": 1})
    assert made_up_id("call_", 1, {"a": 1}) != made_up_id("call_", 2, {"a": 1})
    assert made_up_id("call_", "ab", "c") != made_up_id("call_", "a", "bc")
    assert made_up_id("call_").startswith("call_")


@given(st.text())
def test_pieces_make_up_the_text(text):
    assert "".join(pieces(text)) == text
    assert all(pieces(text))


def test_a_piece_is_about_a_word():
    assert pieces("It is  four.\n") == ["It", " is", "  four.", "\n"]
    assert max(map(len, pieces("x" * 100))) < 30
