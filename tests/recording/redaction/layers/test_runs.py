"""Long runs of some characters."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from replay_agent.recording.redaction.layers.runs import Runs


@given(st.text("ab-", max_size=60))
def test_runs_are_those_of_a_pattern(text):
    data = text.encode()
    assert list(Runs(b"ab", 3).of(data)) == [found.span() for found in re.finditer(rb"[ab]{3,}", data)]
