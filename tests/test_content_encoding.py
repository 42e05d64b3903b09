"""Content encodings undone, whole, cut and damaged."""

from __future__ import annotations

import gzip
import zlib

import brotli
import pytest
import zstandard

from replay_agent.content_encoding import content_encodings, decoded
from replay_agent.exceptions import ContentEncodingError

TEXT = b'{"answer": "' + b"Paris. " * 400 + b'"}'


def bare_deflate(data):
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return stream.compress(data) + stream.flush()


CASES = {
    "gzip": gzip.compress(TEXT),
    "x-gzip": gzip.compress(TEXT[:100]) + gzip.compress(TEXT[100:]),
    "deflate": zlib.compress(TEXT),
    "Deflate": bare_deflate(TEXT),
    "br": brotli.compress(TEXT),
    "zstd": zstandard.compress(TEXT[:50]) + zstandard.compress(TEXT[50:]),
    "identity": TEXT,
    "gzip, br": brotli.compress(gzip.compress(TEXT)),
}


@pytest.mark.parametrize("name", CASES)
def test_encodings_are_undone(name):
    assert decoded(CASES[name], (("Content-Encoding", name),)) == TEXT


def test_a_body_without_encoding_stays():
    assert decoded(TEXT, (("content-type", "application/json"),)) == TEXT


def test_an_empty_body_stays_empty():
    assert decoded(b"", (("content-encoding", "gzip"),)) == b""


def test_repeated_headers_add_up():
    headers = (("content-encoding", "gzip"), ("Content-Encoding", "identity, BR"))
    assert content_encodings(headers) == ("gzip", "br")


@pytest.mark.parametrize("name", ["gzip", "deflate"])
def test_a_cut_body_gives_its_beginning(name):
    body = CASES[name][:-9]
    assert TEXT.startswith(decoded(body, (("content-encoding", name),)))


@pytest.mark.parametrize("name", ["gzip", "deflate", "br", "zstd"])
def test_damaged_data_is_named(name):
    with pytest.raises(ContentEncodingError, match=f"damaged {name} data"):
        decoded(b"\xff\xfenot compressed at all", (("content-encoding", name),))


def test_an_unknown_encoding_is_named():
    with pytest.raises(ContentEncodingError, match="'pack200-gzip'"):
        decoded(TEXT, (("content-encoding", "pack200-gzip"),))


@pytest.mark.parametrize("name", ["gzip", "deflate", "br", "zstd"])
def test_a_bomb_is_refused(name):
    with pytest.raises(ContentEncodingError, match="more than 1000 bytes"):
        decoded(CASES[name], (("content-encoding", name),), limit=1000)
