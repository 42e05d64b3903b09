from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace

import pytest
import yaml

from replay_agent.exceptions import (
    CassetteMiss,
    CassetteMissError,
    CassetteUnreadable,
    CassetteUnreplayable,
    CassetteUnwritable,
    UserError,
)
from replay_agent.recording.answers import CANCELLED, Live, Replay
from replay_agent.recording.cassettes import store
from replay_agent.recording.cassettes.journal import journals_of
from replay_agent.recording.matching.keys import Key
from replay_agent.recording.matching.placeholders import unnamed
from replay_agent.recording.options import RecordOptions
from replay_agent.recording.recorder import Recording
from replay_agent.traffic import Chunk, Failure, Phase, Request, Response, StreamEnd

URL = "https://api.example.org/v1/chat"


class PlainKeying:
    scheme = "plain"

    def __call__(self, request):
        text = f"{request.method} {request.url} ".encode() + request.body
        ids = re.findall(rb"call_\w+", text)
        return Key(hashlib.sha256(re.sub(rb"call_\w+", b"call", text)).hexdigest()[:16], tuple(map(bytes.decode, ids)))


class SecretKeying(PlainKeying):
    """Keys in which all placeholders are alike, as those of real recordings are."""

    def __call__(self, request):
        names = []
        url, body = unnamed(request.url.encode(), names), unnamed(request.body, names)
        return replace(super().__call__(Request(request.method, url.decode(), (), body)), secrets=tuple(names))


class Explainer:
    """Keeps the misses that it was asked about."""

    def __init__(self):
        self.asked = []

    def __call__(self, miss):
        self.asked.append(miss)
        return f"{miss.reason}: {miss.request.body.decode()}"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "cassettes" / "test_x.yaml"


def make(path, mode="none", *, test="test_x.py::test_x", explain=None, key=PlainKeying, **options):
    options = RecordOptions(record_mode=mode, **options)
    return Recording(path, options, key=key(), explain=explain or Explainer(), test=test)


def ask(body="hi", url=URL, method="POST"):
    return Request(method, url, (("content-type", "text/plain"),), body.encode())


def say(text):
    return Response(200, (("content-type", "text/plain"),), (Chunk(text.encode()),), reason="OK")


def record(path, *talk, mode="once", success=True, **options):
    """Record pairs of request body and answer."""
    recording = make(path, mode, **options).open()
    for question, answer in talk:
        live = recording.begin(ask(question))
        assert isinstance(live, Live), question
        live.finish(say(answer))
    recording.close(success)
    return recording


def replayed(recording, body):
    answer = recording.begin(ask(body))
    assert isinstance(answer, Replay), body
    return answer.outcome.body.decode()


def bodies(path):
    """Return the request bodies in a cassette, in order."""
    return [item["request"]["body"]["text"] for item in yaml.safe_load(path.read_text())["interactions"]]


# Replay


def test_recorded_answer_comes_back(path):
    record(path, ("hi", "hello"))
    recording = make(path).open()
    assert replayed(recording, "hi") == "hello"
    recording.close()


def test_answer_is_found_by_content_not_order(path):
    record(path, *((f"q{n}", f"a{n}") for n in range(64)))
    recording = make(path).open()
    for n in reversed(range(64)):
        assert replayed(recording, f"q{n}") == f"a{n}"


def test_same_request_gets_its_answers_in_order(path):
    record(path, ("hi", "one"), ("other", "x"), ("hi", "two"))
    recording = make(path).open()
    assert [replayed(recording, body) for body in ("hi", "hi", "other")] == ["one", "two", "x"]


def test_request_spelled_as_recorded_is_not_understood_again(path):
    record(path, ("hi", "hello"))

    class Refusing(PlainKeying):
        def __call__(self, request):
            raise AssertionError("the key is in the file")

    recording = Recording(path, RecordOptions(), key=Refusing(), explain=Explainer()).open()
    assert replayed(recording, "hi") == "hello"


def test_same_meaning_in_two_spellings_gets_its_answers_in_order(path):
    class Careless(PlainKeying):
        def __call__(self, request):
            return super().__call__(replace(request, body=request.body.lower()))

    def careless(mode):
        options = RecordOptions(record_mode=mode)
        return Recording(path, options, key=Careless(), explain=Explainer()).open()

    recording = careless("once")
    for body, answer in (("Hi", "one"), ("hi", "two")):
        recording.begin(ask(body)).finish(say(answer))
    recording.close()
    again = careless("none")
    assert [replayed(again, body) for body in ("hi", "HI")] == ["one", "two"]


