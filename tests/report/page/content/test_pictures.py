from __future__ import annotations

import base64
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_agent.report.page.content.pictures import LARGEST, picture_of
from tests.report.page.samples import png


def riff(kind, rest):
    return b"RIFF" + b"\x00" * 4 + b"WEBP" + kind + b"\x00" * 4 + rest


JPEG = (
    b"\xff\xd8\xff\xe0\x00\x10JFIF\x00"
    + b"\x00" * 9  # a header of 16 bytes
    + b"\xff\xc4\x00\x04\x00\x00"  # a table, whose marker looks like that of a frame
    + b"\xff\xff\xc2\x00\x11\x08"
    + struct.pack(">HH", 7, 5)
    + b"\x00" * 8
)
KNOWN = {
    "png": (png(2, 3), "image/png", (2, 3)),
    "gif": (b"GIF89a" + struct.pack("<HH", 4, 6) + b"\x00" * 8, "image/gif", (4, 6)),
    "jpeg": (JPEG, "image/jpeg", (5, 7)),
    "webp, extended": (riff(b"VP8X", b"\x00" * 4 + b"\x08\x00\x00\x02\x00\x00"), "image/webp", (9, 3)),
    "webp, lossless": (riff(b"VP8L", b"\x2f" + struct.pack("<I", 8 | 2 << 14) + b"\x00" * 8), "image/webp", (9, 3)),
    "webp, lossy": (riff(b"VP8 ", b"\x00" * 6 + struct.pack("<HH", 9, 3) + b"\x00" * 4), "image/webp", (9, 3)),
}


@pytest.mark.parametrize("name", KNOWN)
def test_what_browsers_draw_is_a_picture(name):
    data, media_type, size = KNOWN[name]
    picture = picture_of(data)
    assert picture is not None
    assert (picture.media_type, (picture.width, picture.height)) == (media_type, size)
    assert base64.b64decode(picture.data) == data


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"\x00\x00\x01\x00 an icon",
        b"<!doctype html><script>alert(1)</script>",
        png(size=(100_000, 100_000)),
        png(size=(0, 4)),
        png()[:18],
        png() + b"\x00" * LARGEST,
        JPEG[:24],
        b"RIFF\x00\x00\x00\x00WAVE" + b"\x00" * 40,
        riff(b"VP9 ", b"\x00" * 20),
    ],
    ids=["nothing", "svg", "icon", "html", "bomb", "empty", "short", "huge", "no frame", "sound", "unknown webp"],
)
def test_everything_else_is_none(data):
    assert picture_of(data) is None


@given(st.sampled_from([data for data, _, _ in KNOWN.values()]), st.data())
def test_damage_is_no_error(data, draw):
    place = draw.draw(st.integers(0, len(data)))
    picture_of(data[:place] + draw.draw(st.binary(max_size=20)) + data[place:][: draw.draw(st.integers(0, 40))])
