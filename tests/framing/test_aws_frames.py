from __future__ import annotations

import contextlib
import struct
import uuid
from datetime import UTC, datetime, timedelta
from zlib import crc32

import pytest
from botocore.eventstream import EventStreamBuffer
from hypothesis import given
from hypothesis import strategies as st

from replay_agent.exceptions import WireError
from replay_agent.framing.aws_frames import MAX_HEADERS, MAX_PAYLOAD, Frame, FrameDecoder, encode_frame

EVENT = {":event-type": "messageStart", ":content-type": "application/json", ":message-type": "event"}

times = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)).map(
    lambda time: time.replace(microsecond=time.microsecond // 1000 * 1000)
)
values = (
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.binary(max_size=40)
    | st.text(max_size=20)
    | times
    | st.uuids()
)
frames = st.builds(Frame, st.dictionaries(st.text(max_size=20), values, max_size=4), st.binary(max_size=60))


def read(data: bytes) -> list[Frame]:
    decoder = FrameDecoder()
    found = decoder.feed(data)
    decoder.close()
    return found


def prelude(total: int, headers: int) -> bytes:
    lengths = struct.pack("!II", total, headers)
    return lengths + struct.pack("!I", crc32(lengths))


def with_headers(raw: bytes) -> bytes:
    frame = prelude(16 + len(raw), len(raw)) + raw
    return frame + struct.pack("!I", crc32(frame))


@given(frames)
def test_frames_come_back(frame):
    assert read(encode_frame(frame.headers, frame.payload)) == [frame]


@given(st.lists(frames, max_size=4), st.data())
def test_boundaries_do_not_matter(several, data):
    stream = b"".join(encode_frame(frame.headers, frame.payload) for frame in several)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    decoder = FrameDecoder()
    found = [
        frame
        for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)
        for frame in decoder.feed(stream[start:end])
    ]
    decoder.close()
    assert found == several


@given(frames)
def test_botocore_reads_what_we_write(frame):
    buffer = EventStreamBuffer()
    buffer.add_data(encode_frame(frame.headers, frame.payload))
    (message,) = buffer
    assert message.payload == frame.payload
    assert message.headers.keys() == frame.headers.keys()


@given(frames, st.data())
def test_a_flipped_bit_is_noticed(frame, data):
    stream = bytearray(encode_frame(frame.headers, frame.payload))
    position = data.draw(st.integers(0, len(stream) - 1))
    stream[position] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(WireError):
        read(bytes(stream))


@given(st.binary(max_size=200))
def test_garbage_raises_nothing_else(data):
    with contextlib.suppress(WireError):
        read(data)


def test_an_empty_stream_has_no_frames():
    assert read(b"") == []


@pytest.mark.parametrize("length", [1, 11, 12, 40])
def test_a_cut_frame_is_an_error_at_the_end(length):
    decoder = FrameDecoder()
    assert decoder.feed(encode_frame(EVENT, b"{}")[:length]) == []
    with pytest.raises(WireError, match=f"ends {length} bytes into a frame"):
        decoder.close()


def test_a_wrong_prelude_checksum_is_named():
    with pytest.raises(WireError, match="checksum of a prelude"):
        read(struct.pack("!III", 16, 0, 7) + b"\0" * 4)


def test_a_wrong_frame_checksum_is_named():
    with pytest.raises(WireError, match="checksum of a frame"):
        read(encode_frame(EVENT, b"{}")[:-1] + b"\0")


@pytest.mark.parametrize(
    ("total", "headers"),
    [(0, 0), (15, 0), (16, 1), (2**32 - 1, 0), (MAX_PAYLOAD + 17, 0), (2 * MAX_HEADERS, MAX_HEADERS + 1)],
)
def test_impossible_lengths_are_refused_at_once(total, headers):
    with pytest.raises(WireError, match="impossible"):
        FrameDecoder().feed(prelude(total, headers))


def test_good_frames_before_a_bad_one_are_delivered():
    decoder = FrameDecoder()
    assert decoder.feed(encode_frame(EVENT, b"1") + b"\xff" * 12) == [Frame(dict(EVENT), b"1")]
    with pytest.raises(WireError, match="checksum"):
        decoder.feed(b"")
    with pytest.raises(WireError, match="checksum"):
        decoder.close()


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"\x01a", "cut short"),
        (b"\x05a", "cut short"),
        (b"\x01a\x07\x00\x05ab", "cut short"),
        (b"\x01a\x0a", "unknown type 10"),
        (b"\x01\xff\x00", "not UTF-8"),
        (b"\x01a\x07\x00\x01\xff", "not UTF-8"),
        (b"\x01a\x00\x01a\x01", "stands twice"),
        (b"\x01a\x08\x7f" + b"\xff" * 7, "no point in time"),
    ],
)
def test_malformed_headers_are_refused(raw, message):
    with pytest.raises(WireError, match=message):
        read(with_headers(raw))


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b"\x00", True),
        (b"\x01", False),
        (b"\x02\xff", -1),
        (b"\x03\x01\x00", 256),
        (b"\x04\x00\x01\x00\x00", 65536),
        (b"\x05" + b"\x00" * 7 + b"\x05", 5),
        (b"\x06\x00\x02ab", b"ab"),
        (b"\x07\x00\x02ab", "ab"),
        (b"\x08" + b"\x00" * 6 + b"\x03\xe8", datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)),
        (b"\x09" + b"\x01" * 16, uuid.UUID(bytes=b"\x01" * 16)),
    ],
)
def test_every_header_type_is_read(raw, value):
    assert read(with_headers(b"\x01a" + raw)) == [Frame({"a": value})]


@pytest.mark.parametrize(
    ("headers", "payload"),
    [
        ({"a" * 256: True}, b""),
        ({"a": "x" * 65_536}, b""),
        ({"a": 2**63}, b""),
        ({str(n): b"x" * 65_000 for n in range(3)}, b""),
        ({}, bytes(MAX_PAYLOAD + 1)),
    ],
)
def test_what_a_frame_cannot_hold_is_refused(headers, payload):
    with pytest.raises(ValueError, match="frame"):
        encode_frame(headers, payload)


def test_times_are_cut_to_milliseconds():
    time = datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC)
    (frame,) = read(encode_frame({"t": time}, b""))
    assert frame.headers["t"] == time - timedelta(microseconds=901)


def test_only_strings_are_text():
    frame = Frame({"a": "x", "b": 1})
    assert (frame.text("a"), frame.text("b"), frame.text("c")) == ("x", None, None)
