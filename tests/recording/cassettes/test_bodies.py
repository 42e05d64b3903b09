"""Bodies and pieces as fields: readable where the very same bytes come back."""

from __future__ import annotations

import base64
import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_agent.recording.cassettes import bodies
from replay_agent.recording.cassettes.bodies import read_body, read_chunks, write_body, write_chunks
from replay_agent.recording.cassettes.json_spelling import Number
from replay_agent.traffic import Chunk

FORMS = [
    (b'{"a":[1,2]}', {"json": {"a": [1, 2]}}),
    (b'{"a":[1,2.50]}', {"json": {"a": [Number("1"), Number("2.50")]}}),
    (b'{"a": 1}', {"json": {"a": 1}, "spelling": "spaced"}),
    (b'{\n  "a": "\\u00e9"\n}\n', {"json": {"a": "é"}, "spelling": "indent 2 ascii", "after": "\n"}),
    (b'{\n\t"a": 1\n}', {"json": {"a": Number("1")}, "spelling": "tabs 1"}),
    (b'{"a":"\\u003C\\u00E9"}', {"json": {"a": "<é"}, "spelling": "compact ascii upper", "escapes": "<"}),
    (b'\n  {"a":1}', {"json": {"a": 1}, "before": "\n  "}),
    (b'{"a":1,"a":2}', {"text": '{"a":1,"a":2}'}),
    (b'{"a":NaN}', {"text": '{"a":NaN}'}),
    (b'{"a":"\\ud800"}', {"text": '{"a":"\\ud800"}'}),
    (b"{}", {"text": "{}"}),
    (b"null", {"text": "null"}),
    (b"data: 1\n\n", {"text": "data: 1\n\n"}),
    (b"data: 1\r\n\r\n", {"text": "data: 1\n\n", "newline": "crlf"}),
    (b"mixed\r\nends\n", {"text": "mixed\r\nends\n"}),
    ("café".encode("latin-1"), {"text": "café", "charset": "latin-1"}),
    (b"\x00\x01\x02", {"base64": "AAEC"}),
    (bytes(range(256)), None),
    (b"", {}),
]


@pytest.mark.parametrize(("data", "fields"), FORMS)
def test_form_of_a_body(data, fields):
    written = write_body(data, ())
    assert fields is None or written == fields
    assert read_body(written, ()) == data


def test_plainer_forms_on_request():
    assert write_body(b'{"a":1}', (), "text") == {"text": '{"a":1}'}
    assert write_body(b'{"a":1}', (), "base64") == {"base64": "eyJhIjoxfQ=="}


def test_base64_is_wrapped():
    written = write_body(bytes(1000), ())["base64"]
    assert max(map(len, written.split("\n"))) == 100


GZIPPED = (("Content-Encoding", "gzip"),)


def test_encoded_body_is_shown_decoded():
    data = gzip.compress(b'{"a":"hello"}')
    fields = write_body(data, GZIPPED)
    assert fields["json"] == {"a": "hello"}
    assert base64.b64decode(fields["encoded"]) == data
    assert read_body(fields, GZIPPED) == data
    assert read_body(fields, GZIPPED, edited=True) == data


def test_edited_view_counts():
    fields = write_body(gzip.compress(b'{"a":"hello"}'), GZIPPED)
    fields["json"]["a"] = "bye"
    assert gzip.decompress(read_body(fields, GZIPPED, edited=True)) == b'{"a":"bye"}'


@pytest.mark.parametrize("data", [b"\x1f\x8b broken", gzip.compress(bytes(range(256)))], ids=["broken", "no text"])
def test_encoded_body_without_a_view(data):
    fields = write_body(data, GZIPPED)
    assert fields.keys() == {"base64"}
    assert read_body(fields, GZIPPED) == data


@pytest.mark.parametrize(
    "fields",
    [
        {"text": 5},
        {"text": ["a"]},
        {"base64": "a"},
        {"base64": "ä"},
        {"base64": None},
        {"json": {}, "before": 5},
        {"json": {"a": b"bytes"}},
        {"json": {}, "spelling": "indent x"},
        {"text": "€", "charset": "latin-1"},
    ],
)
def test_fields_that_are_no_body(fields):
    with pytest.raises((ValueError, TypeError)):
        read_body(fields, ())


