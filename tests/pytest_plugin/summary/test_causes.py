from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_agent.pytest_plugin.summary.causes import wrapped

RED, PLAIN = "\x1b[31m", "\x1b[0m"


@pytest.mark.parametrize(
    ("line", "width", "lines"),
    [
        ("one two three", 8, ["one two", "three"]),
        ("one two three", 80, ["one two three"]),
        ("one two three", 0, ["one two three"]),
        ("    one two", 8, ["    one", "    two"]),
        (f"one {RED}two{PLAIN} three", 8, [f"one {RED}two{PLAIN}", "three"]),
        ("a" * 20, 8, ["a" * 20]),
        ("    pytest tests/test_a.py::test_b", 8, ["    pytest tests/test_a.py::test_b"]),
        ("    replay-agent mv one two three", 8, ["    replay-agent mv one two three"]),
        ("", 8, [""]),
        ("   ", 1, []),
    ],
)
def test_lines_are_broken_at_blanks(line, width, lines):
    assert wrapped(line, width) == lines


@given(st.text(alphabet="ab \x1b[31m", max_size=60), st.integers(1, 20))
def test_nothing_but_blanks_is_lost(line, width):
    assert re.sub(r"\s", "", "".join(wrapped(line, width))) == re.sub(r"\s", "", line)
