from __future__ import annotations

import shutil

import pytest

from replay_agent.exceptions import UserError
from replay_agent.report.review import session as session_module
from replay_agent.report.review.judging import Judge
from replay_agent.report.review.kept import Altered, Kept
from replay_agent.report.review.queue import Queue, updating
from replay_agent.report.review.session import Session
from tests.report.review.open_changes import drift, keep, recording


class Willing(Judge):
    """Accepts whatever it is asked to, and writes a file as a run of pytest would."""

    def __init__(self, state, folder, fails=()):
        super().__init__(state)
        self.state, self.folder, self.fails = state, folder, fails
        self.asked = []
        self.stopped = 0

    def accept(self, changes):
        self.asked.append([each.test for each in changes])
        judged = super().accept([each for each in changes if each.kind == "recording"])
        for change in changes:
            if change.test in self.fails:
                judged.failed.append((change, "it fails otherwise"))
            elif change.kind != "recording":
                judged.done.append(change)
        judged.kept.discard()
        judged.kept = Kept.take(self.state, "accept", changes, Queue.load(self.state), files=[self.folder / "c.yaml"])
        (self.folder / "c.yaml").write_bytes(b"new")
        judged.altered = judged.kept.settle()
        judged.live = 1
        with updating(self.state) as queue:
            queue.without(each.id for each in judged.done)
        return judged

    def stop(self):
        self.stopped += 1


@pytest.fixture
def open_ones():
    return [drift("a"), drift("b"), drift("c", cause="other", giving_way=()), drift("d", cause="other", giving_way=())]


@pytest.fixture
def begun(tmp_path, open_ones):
    (tmp_path / "c.yaml").write_bytes(b"old")

    def begin(*changes, fails=()):
        state = keep(tmp_path, changes or open_ones)
        judge = Willing(state, tmp_path, fails)
        return Session(state, judge), judge

    return begin


def press(session, keys):
    for key in keys:
        job = session.press(key)
        if job is not None:
            job()
            session.finished()


def names(session):
    return [each.test for each in session.changes]


def test_it_begins_with_the_first(begun):
    session, _ = begun()
    assert session.current.test == "a"
    assert [each.test for each in session.group] == ["a", "b"]


def test_accepting_shows_the_effect_and_waits(begun, tmp_path):
    session, judge = begun()
    press(session, "a")
    assert session.view == "effect"
    assert judge.asked == [["a"]]
    assert session.judged.altered == [Altered(tmp_path / "c.yaml", b"old", b"new")]
    press(session, "k")
    assert session.view == "open"
    assert session.counts == {"accepted": 1, "rejected": 0}
    assert names(session) == ["b", "c", "d"]


@pytest.mark.parametrize("key", ["b", "u", "n"])
def test_an_effect_that_is_not_wanted_is_put_back(begun, tmp_path, key):
    session, _ = begun()
    press(session, ["a", key])
    assert (tmp_path / "c.yaml").read_bytes() == b"old"
    assert names(session) == ["a", "b", "c", "d"]
    assert session.counts["accepted"] == 0
    assert not session.can_undo


def test_undo_takes_back_the_last_step_and_the_one_before(begun, tmp_path):
    session, _ = begun()
    press(session, "ak")
    (tmp_path / "c.yaml").write_bytes(b"old")
    press(session, "akuu")
    assert names(session) == ["a", "b", "c", "d"]
    assert session.counts["accepted"] == 0
    assert session.current.test == "a"
    press(session, "u")
    assert "nothing to take back" in session.status


def test_capitals_mean_all_of_one_cause(begun):
    session, judge = begun()
    press(session, "Ak")
    assert judge.asked == [["a", "b"]]
    assert names(session) == ["c", "d"]
    press(session, "R")
    assert names(session) == []
    assert session.counts == {"accepted": 2, "rejected": 2}


def test_rejecting_a_drift_touches_no_file(begun, tmp_path):
    session, _ = begun()
    press(session, "r")
    assert names(session) == ["b", "c", "d"]
    assert (tmp_path / "c.yaml").read_bytes() == b"old"
    press(session, "u")
    assert names(session) == ["a", "b", "c", "d"]


def test_skipping_goes_on_and_begins_again(begun):
    session, _ = begun()
    press(session, "s")
    assert session.current.test == "b"
    press(session, ["left"])
    assert session.current.test == "a"
    press(session, "S")
    assert session.current.test == "c"
    press(session, "S")
    assert session.current.test == "a"
    assert "from the beginning" in session.status


