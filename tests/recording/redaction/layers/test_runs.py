"""Long runs of some characters, and texts that were seen."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_agent.recording.redaction.layers import runs
from replay_agent.recording.redaction.layers.runs import Runs, Seen


@given(text=st.text(alphabet="ab. ", max_size=200))
@pytest.mark.parametrize("least", [1, 3, 8])
@pytest.mark.parametrize("block", [1, 5, 1 << 14])
def test_runs_are_those_of_a_pattern(text, least, block):
    found = [each.span() for each in re.finditer(rb"[ab]{%d,}" % least, text.encode())]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(runs, "_BLOCK", block)
        assert list(Runs(b"ab", least).of(text.encode())) == found


def test_a_text_without_runs_has_none():
    assert list(Runs(b"0123456789abcdef", 32).of(b"the model reads a line of code" * 20)) == []


def test_a_run_over_many_blocks_is_one():
    size = 3 * runs._BLOCK
    assert list(Runs(b"a", 2).of(b"." + b"a" * size + b".a")) == [(1, size + 1)]


def test_what_was_seen_is_known():
    seen = Seen()
    texts = [b"%d" % number for number in range(100)]
    assert not any(text in seen for text in texts)
    for text in texts:
        seen.add(text)
        assert text in seen
    assert b"other" not in seen


def test_what_was_seen_takes_no_more_with_more_of_it():
    seen = Seen()
    for number in range(3 * runs._SLOTS):
        seen.add(b"%d" % number)
    assert b"%d" % (3 * runs._SLOTS - 1) in seen
    assert sum(b"%d" % number in seen for number in range(3 * runs._SLOTS)) <= runs._SLOTS
