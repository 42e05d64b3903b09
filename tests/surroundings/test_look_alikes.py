"""Texts that differ and look the same."""

from __future__ import annotations

import pytest

from replay_agent.surroundings.look_alikes import told_apart


@pytest.mark.parametrize(
    ("one", "other", "shown"),
    [
        ("caf\u00e9", "cafe\u0301", ("caf\\u00e9", "cafe\\u0301")),
        ("10 km", "10\u00a0km", ("10 km", "10\\u00a0km")),
        ("\ufb01ne", "fine", ("\\ufb01ne", "fine")),
        ("\uff21", "A", ("\\uff21", "A")),
        ("\U0001d400", "A", ("\\U0001d400", "A")),
    ],
)
def test_what_looks_the_same_is_shown_as_escapes(one, other, shown):
    assert told_apart(one, other) == shown


@pytest.mark.parametrize(
    ("one", "other"), [("a", "b"), ("caf\u00e9", "cafe"), ("\u00e9", "\u00e9"), ("", "x"), ("a", "a ")]
)
def test_other_texts_stay_as_they_are(one, other):
    assert told_apart(one, other) == (one, other)
