"""OwnJournal: where a recording notes each answer at once, so that one that breaks off loses nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from replay_agent.exceptions import CassetteError, CassetteUnwritable
from replay_agent.recording.cassettes import journal
from replay_agent.recording.cassettes.parts.header import Header
from replay_agent.recording.cassettes.parts.item import Item

__all__ = ("OwnJournal",)


class OwnJournal:
    """The journal of one recording, and those that earlier ones of the same test left behind.

    That it cannot be written is the test's ``trouble``, not the client's: it is said once, and nothing is noted from then on.
    """

    def __init__(
        self, cassette: Path, test: str | None, folder: Path | None, trouble: Callable[[CassetteError], None]
    ) -> None:
        self._cassette = cassette
        self._test = test
        self._chosen = folder
        self._trouble = trouble
        self._journal: journal.Journal | None = None
        self._works = True

    @cached_property
    def _folder(self) -> Path:
        return self._chosen or journal.journal_folder(self._cassette)

    @property
    def is_kept(self) -> bool:
        """Whether there is one: whether this is a recording that writes."""
        return self._journal is not None

    def take_up(self, *, read: bool) -> list[journal.LeftJournal]:
        """Return those left behind, with what they hold if it is to be ``read``."""
        return journal.take_up(self._cassette, self._test, read=read, folder=self._folder)

    def start(self, header: Header, now: str, left: list[journal.LeftJournal]) -> None:
        """Begin, after what was taken up. Its header says of which cassette it is, for who looks at it later."""
        place = os.path.relpath(self._cassette, self._folder.parent.parent)
        own = replace(header, recorded_at=now, extra={**header.extra, "cassette": Path(place).as_posix()})
        path = journal.new_journal_path(self._cassette, self._test, self._folder)
        self._journal = journal.Journal(path, own, left)

    def note(self, item: Item) -> None:
        """Write a finished interaction down."""
        self._write(lambda kept: kept.append(item))

    def correct(self, changed: Sequence[tuple[Item, Item]]) -> None:
        """Write interactions otherwise than they were noted."""
        if changed:
            self._write(lambda kept: kept.replace(changed))

    def _write(self, write: Callable[[journal.Journal], None]) -> None:
        if self._journal is None or not self._works:
            return
        try:
            write(self._journal)
        except CassetteUnwritable as error:
            self._works = False
            self._trouble(error)

    def let_go(self) -> None:
        """Forget whom to tell: the recording, which has this journal."""
        self._trouble = _nobody

    def close(self) -> None:
        """Leave it for the next recording."""
        if self._journal is not None:
            self._journal.close()

    def discard(self) -> None:
        """Take it away: all that it holds is saved."""
        if self._journal is not None:
            self._journal.discard()

    @property
    def unfinished(self) -> Path | None:
        """The journal that an earlier recording of this test left behind, if there is one."""
        own = self._journal.path if self._journal is not None else None
        left = journal.journals_of(self._cassette, self._test, self._folder)
        return next((path for path in left if path != own), None)


def _nobody(_error: CassetteError) -> None:
    """Take what nobody is there to be told."""
