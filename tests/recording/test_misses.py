from __future__ import annotations

from pathlib import Path

import pytest

from replay_agent.exceptions import CassetteMiss, CassetteMissError
from replay_agent.recording.matching.keys import Key
from replay_agent.recording.misses import EXPLAINED, Miss, Misses
from replay_agent.traffic import Request

REQUEST = Request("POST", "https://api.example.org/v1")


def miss(reason="changed"):
    return Miss(REQUEST, Path("c.yaml"), "none", "test_x", list, reason=reason)


@pytest.fixture
def asked():
    return []


@pytest.fixture
def misses(asked):
    def explain(miss):
        asked.append(miss)
        return f"explained {miss.reason}"

    return Misses(explain, "raise")


def test_miss_is_explained_and_kept(misses):
    error = misses.explained(Key("a"), miss(), " and a note")
    assert str(error) == "explained changed and a note"
    assert isinstance(error, CassetteMiss)
    assert (error.request, error.path) == (REQUEST, Path("c.yaml"))
    assert misses == [error]


def test_style_chooses_the_error():
    error = Misses(str, "exception").told("text", REQUEST, Path("c.yaml"))
    assert isinstance(error, CassetteMissError)


def test_equal_misses_are_explained_once(misses, asked):
    for _ in range(3):
        misses.explained(Key("a"), miss(), "")
    misses.explained(Key("a"), miss("used up"), "")
    assert len(asked) == 2
    assert len(misses) == 4


def test_after_many_only_the_request_is_named(misses, asked):
    for n in range(EXPLAINED + 5):
        error = misses.explained(Key(str(n)), miss(), "")
    assert len(asked) == EXPLAINED
    assert "POST https://api.example.org/v1" in str(error)
    assert "c.yaml" in str(error)


def test_reported_ones_are_not_said_again(misses):
    first, second = (misses.told(text, REQUEST, None) for text in "ab")
    misses.report(first)
    assert misses.unreported == [second]
    assert misses == [first, second]


def test_broken_explanation_says_so():
    def explain(_miss):
        raise LookupError("nothing there")

    text = str(Misses(explain, "raise").explained(Key("a"), miss(), ""))
    assert "https://api.example.org/v1" in text
    assert "nothing there" in text
