"""The short way finds what the long way finds, or leaves it to that."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from replay_agent.recording.cassettes.items import item_from_fields, read_item, write_item
from replay_agent.recording.cassettes.usual.items import outcome_start, usual_exchange, usual_response
from replay_agent.recording.cassettes.yaml_blocks import read_block
from replay_agent.traffic import Chunk, Failure, Interaction, Phase, Request, Response, StreamEnd

REQUEST = Request("POST", "https://a.example/v1")
JSON = (("content-type", "application/json"),)
TEXTS = st.text() | st.sampled_from(["", " ", "null", "true", "yes", "12", "1.5e3", "a: b", "- a", "# no", "it's", '"'])
TEXTS |= st.lists(TEXTS, max_size=4).map("\n".join) | st.lists(TEXTS, max_size=3).map("\r\n".join)
LEAVES = TEXTS | st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(LEAVES, lambda each: st.lists(each, max_size=4) | st.dictionaries(TEXTS, each, max_size=4))
LAYOUTS = [
    {"separators": (",", ":")},
    {"separators": (", ", ": ")},
    {"separators": (",", ": ")},
    {"indent": 2},
    {"indent": "\t"},
    {"indent": 4},
]
HEADERS = st.lists(
    st.tuples(st.text(min_size=1), st.text()) | st.tuples(st.sampled_from(["x-id", "ETag"]), TEXTS), max_size=4
)


def _lines(response):
    lines = write_item(Interaction(REQUEST, response))
    return lines[lines.index("  response:") :]


def _by_the_long_way(lines):
    return item_from_fields({"request": {"method": "", "uri": ""}, **read_block(lines)}, edited=False).outcome


def _spelled(value, layout, ascii):
    return json.dumps(value, ensure_ascii=ascii, **layout).encode("utf-8", "surrogatepass")


@given(VALUES, st.sampled_from(LAYOUTS), st.booleans(), st.integers(0, 3))
def test_a_body_comes_out_as_by_the_long_way(value, layout, ascii, after_ms):
    lines = _lines(Response(200, JSON, (Chunk(_spelled({"value": value}, layout, ascii), after_ms),), reason="OK"))
    found = usual_response(lines)
    assert found in (None, _by_the_long_way(lines))


@given(HEADERS, st.sampled_from([None, "OK", "Not Found", "No", "true", "I'm a teapot", ""]))
def test_a_head_comes_out_as_by_the_long_way(headers, reason):
    lines = _lines(Response(418, tuple(headers), (Chunk(b'{"a":1}'),), reason=reason))
    assert usual_response(lines) in (None, _by_the_long_way(lines))


ANSWERS = [
    {"id": "chatcmpl-1", "choices": [{"index": 0, "message": {"role": "assistant", "content": "Paris.\n\nIt is."}}]},
    [{"embedding": [0.1, -2, 3e-9], "of": "a"}, {"embedding": []}],
    {"a": [[1, 2], [[], {}], ["x"]], "b": {"c d": None, "0": True}, "é": "é\u2028"},
    {"error": {"type": "invalid_request_error", "message": 'it\'s "bad"', "code": None}},
]


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("layout", [layout for layout in LAYOUTS if layout != {"separators": (",", ": ")}])
@pytest.mark.parametrize("ascii", [False, True])
def test_what_models_answer_is_read_the_short_way(answer, layout, ascii):
    response = Response(200, JSON, (Chunk(_spelled(answer, layout, ascii), 35),), reason="OK")
    assert usual_response(_lines(response)) == response


PIECES = st.lists(st.tuples(TEXTS, st.integers(0, 3)), min_size=1, max_size=6)


@given(PIECES)
@example([("data: {}\n\n", 0), ("data: [DONE]\n\n", 2)])
@example([("all of it", 35)])
@example([("one\n", 0), ("two\n", 0)])
def test_a_text_comes_out_as_by_the_long_way(pieces):
    chunks = tuple(Chunk(text.encode("utf-8", "surrogatepass"), after_ms) for text, after_ms in pieces if text)
    lines = _lines(Response(200, JSON, chunks, reason="OK"))
    assert usual_response(lines) in (None, _by_the_long_way(lines))


STREAMS = [
    [("data: {}\n\n", 1), ("data: {}\n\n", 1), ("data: [DONE]\n\n", 4)],
    [("event: message_start\ndata: {}\n\nevent: ping\n", 0), ("data: {}\n\n", 0)],
    [(f"data: {number}\n\n", number // 4) for number in range(60)],
    [("  no JSON: a text\n", 0), ("in pieces", 7)],
    [("data: {}\n\n\n", 0), ("data: 1", 0)],
]


@pytest.mark.parametrize("pieces", STREAMS)
def test_a_stream_is_read_the_short_way(pieces):
    response = Response(200, JSON, tuple(Chunk(text.encode(), after_ms) for text, after_ms in pieces), reason="OK")
    assert usual_response(_lines(response)) == response


@pytest.mark.parametrize(
    "more", ["      encoded: AAAA\n", "    redacted: true\n", "    end: closed\n", "      chunks: two\n"]
)
def test_a_text_with_more_behind_it_goes_the_long_way(more):
    lines = _lines(Response(200, JSON, (Chunk(b"data: {}\n\n"),)))
    assert usual_response(lines) is not None
    assert usual_response(lines + more) is None


OTHERS = [
    Response(204),
    Response(200, JSON, (Chunk(b"data: {}\r\n\r\n"),)),
    Response(200, JSON, (Chunk(b"data: {}\n\n"),), end=StreamEnd.CLOSED),
    Response(200, JSON, (Chunk(b'{"a":'), Chunk(b"1}", 5))),
    Response(200, JSON, (Chunk(b'{"a":1}'),), end=StreamEnd.CLOSED),
    Response(200, JSON, (Chunk(b'{"a":1}'),), redacted=True),
    Response(200, JSON, (Chunk(b'{"a":1}'),), http_version="HTTP/2"),
    Response(200, JSON, (Chunk(rb'{"a":"\/"}'),)),
    Response(200, JSON, (Chunk(b'\n {"a":1}\n'),)),
    Response(200, (("name", "a"), ("odd name", "b"), ("x", '"q"')), (Chunk(b'{"a":1}'),)),
]


@pytest.mark.parametrize("response", OTHERS)
def test_any_other_is_left_to_the_long_way(response):
    assert usual_response(_lines(response)) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("model: m", "model m"),
        ("status: 200", "status: 20"),
        ("json:\n", "json: {}\n"),
        ("    - x: 'y'\n", "    - x:\n"),
    ],
)
def test_lines_that_are_none_of_ours_are_left_to_the_long_way(old, new):
    lines = _lines(Response(200, (("x", "y"),), (Chunk(b'{"model":"m"}'),)))
    assert old in lines
    assert usual_response(lines.replace(old, new)) is None


def test_a_long_answer_is_left_to_the_reader_that_counts():
    lines = _lines(Response(200, JSON, (Chunk(b'{"a":"%b"}' % (b"x" * (1 << 20))),)))
    assert usual_response(lines) is None


URLS = (
    st.sampled_from(["https://a.example/v1", "http://a: b", "https://a/#f", "https://é.example/", "null", ""])
    | st.text()
)
TESTS = (
    st.none() | st.sampled_from(["t.py::a", "true", "null", "t.py::a[it's]", "t.py::a[b: c]", "t.py::a #"]) | st.text()
)


@given(URLS, HEADERS, VALUES, TESTS, st.none() | st.just("2026-11-27T10:00:00Z"))
@example("https://a.example/v1", [], {"a": "\n  response:\n    status: 200\n"}, None, None)
def test_an_item_comes_out_as_by_the_long_way(url, headers, value, test, recorded_at):
    request = Request("POST", url, tuple(headers), _spelled({"value": value}, LAYOUTS[1], ascii=False))
    interaction = Interaction(request, Response(200, JSON, (Chunk(b'{"a":1}'),)), test, recorded_at)
    lines = write_item(interaction)
    assert read_item(lines) == item_from_fields(read_block(lines), edited=False) == interaction


@pytest.mark.parametrize("answer", ANSWERS)
def test_what_models_are_asked_is_read_the_short_way(answer):
    body = _spelled(answer, LAYOUTS[1], ascii=True)
    request = Request("POST", "https://api.example/v1/chat/completions?b=c", JSON, body)
    response = Response(200, JSON, (Chunk(body, 35),), reason="OK")
    lines = write_item(Interaction(request, response))
    assert usual_exchange(lines) == (request, response)
    assert lines[outcome_start(lines) :].startswith("  response:\n")


def test_a_request_without_an_answer_is_left_to_the_long_way():
    lines = write_item(Interaction(REQUEST, Failure("ConnectError", Phase.CONNECT)))
    assert outcome_start(lines) == 0
    assert usual_exchange(lines) is None
