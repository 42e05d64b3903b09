from __future__ import annotations

from threading import Event

import pytest

from replay_agent.recording.answers import CANCELLED, PATIENCE_MS, Ending, Live, Replay
from replay_agent.traffic import Chunk, Failure, Phase, Request, Response, StreamEnd

RESET = Failure("ReadError", Phase.BODY, "reset")
CHUNKS = (Chunk(b"a", 5), Chunk(b"b", 5), Chunk(b"c", 25))


def replay(outcome, **options):
    return Replay(outcome, Event(), lambda: LookupError("missed"), **options)


@pytest.mark.parametrize(
    ("outcome", "patience"),
    [
        (Response(200), 0),
        (Response(200, end=StreamEnd.CLOSED), 0),
        (Response(200, end=StreamEnd.ABANDONED, waited_ms=30), 30 + PATIENCE_MS),
        (Failure("ReadTimeout", Phase.HEAD, after_ms=30), 0),
        (Failure(CANCELLED, Phase.HEAD, after_ms=30), 30 + PATIENCE_MS),
    ],
)
def test_replay_waits_only_where_the_client_gave_up(outcome, patience):
    assert replay(outcome).patience_ms == patience


@pytest.mark.parametrize(
    ("fields", "ending"),
    [
        ({}, []),
        ({"end": StreamEnd.CLOSED}, [(0, Ending())]),
        ({"end": StreamEnd.ABANDONED, "waited_ms": 7}, [(7 + PATIENCE_MS, Ending())]),
        ({"end": StreamEnd.FAILED, "failure": RESET}, [(0, Ending(RESET))]),
    ],
)
@pytest.mark.parametrize(("paced", "waits"), [(False, [0, 0, 0]), (True, [5, 0, 20])])
def test_pieces_come_with_their_waits_and_last_the_ending(fields, ending, paced, waits):
    pieces = replay(Response(200, chunks=CHUNKS, **fields), paced=paced).pieces()
    assert list(pieces) == [*zip(waits, [b"a", b"b", b"c"], strict=True), *ending]


def test_reading_on_is_a_miss_until_the_recording_is_over():
    answer = replay(Response(200))
    assert str(answer.missed()) == "missed"
    answer.ended.set()
    answer.wait(60_000)  # over at once
    assert answer.missed() is None


@pytest.fixture
def settled():
    return []


@pytest.fixture
def live(settled):
    return Live(0, Request("GET", "https://api.example.org/"), None, lambda live, outcome: settled.append(outcome))


def test_live_request_tells_its_outcome(live, settled):
    live.finish(Response(200))
    live.drop()
    live.fail("ReadError", Phase.HEAD, "reset")
    live.give_up()
    assert settled[:2] == [Response(200), None]
    assert [(each.kind, each.phase, each.message) for each in settled[2:]] == [
        ("ReadError", Phase.HEAD, "reset"),
        (CANCELLED, Phase.HEAD, ""),
    ]


def test_unfinished_request_is_what_was_received_so_far(live):
    assert live.unfinished().kind == CANCELLED
    live.so_far = lambda: Response(200, end=StreamEnd.CLOSED)
    assert live.unfinished() == Response(200, end=StreamEnd.CLOSED)
