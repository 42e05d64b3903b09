"""Lines that fit a terminal."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_agent.report.comparison.forms.wrapping import wrapped

RED, PLAIN = "\x1b[31m", "\x1b[0m"


@given(st.text(st.characters(codec="ascii", exclude_categories=["C"])), st.integers(10, 40))
def test_nothing_is_lost_and_nothing_is_wider(text, width):
    lines = wrapped(text, width, "  ")
    assert all(len(line) <= width for line in lines)
    assert re.sub(r"\s", "", "".join(lines)) == re.sub(r"\s", "", text)


def test_a_line_breaks_between_words():
    assert wrapped("one two three four", 10, "", "  ") == ["one two", "  three", "  four"]


def test_colour_goes_on_in_the_next_line_and_ends_with_each():
    lines = wrapped(f"a {RED}bb cc dd{PLAIN} e", 6)
    assert lines == [f"a {RED}bb{PLAIN}", f"{RED}cc dd{PLAIN}", "e"]


@pytest.mark.parametrize("text", ["漢字漢字漢字漢字", "x" * 30, "🙂" * 12])
def test_a_word_wider_than_a_line_is_cut(text):
    assert len(wrapped(text, 10)) >= 2


def test_an_empty_line_stays():
    assert wrapped("", 10, "  ") == [""]
