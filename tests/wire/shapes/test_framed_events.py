from __future__ import annotations

import pytest

from replay_agent.exceptions import WireError
from replay_agent.framing.aws_frames import encode_frame
from replay_agent.wire.shapes.framed_events import FramedEvents, is_framed, write_framed

EVENTS = [{"type": "a", "x": "“1”"}, {"type": "b"}]
BODY = b"".join(write_framed(EVENTS))


def read(body: bytes, size: int = 1000) -> list[str]:
    source = FramedEvents()
    events = [event for start in range(0, len(body), size) for event in source.feed(body[start : start + size])]
    return [event.data for event in (*events, *source.close())]


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_events_come_out_as_they_went_in(size):
    assert read(BODY, size) == ['{"type":"a","x":"“1”"}', '{"type":"b"}']


def test_frames_are_told_from_text():
    assert is_framed(BODY)
    assert not any(map(is_framed, (b"", b"data: x", b"{}", b"<html>")))


def test_an_exception_is_an_error_event():
    frame = encode_frame({":message-type": "exception", ":exception-type": "throttlingException"}, b'{"message":"m"}')
    assert read(frame) == ['{"type":"error","error":{"type":"throttlingException","message":"m"}}']
    bare = encode_frame({":message-type": "error", ":error-code": "c", ":error-message": "m"}, b"")
    assert read(bare) == ['{"type":"error","error":{"type":"c","message":"m"}}']


@pytest.mark.parametrize("payload", [b"", b"{}", b'{"bytes": 7}', b'{"bytes": "%"}'])
def test_a_frame_without_an_event_says_nothing(payload):
    assert read(encode_frame({":event-type": "chunk"}, payload)) == []


def test_a_frame_that_is_cut_off_is_lost():
    assert read(BODY[:-3]) == ['{"type":"a","x":"“1”"}']


@pytest.mark.parametrize("body", [b"\0" * 40, BODY[:20] + b"x" + BODY[21:], encode_frame({}, b"[]")])
def test_a_broken_frame_is_a_wire_error(body):
    with pytest.raises(WireError):
        read(body)
