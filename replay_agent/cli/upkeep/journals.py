"""Unfinished recordings that wait for the next one: which there are, what is in them, away with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from replay_agent.exceptions import CassetteError, UserError
from replay_agent.recording.cassettes.journal import HOME, all_journals, journal_folder, load_journal, lock_journal
from replay_agent.surroundings.visible import visible

__all__ = "Unfinished", "chosen", "drop", "find_journals"


@dataclass(frozen=True)
class Unfinished:
    """A journal, and what it says of itself."""

    path: Path
    cassette: str = ""
    """Where its answers would have gone."""
    tests: tuple[str, ...] = ()
    answers: int = 0
    begun: str = ""
    """ISO 8601 in UTC."""
    trouble: str = ""
    """Why it cannot be read, if it cannot."""

    def __str__(self) -> str:
        if self.trouble:
            return visible(f"{self.path.name}: {self.trouble}")
        by = f", by {', '.join(self.tests)}" if self.tests else ""
        count = f"{self.answers} answer{'' if self.answers == 1 else 's'}"
        return visible(f"{self.path.name}: {count} for {self.cassette or 'a cassette'}{by}, begun {self.begun}")


def find_journals(place: Path) -> list[Unfinished]:
    """Return the journals of the project that a folder belongs to, by name."""
    return [_read(path) for path in all_journals(_folder(place))]


def _folder(place: Path) -> Path:
    here = place.absolute()
    root = journal_folder(here / "any.yaml").parent.parent
    above = [folder for folder in (here, *here.parents) if folder.is_relative_to(root)]
    # Those of tests are in the folder of their cassettes, which is somewhere near the root; others at the root itself.
    places = (
        place
        for folder in above
        for pattern in ("", "*/", "*/*/")
        for place in folder.glob(f"{pattern}{HOME}/journals")
    )
    return next(places, root / HOME / "journals")


def _read(path: Path) -> Unfinished:
    try:
        cassette = load_journal(path)
    except CassetteError as exc:
        return Unfinished(path, trouble=str(exc))
    if cassette is None:
        return Unfinished(path, trouble="nothing in it is whole")
    tests = dict.fromkeys(test for index in range(len(cassette)) if (test := cassette.test(index)))
    header = cassette.header
    return Unfinished(
        path, str(header.extra.get("cassette", "")), tuple(tests), len(cassette), header.recorded_at or "some time ago"
    )


def chosen(found: Sequence[Unfinished], names: Sequence[str]) -> list[Unfinished]:
    """Return the journals that are meant: by file, cassette or test; all of them without a name.

    Raises `UserError` for a name that means none.
    """
    for name in names:
        if not any(_is_meant(each, name) for each in found):
            known = ", ".join(each.path.name for each in found) or "none"
            raise UserError(f"no journal is called {name}, or is of such a cassette or test. There are: {known}")
    return [each for each in found if not names or any(_is_meant(each, name) for name in names)]


def _is_meant(journal: Unfinished, name: str) -> bool:
    same_file = Path(name).name == journal.path.name or Path(name) == journal.path
    of_cassette = bool(journal.cassette) and Path(name).as_posix().endswith(
        (journal.cassette, Path(journal.cassette).name)
    )
    return same_file or of_cassette or name in journal.tests


def drop(journal: Unfinished) -> bool:
    """Delete a journal; False if a recording is writing it just now. Raises `CassetteError` if it cannot be opened."""
    left = lock_journal(journal.path)
    if left is None:
        return not journal.path.exists()
    left.discard()
    return True