def test_answers_are_in_the_order_of_requests_not_of_answers(path):
    recording = make(path, "once").open()
    first, second = recording.begin(ask("hi")), recording.begin(ask("hi"))
    second.finish(say("two"))
    first.finish(say("one"))
    recording.close()
    again = make(path).open()
    assert [replayed(again, "hi"), replayed(again, "hi")] == ["one", "two"]


def test_one_request_more_is_a_miss(path):
    record(path, ("hi", "one"))
    recording = make(path).open()
    replayed(recording, "hi")
    with pytest.raises(CassetteMiss, match="used up: hi"):
        recording.begin(ask("hi"))


def test_repeats_are_allowed_on_demand(path):
    record(path, ("hi", "one"), ("hi", "two"))
    recording = make(path, allow_repeats=True).open()
    assert [replayed(recording, "hi") for _ in range(4)] == ["one", "two", "two", "two"]


def test_failure_comes_back(path):
    failure = Failure("ReadTimeout", Phase.HEAD, "timed out", 30)
    recording = make(path, "once").open()
    recording.begin(ask()).finish(failure)
    recording.close()
    assert make(path).open().begin(ask()).outcome == failure


def test_partial_stream_comes_back_as_one(path):
    partial = Response(200, (), (Chunk(b"a"), Chunk(b"b", 7)), reason="OK", end=StreamEnd.ABANDONED, waited_ms=5)
    recording = make(path, "once").open()
    recording.begin(ask()).finish(partial)
    recording.close()
    assert make(path).open().begin(ask()).outcome == partial


def test_client_made_ids_compare_by_order(path):
    record(path, ("call_a then call_b then call_a", "yes"))
    recording = make(path).open()
    assert replayed(recording, "call_1 then call_2 then call_1") == "yes"


def test_ids_of_recorded_answers_must_be_equal(path):
    record(path, ("go", "use call_a"), ("call_a", "yes"))
    recording = make(path).open()
    replayed(recording, "go")
    with pytest.raises(CassetteMiss):
        recording.begin(ask("call_b"))


# Misses


def test_changed_request_is_a_base_exception(path):
    record(path, ("hi", "hello"))
    with pytest.raises(CassetteMiss, match="changed: ho") as caught:
        make(path).open().begin(ask("ho"))
    assert not isinstance(caught.value, Exception)
    assert caught.value.path == path
    assert caught.value.request.body == b"ho"


def test_miss_as_an_exception_on_demand(path):
    record(path, ("hi", "hello"))
    with pytest.raises(CassetteMissError, match="changed"):
        make(path, miss="exception").open().begin(ask("ho"))


def test_missing_cassette_is_a_miss_of_the_first_request(path):
    recording = make(path).open()
    with pytest.raises(CassetteMiss, match="no cassette"):
        recording.begin(ask())


def test_missing_cassette_is_no_matter_without_requests(path):
    recording = make(path).open()
    recording.close()
    assert recording.misses == []
    assert not path.parent.exists()


def test_explanation_is_asked_for_once_and_told_everything(path):
    record(path, ("hi", "hello"), ("hu", "huhu"))
    explain = Explainer()
    recording = make(path, explain=explain).open()
    replayed(recording, "hu")
    assert explain.asked == []
    with pytest.raises(CassetteMiss):
        recording.begin(ask("ho"))
    with pytest.raises(CassetteMiss):
        recording.begin(ask("ho"))
    [miss] = explain.asked
    assert miss.played == {1}
    assert miss.cassette_path == path
    assert miss.record_mode == "none"
    assert miss.test == "test_x.py::test_x"
    assert [interaction.request.body for interaction in miss.interactions()] == [b"hi", b"hu"]


def test_misses_are_kept_until_reported(path):
    recording = make(path).open()
    for body in ("a", "b"):
        with pytest.raises(CassetteMiss):
            recording.begin(ask(body))
    first, second = recording.misses
    recording.reported(first)
    assert recording.unreported_misses == [second]


