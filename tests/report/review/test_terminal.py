"""The review in a pseudo-terminal, as somebody would use it."""

from __future__ import annotations

import os
import sys

import pytest

pytest.importorskip("pty", reason="there are no pseudo-terminals here")

from replay_agent.recording.cassettes import store
from replay_agent.recording.cassettes.parts.header import Header
from replay_agent.recording.cassettes.parts.item import new_item
from replay_agent.recording.meaning.key import meaning
from replay_agent.report.review.kept import Kept
from replay_agent.report.review.queue import Queue
from tests.report.review.open_changes import drift, keep, recording
from tests.report.review.pseudo_terminal import PseudoTerminal
from tests.report.review.test_price import answered

REVIEW = [sys.executable, "-m", "replay_agent", "review"]
ENVIRONMENT = {**{name: value for name, value in os.environ.items() if name != "NO_COLOR"}, "TERM": "xterm-256color"}


def reviewing(folder, **environment):
    return PseudoTerminal(REVIEW, cwd=folder, env={**ENVIRONMENT, **environment})


@pytest.fixture
def four(tmp_path):
    return keep(
        tmp_path, [*(recording(tmp_path, name) for name in ("one", "two")), drift("z"), drift("zz", cause="other")]
    )


def test_each_key_does_what_it_says(tmp_path, four):
    path = tmp_path / "cassettes/test_a/test_one.yaml"
    with reviewing(tmp_path) as terminal:
        terminal.shows("1 of 4 open", "test_one", "a accept   r reject   s skip")
        terminal.press("s")
        terminal.shows("2 of 4 open")
        terminal.press("\x1b[D")
        terminal.shows("1 of 4 open")
        terminal.press("S")
        terminal.shows("3 of 4 open")
        terminal.press("/two\r")
        terminal.shows("1 of 1 open", "3 hidden")
        terminal.press("\x1b")
        terminal.shows("1 of 4 open")
        terminal.press("?")
        terminal.shows("byte for byte")
        terminal.press("x")
        terminal.shows("1 of 4 open", gone=["byte for byte"])
        terminal.press("r")
        terminal.shows("Delete cassettes/test_a/test_one.yaml?")
        terminal.press("y")
        terminal.shows("1 of 3 open", "1 rejected")
        assert not path.exists()
        terminal.press("u")
        terminal.shows("1 of 4 open", "Taken back")
        assert path.read_bytes() == b"new"
        terminal.press("A")
        terminal.shows("1 of 2 open", "2 accepted")
        terminal.press("R")
        terminal.shows("1 of 1 open", "1 rejected")
        terminal.press("q")
        assert terminal.ends() == 1
        assert "2 accepted, 1 rejected, 1 left open" in terminal.raw
    assert [each.test for each in Queue.load(four).changes] == ["zz"]
    assert Kept.left(four) == []


def test_ctrl_c_leaves_what_was_not_decided_open(tmp_path, four):
    with reviewing(tmp_path) as terminal:
        terminal.shows("1 of 4 open")
        terminal.press("\x03")
        assert terminal.ends() == 1
        assert "nothing decided, 4 left open" in terminal.raw
        assert "Traceback" not in terminal.raw


def test_a_killed_review_can_be_taken_back(tmp_path, four):
    path = tmp_path / "cassettes/test_a/test_one.yaml"
    with reviewing(tmp_path) as terminal:
        terminal.shows("1 of 4 open")
        terminal.press("ry")
        terminal.shows("1 rejected")
    assert not path.exists()
    with reviewing(tmp_path) as terminal:
        terminal.shows("An earlier review was interrupted")
        terminal.press("u")
        terminal.shows("of 4 open")
        assert path.read_bytes() == b"new"
        terminal.press("q")
        terminal.ends()


def test_pasted_text_decides_nothing(tmp_path, four):
    with reviewing(tmp_path) as terminal:
        terminal.shows("1 of 4 open")
        terminal.press("\x1b[200~ARAR\x1b[201~s")
        terminal.shows("2 of 4 open")
        terminal.press("q")
        terminal.ends()
    assert len(Queue.load(four).changes) == 4


def test_a_second_review_is_refused(tmp_path, four):
    with reviewing(tmp_path) as first:
        first.shows("1 of 4 open")
        with reviewing(tmp_path) as second:
            assert second.ends() == 2
            assert "a review of this project is going on" in second.raw
        first.press("q")
        first.ends()


@pytest.fixture
def five_hundred(tmp_path):
    """What a changed prompt leaves open in five hundred tests, each with a cassette of its own."""
    keying = meaning((), (), (), ())
    calls = [answered(question) for question in ("one", "two", "three")]
    items = [new_item(each, keying(each.request)) for each in calls]
    first, *others = (tmp_path / f"test_{number}.yaml" for number in range(500))
    store.save(first, Header(keying=keying.scheme), items)
    for path in others:
        path.hardlink_to(first)
    keys = tuple(keying(each.request).digest for each in calls)
    keep(
        tmp_path,
        [
            drift(f"tests/test_a.py::test_{number}", file=str(path), giving_way=keys)
            for number, path in enumerate((first, *others))
        ],
    )


def test_five_hundred_begin_within_a_second_and_no_key_waits(tmp_path, five_hundred):
    with reviewing(tmp_path) as terminal:
        terminal.shows("1 of 500 open", "A accepts all 500", "q quit")
        begun = terminal.cpu
        terminal.shows("about 1.75 to 5.25 USD")
        taken = []
        for key, seen in (
            ("s", "2 of 500"),
            ("s", "3 of 500"),
            ("\x1b[D", "2 of 500"),
            ("?", "any key"),
            ("x", "2 of 500"),
        ):
            before = terminal.cpu
            terminal.press(key)
            terminal.shows(seen)
            taken.append(terminal.cpu - before if before is not None else 0)
        terminal.press("/")
        for number, letter in enumerate("test_77"):
            terminal.press(letter)
            terminal.shows(f"/{'test_77'[: number + 1]}_")
        terminal.press("\r")
        terminal.shows("1 of 1 open")
        terminal.press("r")
        terminal.shows("1 rejected")
        terminal.press("q")
        assert terminal.ends() == 1
    if begun is None:
        pytest.skip("nobody counts the CPU time of another process here")
    assert begun < 1
    assert max(taken) < 0.1


def test_a_terminal_may_become_narrow_and_wide_again(tmp_path, four):
    with reviewing(tmp_path) as terminal:
        terminal.shows("1 of 4 open", "q quit")
        for rows, columns in ((20, 40), (12, 30), (50, 200)):
            terminal.resize(rows, columns)
            text = terminal.shows("1 of 4 open", "uit")
            assert all(len(line) < columns for line in text.split("\n"))
        terminal.press("q")
        terminal.ends()


def test_no_color_is_respected(tmp_path, four):
    with reviewing(tmp_path, NO_COLOR="1") as terminal:
        terminal.shows("1 of 4 open")
        terminal.press("q")
        terminal.ends()
        assert "\x1b[31m" not in terminal.raw
        assert "\x1b[33m" not in terminal.raw


def test_nothing_open_ends_at_once(tmp_path):
    keep(tmp_path, [])
    with reviewing(tmp_path) as terminal:
        assert terminal.ends() == 0
        assert "nothing is open" in terminal.raw
