from __future__ import annotations

import pytest

from replay_agent.report.review.price import Price
from replay_agent.report.review.wording import accepting, consequence, plain, rejecting, where
from tests.report.review.open_changes import drift


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        (("a",), ""),
        (("a", "b"), "turn 3 of that conversation was recorded on top of it"),
        (("a", "b", "c"), "turns 3 and 4 of that conversation were recorded on top of it"),
        (("a", "b", "c", "d"), "turns 3 to 5 of that conversation were recorded on top of it"),
    ],
)
def test_later_turns_are_named(keys, words):
    assert consequence(drift(turn=2, giving_way=keys)) == words


@pytest.mark.parametrize("kind", ["drift", "unrecorded", "snapshot", "leftover", "recording"])
def test_both_ways_are_said_of_every_kind(kind):
    assert accepting(drift(kind=kind), Price())
    assert rejecting(drift(kind=kind))


def test_a_recording_is_deleted_put_back_or_left_to_version_control():
    said = [rejecting(drift(kind="recording", before=before)) for before in ("", "/kept", None)]
    assert [words.split()[0] for words in said] == ["deletes", "puts", "is"]


def test_a_request_that_is_no_model_s_is_named_by_its_test():
    assert where(drift("a", turn=0, asked="GET https://h.example/x")) == "a"


def test_lines_lose_their_colours():
    assert plain(["\x1b[31mred\x1b[0m"]) == ["red"]