def test_many_misses_are_not_all_explained(path):
    explain = Explainer()
    recording = make(path, explain=explain).open()
    for n in range(100):
        with pytest.raises(CassetteMiss):
            recording.begin(ask(str(n)))
    assert len(explain.asked) < 20
    assert URL in str(recording.misses[-1])


def test_broken_explanation_leaves_a_miss(path):
    def explain(_miss):
        raise ZeroDivisionError

    with pytest.raises(CassetteMiss, match=re.escape(URL)):
        make(path, explain=explain).open().begin(ask())


def test_reading_on_is_a_miss_of_its_own(path):
    record(path, ("hi", "hello"))
    recording = make(path).open()
    miss = recording.begin(ask("hi")).read_on()
    assert isinstance(miss, CassetteMiss)
    assert "read on" in str(miss)
    assert recording.misses == [miss]


# Leftovers


def asking_for_a_token(who):
    form = (("content-type", "application/x-www-form-urlencoded"),)
    return Request("POST", "https://auth.example.org/token", form, b"grant_type=client_credentials&client_id=" + who)


def record_with_token(path):
    recording = make(path, "once").open()
    for request in (asking_for_a_token(b"me"), ask("a")):
        recording.begin(request).finish(say("live"))
    recording.close()


def test_a_token_that_a_client_has_already_is_not_left_over(path):
    record_with_token(path)
    recording = make(path).open()
    recording.begin(ask("a"))
    assert recording.leftovers() == []


def test_a_token_that_a_client_had_when_it_was_recorded_is_made_up(path):
    record(path, ("a", "1"))
    recording = make(path).open()
    assert b"access_token" in recording.begin(asking_for_a_token(b"me")).outcome.body
    assert recording.requests == []
    recording.begin(ask("a"))
    assert recording.leftovers() == []


def test_a_recorded_token_is_played_and_asked_for_again_at_will(path):
    record_with_token(path)
    recording = make(path).open()
    assert recording.begin(asking_for_a_token(b"me")).outcome.body == b"live"
    assert b"access_token" in recording.begin(asking_for_a_token(b"me")).outcome.body


def test_another_clients_token_is_a_miss(path):
    record_with_token(path)
    with pytest.raises(CassetteMiss, match="changed"):
        make(path).open().begin(asking_for_a_token(b"you"))


def test_without_a_cassette_no_token_is_made_up(path):
    with pytest.raises(CassetteMiss, match="no cassette"):
        make(path).open().begin(asking_for_a_token(b"me"))


def test_what_was_not_played_is_left_over(path):
    record(path, ("a", "1"), ("b", "2"), ("c", "3"))
    recording = make(path).open()
    replayed(recording, "b")
    assert recording.leftovers() == [0, 2]


def test_interactions_of_other_tests_are_not_left_over(path):
    record(path, ("a", "1"), test="test_a")
    record(path, ("b", "2"), mode="new_episodes", test="test_b")
    recording = make(path, test="test_b").open()
    replayed(recording, "a")
    assert recording.leftovers() == [1]


def test_nothing_is_left_over_of_a_recording(path):
    record(path, ("a", "1"))
    assert make(path, "all").open().leftovers() == []


# Modes


def test_once_replays_when_there_is_a_cassette(path):
    record(path, ("hi", "hello"))
    recording = make(path, "once").open()
    assert not recording.records
    assert replayed(recording, "hi") == "hello"
    with pytest.raises(CassetteMiss):
        recording.begin(ask("ho"))


def test_new_episodes_asks_for_the_rest(path):
    record(path, ("a", "1"), ("b", "2"))
    recording = make(path, "new_episodes").open()
    assert replayed(recording, "b") == "2"
    recording.begin(ask("c")).finish(say("3"))
    recording.close()
    assert bodies(path) == ["a", "b", "c"]


@pytest.mark.parametrize("mode", ["all", "rewrite"])
def test_all_and_rewrite_play_nothing(path, mode):
    record(path, ("a", "old"), ("b", "old"))
    record(path, ("a", "new"), mode=mode)
    assert bodies(path) == ["a"]
    assert replayed(make(path).open(), "a") == "new"


def test_all_keeps_interactions_of_other_tests(path):
    record(path, ("a", "1"), test="test_a")
    record(path, ("b", "2"), mode="new_episodes", test="test_b")
    record(path, ("a2", "1"), mode="all", test="test_a")
    assert bodies(path) == ["a2", "b"]


