"""Replaced places, and the boundaries of pieces around them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_agent.recording.redaction.spans import Draft, Span, Text, disjoint


def test_overlapping_places_go_to_the_first_and_longest():
    spans = [Span(5, 9, b"", "c"), Span(0, 4, b"", "a"), Span(0, 6, b"", "b"), Span(6, 7, b"", "d")]
    assert [span.rule for span in disjoint(spans)] == ["b", "d"]


BOUNDARIES = [
    ([b"abc", b"XYdef"], b"XY", [b"abc", b"[secret]def"]),
    ([b"abcX", b"Ydef"], b"XY", [b"abc[secret]", b"def"]),
    ([b"abcXY", b"def"], b"XY", [b"abc[secret]", b"def"]),
    ([b"aX", b"Y", b"b"], b"XY", [b"a[secret]", b"", b"b"]),
    ([b"X", b"Y"], b"XY", [b"[secret]", b""]),
    ([b"aXYb", b"cXYd"], b"XY", [b"a[secret]b", b"c[secret]d"]),
    ([b"", b"XY", b""], b"XY", [b"", b"[secret]", b""]),
]


@pytest.mark.parametrize(("pieces", "secret", "after"), BOUNDARIES)
def test_boundaries_follow_the_text(pieces, secret, after):
    draft = draft_of(pieces)
    draft.apply(finder(secret))
    assert draft.pieces() == after


def draft_of(pieces):
    cuts = [sum(map(len, pieces[: n + 1])) for n in range(len(pieces))]
    return Draft(b"".join(pieces), cuts)


def finder(secret, text=b"[secret]"):
    def find(source):
        places = [n for n in range(len(source.data)) if source.data.startswith(secret, n)]
        return disjoint(Span(n, n + len(secret), text, "rule") for n in places)

    return find


def test_what_stands_there_already_is_no_change():
    draft = Draft(b"a[secret]b")
    draft.apply(finder(b"[secret]"))
    assert draft.rules == []


def test_rules_are_remembered():
    draft = Draft(b"XX")
    draft.apply(finder(b"X"))
    assert draft.rules == ["rule", "rule"]


@given(st.lists(st.binary(max_size=6), max_size=6), st.sampled_from([b"\0", b"\1\0", b"a"]), st.binary(max_size=3))
def test_pieces_are_the_whole_and_unchanged_ones_stay(pieces, secret, text):
    draft = draft_of(pieces)
    whole = draft.data
    draft.apply(finder(secret, text))
    assert b"".join(draft.pieces()) == draft.data
    assert len(draft.pieces()) == len(pieces)
    if secret not in whole:
        assert draft.pieces() == pieces


def test_long_words_and_names_of_a_text():
    text = Text(b'{"name":"short", "a b" : 1, "x\\":2 averyveryverylongword/and=more.of-it ok')
    assert text.words == b"averyveryverylongword/and=more.of-it"
    assert {b"name", b"a b", b"x"} <= text.names
