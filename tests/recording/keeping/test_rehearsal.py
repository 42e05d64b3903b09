from __future__ import annotations

from pathlib import Path
from threading import Event

import pytest

from replay_agent.exceptions import CassetteMissError, CassetteUnreplayable
from replay_agent.recording.answers import Replay
from replay_agent.recording.keeping.rehearsal import rehearsed
from replay_agent.traffic import Interaction, Request, Response

PATH = Path("cassettes/test_x.yaml")


def run(*names):
    requests = [Request("GET", f"https://api.example.org/{name}") for name in names]
    return [(request, Interaction(request, Response(200, reason=request.url))) for request in requests]


def replaying(asked):
    return Replay(Response(200, reason=asked.url), Event(), LookupError)


def test_run_whose_answers_are_found_is_sound():
    rehearsed(PATH, run("a", "b"), replaying)


def test_request_that_is_not_ours_to_answer_is_sound():
    rehearsed(PATH, run("a"), lambda _: None)


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("changed", "no stored request is equal to it"),
        ("used up", "all recorded answers to it are used up"),
        ("no cassette", "no stored request is equal to it"),
    ],
)
def test_miss_names_request_and_cause(text, cause):
    def begin(asked):
        if asked.url.endswith("b"):
            raise CassetteMissError(text, asked, PATH)
        return replaying(asked)

    with pytest.raises(CassetteUnreplayable) as caught:
        rehearsed(PATH, run("a", "b", "c"), begin)
    assert caught.value.path == PATH
    lines = str(caught.value).splitlines()
    assert str(PATH) in lines[0]
    assert lines[1] == f"- request 2, GET https://api.example.org/b: {cause}"


def test_answer_of_another_request_is_told():
    with pytest.raises(CassetteUnreplayable, match=r"request 1, .*the answer of another request"):
        rehearsed(PATH, run("a"), lambda _: Replay(Response(500), Event(), LookupError))


def test_secrets_of_the_live_request_are_not_told():
    [(_, stored)] = run("a")

    def begin(asked):
        raise CassetteMissError("changed", asked, PATH)

    with pytest.raises(CassetteUnreplayable) as caught:
        rehearsed(PATH, [(Request("GET", "https://api.example.org/a?key=s3cr3t"), stored)], begin)
    assert "s3cr3t" not in str(caught.value)