def test_rewrite_keeps_nothing(path):
    record(path, ("a", "1"), test="test_a")
    record(path, ("b", "2"), mode="rewrite", test="test_b")
    assert bodies(path) == ["b"]


def test_refresh_asks_only_for_what_changed(path):
    record(path, ("turn 1", "a"), ("turn 2", "b"), ("turn 3", "c"))
    recording = make(path, "refresh").open()
    assert replayed(recording, "turn 1") == "a"
    recording.begin(ask("turn 2, changed")).finish(say("b"))
    assert replayed(recording, "turn 3") == "c"
    recording.close()
    assert bodies(path) == ["turn 1", "turn 2, changed", "turn 3"]


def test_refresh_of_an_unchanged_test_rewrites_nothing(path):
    record(path, ("a", "1"), ("b", "2"))
    before = path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino
    recording = make(path, "refresh").open()
    assert [replayed(recording, body) for body in "ba"] == ["2", "1"]
    recording.close()
    assert (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino) == before


@pytest.mark.parametrize(
    "respelled",
    [
        lambda data: data.replace(b"\n", b"\r\n"),
        lambda data: b"\xef\xbb\xbf" + data,
        lambda data: b"# why this is recorded\n" + data,
        lambda data: yaml.safe_dump(yaml.safe_load(data), sort_keys=False).encode(),
    ],
    ids=["carriage returns", "byte order mark", "a comment", "another layout"],
)
@pytest.mark.parametrize("mode", ["refresh", "new_episodes"])
def test_a_file_that_others_spelled_anew_stays_as_it_is(path, mode, respelled):
    record(path, ("hi", "one"), ("bye", "two"))
    path.write_bytes(respelled(path.read_bytes()))
    before = path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino
    recording = make(path, mode).open()
    assert [replayed(recording, body) for body in ("hi", "bye")] == ["one", "two"]
    recording.close()
    assert (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino) == before


def test_refresh_touches_only_what_changed(path):
    record(path, *((f"q{n}", f"a{n}") for n in range(5)))
    before = path.read_text().splitlines()
    recording = make(path, "refresh").open()
    for n in (0, 1):
        replayed(recording, f"q{n}")
    recording.begin(ask("new")).finish(say("newer"))
    for n in (3, 4):
        replayed(recording, f"q{n}")
    recording.close()
    after = path.read_text().splitlines()
    start = next(n for n in range(len(before)) if before[n] != after[n])
    assert "# " in before[start]
    assert [
        line for line in before if line not in after and "q2" not in line and "a2" not in line and "#" not in line
    ] == []


def test_refresh_drops_only_its_own(path):
    record(path, ("a", "1"), test="test_a")
    record(path, ("b", "2"), mode="new_episodes", test="test_b")
    recording = make(path, "refresh", test="test_b").open()
    recording.close()
    assert bodies(path) == ["a"]


def test_unknown_cassette_is_empty_for_a_recording(path):
    recording = make(path, "new_episodes").open()
    assert isinstance(recording.begin(ask()), Live)


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


# What passes by, hooks, secrets


def test_ignored_hosts_are_not_wanted(path):
    recording = make(path, ignore_hosts=("api.example.org",))
    assert not recording.wants(URL)
    assert recording.wants("https://other.example.org/")


def test_only_hosts_are_wanted(path):
    recording = make(path, only_hosts=("*.example.org",))
    assert recording.wants(URL)
    assert not recording.wants("https://example.com/")


def test_telemetry_gets_an_empty_answer_in_replay(path):
    answer = make(path).open().begin(ask(url="https://api.openai.com/v1/traces/ingest"))
    assert (answer.outcome.status, answer.outcome.body) == (200, b"")


def test_telemetry_passes_unrecorded(path):
    recording = make(path, "once").open()
    assert recording.begin(ask(url="https://api.openai.com/v1/traces/ingest")) is None
    recording.close()
    assert not path.exists()


def test_request_hook_changes_what_is_kept(path):
    def hook(request):
        return Request(request.method, request.url, request.headers, b"always the same")

    record(path, ("a", "1"), before_record_request=hook)
    assert bodies(path) == ["always the same"]
    assert replayed(make(path, before_record_request=hook).open(), "b") == "1"


