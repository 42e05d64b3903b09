from __future__ import annotations

import pytest

from replay_agent.recording.clients.tee import Tee
from replay_agent.traffic import Phase, Request, Response, StreamEnd
from tests.integration.recordings import make

HEAD = Response(200, (("a", "b"),), reason="OK")


@pytest.fixture
def recording(tmp_path):
    return make(tmp_path / "c.yaml", "once").open()


@pytest.fixture
def live(recording):
    return recording.begin(Request("GET", "https://api.example.org/"))


@pytest.fixture
def tee(live):
    return Tee(live, HEAD)


def outcome(recording):
    [interaction] = recording.interactions
    return interaction.outcome


def test_pieces_are_kept_as_they_came(recording, tee):
    for piece in (b"a", bytearray(b"bc"), b""):
        tee.piece(piece)
    tee.complete()
    assert [chunk.data for chunk in outcome(recording).chunks] == [b"a", b"bc"]
    assert outcome(recording).end is StreamEnd.COMPLETE
    assert outcome(recording).headers == HEAD.headers


@pytest.mark.parametrize(("way", "end"), [("closed", StreamEnd.CLOSED), ("abandoned", StreamEnd.ABANDONED)])
def test_end_says_how_it_came(recording, tee, way, end):
    tee.piece(b"a")
    getattr(tee, way)()
    assert outcome(recording).end is end


def test_failure_is_one_of_the_body(recording, tee):
    tee.failed("ReadError", "reset")
    failure = outcome(recording).failure
    assert (failure.kind, failure.phase, failure.message) == ("ReadError", Phase.BODY, "reset")


def test_first_end_counts(recording, tee):
    tee.complete()
    tee.closed()
    tee.failed("ReadError", "late")
    assert outcome(recording).end is StreamEnd.COMPLETE


def test_dropped_response_is_not_recorded(recording, tee):
    tee.piece(b"a")
    tee.drop()
    tee.complete()
    assert recording.interactions == []


@pytest.mark.parametrize(("waiting", "end"), [(True, StreamEnd.ABANDONED), (False, StreamEnd.CLOSED)])
def test_end_of_the_recording_ends_what_is_under_way(recording, tee, waiting, end):
    tee.piece(b"a")
    tee.waiting = waiting
    recording.close()
    assert outcome(recording).end is end
    assert outcome(recording).body == b"a"
