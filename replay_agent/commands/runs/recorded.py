"""What tests have recorded, as far as their committed cassettes tell: calls, price, the hosts that they go to."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from replay_agent.exceptions import CassetteError
from replay_agent.models.providers import PROVIDERS
from replay_agent.recording.cassettes import store
from replay_agent.report.comparison.sources.runs import Run
from replay_agent.report.comparison.spending import Spent, spent_by
from replay_agent.report.comparison.trials.notes import Note
from replay_agent.traffic import Interaction

__all__ = "Recorded", "missing_keys", "recorded_of", "shown_path"


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


def missing_keys(recorded: Iterable[Recorded], known: Collection[str]) -> list[str]:
    """Return the variables that recorded calls need a key from and that are not set; ``known`` are set elsewhere.

    Of a provider that takes one of several, the first. Providers whose credentials may lie in files are not judged.
    """
    hosts = {urlsplit(each.request.url).hostname or "" for one in recorded for each in one.interactions}
    return sorted(set(_missing(hosts, known)))


def _missing(hosts: Collection[str], known: Collection[str]) -> Iterator[str]:
    for provider in PROVIDERS.values():
        host = urlsplit(provider.base_url).hostname
        if provider.authentication != "header" or host not in hosts:
            continue
        variables = provider.credential_variables
        if not any(os.environ.get(name) or name in known for name in variables):
            yield variables[0]
