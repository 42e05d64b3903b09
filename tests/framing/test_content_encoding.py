"""Content encodings undone, whole, cut and damaged."""

from __future__ import annotations

import gzip
import sys
import zlib

import brotli
import pytest
import zstandard

from replay_agent.exceptions import WireError
from replay_agent.framing import content_encoding
from replay_agent.framing.content_encoding import decode, encode, encodings

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
    assert decode((("Content-Encoding", name),), CASES[name]) == TEXT


@pytest.mark.parametrize("name", ["gzip", "x-gzip", "deflate", "br", "zstd", "identity", "gzip, zstd"])
def test_encodings_are_applied(name):
    headers = (("content-encoding", name),)
    assert decode(headers, encode(headers, TEXT)) == TEXT


def test_a_body_without_encoding_stays():
    assert decode((("content-type", "application/json"),), TEXT) == TEXT


def test_an_empty_body_stays_empty():
    assert decode((("content-encoding", "gzip"),), b"") == b""


def test_repeated_headers_add_up():
    headers = (("content-encoding", "gzip"), ("Content-Encoding", "identity, BR"))
    assert encodings(headers) == ("gzip", "br")


@pytest.mark.parametrize("name", ["gzip", "deflate", "br", "zstd"])
def test_a_cut_body_gives_its_beginning_where_that_is_wanted(name):
    headers, body = (("content-encoding", name),), CASES[name][:-9]
    assert TEXT.startswith(decode(headers, body, partial=True))
    with pytest.raises(WireError, match="ends too early"):
        decode(headers, body)


@pytest.mark.parametrize("name", ["gzip", "deflate", "br", "zstd"])
def test_damaged_data_is_named(name):
    with pytest.raises(WireError, match=f"{name}: the body is not in this encoding"):
        decode((("content-encoding", name),), b"\xff\xfenot compressed at all")


@pytest.mark.parametrize("package", content_encoding.ZSTD)
def test_any_package_reads_zstd(package, monkeypatch):
    pytest.importorskip(package)
    for other in content_encoding.ZSTD:
        if other != package:
            monkeypatch.setitem(sys.modules, other, None)
    headers = (("content-encoding", "zstd"),)
    assert decode(headers, CASES["zstd"]) == TEXT
    assert decode(headers, encode(headers, TEXT)) == TEXT
    assert TEXT.startswith(decode(headers, CASES["zstd"][:-9], partial=True))
    for damaged in (CASES["zstd"][:-9], b"no zstd"):
        with pytest.raises(WireError, match="zstd"):
            decode(headers, damaged)


def test_a_package_that_is_missing_is_named(monkeypatch):
    for package in content_encoding.ZSTD:
        monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(WireError, match="pip install zstandard"):
        decode((("content-encoding", "zstd"),), CASES["zstd"])


def test_an_unknown_encoding_is_named():
    with pytest.raises(WireError, match="pack200-gzip: unknown"):
        decode((("content-encoding", "pack200-gzip"),), TEXT)


@pytest.mark.parametrize("name", ["gzip", "deflate", "br", "zstd"])
def test_a_bomb_is_refused(name, limit):
    limit(content_encoding, MAX_DECODED=1000)
    with pytest.raises(WireError, match="beyond 1000 bytes"):
        decode((("content-encoding", name),), CASES[name])


def repeated(name, size):
    return encode((("content-encoding", name),), b"a" * size)


@pytest.mark.parametrize("name", ["gzip", "deflate", "br", "zstd"])
def test_what_grows_beyond_measure_is_refused(name):
    headers = (("content-encoding", name),)
    assert len(decode(headers, repeated(name, 1 << 20))) == 1 << 20
    with pytest.raises(WireError, match="grows beyond"):
        decode(headers, repeated(name, content_encoding.MAX_DECODED + 1))


@pytest.mark.parametrize(("name", "empty"), [("gzip", gzip.compress(b"", mtime=0)), ("zstd", zstandard.compress(b""))])
def test_members_are_counted(limit, name, empty):
    limit(content_encoding, MAX_MEMBERS=10)
    headers = (("content-encoding", name),)
    assert decode(headers, empty * 10) == b""
    with pytest.raises(WireError, match="more than 10 members"):
        decode(headers, empty * 11)


def test_padding_between_members_is_skipped():
    assert decode((("content-encoding", "gzip"),), gzip.compress(TEXT) + b"\0" * 3 + gzip.compress(TEXT)) == TEXT * 2


def test_layers_are_counted():
    with pytest.raises(WireError, match="content encodings"):
        decode((("content-encoding", ", ".join(["gzip"] * 6)),), gzip.compress(TEXT))


def test_an_older_brotli_is_fed_in_small_pieces(monkeypatch):
    class Older:
        def __init__(self):
            self._inner, self.largest = brotli.Decompressor(), 0

        def process(self, piece):
            assert len(piece) <= 16
            return self._inner.process(piece)

        def is_finished(self):
            return self._inner.is_finished()

    class Package:
        Decompressor, error = Older, brotli.error

    monkeypatch.setattr(content_encoding, "_brotli", lambda: Package)
    assert decode((("content-encoding", "br"),), brotli.compress(TEXT)) == TEXT
