"""What bodies are packed in."""

from __future__ import annotations

import base64
import gzip
import json
import time
import zlib

import pytest
import zstandard

from replay_agent.framing.raw_frames import Frame, join_frames, split_frames
from replay_agent.recording.redaction.layers.containers import (
    decoded,
    decoded_cuts,
    framed_places,
    narrowed,
    packed_members,
    packing,
    repacked,
    unframed,
    unpacked,
)
from replay_agent.recording.redaction.spans import replaced

GZIP = (("Content-Encoding", "gzip"),)


def test_a_body_without_encoding_or_in_a_wrong_one():
    assert decoded((), b"x") is None
    assert decoded(GZIP, b"this is not gzip at all") is None
    assert decoded(GZIP, gzip.compress(b"abc")) == b"abc"


@pytest.mark.parametrize(("encoding", "bits"), [("gzip", 31), ("deflate", 15)])
def test_ends_of_packed_pieces(encoding, bits):
    pack = zlib.compressobj(wbits=bits)
    pieces = [pack.compress(each) + pack.flush(zlib.Z_SYNC_FLUSH) for each in (b"one", b"three")] + [pack.flush()]
    body = b"".join(pieces)
    cuts = [len(pieces[0]), len(pieces[0] + pieces[1]), len(body)]
    assert decoded_cuts((("content-encoding", encoding),), body, cuts, 8) == [3, 8, 8]
    assert decoded_cuts(GZIP, body, [], 8) == []


def test_frames_are_lines_and_become_frames_again():
    chunk = json.dumps({"bytes": base64.b64encode(b'{"text":"secret"}').decode(), "p": "ab"}).encode()
    frames = [Frame(b"", b'{"a":1}'), Frame(b"", chunk), Frame(b"", b'{"b":2}')]
    body = join_frames(frames)
    lines = unframed(body + b"cut")
    assert lines.data == b'{"a":1}\n{"text":"secret"}\n{"b":2}\ncut\n'
    places = framed_places(lines, [b'{"a":1}', b'{"text":"***"}', b'{"b":2}', b"CUT"])
    after, rest = split_frames(replaced(body + b"cut", places))
    assert rest == b"CUT"
    assert [after[0], after[2]] == [frames[0], frames[2]]
    said = json.loads(after[1].payload)
    assert (base64.b64decode(said["bytes"]), said["p"]) == (b'{"text":"***"}', "ab")


def test_what_is_no_frames():
    assert unframed(b"x" * 40) is None


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress, zstandard.compress])
def test_packed_data_is_known_by_how_it_begins(pack):
    packed = pack(b"what it holds " * 20)
    assert unpacked(packed) == b"what it holds " * 20
    again = repacked(b"something else", packed)
    assert packing(again) == packing(packed)
    assert unpacked(again) == b"something else"


@pytest.mark.parametrize("data", [b"", b"x", b"x^2 + y", b"plain text", b"\x1f\x8b\x08 broken", b"x\x9c broken"])
def test_what_is_not_packed(data):
    assert unpacked(data) is None


def test_packed_files_within_a_body():
    one, two = gzip.compress(b"one"), gzip.compress(b"two" * 9000)
    body = b"--b\r\n\r\n" + one + b"\r\n--b\r\n\r\n" + two + b"\r\n--b--" + two[:-5]
    assert [body[start:end] for start, end in packed_members(body)] == [one, two]


@pytest.mark.parametrize(
    "piece",
    [b"\x1f\x8b\x08", b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x03\0", gzip.compress(b"", mtime=0)],
    ids=["magic", "head", "empty"],
)
def test_beginnings_of_packed_files_cost_little(piece):
    start = time.perf_counter()
    list(packed_members(b"." + piece * 100_000))
    assert time.perf_counter() - start < 2


@pytest.mark.parametrize(
    ("codec", "kind"),
    [
        ("utf-16", ""),
        ("utf-32", ""),
        ("utf-16-le", "application/json; charset=utf-16le"),
        ("utf-16-be", "x; charset=UTF-16"),
    ],
)
def test_texts_of_wide_characters(codec, kind):
    wide = narrowed(kind, "key ü 😀".encode(codec))
    assert wide.data == "key ü 😀".encode()
    assert wide.spelled(b"REDACTED(x)").decode(codec) == "REDACTED(x)"


@pytest.mark.parametrize("body", [b"", b"text", b"\xff\xfex", b"\xff\xfe\0\xd8"])
def test_what_is_no_text_of_wide_characters(body):
    found = narrowed("application/json", body)
    assert found is None or found.spelled(found.data) == body
