"""What bodies are packed in."""

from __future__ import annotations

import base64
import gzip
import json
import zlib

import pytest

from replay_agent.framing.raw_frames import Frame, join_frames, split_frames
from replay_agent.recording.redaction.containers import decoded, decoded_cuts, framed_places, unframed
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
