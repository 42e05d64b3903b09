from __future__ import annotations

import hashlib
import os
import tempfile

import pytest

from replay_agent.exceptions import CassetteError, CassetteMiss, CassetteUnwritable
from replay_agent.recording import dispatch
from replay_agent.recording.answers import Live, Replay
from replay_agent.recording.cassettes import store
from replay_agent.recording.cassettes.journal import journals_of
from replay_agent.recording.matching.keys import Key
from replay_agent.recording.options import RecordOptions
from replay_agent.recording.process.spool import Spool
from replay_agent.recording.recorder import Recording
from replay_agent.traffic import Chunk, Request, Response

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing is forked here"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of a fork beside the threads of a test runner
]


class PlainKeying:
    scheme = "plain"

    def __call__(self, request):
        return Key(hashlib.sha256(request.body).hexdigest()[:16])


@pytest.fixture
def path(tmp_path):
    return tmp_path / "c.yaml"


@pytest.fixture
def opened():
    """Opens recordings that the process knows of, and closes them."""
    made = []

    def open_one(path, mode="none", **options):
        recording = Recording(
            path,
            RecordOptions(record_mode=mode, **options),
            key=PlainKeying(),
            explain=lambda miss: f"{miss.reason}: {miss.request.body.decode()}",
            test="test_x",
        ).open()
        dispatch.open_for_test(recording)
        made.append(recording)
        return recording

    yield open_one
    for recording in made:
        dispatch.close_for_test(recording)


def ask(body):
    return Request("POST", "https://api.example.org/v1", (("content-type", "text/plain"),), body.encode())


def say(text):
    return Response(200, (("content-type", "text/plain"),), (Chunk(text.encode()),), reason="OK")


def record(recording, *bodies):
    for body in bodies:
        live = recording.begin(ask(body))
        assert isinstance(live, Live)
        live.finish(say(f"answer to {body}"))


def played(recording, body):
    answer = recording.begin(ask(body))
    assert isinstance(answer, Replay)
    return answer.outcome.body.decode()


def in_child(function, *args):
    """Run a function in a forked process and wait for it; its failure is that of the test."""
    child = os.fork()
    if not child:
        status = 1
        try:
            function(*args)
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0


def missed(recording, *bodies):
    for body in bodies:
        with pytest.raises(CassetteMiss):
            recording.begin(ask(body))


@pytest.mark.parametrize("mode", ["once", "new_episodes", "refresh", "all", "rewrite"])
def test_what_a_child_asks_is_recorded(opened, path, mode):
    recording = opened(path, mode)
    record(recording, "before")
    in_child(record, recording, "one", "two")
    record(recording, "after")
    recording.close()
    said = [interaction.request.body for interaction in store.load(path).interactions()]
    assert sorted(said) == [b"after", b"before", b"one", b"two"]
    again = opened(path)
    assert played(again, "two") == "answer to two"


def test_what_a_grandchild_asks_is_recorded(opened, path):
    recording = opened(path, "once")
    in_child(lambda: in_child(record, recording, "deep"))
    recording.close()
    assert [interaction.request.body for interaction in recording.interactions] == [b"deep"]
    assert path.is_file()


def test_a_child_saves_nothing_itself(opened, path):
    recording = opened(path, "once")

    def child():
        record(recording, "one")
        recording.close()

    in_child(child)
    assert not path.exists()
    recording.close(success=False)
    assert not path.exists()


def test_a_child_plays_for_its_parent(opened, path):
    first = opened(path, "once")
    record(first, "one", "two", "two")
    first.close()
    dispatch.close_for_test(first)
    recording = opened(path)
    in_child(played, recording, "two")
    assert recording.leftovers() == [0, 2]
    in_child(played, recording, "two")
    assert played(recording, "one") == "answer to one"
    assert recording.leftovers() == []
    assert recording.play_count == 3
    missed(recording, "two")


def test_a_child_knows_what_its_parent_played_later(opened, path):
    first = opened(path, "once")
    record(first, "one")
    first.close()
    dispatch.close_for_test(first)
    recording = opened(path)
    reading, writing = os.pipe()

    def child():
        os.read(reading, 1)
        missed(recording, "one")

    pid = os.fork()
    if not pid:
        try:
            child()
        finally:
            os._exit(0)
    assert played(recording, "one") == "answer to one"
    os.write(writing, b"1")
    os.waitpid(pid, 0)
    assert [str(miss) for miss in recording.misses] == ["used up: one"]


