"""What tests have recorded, as far as their committed cassettes tell: calls and price."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from replay_agent.exceptions import CassetteError
from replay_agent.recording.cassettes import store
from replay_agent.report.comparison.result.spent import Spent
from replay_agent.report.comparison.sources.runs import Run
from replay_agent.report.comparison.spending import spent_by
from replay_agent.report.comparison.trials.notes import Note

__all__ = "Recorded", "recorded_of", "shown_path"


@dataclass
class Recorded:
    """What one test or fixture has recorded: where that is, and what it adds up to."""

    test: str
    trouble: str = ""
    """Why there is nothing."""
    paths: Sequence[Path] = ()
    is_fixture: bool = False
    count: int = 0
    """How many interactions there are."""
    hosts: Collection[str] = ()
    """Whom it asked."""
    spent: Spent = field(default_factory=Spent)

    @property
    def run(self) -> Run:
        """The interactions, read anew: those of ten thousand tests are not kept. Raises `CassetteError`."""
        whole = [each for path in self.paths for each in store.load(path).interactions()]
        own = whole if self.is_fixture else [each for each in whole if each.test in (None, self.test)]
        return Run(self.test, own or whole)


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
    recorded = Recorded(note.test, paths=found, is_fixture=note.is_fixture)
    try:
        run = recorded.run
    except CassetteError as exc:
        return Recorded(note.test, trouble=str(exc))
    recorded.count = len(run.interactions)
    recorded.hosts = {urlsplit(each.request.url).hostname or "" for each in run.interactions}
    recorded.spent = spent_by(run.transcript.exchanges)
    if not recorded.count:
        recorded.trouble = f"nothing is recorded in {shown_path(str(found[0]))}"
    return recorded


def shown_path(path: str) -> str:
    """Return a path as seen from here, if it is below."""
    place = Path(path)
    return str(place.relative_to(Path.cwd())) if place.is_relative_to(Path.cwd()) else path
