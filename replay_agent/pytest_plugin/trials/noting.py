"""What a trial leaves of each test and fixture for the command that began it: a note, and the traffic beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from replay_agent.pytest_plugin.trials.testimony import Testimony, testimony_of
from replay_agent.pytest_plugin.trials.trial import Trial
from replay_agent.recording.cassettes import store
from replay_agent.recording.cassettes.parts.header import Header
from replay_agent.recording.cassettes.parts.item import new_item
from replay_agent.recording.recorder import Recording
from replay_agent.report.comparison.trials.notes import Note, Outcome, write_note
from replay_agent.traffic import Interaction

__all__ = "note_fixture", "write_testimony"


def note_fixture(trial: Trial, recording: Recording, cassette: Path, *, failed: bool) -> None:
    """Note a fixture that tests share, once its recording is closed."""
    testimony = testimony_of(recording, cassette)
    if testimony.sent:
        write_testimony(trial, recording.test or "", "failed" if failed else "passed", "", testimony, is_fixture=True)


def write_testimony(
    trial: Trial,
    test: str,
    outcome: Outcome,
    reason: str,
    testimony: Testimony | None,
    *,
    is_fixture: bool = False,
) -> None:
    """Note how a test or fixture ended, and what it sent and was answered, if it sent anything."""
    note = Note(test, outcome, reason, is_fixture=is_fixture)
    if testimony is not None:
        _add(note, testimony, trial)
    write_note(trial.folder, note)


def _add(note: Note, testimony: Testimony, trial: Trial) -> None:
    note.cassettes = [str(testimony.cassette)]
    note.ignored = list(testimony.ignored)
    if not trial.is_live:
        note.sent = testimony.sent
        return
    note.after = str(_kept(trial.scratch("after"), testimony.interactions))
    if testimony.recorded is not None:
        note.before = str(_kept(trial.scratch("before"), testimony.recorded))


def _kept(path: Path, interactions: Sequence[Interaction]) -> Path:
    store.save(path, Header(), [new_item(each, None) for each in interactions])
    return path
