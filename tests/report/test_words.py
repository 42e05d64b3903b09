"""Word diffs: exact, readable, fast on long texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_agent.report.words import Span, changed_length, word_diff


def marked(before, after):
    signs = {"same": "{}", "removed": "[-{}-]", "added": "{{+{}+}}"}
    return "".join(signs[span.kind].format(span.text) for span in word_diff(before, after))


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        ("Be a geographer.", "Be a historian.", "Be a [-geographer-]{+historian+}."),
        ("the capital of France?", "the old capital of France?", "the {+old +}capital of France?"),
        ("Paris is old.", "Paris is very old.", "Paris is {+very +}old."),
        ("Today is 2026-11-21.", "Today is 2026-11-22.", "Today is [-2026-11-21-]{+2026-11-22+}."),
        ("at 10:33:01 sharp", "at 10:33:07 sharp", "at [-10:33:01-]{+10:33:07+} sharp"),
        ("in /tmp/a-1/x now", "in /tmp/a-2/x now", "in [-/tmp/a-1/x-]{+/tmp/a-2/x+} now"),
        ("see docs.rs/a", "see docs.rs/b", "see [-docs.rs/a-]{+docs.rs/b+}"),
        ("a\nb\nc", "a\nB\nc", "a\n[-b-]{+B+}\nc"),
        ("geographer", "geographers", "[-geographer-]{+geographers+}"),
        ("end", "end.", "end{+.+}"),
        ("same", "same", "same"),
        ("", "new", "{+new+}"),
        ("old", "", "[-old-]"),
        ("one two", "one  two", "one {+ +}two"),
        ("of France", "of Spain", "of [-France-]{+Spain+}"),
        ("Tell me all.", "Nobody knows why?", "[-Tell me all.-]{+Nobody knows why?+}"),
    ],
)
def test_changed_words_are_marked(before, after, shown):
    assert marked(before, after) == shown


@given(st.text("ab .\n-é", max_size=40), st.text("ab .\n-é", max_size=40))
def test_spans_hold_both_texts(before, after):
    spans = word_diff(before, after)
    assert "".join(span.text for span in spans if span.kind != "added") == before
    assert "".join(span.text for span in spans if span.kind != "removed") == after
    assert all(span.text for span in spans)


@given(st.text("ab .\n", max_size=30))
def test_equal_texts_have_no_change(text):
    assert changed_length(word_diff(text, text)) == 0


def test_a_change_in_a_long_prompt_stays_small():
    lines = [f"line {number} of the prompt" for number in range(5_000)]
    edited = [*lines]
    edited[7], edited[4_000] = "line seven of the prompt", "a row"
    assert changed_length(word_diff("\n".join(lines), "\n".join(edited))) < 60


def test_texts_with_nothing_in_common_are_replaced():
    before, after = "x " * 50_000, "y" * 100_000
    assert word_diff(before, after) == (Span("removed", before), Span("added", after))


def test_one_endless_word_is_no_trouble():
    before, after = "a" * 1_000_000 + "b", "a" * 1_000_000 + "c"
    assert changed_length(word_diff(before, after)) == 2 * 1_000_001
