"""AWS event streams taken apart and put together."""

from __future__ import annotations

import pytest
from botocore.eventstream import EventStreamBuffer

from replay_agent.framing.raw_frames import Frame, join_frames, split_frames

HEADERS = b"\x0b:event-type\x07\x00\x05chunk"
FRAMES = [Frame(HEADERS, b'{"a":1}'), Frame(b"", b""), Frame(HEADERS, bytes(range(256)))]


def test_frames_both_ways():
    assert split_frames(join_frames(FRAMES)) == (FRAMES, b"")


def test_botocore_reads_what_is_written():
    buffer = EventStreamBuffer()
    buffer.add_data(join_frames(FRAMES[:1]))
    (event,) = buffer
    assert (event.payload, event.headers) == (b'{"a":1}', {":event-type": "chunk"})


@pytest.mark.parametrize("cut", [1, 5, 12, 20])
def test_cut_frame_is_what_is_left(cut):
    data = join_frames(FRAMES[:2])
    last = join_frames(FRAMES[2:])
    assert split_frames(data + last[:cut]) == (FRAMES[:2], last[:cut])


@pytest.mark.parametrize("data", [b"x" * 40, b'{"a": "some json that is long enough"}', b"\0" * 12])
def test_other_bytes_are_no_frames(data):
    assert split_frames(data) is None


def test_real_streams_come_back(real_cassettes):
    from replay_agent.recording.cassettes.store import load

    seen = 0
    for path in sorted((real_cassettes / "bedrock").glob("*.yaml")):
        for interaction in load(path).interactions():
            body = interaction.outcome.body
            found = split_frames(body) if body[:1] == b"\0" else None
            if found:
                assert join_frames(found[0]) + found[1] == body
                seen += 1
    assert seen
