"""Places to be replaced, and the ends of pieces."""

from __future__ import annotations

import pytest

from replay_agent.recording.redaction.spans import Place, Span, merged, moved, replaced


def span(start, end, rule="a", text=None):
    return Span(start, end, rule, b"", text)


@pytest.mark.parametrize(
    ("spans", "kept"),
    [
        ([span(5, 6), span(0, 2)], [(0, 2, "a"), (5, 6, "a")]),
        ([span(0, 5), span(1, 3, "b")], [(0, 5, "a")]),
        ([span(0, 5), span(3, 9, "b")], [(0, 9, "b")]),
        ([span(0, 6), span(3, 8, "b")], [(0, 8, "a")]),
        ([span(0, 5, "a"), span(0, 5, "b")], [(0, 5, "a")]),
        ([span(0, 5, "b", b"x"), span(0, 5, "a")], [(0, 5, "a")]),
        ([span(0, 9, "b", b"x"), span(2, 5, "a")], [(0, 9, "a")]),
        ([span(0, 2), span(2, 4)], [(0, 2, "a"), (2, 4, "a")]),
    ],
)
def test_spans_that_overlap_become_one(spans, kept):
    assert [(each.start, each.end, each.rule) for each in merged(spans)] == kept


def test_places_are_replaced():
    assert replaced(b"abcdef", [Place(1, 3, b"--+"), Place(5, 6, b"")]) == b"a--+de"
    assert replaced(b"abc", []) == b"abc"


@pytest.mark.parametrize(("cut", "after"), [(0, 0), (1, 1), (2, 4), (3, 4), (4, 5), (6, 6)])
def test_an_end_within_a_place_goes_to_its_end(cut, after):
    assert moved([cut], [Place(1, 3, b"--+"), Place(5, 6, b"")]) == [after]