def test_request_hook_lets_pass(path):
    assert make(path, before_record_request=lambda _request: None).open().begin(ask()) is None


def test_response_hook_changes_or_drops(path):
    def hook(response):
        return None if response.body == b"drop" else Response(201, (), response.chunks, reason="Kept")

    record(path, ("a", "drop"), ("b", "keep"), before_record_response=hook)
    assert bodies(path) == ["b"]
    assert make(path).open().begin(ask("b")).outcome.status == 201


def test_secret_in_a_request_reaches_no_file_and_matches_another(path):
    key, other = "sk-proj-abcDEF1234567890abcDEF12", "sk-proj-ZYXwvu0987654321ZYXwvu09"
    record(path, (f"my key is {key}", "hush"))
    assert key not in path.read_text()
    assert replayed(make(path).open(), f"my key is {other}") == "hush"


TOKEN = "opaqueTok3nAbCdEf12345678"
CREDENTIAL = (("authorization", f"Bearer {TOKEN}"),)


def with_credential(body):
    return Request("POST", URL, (("content-type", "text/plain"), *CREDENTIAL), body.encode())


def test_a_credential_of_one_request_is_taken_out_of_what_came_before_and_after(path):
    recording = make(path, "once", key=SecretKeying).open()
    for asked in ask(f"first {TOKEN}"), with_credential("second"), ask(f"third {TOKEN}"):
        recording.begin(asked).finish(say(f"echo {TOKEN}"))
    journal = journals_of(path, "test_x.py::test_x")[0].read_text()
    recording.close()
    for text in journal, path.read_text():
        assert TOKEN not in text
        assert text.count("echo REDACTED(authorization)") == 3
    assert [interaction.request.body for interaction in recording.interactions] == [
        b"first REDACTED(authorization)",
        b"second",
        b"third REDACTED(authorization)",
    ]


OTHER = "another9Tok3nZyXwVu87654321"
THIRD = "yetOne5Tok3nQrStUv13579bdf"
EARLIER = {
    "prompt": (ask(f"first {TOKEN} there"), ask(f"first {OTHER} there")),
    "address": (ask("", f"{URL}/files/{TOKEN}", "GET"), ask("", f"{URL}/files/{OTHER}", "GET")),
    "escaped": (ask(f'{{"a":"\\n{TOKEN}\\n"}}'), ask(f'{{"a":"\\n{OTHER}\\n"}}')),
    "twice": (ask(f"{TOKEN} and {TOKEN}"), ask(f"{OTHER} and {OTHER}")),
}


def record_earlier(path, *asked):
    recording = make(path, "once", key=SecretKeying).open()
    for number, each in enumerate((*asked, with_credential("last"))):
        recording.begin(each).finish(say(f"answer {number}"))
    recording.close()


@pytest.mark.parametrize("name", EARLIER)
def test_a_secret_that_a_later_request_shows_replays_with_the_same_and_with_another(path, name):
    same, other = EARLIER[name]
    record_earlier(path, same)
    assert TOKEN not in path.read_text()
    for asked in same, other:
        replay = make(path, key=SecretKeying).open()
        assert replay.begin(asked).outcome.body == b"answer 0"
        assert replay.begin(with_credential("last")).outcome.body == b"answer 1"


@pytest.mark.parametrize(
    "changed",
    [
        "first the door there",
        "first rook there",
        "first documents/2024/report1 there",
        "first 2024-11-27 there",
        f"second {TOKEN} there",
        f"first {TOKEN} and more there",
        f"first {TOKEN}",
    ],
)
def test_what_looks_like_no_secret_or_stands_elsewhere_is_none(path, changed):
    record_earlier(path, ask(f"first {TOKEN} there"))
    with pytest.raises(CassetteMiss):
        make(path, key=SecretKeying).open().begin(ask(changed))


def test_supposed_secrets_are_told_apart(path):
    record_earlier(path, ask(f"first {TOKEN} there"), ask(f"then {TOKEN} there"))
    replay = make(path, key=SecretKeying).open()
    assert replay.begin(ask(f"first {OTHER} there")).outcome.body == b"answer 0"
    with pytest.raises(CassetteMiss):
        replay.begin(ask(f"then {THIRD} there"))
    assert replay.begin(ask(f"then {OTHER} there")).outcome.body == b"answer 1"


