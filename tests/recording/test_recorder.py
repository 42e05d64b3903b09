from __future__ import annotations

import re
from dataclasses import replace

import pytest
import yaml

from replay_agent.exceptions import (
    CassetteMiss,
    CassetteMissError,
)
from replay_agent.recording.answers import Live
from replay_agent.recording.options import RecordOptions
from replay_agent.recording.playing import lookup
from replay_agent.recording.recorder import Recording
from replay_agent.traffic import Chunk, Failure, Phase, Request, Response, StreamEnd
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


def test_a_request_to_a_server_of_the_tests_own_passes_though_it_equals_a_recorded_one(path):
    record(path, ("hi", "recorded"))
    recording = make(path)
    recording.passes = lambda request: request.url == URL
    recording.open()
    assert recording.begin(ask("hi")) is None
    assert recording.play_count == 0


@pytest.mark.parametrize("headers", [{}, {"accept": "text/plain"}, {"range": "bytes=0-"}, {"expect": "100-continue"}])
@pytest.mark.parametrize("hooks", [{}, {"before_record_request": lambda request: request}])
def test_how_a_request_is_spelled_is_looked_at_once(path, calls_of, headers, hooks):
    record(path, ("a", "1"))
    asked = calls_of(lookup, "fingerprint")
    request = ask("a")
    answer = make(path, **hooks).open().begin(replace(request, headers=(*request.headers, *headers.items())))
    assert answer.outcome.body == b"1"
    assert len(asked) == 1