def test_the_filter_narrows_what_capitals_mean(begun):
    session, judge = begun()
    press(session, ["/", *"other", "enter"])
    assert names(session) == ["c", "d"]
    assert session.hidden == 2
    press(session, "Ak")
    assert judge.asked == [["c", "d"]]
    press(session, ["escape"])
    assert names(session) == ["a", "b"]


def test_while_filtering_letters_are_letters(begun):
    session, judge = begun()
    press(session, ["/", *"aq", "backspace", "backspace", "backspace"])
    assert judge.asked == []
    assert session.view == "filtering"
    press(session, ["escape"])
    assert session.view == "open"


def test_what_is_typed_wrong_is_taken_back(begun):
    session, _ = begun()
    press(session, ["/", "x", "y", "backspace"])
    assert (session.filter, session.view) == ("x", "filtering")
    press(session, ["backspace", "backspace", "f1", "\x01"])
    assert (session.filter, session.view) == ("", "filtering")


@pytest.mark.parametrize(("key", "left"), [("enter", "b"), ("escape", "")])
def test_the_filter_stays_or_goes(begun, key, left):
    session, _ = begun()
    press(session, ["/", "b", key])
    assert (session.filter, session.view) == (left, "open")


def test_what_is_read_can_be_scrolled_and_begins_at_its_top(begun):
    session, _ = begun(drift("a"), fails=("a",))
    press(session, ["?", "down", "down"])
    assert (session.view, session.scroll) == ("help", 2)
    press(session, ["up", "up", "up"])
    assert session.scroll == 0
    press(session, ["down", "x"])
    assert (session.view, session.scroll) == ("open", 0)


def test_help_goes_away_with_any_key(begun):
    session, judge = begun()
    press(session, "?")
    assert session.view == "help"
    press(session, "a")
    assert session.view == "open"
    assert judge.asked == []


def test_what_fails_says_why_and_stays(begun):
    session, _ = begun(fails=("a",))
    press(session, "A")
    assert session.view == "trouble"
    assert session.judged.failed[0][1] == "it fails otherwise"
    press(session, "x")
    assert session.view == "open"
    assert "a" in names(session)
    assert session.counts["accepted"] == 1


def test_a_new_recording_is_deleted_only_when_that_is_confirmed(begun, tmp_path):
    session, _ = begun(recording(tmp_path))
    path = tmp_path / "cassettes/test_a/test_one.yaml"
    press(session, "r")
    assert session.view == "asking"
    press(session, "n")
    assert path.read_bytes() == b"new"
    press(session, "ry")
    assert not path.exists()
    press(session, "u")
    assert path.read_bytes() == b"new"
    assert len(session.changes) == 1


def test_a_recording_made_anew_becomes_what_it_was(begun, tmp_path):
    (tmp_path / "former").write_bytes(b"former \xff")
    session, _ = begun(recording(tmp_path, before=str(tmp_path / "former")))
    press(session, "ry")
    assert (tmp_path / "cassettes/test_a/test_one.yaml").read_bytes() == b"former \xff"


def test_a_recording_of_which_nothing_is_known_is_for_version_control(begun, tmp_path):
    session, _ = begun(recording(tmp_path, before=None))
    press(session, "ry")
    assert session.view == "trouble"
    assert "git checkout" in session.judged.failed[0][1]
    assert (tmp_path / "cassettes/test_a/test_one.yaml").read_bytes() == b"new"


def test_having_looked_at_a_recording_is_accepting_it(begun, tmp_path):
    session, _ = begun(recording(tmp_path))
    press(session, "a")
    assert session.view == "open"
    assert session.changes == []


@pytest.mark.parametrize("key", ["q", "ctrl-c"])
def test_leaving_puts_back_what_nobody_decided_about(begun, tmp_path, key):
    session, _ = begun()
    press(session, ["a", key])
    assert session.view == "over"
    assert (tmp_path / "c.yaml").read_bytes() == b"old"
    assert session.farewell == "nothing decided, 4 left open"


def test_leaving_keeps_what_was_kept_and_forgets_how_it_was(begun, tmp_path):
    session, judge = begun()
    press(session, "akq")
    assert (tmp_path / "c.yaml").read_bytes() == b"new"
    assert Kept.left(judge.state) == []
    assert session.farewell == "1 accepted, 3 left open"


