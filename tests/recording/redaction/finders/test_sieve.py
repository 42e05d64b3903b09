"""Texts are looked at where the anchors of rules are in their pieces: as much is found as where all is looked at."""

from __future__ import annotations

import base64
import random as randoms
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_agent.recording.redaction.finders import sieve
from replay_agent.recording.redaction.finders.clues import Clues
from replay_agent.recording.redaction.finders.sieve import Sieve, anchored
from replay_agent.recording.redaction.redactor import Redactor
from replay_agent.recording.redaction.scanning import scan
from tests.recording.redaction.planted import FORMATS, SHAPES, credential

NAMES = (
    *("api_key", "token", "secret", "password", "authorization", "x-api-key", "Set-Cookie", "Cookie", "keys", "sid"),
    *(
        "Authorization",
        "connection_string",
        "openai-organization",
        "machine a login b password",
        "WITH PASSWORD",
        "kty",
    ),
    *(
        "my api key is",
        "-u bob",
        "--api-key",
        "curl -b",
        "sshpass -p",
        "Bearer ",
        "Basic ",
        "bot",
        "SecretStr(",
        "name",
    ),
    *("value", "<key>", "</key><string>", "<th>", "<td>", "<secret>", "</secret>", "://user", "headers", "mcp_server"),
    *(
        "jdbc:oracle:thin:a/",
        "-----BEGIN PRIVATE KEY-----",
        "Private-Lines: 2\r\n",
        "data:",
        "REDACTED(a)",
        "=3D",
        "=\n",
    ),
)
MARKS = (
    *('"', '"', "'", "=", ":", ": ", ",", ", ", ";", "|", "\t", "\n", "\n", "\n  - ", "\r\n", "\\n", "\\", '\\"', "&"),
    *("?", "@", "{", "}", "[", "]", "<", ">", "(", ")", "%20", "`", "**", " ", "    ", "/", "+", "é", "97, 98, 99, "),
)
LONG_BASE64 = base64.b64encode(randoms.Random(1).randbytes(9000))
VALUES = ("hunter22x", "492817", "Qz7Lk9Wm3PvXt5Rb2N", "sk-...", "correct horse battery", "61626364" * 8, "QUJD" * 19)


@st.composite
def texts(draw):
    random = randoms.Random(draw(st.integers(0, 1 << 30)))
    keys = st.sampled_from(sorted(SHAPES)).map(lambda shape: credential(shape, random))
    texts = st.one_of(st.sampled_from(NAMES), st.sampled_from(MARKS), st.sampled_from(VALUES), keys)
    text = "".join(draw(st.lists(texts, min_size=1, max_size=40)))
    body = text.encode() if draw(st.booleans()) else FORMATS[draw(st.sampled_from(sorted(FORMATS)))][0](text)
    return draw(st.sampled_from([b"", b"a: 1\n", b"a,"])) + body * draw(st.sampled_from([1, 1, 1, 40]))


@given(text=texts())
def test_as_much_is_found_as_where_all_of_a_text_is_looked_at(text):
    assert_as_much_is_found(text)


@given(before=texts(), after=texts(), around=st.sampled_from([b"", b'"', b" ", b"/", b"=", b"\n", b",", b"\\n"]))
def test_as_much_is_found_around_long_base64(before, after, around):
    assert_as_much_is_found(before + around + LONG_BASE64 + around + after)


@given(
    name=st.sampled_from(["my api key", "TOKEN", "client_secret", "Bearer", "bot12345678:", "**Password**"]),
    between=st.lists(
        st.sampled_from([" ", "\t", "*", "_", "`", '"', "|", ":", "->", "=>", "\u2192", " is", " was given", " value"]),
        max_size=6,
    ),
    value=st.sampled_from(["Qz7Lk9Wm3PvXt5Rb2N", "_Qz7Lk9Wm3PvXt5R", "AAq7Zk9q7Zk9q7Zk9q7Zk9q7Zk9q7Zk9q7Z"]),
)
def test_as_much_is_found_beside_long_words(name, between, value):
    assert_as_much_is_found(f"{name}{''.join(between)}{value}.".encode())


def assert_as_much_is_found(text):
    found, cleaned = scan(text, environ={}), Redactor(environ={}).text(text.decode("utf-8", "surrogateescape"))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Clues, "at", lambda _clues, _anchor: None)
        assert scan(text, environ={}) == found
        assert Redactor(environ={}).text(text.decode("utf-8", "surrogateescape")) == cleaned