def test_secrets_of_requests_spelled_alike_are_told_apart(path):
    first, second, third = (f"sk-proj-{each}abcDEF1234567890abcDEF12" for each in "Qx7")
    recording = make(path, "once", key=SecretKeying).open()
    for asked in f"a {first}", f"b {first}":
        recording.begin(ask(asked)).finish(say(asked[0]))
    recording.close()
    replay = make(path, key=SecretKeying).open()
    assert replay.begin(ask(f"a {second}")).outcome.body == b"a"
    with pytest.raises(CassetteMiss):
        replay.begin(ask(f"b {third}"))
    assert replay.begin(ask(f"b {second}")).outcome.body == b"b"


def test_a_supposed_secret_is_kept_out_of_what_is_recorded_beside_it(path):
    record_earlier(path, ask(f"first {TOKEN} there"))
    recording = make(path, "new_episodes", key=SecretKeying).open()
    recording.begin(ask(f"first {OTHER} there"))
    recording.begin(ask(f"new {OTHER}")).finish(say("noted"))
    recording.close()
    assert OTHER not in path.read_text()


def test_a_token_that_an_answer_handed_out_replays_as_the_placeholder_that_the_client_gets(path):
    token = "correct-horse-battery-staple"  # looks like nothing that could be supposed to be a secret
    recording = make(path, "once", key=SecretKeying).open()
    recording.begin(ask("log in")).finish(say(f'{{"access_token": "{token}"}}'))
    recording.begin(ask(f"got {token}")).finish(say("fine"))
    recording.close()
    assert token not in path.read_text()
    replay = make(path, key=SecretKeying).open()
    handed_out = json.loads(replay.begin(ask("log in")).outcome.body)["access_token"]
    assert replay.begin(ask(f"got {handed_out}")).outcome.body == b"fine"


def test_a_credential_of_a_replayed_request_is_known_to_the_next(path):
    recording = make(path, "once").open()
    recording.begin(with_credential("one")).finish(say("1"))
    recording.begin(ask(f"two {TOKEN}")).finish(say("2"))
    recording.close()
    replay = make(path).open()
    other = "another9Tok3nZyXwVu87654321"
    headers = (("content-type", "text/plain"), ("authorization", f"Bearer {other}"))
    assert replay.begin(Request("POST", URL, headers, b"one")).outcome.body == b"1"
    assert replayed(replay, f"two {other}") == "2"


def test_a_journal_left_behind_holds_no_secret_that_turned_out_later(path):
    recording = make(path, "once").open()
    recording.begin(ask(f"first {TOKEN}")).finish(say("1"))
    recording.begin(with_credential("second")).finish(say("2"))
    recording.close(success=False)
    left = journals_of(path, "test_x.py::test_x")[0].read_text()
    assert TOKEN not in left
    assert "first REDACTED(authorization)" in left


def test_requests_of_a_replay_tell_no_secret(path):
    key, other = "sk-proj-abcDEF1234567890abcDEF12", "sk-proj-ZYXwvu0987654321ZYXwvu09"
    record(path, (f"my key is {key}", "hush"))
    recording = make(path).open()
    answer = recording.begin(ask(f"my key is {other}"))
    assert recording.requests[0].body == b"my key is REDACTED(openai-key)"
    assert answer.read_on().request.body == b"my key is REDACTED(openai-key)"


def test_miss_tells_no_secret(path):
    record(path, ("hi", "hello"))
    with pytest.raises(CassetteMiss) as miss:
        make(path).open().begin(ask("my key is sk-proj-ZYXwvu0987654321ZYXwvu09"))
    assert miss.value.request.body == b"my key is REDACTED(openai-key)"


def test_request_equal_to_a_recorded_one_is_answered_before_secrets_are_looked_for(path):
    record(path, ("the trace is 0123456789", "found"))
    recording = make(path, redact=(r"trace is \d+",)).open()
    assert replayed(recording, "the trace is 0123456789") == "found"


def test_rule_that_cannot_be_read_is_told_at_once(path):
    with pytest.raises(UserError, match="neither a field name nor a regular expression"):
        make(path, redact=("trace (",))


# What the run tells