def test_ctrl_c_while_pytest_runs_stops_the_run_only(begun):
    session, judge = begun()
    job = session.press("a")
    assert session.view == "working"
    assert session.press("a") is None
    session.press("ctrl-c")
    assert judge.stopped == 1
    job()
    session.finished()
    assert session.view == "effect"


def test_trouble_of_a_judge_is_said(begun):
    session, judge = begun()

    def accept(changes):
        raise UserError("no room")

    judge.accept = accept
    press(session, "a")
    assert session.view == "open"
    assert "no room" in session.status


def test_an_interrupted_review_can_be_taken_back(begun, tmp_path):
    session, judge = begun()
    press(session, "ak")
    again = Session(judge.state, judge)
    assert "interrupted" in again.status
    press(again, "u")
    assert (tmp_path / "c.yaml").read_bytes() == b"old"


def test_what_was_kept_and_is_gone_is_no_crash(begun):
    session, judge = begun()
    press(session, "ak")
    for kept in Kept.left(judge.state):
        kept.discard()
    press(session, "u")
    assert "cannot be taken back" in session.status


@pytest.mark.parametrize("key", ["a", "A", "r", "R", "s", "S", "left", "right", "up", "down", "/", "?", "escape"])
def test_no_key_fails_where_nothing_is_open(begun, key):
    session, _ = begun()
    press(session, ["R", "R", key])
    assert session.changes == []


# --- what others do meanwhile -----------------------------------------------------------------------------------------


def test_undo_asks_twice_before_it_overwrites_what_somebody_else_has_written(begun, tmp_path):
    session, _ = begun()
    press(session, "ak")
    (tmp_path / "c.yaml").write_bytes(b"edited")
    press(session, "u")
    assert (tmp_path / "c.yaml").read_bytes() == b"edited"
    assert session.status == "c.yaml has changed since: the same key again overwrites that."
    press(session, "s")
    press(session, "u")
    assert (tmp_path / "c.yaml").read_bytes() == b"edited"
    press(session, "u")
    assert (tmp_path / "c.yaml").read_bytes() == b"old"
    assert names(session) == ["a", "b", "c", "d"]


def test_putting_back_asks_twice_too(begun, tmp_path):
    session, _ = begun()
    press(session, "a")
    (tmp_path / "c.yaml").write_bytes(b"edited")
    press(session, "b")
    assert (session.view, (tmp_path / "c.yaml").read_bytes()) == ("effect", b"edited")
    press(session, "b")
    assert (session.view, (tmp_path / "c.yaml").read_bytes()) == ("open", b"old")


def test_leaving_leaves_to_others_what_they_have_written(begun, tmp_path):
    session, _ = begun()
    press(session, "a")
    (tmp_path / "c.yaml").write_bytes(b"edited")
    press(session, "q")
    assert (tmp_path / "c.yaml").read_bytes() == b"edited"
    assert names(session) == ["a", "b", "c", "d"]


def test_what_a_run_has_found_meanwhile_is_shown_before_a_key_decides(begun, tmp_path):
    session, judge = begun()
    state = tmp_path / ".pytest_cache" / "d" / "replay_agent"
    with updating(state) as queue:
        del queue.tests["a"]
    press(session, "a")
    assert judge.asked == []
    assert names(session) == ["b", "c", "d"]
    assert session.status == "pytest has run meanwhile: this is what is open now."
    press(session, "a")
    assert judge.asked == [["b"]]


def test_what_a_run_has_left_as_it_was_needs_no_second_key(begun, tmp_path):
    session, judge = begun()
    with updating(tmp_path / ".pytest_cache" / "d" / "replay_agent") as queue:
        queue.tests["e"] = [drift("e")]
    press(session, "a")
    assert judge.asked == [["a"]]


@pytest.mark.parametrize("key", ["A", "R", "S"])
def test_a_cause_that_has_grown_meanwhile_is_shown_before_a_capital_decides(begun, tmp_path, key):
    session, judge = begun()
    with updating(tmp_path / ".pytest_cache" / "d" / "replay_agent") as queue:
        queue.tests["e"] = [drift("e")]
    press(session, key)
    assert (judge.asked, session.counts) == ([], {"accepted": 0, "rejected": 0})
    assert session.status == "pytest has run meanwhile: this is what is open now."
    assert session.current.test == "a"
    assert [each.test for each in session.group] == ["a", "b", "e"]
    press(session, key)
    assert session.current.test != "a" or judge.asked == [["a", "b", "e"]]


