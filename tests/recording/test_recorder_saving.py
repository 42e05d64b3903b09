from __future__ import annotations

import re
from dataclasses import replace

import pytest

from replay_agent.exceptions import (
    CassetteMiss,
    CassetteUnreadable,
    CassetteUnreplayable,
    CassetteUnwritable,
)
from replay_agent.recording.answers import CANCELLED, Live
from replay_agent.recording.cassettes import store
from replay_agent.recording.cassettes.journal import journals_of
from replay_agent.recording.matching.keys import Key
from replay_agent.recording.options import RecordOptions
from replay_agent.recording.recorder import Recording
from replay_agent.traffic import Failure, Phase, StreamEnd
from tests.recording.recordings import (
    URL,
    Explainer,
    PlainKeying,
    ask,
    bodies,
    make,
    record,
    replayed,
    say,
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "cassettes" / "test_x.yaml"


# Saving and journals


def test_failed_run_leaves_the_cassette_alone(path):
    record(path, ("a", "1"))
    before = path.read_bytes()
    record(path, ("a", "2"), mode="rewrite", success=False)
    assert path.read_bytes() == before


@pytest.mark.parametrize("mode", ["refresh", "all", "rewrite"])
def test_run_that_broke_off_keeps_what_it_had_not_come_to(path, mode):
    record(path, ("a", "1"), ("b", "2"))
    recording = make(path, mode).open()
    recording.begin(ask("a2")).finish(say("1"))
    recording.close(whole=False)
    assert bodies(path) == ["a2", "b"]


@pytest.mark.parametrize(
    "outcome",
    [Failure("ConnectError", Phase.CONNECT), replace(say("no"), status=401), replace(say("no"), end=StreamEnd.FAILED)],
)
def test_what_was_refused_in_a_failed_run_is_asked_again(path, outcome):
    recording = make(path, "once").open()
    recording.begin(ask("a")).finish(say("1"))
    recording.begin(ask("b")).finish(outcome)
    recording.close(False)
    recording = make(path, "once").open()
    assert replayed(recording, "a") == "1"
    recording.begin(ask("b")).finish(say("2"))
    assert sum(recording.tally().taken_up.values()) == 1
    recording.close()
    assert bodies(path) == ["a", "b"]
    assert make(path).open().begin(ask("b")).outcome == say("2")


def test_an_answer_that_is_an_error_at_heart_is_asked_again(path):
    record(path, ("a", "overloaded"), success=False)
    options = RecordOptions(record_mode="once")

    def refused(each):
        return each.outcome.body == b"overloaded"

    recording = Recording(
        path, options, key=PlainKeying(), explain=str, test="test_x.py::test_x", refused=refused
    ).open()
    assert isinstance(recording.begin(ask("a")), Live)


def test_what_a_run_did_is_counted(path):
    record(path, ("a", "1"), ("b", "2"), ("c", "3"))
    recording = make(path, "refresh").open()
    assert replayed(recording, "a") == "1"
    recording.begin(ask("b2")).finish(say("2"))
    recording.close()
    tally = recording.tally()
    assert (tally.live, tally.replayed, tally.dropped, tally.saved) == (1, 1, 2, True)
    (successor,) = tally.successors
    assert (successor.before.request.body, successor.interaction.request.body) == (b"b", b"b2")


def test_failed_run_is_taken_up_by_the_next(path):
    record(path, ("a", "1"), ("b", "2"), success=False)
    assert not path.exists()
    recording = make(path, "once").open()
    assert replayed(recording, "b") == "2"
    recording.begin(ask("c")).finish(say("3"))
    recording.close()
    assert bodies(path) == ["b", "c"]
    assert journals_of(path, "test_x.py::test_x") == []


def test_two_failed_runs_lose_nothing(path):
    record(path, ("a", "1"), success=False)
    recording = make(path, "once").open()
    replayed(recording, "a")
    recording.begin(ask("b")).finish(say("2"))
    recording.close(success=False)
    recording = make(path, "once").open()
    assert [replayed(recording, body) for body in "ab"] == ["1", "2"]
    recording.close()
    assert bodies(path) == ["a", "b"]


def test_run_that_goes_on_is_not_taken_up(path):
    running = make(path, "once").open()
    running.begin(ask("a")).finish(say("1"))
    other = make(path, "once").open()
    other.begin(ask("b")).finish(say("2"))
    assert isinstance(other.begin(ask("a")), Live)
    other.close(success=False)
    running.close(success=False)
    last = make(path, "once").open()
    assert [replayed(last, body) for body in "ab"] == ["1", "2"]


def test_every_run_that_was_left_behind_is_taken_up(path):
    runs = [make(path, "once").open() for _ in range(3)]
    for number, run in enumerate(runs):
        run.begin(ask(str(number))).finish(say(f"answer {number}"))
    for run in runs:
        run.close(success=False)
    assert len(journals_of(path, runs[0].test)) == 3
    last = make(path, "once").open()
    assert [replayed(last, str(number)) for number in range(3)] == ["answer 0", "answer 1", "answer 2"]
    last.begin(ask("more")).finish(say("3"))
    assert len(journals_of(path, last.test)) == 1
    last.close()
    assert bodies(path) == ["0", "1", "2", "more"]
    assert list(path.parent.iterdir()) == [path]


def test_runs_that_succeed_at_once_lose_nothing_of_either(path):
    first, second = (make(path, "once").open() for _ in range(2))
    for number, run in enumerate((first, second)):
        run.begin(ask(str(number))).finish(say(f"answer {number}"))
    second.close()
    assert len(journals_of(path, first.test)) == 1
    first.close()
    assert sorted(bodies(path)) == ["0", "1"]
    assert list(path.parent.iterdir()) == [path]


def test_save_that_fails_keeps_the_journal(path, monkeypatch):
    recording = make(path, "once").open()
    recording.begin(ask("a")).finish(say("1"))

    def full(*_args, **_kwargs):
        raise CassetteUnwritable("no space left", path)

    with monkeypatch.context() as disk:
        disk.setattr(store, "save", full)
        with pytest.raises(CassetteUnwritable, match="no space left"):
            recording.close()
    assert not path.exists()
    again = make(path, "once").open()
    assert replayed(again, "a") == "1"
    again.close()
    assert bodies(path) == ["a"]


@pytest.mark.parametrize("mode", ["new_episodes", "refresh", "all", "rewrite"])
def test_file_damaged_meanwhile_keeps_the_journal(path, mode):
    record(path, ("a", "1"))
    recording = make(path, mode).open()
    recording.begin(ask("b")).finish(say("2"))
    path.write_text("<<<<<<< HEAD\n")
    if mode == "rewrite":
        recording.close()
        assert bodies(path) == ["b"]
        return
    with pytest.raises(CassetteUnreadable):
        recording.close()
    path.unlink()
    assert replayed(make(path, "once").open(), "b") == "2"


@pytest.mark.parametrize("mode", ["all", "rewrite"])
def test_run_afresh_that_fails_keeps_what_was_left_before(path, mode):
    record(path, ("a", "1"), success=False)
    record(path, ("b", "2"), mode=mode, success=False)
    last = make(path, "once").open()
    assert [replayed(last, body) for body in "ab"] == ["1", "2"]


@pytest.mark.parametrize("mode", ["all", "rewrite"])
def test_run_afresh_that_succeeds_discards_what_was_left_before(path, mode):
    record(path, ("a", "1"), success=False)
    record(path, ("b", "2"), mode=mode)
    assert list(path.parent.iterdir()) == [path]


def test_journal_that_cannot_be_written_is_the_tests_trouble(path):
    recording = make(path, "once").open()
    path.parent.write_text("not a folder")
    for body in "ab":
        recording.begin(ask(body)).finish(say("1"))
    [trouble] = recording.misses.unreported
    assert isinstance(trouble, CassetteUnwritable)
    recording.close(success=False)


def test_rewrite_replaces_what_is_no_cassette(path):
    path.parent.mkdir()
    path.write_text("<<<<<<< HEAD\n")
    record(path, ("a", "1"), mode="rewrite")
    assert bodies(path) == ["a"]


@pytest.mark.parametrize("mode", ["all", "rewrite"])
def test_starting_afresh_ignores_the_journal(path, mode):
    record(path, ("a", "1"), success=False)
    recording = make(path, mode).open()
    assert isinstance(recording.begin(ask("a")), Live)


def test_replaying_ignores_the_journal_and_says_so(path):
    record(path, ("a", "1"), success=False)
    recording = make(path).open()
    with pytest.raises(CassetteMiss, match="unfinished recording") as caught:
        recording.begin(ask("a"))
    assert recording.unfinished_journal is not None
    assert str(recording.unfinished_journal) in str(caught.value)
    recording.close()
    assert recording.unfinished_journal is not None


def test_nothing_recorded_writes_nothing(path):
    record(path)
    assert not path.parent.exists() or list(path.parent.iterdir()) == []


def test_unanswered_request_is_recorded_as_given_up(path):
    recording = make(path, "once").open()
    recording.begin(ask())
    recording.close()
    outcome = make(path).open().begin(ask()).outcome
    assert (outcome.kind, outcome.phase) == (CANCELLED, Phase.HEAD)


def test_dropped_request_is_not_recorded(path):
    recording = make(path, "once").open()
    recording.begin(ask("a")).drop()
    recording.begin(ask("b")).finish(say("2"))
    recording.close()
    assert bodies(path) == ["b"]


def test_late_and_double_outcomes_are_ignored(path):
    recording = make(path, "once").open()
    live, late = recording.begin(ask("a")), recording.begin(ask("b"))
    live.finish(say("1"))
    live.finish(say("2"))
    late.drop()
    recording.close()
    late.finish(say("3"))
    assert bodies(path) == ["a"]
    assert replayed(make(path).open(), "a") == "1"


def test_unwritable_place_is_said_before_the_first_request(path):
    path.parent.mkdir()
    path.parent.chmod(0o500)
    try:
        if not _is_bound_by_permissions(path.parent):
            pytest.skip("this user may write anywhere")
        with pytest.raises(CassetteUnwritable):
            make(path, "once").open()
    finally:
        path.parent.chmod(0o700)


def _is_bound_by_permissions(folder):
    try:
        (folder / "probe").write_text("")
    except OSError:
        return True
    (folder / "probe").unlink()
    return False


def test_place_that_is_a_file_cannot_hold_a_cassette(path):
    path.parent.write_text("not a folder")
    with pytest.raises(CassetteUnwritable):
        make(path, "once").open()


@pytest.mark.parametrize("mode", ["none", "once", "new_episodes", "all", "refresh"])
def test_damaged_cassette_is_an_error_and_stays(path, mode):
    path.parent.mkdir()
    path.write_text("<<<<<<< HEAD\nnot a cassette")
    with pytest.raises(CassetteUnreadable, match=re.escape(str(path))):
        make(path, mode).open()
    assert path.read_text() == "<<<<<<< HEAD\nnot a cassette"


@pytest.mark.parametrize("mode", ["none", "once", "new_episodes", "all", "refresh"])
def test_damaged_interaction_is_told_before_the_first_request(path, mode):
    record(path, ("hi", "hello"))
    damaged = path.read_text().replace("status: 200", f"status: {'two hundred ' * 100}")
    path.write_text(damaged)
    with pytest.raises(CassetteUnreadable, match=re.escape(str(path)) + ":6: .*status.*two hundred") as told:
        make(path, mode).open()
    assert len(str(told.value)) < 400
    assert path.read_text() == damaged


def test_rewrite_replaces_a_cassette_with_a_damaged_interaction(path):
    record(path, ("hi", "hello"), ("bye", "bye"))
    path.write_text(path.read_text().replace("status: 200", "status: two hundred", 1))
    record(path, ("hi", "again"), mode="rewrite")
    assert bodies(path) == ["hi"]


def test_a_test_that_two_processes_record_is_recorded_once(path):
    first, second = make(path, "once").open(), make(path, "once").open()
    for recording, answer in ((first, "one"), (second, "two")):
        recording.begin(ask("hi")).finish(say(answer))
        recording.close()
    assert bodies(path) == ["hi"]
    recording = make(path).open()
    assert replayed(recording, "hi") == "two"
    assert recording.leftovers() == []


# What was saved is asked for again


class Counting(PlainKeying):
    """Takes every request for another one than before. With a header to be matched, none is known by its spelling."""

    def __init__(self):
        self.asked = 0

    def __call__(self, request):
        self.asked += 1
        return Key(f"{self.asked:016x}")


def recording_with(path, key, mode="once"):
    options = RecordOptions(record_mode=mode, match_headers=("x-tenant",))
    return Recording(path, options, key=key, explain=Explainer(), test="test_x.py::test_x").open()


def test_run_whose_requests_are_not_found_again_is_told_at_once(path):
    recording = recording_with(path, Counting())
    for body in ("first", "second"):
        recording.begin(ask(body)).finish(say("1"))
    with pytest.raises(CassetteUnreplayable, match=re.escape(str(path))) as caught:
        recording.close()
    text = str(caught.value)
    assert f"request 1, POST {URL}: no stored request is equal to it" in text
    assert f"request 2, POST {URL}" in text
    assert "rewrite" in text
    assert bodies(path) == ["first", "second"]
    assert list(path.parent.iterdir()) == [path]


def test_run_of_many_unequal_requests_is_told_in_short(path):
    recording = recording_with(path, Counting())
    for number in range(40):
        recording.begin(ask(str(number), url=URL + "/" + "x" * 5000)).finish(say("1"))
    with pytest.raises(CassetteUnreplayable, match="and 35 more") as caught:
        recording.close()
    assert len(str(caught.value)) < 3000


@pytest.mark.parametrize("mode", ["new_episodes", "refresh", "all", "rewrite"])
def test_every_mode_asks_again(path, mode):
    record(path, ("a", "1"))
    recording = recording_with(path, Counting(), mode)
    recording.begin(ask("b")).finish(say("2"))
    with pytest.raises(CassetteUnreplayable):
        recording.close()


def test_requests_made_equal_by_their_key_get_their_answers_in_order(path):
    class Blind(PlainKeying):
        def __call__(self, request):
            return Key("0" * 16)

    recording = recording_with(path, Blind())
    for number in range(3):
        recording.begin(ask(str(number))).finish(say(str(number)))
    recording.close()


def test_answer_of_another_request_is_told(path):
    record(path, ("a", "1"))
    recording = make(path, "all").open()
    first, second = recording.begin(ask("a")), recording.begin(ask("a"))
    second.finish(say("2"))
    first.finish(say("1"))
    recording.close()
    again = make(path).open()
    assert [replayed(again, "a"), replayed(again, "a")] == ["1", "2"]


def test_hooks_are_not_asked_again(path):
    asked = []

    def hook(request):
        asked.append(request.body)
        return replace(request, body=b"changed " + request.body)

    record(path, ("a", "1"), before_record_request=hook)
    assert asked == [b"a"]
    assert bodies(path) == ["changed a"]


def test_failed_run_asks_nothing_again(path):
    recording = recording_with(path, Counting())
    recording.begin(ask("a")).finish(say("1"))
    recording.close(success=False)