def test_a_miss_of_a_child_is_the_parents(opened, path):
    recording = opened(path)
    in_child(missed, recording, "one", "two")
    assert [str(miss) for miss in recording.unreported_misses] == ["no cassette: one", "no cassette: two"]
    miss = recording.misses[0]
    assert isinstance(miss, CassetteMiss)
    assert (miss.request.body, miss.path) == (b"one", path)


def test_other_trouble_of_a_child_is_the_parents(opened, path):
    recording = opened(path)
    in_child(recording.trouble, CassetteError("it went wrong", path))
    assert [str(trouble) for trouble in recording.misses] == ["it went wrong"]


def test_a_child_takes_up_a_journal(opened, path):
    failed = opened(path, "once")
    record(failed, "one", "two")
    failed.close(success=False)
    dispatch.close_for_test(failed)
    recording = opened(path, "once")
    in_child(played, recording, "one")
    assert played(recording, "two") == "answer to two"
    recording.close()
    assert sorted(each.request.body for each in store.load(path).interactions()) == [b"one", b"two"]
    assert journals_of(path, "test_x") == []


@pytest.mark.parametrize("mode", ["none", "once"])
def test_a_child_that_outlives_the_recording_is_refused(opened, path, mode):
    recording = opened(path, mode)
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        status = 1
        try:
            os.read(reading, 1)
            with pytest.raises(CassetteMiss, match="that is over"):
                recording.begin(ask("one"))
            with pytest.raises(CassetteMiss, match="that is over"):
                recording.begin(ask("two"))
            status = 0 if recording.is_open else 2
        finally:
            os._exit(status)
    recording.close()
    os.write(writing, b"1")
    assert os.waitpid(pid, 0)[1] == 0
    before = len(dispatch.late_misses)
    dispatch.hear_late()
    late = dispatch.late_misses[before:]
    del dispatch.late_misses[before:]
    assert len(late) == 2
    assert "https://api.example.org/v1" in str(late[0])


def test_an_answer_that_comes_too_late_is_said_to_be_lost(opened, path):
    recording = opened(path, "once")
    reading, writing = os.pipe()
    begun, tell = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            live = recording.begin(ask("one"))
            os.write(tell, b"1")
            os.read(reading, 1)
            live.finish(say("late"))
        finally:
            os._exit(0)
    os.read(begun, 1)
    recording.close()
    os.write(writing, b"1")
    os.waitpid(pid, 0)
    before = len(dispatch.late_misses)
    dispatch.hear_late()
    (late,) = dispatch.late_misses[before:]
    del dispatch.late_misses[before:]
    assert "lost: POST https://api.example.org/v1" in str(late)


def test_a_child_that_nobody_would_hear_is_refused(opened, path, monkeypatch):
    recording = opened(path, "once")

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "mkstemp", full)
    in_child(missed, recording, "one")
    recording.close()
    assert not path.exists()


def test_a_spool_that_is_gone_is_named(opened, path):
    recording = opened(path, "once")
    in_child(record, recording, "one")
    recording._kin.spool.path.unlink()
    with pytest.raises(CassetteUnwritable, match="temporary files"):
        recording.close()
    assert not path.exists()
    before = len(dispatch.late_misses)
    dispatch.hear_late()
    dispatch.hear_late()
    (late,) = dispatch.late_misses[before:]
    del dispatch.late_misses[before:]
    assert "temporary files" in str(late)


def test_nothing_is_made_where_nothing_is_forked(opened, path, monkeypatch):
    recording = opened(path, "once")
    monkeypatch.setattr(tempfile, "mkstemp", None)
    record(recording, "one")
    recording.close()
    assert path.is_file()


def test_a_message_that_was_cut_off_is_not_read():
    spool = Spool.made()
    with spool.path.open("ab") as file:
        file.write(b'{"pid": 1, "over": true}\n{"pid": 1, "mis')
    assert spool.news() == [{"pid": 1, "over": True}]
    assert spool.news() == []
    with spool.path.open("ab") as file:
        file.write(b'sed": "x"}\n')
    assert spool.news() == [{"pid": 1, "missed": "x"}]


def test_ones_own_messages_are_no_news():
    spool = Spool.made()
    spool.say(played=1)
    assert spool.news() == []
