"""Interactions of all kinds, and what may happen to the lines of one."""

from __future__ import annotations

import gzip
import json

from hypothesis import strategies as st

from replay_agent.traffic import Chunk, Failure, Interaction, Phase, Request, Response, StreamEnd

REQUEST = Request("GET", "https://a.example/x?y=z")
OUTCOMES = [
    Response(200),
    Response(204, reason="No Content"),
    Response(529, reason="custom reason", http_version="HTTP/2"),
    Response(200, (("Set-Cookie", "a"), ("set-cookie", "b"), ("x", "café"), ("empty", ""), ("odd name", "\x80\x00"))),
    Response(200, (("content-length", "5"),), (Chunk(b"1234"),)),
    Response(304, (("content-length", "1000"),)),
    Response(200, chunks=(Chunk(b"data: caf\xc3", 1), Chunk(b"\xa9\n\n", 2)), end=StreamEnd.CLOSED),
    Response(200, chunks=(Chunk(b"data: 1\n\n", 1),), end=StreamEnd.ABANDONED, waited_ms=500),
    Response(200, end=StreamEnd.FAILED, failure=Failure("ReadError", Phase.BODY, "reset", 7)),
    Response(200, chunks=(Chunk(b"x"),), redacted=True),
    Response(200, chunks=(Chunk(bytes(range(256))),)),
    Response(200, (("content-encoding", "gzip"),), (Chunk(gzip.compress(b'{"a": 1}')),)),
    Response(200, (("content-encoding", "gzip"),), (Chunk(b"\x1f\x8b broken"),)),
    Response(200, chunks=(Chunk(b"\xef\xbb\xbfbom"),)),
    Response(200, chunks=(Chunk("line\u2028sep\x85nel\x1b".encode()),)),
    Response(200, chunks=(Chunk(b'{"a":1e999,"a":"\\ud800"}'),)),
    Failure("ConnectError", Phase.CONNECT, "refused"),
    Failure("ReadTimeout", Phase.HEAD, "lone \ud800", 3000),
]

DAMAGE = [
    ("request:", "asked:", "has no `request`"),
    ("response:", "answered:", "neither `response` nor `failure`"),
    ("method: POST", "verb: POST", "has no `method`"),
    ("method: POST", "method: [POST]", "`method` that is no text"),
    ("status: 200", "status: fine", "`status` that is no number"),
    ("status: 200", "state: 200", "without `status`"),
    ("status: 200", "status: 5", "has the status 5"),
    ("status: 200", "status: .inf", "no number"),
    ("reason: OK", "end: somehow", "it can be: complete, closed, abandoned, failed"),
    ("reason: OK", "failure: text", "not a mapping"),
    ("headers:\n", "headers: text\n    x:\n", "`headers` that are no list"),
    ("- content-type: application/json", "- text", "not a mapping"),
    ("- content-type: application/json", "- {a: b, c: d}", "not one name with its value"),
    ("      json:\n", "      base64: '***'\n      x:\n", "body that cannot be read"),
    ("      json:\n", "      chunks: nonsense\n      json:\n", "says nothing"),
    ("body:\n", "body: text\n    x:\n", "`body` that is not a mapping"),
    ("request:", "request: [", "not valid YAML"),
    ("request:", "request: &a [*a]\n  x:", "stands for nothing"),
    ("model: gpt-4o", "model: !!python/name:os.system x", "not allowed"),
    ("model: gpt-4o", "model: " + "[" * 1000, "nested more than"),
]

ANY_TEXT = st.text(max_size=12) | st.text(st.sampled_from(" \n\t\r\x85\u2028\ufeff:#-'\"\\|ab1\ud800😀"), max_size=12)
LATIN = st.text(st.characters(max_codepoint=255), max_size=10)
HEADERS = st.lists(st.tuples(LATIN | st.sampled_from(["name", "value", "content-length"]), LATIN), max_size=3).map(
    tuple
)
BODIES = (
    st.binary(max_size=40)
    | ANY_TEXT.map(lambda text: text.encode("utf-8", "surrogatepass"))
    | st.recursive(
        st.none() | ANY_TEXT | st.floats() | st.integers(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
        max_leaves=8,
    ).map(lambda value: json.dumps(value).encode())
)
FAILURES = st.builds(Failure, ANY_TEXT, st.sampled_from(list(Phase)), ANY_TEXT, st.integers(0, 9))
CHUNKS = st.lists(st.builds(Chunk, BODIES, st.integers(0, 3)), max_size=4).map(tuple)
RESPONSES = st.builds(
    Response,
    st.integers(100, 999),
    HEADERS,
    CHUNKS,
    reason=st.none() | ANY_TEXT,
    end=st.sampled_from(list(StreamEnd)),
    waited_ms=st.integers(0, 9),
    failure=st.none() | FAILURES,
    redacted=st.booleans(),
)
INTERACTIONS = st.builds(
    Interaction,
    st.builds(Request, ANY_TEXT, ANY_TEXT, HEADERS, BODIES),
    RESPONSES | FAILURES,
    test=st.none() | ANY_TEXT,
    recorded_at=st.none() | ANY_TEXT,
)
