from __future__ import annotations

import os

from replay_agent.report.comparison.trials.notes import Note, Sent, count_notes, is_silent, read_notes, write_note
from replay_agent.traffic import Request

REQUEST = Request("POST", "https://example.com/a b", (("a", "\xe4"), ("a", "2")), b"\x00\xff\n")


def test_a_note_comes_back_as_it_was(tmp_path):
    note = Note(
        "t::ü\u2028", "failed", "why", ["a"], "b", None, [Sent(REQUEST, "d", None), Sent(None, recorded=REQUEST)]
    )
    write_note(tmp_path, note)
    assert read_notes(tmp_path) == [note]


def test_the_last_note_of_a_test_counts(tmp_path):
    for outcome in ("failed", "passed"):
        write_note(tmp_path, Note("t", outcome))
    write_note(tmp_path, Note("u", "passed"))
    assert [(note.test, note.outcome) for note in read_notes(tmp_path)] == [("t", "passed"), ("u", "passed")]
    assert count_notes(tmp_path) == 3


def test_a_line_that_is_being_written_is_not_read(tmp_path):
    write_note(tmp_path, Note("t", "passed"))
    with (tmp_path / f"notes-{os.getpid()}.jsonl").open("a") as file:
        file.write('{"test": "u", "outc')
    assert [note.test for note in read_notes(tmp_path)] == ["t"]


def test_an_empty_folder_has_none(tmp_path):
    assert (read_notes(tmp_path), count_notes(tmp_path)) == ([], 0)


def test_a_failure_before_the_first_request_is_silent():
    assert is_silent(Note("t", "failed"))
    assert not is_silent(Note("t", "passed"))
    assert not is_silent(Note("t", "failed", sent=[Sent(REQUEST)]))
