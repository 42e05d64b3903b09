"""Judging: only what is still open is decided on, only what is meant is touched, and what is not done says why."""

from __future__ import annotations

import pytest

from replay_agent.report.review.judging import Judge, _plan, _trouble
from replay_agent.report.review.plan import Ended, TestPlan
from replay_agent.report.review.queue import FOLDER, Queue
from tests.report.review.open_changes import drift, keep, recording


@pytest.fixture
def before(tmp_path):
    """A cassette as it was before it was recorded anew."""
    path = tmp_path / "was.yaml"
    path.write_bytes(b"old")
    return path


def said(judged):
    return [(each.test.rpartition("_")[2], why) for each, why in judged.failed]


def test_to_have_looked_at_a_recording_is_to_accept_it(tmp_path):
    one, two = recording(tmp_path), recording(tmp_path, "two")
    state = keep(tmp_path, [one, two])
    judged = Judge(state).accept([one])
    assert (judged.done, judged.failed, judged.altered, judged.live) == ([one], [], [], 0)
    assert Queue.load(state).changes == [two]


@pytest.mark.parametrize("kind", ["drift", "unrecorded"])
def test_what_no_recording_helps_is_done_by_hand(tmp_path, kind):
    change = drift(kind=kind, mode="", command="replay-agent mv a b")
    state = keep(tmp_path, [change])
    judged = Judge(state).accept([change])
    assert said(judged) == [("one", "do it by yourself: replay-agent mv a b")]
    assert judged.done == []
    assert Queue.load(state).changes == [change]


@pytest.mark.parametrize("verb", ["accept", "reject"])
def test_nothing_is_done_about_what_is_not_open_any_more(tmp_path, verb):
    gone, open_still = recording(tmp_path, before=None), recording(tmp_path, "two")
    state = keep(tmp_path, [open_still])
    judged = getattr(Judge(state), verb)([gone])
    assert [(each, why) for each, why in judged.failed if "not open any more" in why] == judged.failed != []
    assert judged.done == judged.altered == []
    assert Queue.load(state).changes == [open_still]


def test_a_recording_is_taken_back_to_what_the_file_was(tmp_path, before):
    change = recording(tmp_path, before=str(before))
    state = keep(tmp_path, [change])
    judged = Judge(state).reject([change])
    assert judged.done == [change]
    assert [(str(each.path), each.old, each.new) for each in judged.altered] == [(change.file, b"new", b"old")]
    assert Queue.load(state).changes == []


def test_a_first_recording_that_is_rejected_is_gone(tmp_path):
    change = recording(tmp_path, before="")
    state = keep(tmp_path, [change])
    judged = Judge(state).reject([change])
    assert [(str(each.path), each.new) for each in judged.altered] == [(change.file, None)]
    assert Judge(state).reject([change]).done == []


def test_a_recording_whose_past_is_not_known_stays(tmp_path):
    change = recording(tmp_path, before=None)
    state = keep(tmp_path, [change])
    judged = Judge(state).reject([change])
    ((_, why),) = said(judged)
    assert f"git checkout -- {change.file}" in why
    assert judged.altered == []
    assert Queue.load(state).changes == [change]


def test_what_cannot_be_put_back_says_so_and_stays_open(tmp_path):
    change = recording(tmp_path, before=str(tmp_path / "gone.yaml"))
    state = keep(tmp_path, [change])
    ((_, why),) = said(Judge(state).reject([change]))
    assert "cannot be put back" in why
    assert Queue.load(state).changes == [change]


def test_to_reject_what_is_not_recorded_touches_no_file(tmp_path):
    cassette = tmp_path / "cassette.yaml"
    cassette.write_bytes(b"recorded")
    change = drift(file=str(cassette))
    state = keep(tmp_path, [change])
    judged = Judge(state).reject([change])
    assert (judged.done, judged.altered, cassette.read_bytes()) == ([change], [], b"recorded")


def test_to_stop_where_nothing_runs_is_no_error(tmp_path):
    Judge(tmp_path / FOLDER).stop()


# --- what a run may change -------------------------------------------------------------------------------------------


def test_only_the_snapshots_that_are_meant_are_updated():
    one = drift(kind="snapshot", file="a.snap", name="first")
    assert _plan("none", [one], [drift()]) == TestPlan((("a.snap", "first"),))


@pytest.mark.parametrize("kind", ["drift", "unrecorded"])
def test_other_drifts_of_a_test_are_held_at_their_old_answers(kind):
    held, barred = drift(key="new", giving_way=("old", "later")), drift(key="alone", giving_way=())
    nameless = drift(key="", giving_way=("x",))
    plan = _plan("refresh", [drift(kind=kind)], [held, barred, nameless, drift(kind="leftover", key="left")])
    assert plan == TestPlan(None, live=True, held={"new": "old"}, barred=("alone",))


def test_to_drop_what_is_left_over_asks_nobody_and_accepts_no_snapshot():
    assert _plan("refresh", [drift(kind="leftover")], []) == TestPlan((), live=False)


# --- why something was not accepted ----------------------------------------------------------------------------------


def ended(change, **values):
    return {change.run: Ended(**{"passed": False, "live": 0, "text": "", **values})}


def test_a_test_that_passed_is_accepted():
    change = drift()
    assert _trouble(change, ended(change, passed=True), set(), "noise", stopped=False) == ""


def test_a_test_that_failed_is_accepted_only_if_its_own_file_changed():
    change = drift()
    failed = ended(change, text="E  AssertionError")
    assert _trouble(change, failed, {change.file}, "", stopped=False) == ""
    assert _trouble(change, failed, {"other.yaml"}, "", stopped=False) == "AssertionError"


def test_a_run_that_was_stopped_says_so():
    assert _trouble(drift(), {}, {drift().file}, "half a line", stopped=True) == "it was stopped"


@pytest.mark.parametrize(
    ("text", "printed", "why"),
    [
        ("noise\nE  first\n\nE   second\nmore", "", "first\nsecond"),
        ("only words\n\n", "", "only words"),
        (None, "usage: pytest\nerror: no such file", "usage: pytest\nerror: no such file"),
        (None, "  \n", "pytest said nothing of it"),
        ("\n".join(f"E  {number}" for number in range(20)), "", "\n".join(map(str, range(8, 20)))),
    ],
)
def test_why_a_test_failed_is_told_in_its_own_words(text, printed, why):
    change = drift()
    ends = {} if text is None else ended(change, text=text)
    assert _trouble(change, ends, set(), printed, stopped=False) == why
