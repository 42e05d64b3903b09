"""Tokens are found in long words alone: as many as in the whole text."""

from __future__ import annotations

import random as randoms
import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_agent.recording.redaction.finders import long_words
from replay_agent.recording.redaction.finders.long_words import (
    CHARACTERS,
    LONG_WORDS,
    SHORTEST,
    find_in_words,
    words_at,
)
from replay_agent.recording.redaction.finders.shapes import _SHAPES, find_in_long_words
from replay_agent.recording.redaction.spans import Span

NUMBER = re.compile(rb"[0-9]+")
BETWEEN = st.sampled_from(
    ["", " ", "\n", '"', "/", "+", "-", "_", ".", "=", "@", ":", "é", "a", "word ", "QUJDREVG" * 6, "sk-"]
)
SHAPES = st.sampled_from([(shape, mark) for shape in _SHAPES for mark in shape.marks])


def credential(shape, mark, random):
    """Return a token of a shape, of as many characters as it has at least or some more."""
    size = random.randrange(shape.shortest, min(shape.longest, shape.shortest + 40) + 1)
    return mark.decode() + "".join(random.choices(re.findall(f"[{shape.characters}]", string.printable), k=size))


@given(
    parts=st.lists(st.tuples(BETWEEN, SHAPES, st.integers(0, 9), BETWEEN), max_size=8),
    times=st.sampled_from([1, 2, 60]),
)
def test_as_many_tokens_are_found_as_in_the_whole_text(parts, times):
    made = (f"{before}{credential(*shape, randoms.Random(seed))}{behind}" for before, shape, seed, behind in parts)
    text = ("".join(made) * times).encode()
    whole = sorted(find_in_long_words(text))
    assert sorted(find_in_words(text, LONG_WORDS.of(text), find_in_long_words)) == whole


def test_what_is_found_in_many_words_is_told_where_it_stands():
    text = (
        b"key " + b"sk-proj-Qz7Lk9Wm3PvXt5Rb2NqY8" + b" " + b"xyz" * long_words._BATCH + b" " + b"0123456789abcdef " * 9
    )
    found = find_in_words(
        text, words_at(text, None), lambda words: [(7, Span(*each.span(), "x")) for each in NUMBER.finditer(words)]
    )
    assert [(order, span.start, span.end) for order, span in found] == [
        (7, *each.span()) for each in NUMBER.finditer(text)
    ]


def test_words_are_those_that_begin_at_places():
    text = b"short, 0123456789abcdef, api.example.com/v1/models"
    assert [text[start:end] for start, end in words_at(text, None)] == [
        b"0123456789abcdef",
        b"api.example.com/v1/models",
    ]
    assert [text[start:end] for start, end in words_at(text, [25])] == [b"api.example.com/v1/models"]
    assert list(words_at(text, [])) == []


@pytest.mark.parametrize("shape", _SHAPES, ids=lambda shape: shape.rule)
def test_every_token_is_a_long_word(shape):
    for mark in shape.marks:
        assert set(mark) <= set(CHARACTERS)
        assert len(mark) + shape.shortest >= SHORTEST
