"""Keeper: takes what a run records, cleaned of secrets, notes it at once, and writes the cassette in the end."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from replay_agent.recording.answers import Live
from replay_agent.recording.cassettes import store
from replay_agent.recording.cassettes.document import Cassette
from replay_agent.recording.cassettes.parts.header import Header
from replay_agent.recording.keeping import saving
from replay_agent.recording.keeping.entries import Entries, Entry
from replay_agent.recording.keeping.own_journal import OwnJournal
from replay_agent.recording.kinship import Kinship
from replay_agent.recording.matching.keys import Key
from replay_agent.recording.options import RecordMode, RecordOptions
from replay_agent.recording.process.frozen import now
from replay_agent.recording.succession.successors import without_noise
from replay_agent.recording.succession.tally import Tally
from replay_agent.traffic import Interaction, Outcome, Request, Response

if TYPE_CHECKING:
    from replay_agent.recording.redaction.redactor import Redactor

__all__ = ("Keeper",)


class Keeper:
    """Keeps what comes live in one run, among its ``entries`` and in its ``journal``, and saves it when the run is over.

    The lock is the recording's own. A process that was forked from the one that opened the recording hands over what it
    has recorded instead of writing it.
    """

    def __init__(
        self,
        options: RecordOptions,
        test: str | None,
        *,
        entries: Entries,
        journal: OwnJournal,
        kin: Kinship,
        lock: AbstractContextManager[object],
    ) -> None:
        self._options = options
        self._test = test
        self._entries = entries
        self._journal = journal
        self._kin = kin
        self._lock = lock
        self._pending: dict[int, Live] = {}
        self._made_redactor = _redactor(options) if options.redact else None

    @property
    def redactor(self) -> Redactor:
        """Takes out secrets; made when it is first needed: a replay that finds its answers needs none."""
        if self._made_redactor is None:
            self._made_redactor = _redactor(self._options)
        return self._made_redactor

    def learn(self) -> None:
        """Let the credentials be known that replayed requests carried."""
        self._entries.learn(lambda: self.redactor)

    # What comes live

    @property
    def pending(self) -> list[Live]:
        """The live requests that have no outcome yet."""
        return list(self._pending.values())

    def wait(self, request: Request, key: Key | None, settle: Callable[[Live, Outcome | None], None]) -> Live:
        """Take the place of a request that goes live; ``settle`` is told what becomes of it."""
        with self._lock:
            live = Live(self._entries.place(), request, key, settle)
            self._pending[live.order] = live
        return live

    def drop(self, live: Live) -> bool:
        """Wait for a live request no longer, and tell whether it was waited for."""
        with self._lock:
            return self._pending.pop(live.order, None) is not None

    def record(self, live: Live, outcome: Outcome) -> None:
        """Take what became of a live request, unless the project's own hook drops it."""
        hook = self._options.before_record_response
        if not self.drop(live):
            return
        kept = hook(outcome) if hook and isinstance(outcome, Response) else outcome
        if kept is None:
            return
        self.learn()
        known = self.redactor.known
        interaction = self.redactor.interaction(Interaction(live.request, without_noise(kept), self._test, now()))
        if self._kin.is_child():
            self._kin.say_recorded(interaction)
        self._keep(live.order, live.request, interaction, known=known)

    def take_over(self, interaction: Interaction) -> None:
        """Keep what another process of this recording has recorded, behind all requests made so far."""
        self._keep(self._entries.place(), interaction.request, interaction)

    def _keep(self, order: int, asked: Request, interaction: Interaction, *, known: int | None = None) -> None:
        item = self._entries.item(interaction)
        with self._lock:
            self._entries.put(order, Entry(asked, interaction, item=item), known=known)
            if not self._kin.is_child():
                self._journal.note(item)
            self._redact_again()

    def _redact_again(self) -> None:
        """Take out of what was recorded before what has turned out since to be a secret."""
        changed = self._entries.redact_again(self.redactor)
        if not self._kin.is_child():
            self._journal.correct(changed)

    # What is written in the end

    def save(
        self,
        path: Path,
        header: Header,
        base: Cassette | None,
        own: AbstractSet[int],
        *,
        is_answer: Callable[[Interaction], bool],
        whole: bool,
    ) -> Tally | None:
        """Save the cassette and return what became of the old one, None if there was nothing to save.

        ``base`` is the cassette as it was found, ``own`` what of it is the test's. ``is_answer`` tells of an interaction
        whether ids and dates in it mean nothing. Of a run that is not ``whole``, which stopped before it had asked for
        everything, the old interactions stay that it may have come to yet. Raises `CassetteUnwritable`.
        """
        self._clean()
        found = self._entries.successors(base, own)
        if self._options.record_mode is RecordMode.REFRESH:
            self._entries.keep_what_means_the_same(found, is_answer)
        run = [entry.item or entry.index for entry in self._entries.in_order()]
        mode = self._options.record_mode
        if not whole:
            own = saving.outdone(own, run)
            mode = RecordMode.ALL if mode is RecordMode.REWRITE else mode
        items = saving.items_of(base, header, mode, own, run)
        if items is None:
            return None
        store.save(path, header, items, base=base, overwrite=mode is RecordMode.REWRITE)
        return Tally(saved=True, dropped=saving.dropped(base, mode, own, run), successors=found)

    def _clean(self) -> None:
        with self._lock:
            if self._entries.new():
                self.learn()
                self._redact_again()


def _redactor(options: RecordOptions) -> Redactor:
    from replay_agent.recording.redaction.redactor import Redactor

    return Redactor(options.redact, keep_headers=options.match_headers)