@given(text=st.text(alphabet="ab,\n", max_size=80))
@pytest.mark.parametrize("block", [1, 4, 1 << 16])
def test_every_piece_is_seen_where_it_stands(text, block):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sieve, "_BLOCK", block)
        found = Sieve([anchored((b"b", b""), needs=b"b")]).places(text.encode())
    assert [sorted(places) for places in found.values()] == [[each.start() for each in re.finditer("b", text)]]


def test_anchors_are_told_apart():
    first = anchored((b"one", b""), (b"ei", b"[a-z]s"), needs=b"n")
    second = anchored((b"two", b""), needs=b"w")
    places = Sieve([first, second]).places(b"two,one\neins two,none")
    assert {anchor: list(each) for anchor, each in places.items()} == {first: [4, 8, 18], second: [0, 13]}
    assert not any(Sieve([first, second]).places(b"word").values())


def test_words_with_an_anchor_are_told_where_they_begin_and_others_looked_at_once():
    seen = []

    def anchor(words):
        seen.extend(sorted(words.split()))
        return (found.start() for found in re.finditer(b"42", words))

    sieved = Sieve([], [anchor])
    word, marked = b"chatcmpl-0123456789", b"chatcmpl-0123456742"
    for text in (b"%b short 42" % word, b"see %b" % word, b"%b %b\n%b" % (marked, word, marked), b"a %b" % marked):
        assert list(sieved.places(text)[anchor]) == [place.start() for place in re.finditer(marked, text)]
    assert seen == [word, marked, marked]


def test_a_piece_without_anchors_is_looked_at_once():
    seen = []

    def anchor(pieces):
        seen.extend(sorted(pieces.split()))
        return (found.start() for found in re.finditer(b"key", pieces))

    sieved = Sieve([anchor])
    for text in (b"dull,key\ndull", b"dull\nother,key", b"other"):
        assert list(sieved.places(text)[anchor]) == [place.start() for place in re.finditer(b"key", text)]
    assert seen == [b"dull", b"key", b"key", b"other"]


def test_of_too_many_places_none_is_told_and_no_piece_is_taken_for_dull():
    anchor = anchored((b"k", b""), needs=b"k")
    sieved = Sieve([anchor])
    assert sieved.places(b"k" * 1000) == {anchor: None}
    assert sieved.places(b"k,key," * 1000) == {anchor: None}
    assert list(sieved.places(b"key, k")[anchor]) == [0, 5]


def test_of_long_base64_the_midst_is_left_out_of_what_anchors_see():
    seen = []

    def anchor(pieces):
        seen.append(len(pieces))
        return (found.start() for found in re.finditer(b"key", pieces))

    sieved = Sieve([anchor])
    assert list(sieved.places(b"dull %b dull" % LONG_BASE64)[anchor]) == []
    assert max(seen) < len(LONG_BASE64) // 4
    assert list(sieved.places(b"key %b key" % LONG_BASE64)[anchor]) == [0, len(LONG_BASE64) + 5]


def test_anchors_within_words_see_all_of_long_base64():
    def anchor(pieces):
        return (found.start() for found in re.finditer(re.escape(LONG_BASE64[6000:6100]), pieces))

    assert list(Sieve([], within_words=[anchor]).places(b"one %b" % LONG_BASE64)[anchor]) == [6004]


def test_anchors_beside_words_are_told_where_long_words_are():
    def anchor(text, words):
        return [start for start, end in words if text[start - 2 : start] == b": " and end - start == 18]

    text = b"id: chatcmpl-012345678,id chatcmpl-012345678\nid: chatcmpl"
    assert list(Sieve([], beside_words=[anchor]).places(text)[anchor]) == [4]
    assert not any(Sieve([], beside_words=[anchor]).places(b"id: word").values())


def test_a_block_with_few_anchors_is_looked_at_once():
    seen = []

    def anchor(pieces):
        seen.append(pieces)
        return (found.start() for found in re.finditer(b"key", pieces))

    sieved = Sieve([anchor])
    for _ in range(3):
        assert list(sieved.places(b"a key, another key\ndull")[anchor]) == [2, 15]
    assert len(seen) == 1
    for _ in range(3):
        assert list(sieved.places(b"key," * 20)[anchor]) == list(range(0, 80, 4))
    assert len(seen) == 4
