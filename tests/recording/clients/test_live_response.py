from __future__ import annotations

import pytest

from replay_agent.recording.answers import CANCELLED, Live
from replay_agent.recording.clients.live_response import LiveResponse
from replay_agent.traffic import Failure, Phase, Request, Response, StreamEnd

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"
OPEN_HEAD = b"HTTP/1.1 200 OK\r\n\r\n"
DROPPED = None


@pytest.fixture
def outcomes():
    return []


@pytest.fixture
def noted(outcomes):
    live = Live(0, Request("GET", "https://api.example.org/"), None, lambda _, outcome: outcomes.append(outcome))
    return LiveResponse(live, "GET")


def told(outcomes):
    """What was told of the one response: body and end, or the kind of failure and its phase."""
    [outcome] = outcomes
    if isinstance(outcome, Response):
        return outcome.body, outcome.end
    return outcome and (outcome.kind, outcome.phase)


@pytest.mark.parametrize("cuts", [(), (3,), (len(HEAD) - 1,), (len(HEAD), len(HEAD) + 2)])
def test_response_in_any_pieces_is_whole(noted, outcomes, cuts):
    data = HEAD + b"body"
    for start, end in zip((0, *cuts), (*cuts, len(data)), strict=True):
        assert not noted.is_settled
        noted.feed(data[start:end])
    assert noted.is_settled
    noted.hung_up()
    noted.closed()
    assert told(outcomes) == (b"body", StreamEnd.COMPLETE)


ENDS = {
    "hung up before the head": (b"", lambda noted: noted.hung_up(), ("RemoteProtocolError", Phase.HEAD)),
    "hung up in the body": (HEAD + b"bo", lambda noted: noted.hung_up(), (b"bo", StreamEnd.FAILED)),
    "hung up where that is the end": (OPEN_HEAD + b"bo", lambda noted: noted.hung_up(), (b"bo", StreamEnd.COMPLETE)),
    "timed out": (b"", lambda noted: noted.failed("ReadTimeout", "slow"), ("ReadTimeout", Phase.HEAD)),
    "reset": (HEAD, lambda noted: noted.failed("ReadError", "reset"), (b"", StreamEnd.FAILED)),
    "given up": (b"", lambda noted: noted.abandoned(), (CANCELLED, Phase.HEAD)),
    "abandoned": (HEAD + b"b", lambda noted: noted.abandoned(), (b"b", StreamEnd.ABANDONED)),
    "closed unread": (b"", lambda noted: noted.closed(), (CANCELLED, Phase.HEAD)),
    "closed": (HEAD + b"b", lambda noted: noted.closed(), (b"b", StreamEnd.CLOSED)),
    "another protocol": (b"HTTP/1.1 101 Switching\r\n\r\nxyz", lambda noted: noted.closed(), DROPPED),
}


@pytest.mark.parametrize("end", ENDS)
def test_ends(noted, outcomes, end):
    data, act, expected = ENDS[end]
    noted.feed(data)
    act(noted)
    noted.closed()
    assert told(outcomes[:1]) == expected


def test_head_may_have_come_or_not(noted):
    assert not noted.has_head
    noted.feed(HEAD)
    assert noted.has_head


@pytest.mark.parametrize(
    ("head", "data", "ends"),
    [(HEAD, b"", False), (HEAD, b"body", False), (OPEN_HEAD, b"", True), (OPEN_HEAD, b"x", False)],
)
def test_end_alone_may_still_come(noted, head, data, ends):
    noted.feed(head)
    assert noted.ends_with(data) is ends


def test_failure_of_a_request_is_timed(noted, outcomes):
    noted.failed("ReadError", "reset")
    assert isinstance(outcomes[0], Failure)
    assert outcomes[0].message == "reset"


def test_response_that_is_not_recorded_is_passed_on_unnoted():
    noted = LiveResponse(None, "GET")
    for act in (lambda: noted.feed(HEAD), noted.waits, noted.hung_up, noted.abandoned, noted.closed):
        act()
    assert noted.is_settled
