from __future__ import annotations

from threading import RLock

import pytest

from replay_agent.recording.cassettes.parts.header import Header
from replay_agent.recording.cassettes.parts.item import new_item
from replay_agent.recording.cassettes.store import load, save
from replay_agent.recording.keeping.entries import Entries, Entry
from replay_agent.recording.playing.source import Source
from replay_agent.recording.succession.tally import Tally
from replay_agent.traffic import Chunk, Interaction, Request, Response


class Forgetful:
    """Takes one word out, once it is told of it."""

    def __init__(self):
        self.known = 0
        self.word = b""
        self.learnt = []

    def find_out(self, word):
        self.known, self.word = self.known + 1, word

    def learn(self, request):
        self.learnt.append(request.body)

    def interaction(self, interaction):
        if not self.word or self.word not in interaction.request.body:
            return interaction
        request = asking(interaction.request.body.replace(self.word, b"xxx"))
        return Interaction(request, interaction.outcome, interaction.test, interaction.recorded_at)


def asking(body):
    return Request("POST", "https://api.example.org/v1", (), body)


def answered(body, answer=b"yes"):
    return Interaction(asking(body), Response(200, (), (Chunk(answer),)), "test", "2026-01-01T00:00:00Z")


@pytest.fixture
def entries(keying):
    return Entries(keying, RLock())


def record(entries, place, asked, interaction, **known):
    item = entries.item(interaction)
    entries.put(place, Entry(asked, interaction, item=item), **known)
    return item


def bodies(entries):
    return [entry.read().request.body for entry in entries.in_order()]


def test_entries_stand_in_the_order_of_their_requests(entries):
    first, second = entries.place(), entries.place()
    record(entries, second, asking(b"second"), answered(b"second"))
    record(entries, first, asking(b"first"), answered(b"first"))
    entries.add(Entry(asking(b"third"), answered(b"third")))
    assert bodies(entries) == [b"first", b"second", b"third"]


def test_a_request_without_an_answer_leaves_no_gap(entries):
    entries.place()
    record(entries, entries.place(), asking(b"asked"), answered(b"asked"))
    assert bodies(entries) == [b"asked"]


def test_what_is_live_is_to_be_written(entries):
    item = record(entries, entries.place(), asking(b"live"), answered(b"live"))
    entries.add(Entry(asking(b"played"), answered(b"played")))
    assert [entry.item for entry in entries.new()] == [item]


def test_nothing_is_written_otherwise_as_long_as_no_secret_turns_up(entries):
    redactor = Forgetful()
    record(entries, entries.place(), asking(b"my key"), answered(b"my key"))
    assert entries.redact_again(redactor) == []


def test_a_secret_that_turns_up_is_taken_out_of_what_was_recorded_before(entries):
    redactor = Forgetful()
    old = record(entries, entries.place(), asking(b"my key"), answered(b"my key"))
    record(entries, entries.place(), asking(b"nothing"), answered(b"nothing"))
    redactor.find_out(b"key")
    [(before, now)] = entries.redact_again(redactor)
    assert before is old
    assert now is entries.new()[0].item
    assert bodies(entries) == [b"my xxx", b"nothing"]


def test_the_same_secret_is_searched_for_once(entries):
    redactor = Forgetful()
    record(entries, entries.place(), asking(b"my key"), answered(b"my key"))
    redactor.find_out(b"key")
    entries.redact_again(redactor)
    assert entries.redact_again(redactor) == []


@pytest.mark.parametrize(("known", "kept"), [(0, b"my xxx"), (1, b"my key")])
def test_what_was_redacted_before_a_secret_turned_up_is_searched_for_it_however_late_it_is_kept(entries, known, kept):
    redactor = Forgetful()
    redactor.find_out(b"key")
    entries.redact_again(redactor)
    record(entries, entries.place(), asking(b"my key"), answered(b"my key"), known=known)
    entries.redact_again(redactor)
    assert bodies(entries) == [kept]


def test_what_is_played_is_never_rewritten(entries):
    redactor = Forgetful()
    entries.add(Entry(asking(b"my key"), answered(b"my key")))
    redactor.find_out(b"key")
    assert entries.redact_again(redactor) == []
    assert bodies(entries) == [b"my key"]


