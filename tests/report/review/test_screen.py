from __future__ import annotations

import re

import pytest

from replay_agent.report.review.screen import screen
from replay_agent.report.review.session import Session
from tests.report.review.open_changes import drift, keep, recording
from tests.report.review.test_session import Willing, press

SGR = re.compile(r"\x1b\[[0-9;]*m")
BAD = "\x1b[2J\x07\u202e\u200b\u2066\x9b\x1b]0;title\x07"


def shown(session, width=80, height=24, *, colour=False):
    return "\n".join(screen(session, width, height, colour=colour))


@pytest.fixture
def session(tmp_path):
    (tmp_path / "c.yaml").write_bytes(b"old")

    def begin(*changes, fails=()):
        state = keep(tmp_path, changes)
        return Session(state, Willing(state, tmp_path, fails))

    return begin


def test_it_says_what_happened_what_follows_and_what_to_do(session):
    text = shown(session(drift(), drift("tests/test_a.py::test_two"), drift("tests/test_b.py::test_three")))
    for words in (
        "1 of 3 open",
        "drift  tests/test_a.py::test_one, turn 1",
        'gpt-4o, turn 1, "Where is it?"',
        "The system prompt changed since it was recorded.",
        "Answer in one [-word-]{+sentence+}.",
        "then     turns 2 and 3 of that conversation",
        "asks the model: 1 to 3 live calls",
        "also in  test_two, tests/test_b.py::test_three; A accepts all 3",
        "a accept   r reject   s skip",
    ):
        assert words in text


@pytest.mark.parametrize("view", ["", "?", "/", "a", "ak", "s"])
@pytest.mark.parametrize("size", [(80, 24), (40, 10), (200, 60), (20, 5), (1, 1)])
def test_no_line_is_wider_and_none_too_many(session, view, size):
    long = drift("tests/test_long.py::test_" + "x" * 300, lines=("y" * 500, *["line"] * 100))
    found = session(long, drift())
    press(found, view)
    lines = screen(found, *size, colour=False)
    assert len(lines) <= max(size[1], 1)
    assert max(map(len, lines)) <= max(size[0], 20)


def test_a_long_change_can_be_scrolled_to_its_end(session):
    found = session(drift(lines=tuple(f"line {number}" for number in range(100))))
    assert "more lines (down)" in shown(found)
    press(found, ["pagedown"] * 20)
    assert "reject" in shown(found)
    press(found, ["pageup"] * 20)
    assert "line 0" in shown(found)


@pytest.mark.parametrize("place", ["test", "title", "asked", "cause", "command"])
def test_nothing_unseen_reaches_the_terminal(session, place):
    found = session(drift(**{place: f"tests/test_a.py::x{BAD}"}, lines=(f"a{BAD}b",)))
    for colour in (True, False):
        left = SGR.sub("", shown(found, colour=colour))
        assert [ascii(each) for each in left if not (each.isprintable() or each == "\n")] == []


def test_without_colour_there_is_no_escape_at_all(session):
    assert "\x1b" not in shown(session(drift()))
    assert "\x1b[31m" in shown(session(drift()), colour=True)


def test_a_new_recording_is_read_as_a_conversation(session, tmp_path):
    text = shown(session(recording(tmp_path, content=b"nonsense: [")))
    assert "new recording" in text
    assert "it cannot be read" in text
    assert "deletes the cassette" in text


def test_each_view_says_its_keys(session, tmp_path):
    found = session(drift(), recording(tmp_path))
    press(found, "a")
    assert "k keep it   b put everything back" in shown(found)
    assert "1 asked live" in shown(found)
    press(found, "b?")
    assert "byte for byte" in shown(found)
    press(found, "xsr")
    assert "Delete" in shown(found)
    press(found, "n/")
    assert "escape: show all" in shown(found)
    press(found, [*"zzz", "enter"])
    assert "2 hidden by the filter" in shown(found)


def test_trouble_is_told(session):
    found = session(drift(), fails=("tests/test_a.py::test_one",))
    press(found, "a")
    assert "Not done: tests/test_a.py::test_one" in shown(found)
    assert "it fails otherwise" in shown(found)


def test_work_in_progress_names_tests_and_price(session):
    found = session(drift())
    found.press("a")
    text = shown(found)
    assert "pytest runs tests/test_a.py::test_one" in text
    assert "ctrl-C stops it" in text


def test_what_is_up_to_the_user_names_the_command(session):
    text = shown(session(drift(mode="", command="replay-agent mv old new")))
    assert "is up to you: replay-agent mv old new" in text


def test_one_trouble_of_several_is_told_once(session):
    begun = session(drift("a"), drift("b"), drift("c"), fails=("a", "c"))
    press(begun, "A")
    text = shown(begun)
    assert "Not done: a, c" in text
    assert text.count("it fails otherwise") == 1


def test_an_effect_says_that_it_is_not_final(session):
    begun = session(drift("a"))
    press(begun, "a")
    assert "keep it, or put it back?" in shown(begun).split("\n")[0]


def test_capitals_are_offered_where_there_are_several(session):
    assert "A R S" in shown(session(drift("a"), drift("b")))
    assert "A R S" not in shown(session(drift("a"), drift("b", cause="other")))
