"""Places to be replaced, and the ends of pieces."""

from __future__ import annotations

import tracemalloc

import pytest

from replay_agent.recording.redaction.spans import Place, Places, Span, Spans, merged, moved, replaced


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


TEXT = b"abcdef" * 400
ODD = [
    Span(3, 9, "rule", b"plain value"),
    Span(3, 7, "other", TEXT[3:7]),
    Span(0, 2, "rule", b"", b"written anew", quoted=True),
    Span(8, 8, "", b"", stands_in=True),
    *(Span(20 + number, 21 + number, f"name-{number}", b"v" * (number % 3)) for number in range(1500)),
    Span(1, 2, "\udc80 a rule that is no text", b"\xff"),
]


def test_spans_of_a_text_come_back_as_they_were():
    kept = Spans(TEXT, ODD)
    assert len(kept) == len(ODD)
    assert list(kept) == ODD
    assert kept[1] == ODD[1]
    assert not Spans(b"")


@pytest.mark.parametrize("times", [1, 2, 600])
def test_spans_of_a_text_are_put_in_order(times):
    spans = ODD[:4] * times
    assert list(Spans(TEXT, spans).merged()) == merged(spans)
    assert [each[:2] for each in Spans(TEXT, spans).in_order()] == sorted(
        (each[:2] for each in spans), key=lambda place: (place[0], -place[1])
    )


def test_a_span_takes_few_bytes():
    text = b"secret " * 20_000
    tracemalloc.start()
    kept = Spans(text, (Span(start, start + 6, "rule", b"secret") for start in range(0, len(text), 7)))
    taken = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert len(kept) == 20_000
    assert taken < 24 * len(kept)


def test_places_are_made_each_time_they_are_read():
    places = Places(Spans(b"abc", [Span(1, 2, "x")]), lambda span: span.rule.encode() * 3)
    assert list(places) == list(places) == [Place(1, 2, b"xxx")]
    assert len(places) == 1