def chunks(*pieces, times=()):
    return tuple(Chunk(piece, time) for piece, time in zip(pieces, [*times, *[0] * len(pieces)], strict=False))


PIECES = [
    ((), None),
    (chunks(b"whole"), None),
    (chunks(b"whole", times=[15]), "all@15"),
    (chunks(b"a\n\n", b"b\n\n", b"c"), "2 2 +1"),
    (chunks(b"a\nbc", b"d\n", times=[3, 9]), "1+2@3 1@9"),
    (chunks(b"caf\xc3", b"\xa9\n", times=[3, 3]), "+4@3 1"),
    (chunks(b"", b"x", b""), "0 +1 0"),
    (chunks(b""), "0"),
    (chunks(b"x", b"y", times=[-1, 5]), "+1@-1 +1@5"),
]


@pytest.mark.parametrize(("pieces", "words"), PIECES)
def test_pieces_both_ways(pieces, words):
    assert write_chunks(pieces) == words
    assert read_chunks(words, b"".join(piece.data for piece in pieces)) == pieces


def test_changed_word_leaves_boundaries_alone():
    events = [f'data: {{"t": "{word}"}}\n\n'.encode() for word in ("one", "two")]
    longer = [events[0], b'data: {"t": "something longer"}\n\n']
    assert write_chunks(chunks(*events)) == write_chunks(chunks(*longer))


def test_many_pieces_stand_in_rows():
    words = write_chunks(chunks(*[b"x\n"] * 25))
    assert [len(row.split()) for row in words.split("\n")] == [10, 10, 5]


@pytest.mark.parametrize(("words", "data"), [("1 1", b"a\nb\nrest"), ("5 +9", b"a\n"), ("+99", b"ab")])
def test_edited_body_still_has_its_pieces(words, data):
    assert b"".join(piece.data for piece in read_chunks(words, data)) == data


@pytest.mark.parametrize("words", ["x", "1+", "@", "all@x", "1 -2"])
def test_words_that_say_nothing(words):
    with pytest.raises(ValueError, match="says nothing"):
        read_chunks(words, b"data")


@given(st.lists(st.tuples(st.binary(max_size=12), st.integers(0, 3)), max_size=6))
def test_any_pieces_come_back(pieces):
    written = tuple(Chunk(data, time) for data, time in pieces)
    assert read_chunks(write_chunks(written), b"".join(data for data, _ in pieces)) == written


@given(st.binary())
def test_any_bytes_come_back(data):
    assert read_body(write_body(data, ()), ()) == data


@given(
    st.recursive(st.none() | st.text() | st.floats(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))
)
def test_any_json_comes_back(value):
    data = json.dumps(value).encode()
    assert read_body(write_body(data, ()), ()) == data


def in_any_pieces(words, data):
    return bodies._cut(data, list(bodies._chunk_ends(words, data)))


@given(
    st.lists(st.tuples(st.integers(0, 3), st.none() | st.integers(0, 9)), min_size=1, max_size=8),
    st.lists(st.sampled_from([b"data: x", b"", b"\r", b"y\r"]), max_size=12),
)
def test_pieces_of_whole_lines_end_where_the_long_way_says(pieces, lines):
    words = " ".join(f"{count}" if time is None else f"{count}@{time}" for count, time in pieces)
    data = b"\n".join(lines)
    assert bodies._whole_lines(words, data) in (None, in_any_pieces(words, data))


@pytest.mark.parametrize("words", ["2 2 1", "2@5 2@10", "1\n1 1", "0 5"])
def test_events_are_told_by_their_line_ends(words):
    data = b"data: 1\n\ndata: 2\n\n\n"
    assert bodies._whole_lines(words, data) == in_any_pieces(words, data)


@pytest.mark.parametrize("words", ["all", "1+5", "+9", "2@-1", "9", "", "x"])
def test_other_pieces_are_not(words):
    assert bodies._whole_lines(words, b"data: 1\n\n") is None
