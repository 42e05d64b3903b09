"""What tests have recorded, as far as their committed cassettes tell: calls and price."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from replay_agent.exceptions import CassetteError
from replay_agent.recording.cassettes import store
from replay_agent.report.comparison.result.spent import Spent
from replay_agent.report.comparison.sources.runs import Run
from replay_agent.report.comparison.spending import spent_by
from replay_agent.report.comparison.trials.notes import Note
from replay_agent.traffic import Interaction

__all__ = "Recorded", "recorded_of", "shown_path"


@dataclass
class Recorded:
    """What one test or fixture has recorded."""

    test: str
    interactions: Sequence[Interaction] = ()
    trouble: str = ""
    """Why there is nothing."""
    cassettes: Sequence[str] = ()
    spent: Spent = field(default_factory=Spent)

    @property
    def run(self) -> Run:
        """The interactions, to be decoded."""
        return Run(self.test, self.interactions)


def recorded_of(note: Note) -> Recorded:
    """Read what a test has recorded, and what was spent on it."""
    if note.reason:
        return Recorded(note.test, trouble=note.reason)
    if not note.cassettes and note.before is None:
        return Recorded(note.test, trouble="a fixture of the project says where its cassette is")
    paths = [Path(path) for path in ([note.before] if note.before is not None else note.cassettes)]
    found = [path for path in paths if path.is_file()]
    if not found:
        return Recorded(note.test, trouble=f"there is no cassette {shown_path(note.cassettes[0])}: record it first")
    return _read(note, found)


def _read(note: Note, found: Sequence[Path]) -> Recorded:
    try:
        whole = [each for path in found for each in store.load(path).interactions()]
    except CassetteError as exc:
        return Recorded(note.test, trouble=str(exc))
    own = whole if note.is_fixture else [each for each in whole if each.test in (None, note.test)]
    recorded = Recorded(note.test, own or whole, cassettes=[shown_path(str(path)) for path in found])
    recorded.spent = spent_by(recorded.run.transcript.exchanges)
    if not recorded.interactions:
        recorded.trouble = f"nothing is recorded in {shown_path(str(found[0]))}"
    return recorded


def shown_path(path: str) -> str:
    """Return a path as seen from here, if it is below."""
    place = Path(path)
    return str(place.relative_to(Path.cwd())) if place.is_relative_to(Path.cwd()) else path
