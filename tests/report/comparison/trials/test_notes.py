from __future__ import annotations

import os
import tracemalloc
from dataclasses import replace

from replay_agent.report.comparison.trials.notes import Note, NoteCount, Sent, is_silent, read_notes, write_note
from replay_agent.traffic import Request

REQUEST = Request("POST", "https://example.com/a b", (("a", "\xe4"), ("a", "2")), b"\x00\xff\n")


def test_a_note_comes_back_as_it_was(tmp_path):
    note = Note(
        "t::ü\u2028", "failed", "why", ["a"], "b", None, [Sent(REQUEST, "d", None), Sent(None, recorded=REQUEST)]
    )
    write_note(tmp_path, note)
    (back,) = read_notes(tmp_path)
    assert replace(back, sent=list(back.sent)) == note
    assert [each.digest for each in back.sent] == [each.digest for each in back.sent] == ["d", ""]
    assert (len(back.sent), back.sent[-1].recorded) == (2, REQUEST)


def test_the_last_note_of_a_test_counts(tmp_path):
    for outcome in ("failed", "passed"):
        write_note(tmp_path, Note("t", outcome))
    write_note(tmp_path, Note("u", "passed"))
    assert [(note.test, note.outcome) for note in read_notes(tmp_path)] == [("t", "passed"), ("u", "passed")]
    assert NoteCount(tmp_path).now() == 3


def test_notes_are_counted_as_they_come(tmp_path):
    count = NoteCount(tmp_path)
    assert count.now() == 0
    for number in range(1, 4):
        write_note(tmp_path, Note("t", "passed"))
        (tmp_path / f"notes-{number}.jsonl").write_text('{"test": "u"}\n{"te')  # of another process
        assert count.now() == count.now() == 2 * number


def test_what_was_sent_is_not_kept_in_memory(tmp_path):
    whole = Request("POST", "https://example.com", (), b"x" * 300_000)
    for number in range(50):
        write_note(tmp_path, Note(f"t{number}", "passed", sent=[Sent(whole, "d", whole)]))
    tracemalloc.start()
    notes = read_notes(tmp_path)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(notes) == 50
    assert kept < 1_000_000


def test_a_line_that_is_being_written_is_not_read(tmp_path):
    write_note(tmp_path, Note("t", "passed"))
    with (tmp_path / f"notes-{os.getpid()}.jsonl").open("a") as file:
        file.write('{"test": "u", "outc')
    assert [note.test for note in read_notes(tmp_path)] == ["t"]


def test_an_empty_folder_has_none(tmp_path):
    assert (read_notes(tmp_path), NoteCount(tmp_path).now()) == ([], 0)


def test_a_failure_before_the_first_request_is_silent():
    assert is_silent(Note("t", "failed"))
    assert not is_silent(Note("t", "passed"))
    assert not is_silent(Note("t", "failed", sent=[Sent(REQUEST)]))