@pytest.fixture
def source(tmp_path, keying):
    talk = [answered(b"one"), answered(b"two")]
    path = tmp_path / "c.yaml"
    header = Header(keying=keying.scheme, recorded_at="2026-01-01T10:32:00Z")
    save(path, header, [new_item(each, keying(each.request)) for each in talk])
    return Source(load(path), keying)


def test_an_answer_of_a_source_is_read_when_somebody_asks(source):
    entry = Entry(asking(b"two"), source=source, index=1)
    assert entry.interaction is None
    assert entry.read() == answered(b"two")


def test_credentials_of_replayed_requests_are_learnt_once(entries, source):
    redactor = Forgetful()
    entries.add(Entry(asking(b"with a key"), source=source, index=0))
    record(entries, entries.place(), asking(b"live"), answered(b"live"))  # which was looked through before it was kept
    entries.learn(lambda: redactor)
    entries.learn(lambda: redactor)
    assert redactor.learnt == [b"with a key"]


def test_credentials_are_learnt_in_the_order_of_the_requests(entries, source):
    redactor = Forgetful()
    first, second = entries.place(), entries.place()
    for place, body in ((second, b"second"), (first, b"first")):
        entries.put(place, Entry(asking(body), source=source, index=0))
    entries.learn(lambda: redactor)
    assert redactor.learnt == [b"first", b"second"]


def test_learning_again_looks_at_what_is_new_alone(entries, source, monkeypatch):
    redactor = Forgetful()
    monkeypatch.setattr(Entries, "in_order", lambda self: pytest.fail("all of them were looked at"))
    for number in range(20):
        entries.add(Entry(asking(b"%d" % number), source=source, index=0))
        entries.learn(lambda: redactor)
    assert len(redactor.learnt) == 20


def test_no_redactor_is_made_where_nothing_is_to_be_learnt(entries):
    record(entries, entries.place(), asking(b"live"), answered(b"live"))
    entries.learn(lambda: pytest.fail("made for nothing"))


def test_tally_tells_the_cassette_from_journals_and_live_answers(entries, source, keying):
    journal = Source(source.cassette, keying)
    entries.add(Entry(asking(b"one"), source=source, index=0))
    entries.add(Entry(asking(b"two"), source=journal, index=1))
    record(entries, entries.place(), asking(b"three"), answered(b"three"))
    tally = entries.tally(Tally(dropped=2, saved=True), source)
    assert (tally.live, tally.replayed, tally.taken_up) == (1, 1, {"2026-01-01T10:32:00Z": 1})
    assert (tally.dropped, tally.saved) == (2, True)


def test_nothing_is_replayed_where_no_cassette_is_played(entries):
    record(entries, entries.place(), asking(b"live"), answered(b"live"))
    assert entries.tally(Tally(), None) == Tally(live=1)


def test_what_is_new_takes_the_place_of_what_was_not_played(entries, source):
    entries.add(Entry(asking(b"one"), source=source, index=0))
    record(entries, entries.place(), asking(b"two!"), answered(b"two!"))
    [pair] = entries.successors(source.cassette, frozenset({0, 1}))
    assert (pair.before, pair.interaction) == (answered(b"two"), answered(b"two!"))


def test_nothing_is_succeeded_without_a_file(entries):
    record(entries, entries.place(), asking(b"new"), answered(b"new"))
    assert [pair.before for pair in entries.successors(None, frozenset())] == [None]


def test_an_answer_that_means_the_same_is_kept_as_it_was(entries, source, keying):
    later = Interaction(asking(b"two!"), answered(b"two", b"yes").outcome, "test", "2027-01-01T00:00:00Z")
    record(entries, entries.place(), asking(b"two!"), later)
    found = entries.successors(source.cassette, frozenset({1}))
    entries.keep_what_means_the_same(found, lambda _: True)
    [entry] = entries.new()
    assert entry.read().request.body == b"two!"
    assert entry.read().outcome == answered(b"two").outcome
    assert entry.item == new_item(entry.read(), keying(entry.read().request))
