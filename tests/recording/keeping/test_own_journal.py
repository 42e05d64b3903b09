from __future__ import annotations

import pytest

from replay_agent.exceptions import CassetteUnwritable
from replay_agent.recording.cassettes.journal import load_journal
from replay_agent.recording.cassettes.parts.header import Header
from replay_agent.recording.cassettes.parts.item import new_item
from replay_agent.recording.keeping.own_journal import OwnJournal

NOW = "2026-11-27T10:32:00Z"


@pytest.fixture
def item(chat, keying):
    return lambda prompt: new_item(chat(prompt), keying(chat(prompt).request))


@pytest.fixture
def troubles():
    return []


@pytest.fixture
def journal(tmp_path, troubles):
    return OwnJournal(tmp_path / "cassettes" / "c.yaml", "test", tmp_path / ".cache" / "journals", troubles.append)


def start(journal):
    journal.start(Header(keying="bytes-1"), NOW, journal.take_up(read=True))


def prompts(path):
    return [interaction.request.body for interaction in load_journal(path).interactions()]


def test_nothing_is_kept_before_it_starts(journal, item, tmp_path, troubles):
    journal.note(item("one"))
    journal.correct([(item("one"), item("two"))])
    journal.close()
    journal.discard()
    assert not journal.is_kept
    assert list(tmp_path.iterdir()) == []
    assert troubles == []


def test_what_broke_off_is_taken_up_by_the_next_one(journal, item, tmp_path, chat, troubles):
    start(journal)
    journal.note(item("one"))
    journal.close()
    next_one = OwnJournal(tmp_path / "cassettes" / "c.yaml", "test", tmp_path / ".cache" / "journals", troubles.append)
    [left] = next_one.take_up(read=True)
    assert left.cassette.interactions() == [chat("one")]
    assert left.cassette.header.recorded_at == NOW
    assert left.cassette.header.extra["cassette"] == "cassettes/c.yaml"
    left.release()


def test_an_unfinished_one_is_another_recordings(journal, item, chat, tmp_path, troubles):
    start(journal)
    journal.note(item("one"))
    assert journal.unfinished is None
    journal.close()
    other = OwnJournal(tmp_path / "cassettes" / "c.yaml", "test", tmp_path / ".cache" / "journals", troubles.append)
    assert prompts(other.unfinished) == [chat("one").request.body]
    assert other.unfinished.parent == tmp_path / ".cache" / "journals"


def test_what_is_saved_leaves_nothing(journal, item):
    start(journal)
    journal.note(item("one"))
    journal.discard()
    assert journal.unfinished is None


def test_what_turned_out_to_be_secret_is_corrected(journal, item, tmp_path):
    start(journal)
    old = item("with a key")
    journal.note(old)
    journal.correct([(old, item("with a placeholder"))])
    journal.close()
    [path] = [path for path in (tmp_path / ".cache").rglob("*") if path.is_file() and path.stat().st_size > 1]
    assert b"with a key" not in path.read_bytes()
    assert b"with a placeholder" in path.read_bytes()


def test_a_folder_that_cannot_be_made_is_said_once(tmp_path, item, troubles):
    (tmp_path / "taken").write_text("a file")
    journal = OwnJournal(tmp_path / "c.yaml", "test", tmp_path / "taken" / "journals", troubles.append)
    start(journal)
    journal.note(item("one"))
    journal.note(item("two"))
    [trouble] = troubles
    assert isinstance(trouble, CassetteUnwritable)
