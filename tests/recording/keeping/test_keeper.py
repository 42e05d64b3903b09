"""Keeping: what comes live is cleaned, noted at once and saved, and nothing is kept that a hook drops."""

from __future__ import annotations

from threading import RLock

import pytest

from replay_agent.recording.cassettes.parts.header import Header
from replay_agent.recording.cassettes.store import load
from replay_agent.recording.keeping.entries import Entries, Entry
from replay_agent.recording.keeping.keeper import Keeper
from replay_agent.recording.kinship import Kinship
from replay_agent.recording.options import RecordMode, RecordOptions
from replay_agent.recording.playing.source import Source
from replay_agent.traffic import Chunk, Request, Response

SECRET = "sk-proj-Qz7Lk9Wm3PvXt5Bd2Rf8"


class Noted:
    """A journal that only remembers."""

    def __init__(self):
        self.items = []
        self.corrected = []

    def note(self, item):
        self.items.append(item)

    def correct(self, changed):
        self.corrected += changed


@pytest.fixture
def make(keying):
    def make(**options):
        lock, noted = RLock(), Noted()
        entries = Entries(keying, lock)
        options = RecordOptions(**{"record_mode": RecordMode.ONCE, **options})
        return Keeper(options, "test", entries=entries, journal=noted, kin=Kinship(), lock=lock), entries, noted

    return make


def asking(body, *headers):
    return Request("POST", "https://api.example.org/v1", headers, body.encode())


def saying(text):
    return Response(200, (), (Chunk(text.encode()),))


def record(keeper, body, answer, *headers):
    live = keeper.wait(asking(body, *headers), None, lambda live, outcome: None)
    keeper.record(live, saying(answer))
    return live


def written(path):
    return [(each.request.body.decode(), each.outcome.body.decode()) for each in load(path).interactions()]


def save(keeper, path, base=None, own=frozenset(), whole=True):
    return keeper.save(path, Header(keying="bytes-1"), base, own, is_answer=lambda _: False, whole=whole)


def test_what_came_live_is_noted_at_once_and_saved_in_the_end(make, tmp_path):
    keeper, _, noted = make()
    record(keeper, "one", "1")
    assert len(noted.items) == 1
    record(keeper, "two", "2")
    tally = save(keeper, tmp_path / "c.yaml")
    assert (tally.saved, tally.dropped) == (True, 0)
    assert written(tmp_path / "c.yaml") == [("one", "1"), ("two", "2")]


def test_requests_keep_their_order_however_late_they_are_answered(make, tmp_path):
    keeper, _, _ = make()
    first = keeper.wait(asking("first"), None, lambda live, outcome: None)
    record(keeper, "second", "2")
    assert keeper.pending == [first]
    keeper.record(first, saying("1"))
    assert keeper.pending == []
    save(keeper, tmp_path / "c.yaml")
    assert written(tmp_path / "c.yaml") == [("first", "1"), ("second", "2")]


def test_nothing_is_saved_where_nothing_came(make, tmp_path):
    keeper, _, _ = make()
    assert save(keeper, tmp_path / "c.yaml") is None
    assert not (tmp_path / "c.yaml").exists()


def test_an_outcome_counts_once(make):
    keeper, entries, noted = make()
    live = record(keeper, "one", "1")
    keeper.record(live, saying("again"))
    assert not keeper.drop(live)
    assert len(noted.items) == len(entries.in_order()) == 1


def test_what_is_given_up_is_not_kept(make):
    keeper, entries, _ = make()
    live = keeper.wait(asking("one"), None, lambda live, outcome: None)
    assert keeper.drop(live)
    keeper.record(live, saying("1"))
    assert entries.in_order() == []


@pytest.mark.parametrize("dropped", ["1", "2"])
def test_a_hook_drops_or_changes_answers(make, tmp_path, dropped):
    def hook(response):
        return None if response.body.decode() == dropped else saying(f"<{response.body.decode()}>")

    keeper, _, _ = make(before_record_response=hook)
    record(keeper, "one", "1")
    record(keeper, "two", "2")
    save(keeper, tmp_path / "c.yaml")
    assert written(tmp_path / "c.yaml") == [pair for pair in [("one", "<1>"), ("two", "<2>")] if dropped not in pair[1]]


def test_a_secret_that_shows_late_is_taken_out_of_what_was_noted(make, tmp_path):
    keeper, _, noted = make()
    record(keeper, f"it is {SECRET[8:]}", "1")
    record(keeper, "two", "2", ("authorization", f"Bearer {SECRET[8:]}"))
    save(keeper, tmp_path / "c.yaml")
    assert SECRET[8:] not in (tmp_path / "c.yaml").read_text()
    assert len(noted.corrected) == 1
    before, after = noted.corrected[0]
    assert SECRET[8:].encode() in before.source
    assert SECRET[8:].encode() not in after.source


def test_what_a_replayed_request_carried_is_a_secret_too(make, tmp_path, keying):
    keeper, entries, _ = make()
    record(keeper, "one", "1")
    save(keeper, tmp_path / "old.yaml")
    again, entries, _ = make(record_mode=RecordMode.NEW_EPISODES)
    asked = asking("one", ("authorization", f"Bearer {SECRET[8:]}"))
    entries.add(Entry(asked, source=Source(load(tmp_path / "old.yaml"), keying), index=0))
    record(again, f"say {SECRET[8:]}", "2")
    save(again, tmp_path / "old.yaml", base=load(tmp_path / "old.yaml"), own=frozenset({0}))
    assert SECRET[8:] not in (tmp_path / "old.yaml").read_text()
    assert len(written(tmp_path / "old.yaml")) == 2


@pytest.mark.parametrize(("whole", "kept", "dropped"), [(True, ["new"], 2), (False, ["new", "b"], 1)])
def test_a_run_that_broke_off_drops_no_more_than_it_has_made(make, tmp_path, whole, kept, dropped):
    path = tmp_path / "c.yaml"
    keeper, _, _ = make()
    record(keeper, "a", "1")
    record(keeper, "b", "2")
    save(keeper, path)
    again, _, _ = make(record_mode=RecordMode.REWRITE)
    record(again, "new", "3")
    tally = save(again, path, base=load(path), own=frozenset({0, 1}), whole=whole)
    assert [body for body, _ in written(path)] == kept
    assert tally.dropped == dropped


def test_what_another_process_recorded_comes_behind(make, tmp_path):
    keeper, entries, noted = make()
    record(keeper, "one", "1")
    other, theirs, _ = make()
    record(other, "two", "2")
    keeper.take_over(theirs.in_order()[0].read())
    assert [entry.read().request.body for entry in entries.in_order()] == [b"one", b"two"]
    assert len(noted.items) == 2