def test_run_lists_its_interactions_and_requests_in_order(path):
    record(path, ("a", "1"), ("b", "2"))
    recording = make(path, "new_episodes").open()
    replayed(recording, "b")
    recording.begin(ask("c")).finish(say("3"))
    replayed(recording, "a")
    assert [request.body for request in recording.requests] == [b"b", b"c", b"a"]
    assert [interaction.outcome.body for interaction in recording.interactions] == [b"2", b"3", b"1"]
    assert [interaction.test for interaction in recording.interactions] == ["test_x.py::test_x"] * 3
    assert recording.play_count == 2


def test_recorded_interactions_say_when(path):
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", record(path, ("a", "1")).interactions[0].recorded_at)


def frozen(path, mode, **options):
    recording = make(path, mode, freeze=("uuid", "clock"), **options).open()
    seeds = dict(recording.frozen)
    recording.begin(ask("a")).finish(say("x")) if recording.records else recording.begin(ask("a"))
    return seeds, recording


def test_frozen_sources_are_in_the_header(path):
    seeds, recording = frozen(path, "once")
    recording.close()
    assert set(seeds) == {"uuid", "clock"}
    assert dict(make(path).open().header.frozen) == seeds


@pytest.mark.parametrize("mode", ["none", "once"])
def test_sources_are_set_as_they_were_recorded(path, mode):
    seeds, recording = frozen(path, "once")
    recording.close()
    assert frozen(path, mode)[0] == seeds


def test_rewriting_sets_the_sources_anew(path):
    seeds, recording = frozen(path, "once")
    recording.close()
    assert make(path, "rewrite", freeze=("uuid",)).open().frozen["uuid"] != seeds["uuid"]


def test_a_run_that_takes_up_a_journal_takes_up_its_seeds(path):
    seeds, recording = frozen(path, "once")
    recording.close(success=False)
    assert make(path, "once", freeze=("uuid", "clock")).open().frozen == seeds


def test_seeds_of_a_cassette_that_others_use_stay(path):
    seeds, recording = frozen(path, "once", test="other")
    recording.close()
    assert make(path, "all", freeze=("uuid", "clock"), test="mine").open().frozen == seeds


@pytest.mark.parametrize("mode", ["none", "once", "new_episodes", "refresh"])
def test_the_clock_of_a_cassette_recorded_without_freezing_is_that_of_its_recording(path, mode):
    record(path, ("a", "1"))
    text, count = re.subn(r"(?m)^recorded_at: .*$", "recorded_at: '2026-01-02T03:04:05Z'", path.read_text(), count=1)
    assert count == 1
    path.write_text(text)
    assert make(path, mode, freeze=("clock",)).open().frozen == {"clock": "2026-01-02T03:04:05Z"}


@pytest.mark.parametrize("mode", ["all", "rewrite"])
def test_the_clock_of_a_recording_made_anew_is_now(path, mode):
    record(path, ("a", "1"))
    path.write_text(re.sub(r"(?m)^recorded_at: .*$", "recorded_at: '2026-01-02T03:04:05Z'", path.read_text(), count=1))
    recording = make(path, mode, freeze=("clock",)).open()
    assert recording.frozen["clock"] > "2026-01-03"


def test_the_clock_of_an_older_cassette_is_set_to_its_recording(path):
    record(path, ("a", "1"))
    recording = make(path, freeze=("clock",)).open()
    assert recording.frozen == {"clock": recording.header.recorded_at}


def test_closing_twice_saves_once(path):
    recording = record(path, ("a", "1"))
    before = path.read_bytes()
    recording.close()
    assert path.read_bytes() == before


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


# What may be left


def test_request_that_was_given_up_may_be_left_unplayed(path):
    recording = make(path, "once").open()
    recording.begin(ask("given up")).give_up()
    recording.begin(ask("abandoned")).finish(replace(say("1"), end=StreamEnd.ABANDONED, waited_ms=9))
    recording.begin(ask("closed")).finish(replace(say("1"), end=StreamEnd.CLOSED))
    recording.begin(ask("timed out")).fail("ReadTimeout", Phase.HEAD)
    recording.begin(ask("whole")).finish(say("1"))
    recording.close()
    assert make(path).open().leftovers() == [2, 3, 4]


def test_reading_on_after_the_end_is_no_miss(path):
    record(path, ("hi", "hello"))
    recording = make(path).open()
    answer = recording.begin(ask("hi"))
    recording.close()
    assert answer.missed() is None
    assert recording.misses == []
