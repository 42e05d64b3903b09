"""Escapes are undone one level at a time, and every place is known again."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_agent.recording.redaction.layers import escapes
from replay_agent.recording.redaction.layers.escapes import MARGIN, peeled, plain
from replay_agent.recording.redaction.redactor import Redactor
from replay_agent.recording.redaction.spans import Span

ESCAPES = [
    (b"a\\nb", b"a\nb"),
    (b"\\u002B\\u00e9", "+é".encode()),
    (b"\\ud83d\\ude00", "😀".encode()),
    (b"\\ud83d", "\ud83d".encode("utf-8", "surrogatepass")),
    (b"%2B%20&#43;&#x2b;&amp;&lt;", b"+ ++&<"),
    (b"\\\\n", b"\\n"),
    (b"a\\\n   b", b"ab"),
    (b"a\\\n   \\ b", b"a b"),
    (b"\\x41", b"A"),
    (b"\\q %zz &nope; &#99999999;", b"\\q %zz &nope; &#99999999;"),
]


@pytest.mark.parametrize(("spelled", "said"), ESCAPES)
def test_one_level(spelled, said):
    assert b"".join(layer.text for layer in peeled(spelled)) in (said, b"")
    assert [layer.text for layer in peeled(b"-" + spelled + b"\\n")] == [b"-" + said + b"\n"]


def test_all_levels():
    assert plain(json.dumps(json.dumps('a"b')).encode()) == b'""a"b""'


@given(st.lists(st.sampled_from(["\\n", "\\\\", "%41", "&amp;", "\\u0041", "a", "é", " ", "\\", "%", "&"])), st.data())
def test_places_are_known_again(pieces, data):
    source = "".join(pieces).encode()
    for layer in peeled(source):
        start = data.draw(st.integers(0, len(layer.text)))
        end = data.draw(st.integers(start, len(layer.text)))
        (span,) = layer.unpeeled([Span(start, end, "x")])
        rest = source[: span.start], source[span.start : span.end]
        assert len(peel(rest[0])) <= start
        assert layer.text[start:end] in peel(rest[1])


def peel(source):
    """One level of a piece undone, which neither begins nor ends within an escape."""
    return b"".join(layer.text for layer in peeled(source)) or source


def test_only_what_is_near_an_escape_is_kept():
    source = b"a" * 10 * MARGIN + b"\\n" + b"b" * 10 * MARGIN
    (layer,) = peeled(source)
    assert layer.text.startswith(b"a" * MARGIN + b"\n" + b"b" * MARGIN)
    assert len(layer.text) < 6 * MARGIN
    (span,) = layer.unpeeled([Span(MARGIN, MARGIN + 1, "x")])
    assert (span.start, span.end) == (10 * MARGIN, 10 * MARGIN + 2)


def test_long_texts_are_cut_within_no_escape():
    source = b"\\ud83d\\ude00" * 20_000
    (layer,) = peeled(source)
    assert layer.text == "😀".encode() * 20_000


def test_what_is_put_into_a_query_is_spelled_for_it():
    (layer,) = peeled(b"a%2Bb")
    (span,) = layer.unpeeled([Span(0, 3, "x", text=b"c+d=")])
    assert span.text == b"c%2Bd%3D"


@pytest.mark.parametrize(
    ("text", "is_form"),
    [
        (b"text=two+words", True),
        (b"a=b&text[0]=two+words%21", True),
        (b"two+words", False),
        (b"YWJj+A==", False),
        (b'{"a": "b=c+d"}', False),
        (b"sum = a+b", False),
    ],
)
def test_a_plus_sign_is_a_space_in_a_form_alone(text, is_form):
    found = [layer.text for layer in peeled(text)]
    assert (b"two words" in b"".join(found)) is is_form


def test_a_password_with_a_plus_sign_is_found_in_a_form_that_no_header_announces():
    body = b"password=hunter2+xk42PPq&text=two+words"
    assert Redactor(environ={}).text(body.decode()) == "password=REDACTED(password)&text=two+words"


SPELLED = ['\\"', "\\\\", "\\n", "\\t", "\\r", "\\/", "\\'", "\\b", "\\f", "\\u0041", "\\x41", "\\101", "\\q", "\\"]
BESIDE = ["a", "n", '"', ",", "%41", "%", "&amp;", "&", "é", "\u200b", "—", "\0", " ", "\n", "0", "2"]


@given(st.lists(st.sampled_from(SPELLED + BESIDE)))
def test_simple_escapes_are_undone_as_all_are(pieces):
    source = "".join(pieces).encode()
    simply = escapes._undone_simply(source)
    assert simply in (None, escapes._ESCAPE.sub(escapes._replacement, source))
    if "\\" in source.decode() and set(pieces) <= {*SPELLED[:9], "a", ","}:
        assert simply is not None


@given(st.lists(st.sampled_from([*SPELLED, "a" * 40, ", ", '", "'])), st.integers(1, 400))
def test_where_a_text_is_cut_makes_no_difference(pieces, times):
    source = "".join(pieces * times).encode()[:30_000]
    whole = escapes._ESCAPE.sub(escapes._replacement, source)
    assert [layer.text for layer in peeled(source)] == ([whole] if escapes._ESCAPE.search(source) else [])
