"""Tokens are found in long words alone, each of which is looked at once: as many are found as in the whole text."""

from __future__ import annotations

import random as randoms
import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_agent.recording.redaction.finders import long_runs
from replay_agent.recording.redaction.finders.long_runs import CHARACTERS, SHORTEST, LongRuns
from replay_agent.recording.redaction.finders.shapes import _SHAPES, find_in_long_runs

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
    whole = sorted(find_in_long_runs(text))
    assert sorted(LongRuns(find_in_long_runs).find(text)) == whole


def test_a_word_without_a_token_is_looked_at_once():
    seen = []
    words = LongRuns(lambda text: seen.append(text) or ())
    for _ in range(3):
        assert list(words.find(b"see chatcmpl-0123456789abcdef and short ones")) == []
    assert seen == [b"chatcmpl-0123456789abcdef"]


def test_a_token_is_found_each_time():
    words = LongRuns(find_in_long_runs)
    text = b"key " + b"sk-proj-Qz7Lk9Wm3PvXt5Rb2NqY8" + b" " + b"x" * 3 * long_runs._BATCH
    first = list(words.find(text))
    assert {span.start for _, span in first} == {4}
    assert list(words.find(text)) == first


@pytest.mark.parametrize("shape", _SHAPES, ids=lambda shape: shape.rule)
def test_every_token_is_a_long_word(shape):
    for mark in shape.marks:
        assert set(mark) <= set(CHARACTERS)
        assert len(mark) + shape.shortest >= SHORTEST