def test_a_cause_that_others_have_shrunk_is_shown_before_a_capital_decides(begun, tmp_path):
    session, judge = begun()
    with updating(tmp_path / ".pytest_cache" / "d" / "replay_agent") as queue:
        del queue.tests["b"]
    press(session, "A")
    assert judge.asked == []
    press(session, "A")
    assert judge.asked == [["a"]]


@pytest.mark.parametrize("key", ["y", "Y"])
def test_a_question_is_not_answered_for_recordings_that_came_after_it(begun, tmp_path, key):
    session, _ = begun(recording(tmp_path))
    press(session, "R")
    with updating(tmp_path / ".pytest_cache" / "d" / "replay_agent") as queue:
        other = recording(tmp_path, "two")
        queue.tests[other.test] = [other]
    press(session, key)
    assert session.view == "open"
    assert session.status == "pytest has run meanwhile: this is what is open now."
    assert [path.name for path in sorted(tmp_path.rglob("*.yaml"))[-2:]] == ["test_one.yaml", "test_two.yaml"]
    press(session, ["R", key])
    assert session.counts["rejected"] == 2


def test_a_question_about_what_is_not_open_any_more_is_dropped(begun, tmp_path):
    session, _ = begun(recording(tmp_path))
    press(session, "r")
    with updating(tmp_path / ".pytest_cache" / "d" / "replay_agent") as queue:
        queue.tests.clear()
    press(session, "y")
    assert (session.view, session.working_on) == ("open", [])
    assert (tmp_path / "cassettes/test_a/test_one.yaml").read_bytes() == b"new"


@pytest.mark.parametrize("verb", ["accept", "reject"])
def test_a_judge_leaves_alone_what_is_not_open_any_more(tmp_path, verb):
    one, two = recording(tmp_path), recording(tmp_path, "two")
    state = keep(tmp_path, [one])
    judged = getattr(Judge(state), verb)([one, two])
    assert judged.done == [one]
    assert [change for change, _ in judged.failed] == [two]
    assert "not open any more" in judged.failed[0][1]
    assert (tmp_path / "cassettes/test_a/test_two.yaml").read_bytes() == b"new"


def test_a_run_meanwhile_takes_the_steps_with_it(begun, tmp_path):
    session, _ = begun()
    press(session, "ak")
    state = tmp_path / ".pytest_cache" / "d" / "replay_agent"
    shutil.rmtree(state / "kept")
    with updating(state) as queue:
        queue.tests["e"] = [drift("e")]
    press(session, "u")
    assert not session.can_undo
    assert (tmp_path / "c.yaml").read_bytes() == b"new"


def test_prices_that_somebody_else_counts_are_not_waited_for(begun):
    session, _ = begun()
    assert session.price_of(session.group) is not None
    session, _ = begun()
    session.counts_beside = True
    assert session.price_of(session.group) is None
    counted = []
    while (change := session.uncounted()) is not None:
        counted.append(change.test)
        session.prices.of(change)
    assert counted[0] == "a"
    assert session.price_of(session.group) is not None


def test_counting_many_looks_at_each_a_few_times(begun, calls_of):
    session, _ = begun(*(drift(f"m{number}", giving_way=(f"k{number}",)) for number in range(200)))
    asked = calls_of(session.prices, "knows")
    counted = []
    while (change := session.uncounted()) is not None:
        counted.append(change.test)
        session.prices.of(change)
    assert counted == [f"m{number}" for number in range(200)]
    assert len(asked) <= 5 * 200


def test_what_is_counted_follows_what_is_looked_at(begun):
    session, _ = begun(
        *(drift(f"m{number}", cause=f"cause {number % 2}", giving_way=(f"k{number}",)) for number in range(6))
    )
    session.prices.of(session.uncounted())
    assert session.uncounted().test == "m2"
    press(session, "S")
    assert session.uncounted().test == "m1"
    session.prices.of(session.uncounted())
    assert session.uncounted().test == "m3"
    press(session, "/m5")
    assert session.uncounted().test == "m5"


def test_what_is_open_is_searched_when_it_or_the_filter_changes(begun, calls_of):
    session, _ = begun()
    looked = calls_of(session_module, "_searched")
    press(session, "/other")
    assert names(session) == ["c", "d"]
    first = len(looked)
    assert (names(session), session.current, session.hidden) == (["c", "d"], session.group[0], 2)
    assert len(looked) == first
    press(session, ["escape"])
    assert names(session) == ["a", "b", "c", "d"]
