"""The ledger: open between its beginning and its end, and honest about why there is no answer."""

from __future__ import annotations

import subprocess
import sys

import pytest

from replay_agent.exceptions import CassetteError, CassetteMiss, CassetteMissError
from replay_agent.recording.cassettes.parts.header import Header
from replay_agent.recording.cassettes.parts.item import new_item
from replay_agent.recording.cassettes.store import load, save
from replay_agent.recording.ledger import Ledger
from replay_agent.recording.meaning.key import meaning
from replay_agent.recording.options import RecordMode, RecordOptions
from replay_agent.recording.playing.source import Source


@pytest.fixture
def path(tmp_path):
    return tmp_path / "c.yaml"


@pytest.fixture
def make(path, keying):
    def make(mode="none", test="test", **options):
        explain = lambda miss: f"{miss.reason} {miss.recorded} {len(miss.interactions())}"  # noqa: E731
        return Ledger(path, RecordOptions(record_mode=RecordMode(mode), **options), keying, explain, test)

    return make


@pytest.fixture
def recorded(path, chat, keying):
    """A cassette of two tests and of nobody."""
    talk = [chat("one", test="test"), chat("two", test="other"), chat("three", test=None)]
    frozen = {"clock": "2026-01-01T00:00:00Z"}
    header = Header(keying=keying.scheme, recorded_at="2026-01-01T00:00:00Z", frozen=frozen, extra={"note": "mine"})
    save(path, header, [new_item(each, keying(each.request)) for each in talk])
    return load(path)


def plays(ledger, cassette, keying):
    ledger.base = cassette
    ledger.lookup.sources.play(Source(cassette, keying))
    return ledger


def test_it_is_open_from_its_beginning_to_its_end(make):
    ledger = make()
    assert not ledger.is_open
    ledger.opened = True
    assert ledger.is_open
    ledger.ended.set()
    assert not ledger.is_open


def test_what_belongs_to_another_test_is_not_its_own(make, recorded):
    assert make().own(recorded) == {0, 2}
    assert make(test="other").own(recorded) == {1, 2}


def test_a_miss_is_explained_by_what_is_recorded_and_played(make, recorded, keying, chat):
    ledger = plays(make(), recorded, keying)
    key = keying(chat("one").request)
    assert str(make().missed(chat("one").request, key)) == "no cassette 0 0"
    assert str(ledger.missed(chat("new").request, keying(chat("new").request))) == "changed 0 3"
    ledger.lookup.find(key)
    assert str(ledger.missed(chat("one").request, key)) == "used up 1 3"
    assert [isinstance(miss, CassetteMiss) for miss in ledger.misses] == [True, True]


def test_a_miss_may_be_an_ordinary_exception(make, chat):
    assert isinstance(make(miss="exception").told("text", chat().request), CassetteMissError)


def test_trouble_is_kept_for_the_test_to_fail(make):
    ledger = make()
    ledger.trouble(CassetteError("it went wrong"))
    assert [str(each) for each in ledger.misses.unreported] == ["it went wrong"]


def test_a_process_that_was_told_so_refuses_every_request(make, chat):
    ledger = make()
    ledger.refuse_orphan(chat().request, "")
    with pytest.raises(CassetteMiss, match="no room"):
        ledger.refuse_orphan(chat().request, "no room")


def test_the_header_of_what_is_played_is_brought_up_to_date(make, recorded, keying):
    header = plays(make("refresh"), recorded, keying).header({"random": 7})
    assert (header.keying, header.recorded_at) == (keying.scheme, recorded.header.recorded_at)
    assert header.frozen == {"clock": "2026-01-01T00:00:00Z", "random": 7}
    assert header.extra == {"note": "mine"}
    assert make("all").header({"random": 7}).frozen == {"random": 7}


@pytest.mark.parametrize(("mode", "followed"), [("once", 1), ("refresh", 1), ("all", 0), ("rewrite", 0)])
def test_journals_left_behind_are_played_unless_all_is_recorded_anew(make, chat, mode, followed):
    broken = make("once")
    broken.journal.start(broken.header({}), "2026-01-01T00:00:00Z", [])
    live = broken.keeper.wait(chat("one").request, None, lambda live, outcome: None)
    broken.keeper.record(live, chat("one").outcome)
    broken.journal.close()
    ledger = make(mode)
    assert len(ledger.take_up_journals(lambda interaction: False)) == 1
    assert len(list(ledger.lookup.sources)) == followed


REPLAYED = """
import sys, httpx, replay_agent
with replay_agent.use_cassette(sys.argv[1]):
    httpx.post({url!r}, content={body!r})
print(*({{"keeper", "own_journal", "journal", "redactor"}} & {{name.rpartition(".")[2] for name in sys.modules}}))
"""


def test_a_replay_that_finds_its_answers_imports_nothing_that_writes(path, chat):
    asked = chat("one", test=None)
    keying = meaning()
    header = Header(keying=keying.scheme, recorded_at="2026-01-01T00:00:00Z")
    save(path, header, [new_item(asked, keying(asked.request))])
    code = REPLAYED.format(url=asked.request.url, body=asked.request.body)
    replayed = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=False)
    assert (replayed.stderr, replayed.stdout.split()) == ("", [])
