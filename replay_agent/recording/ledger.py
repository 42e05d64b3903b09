"""Ledger: what one run was answered and has missed, in all the processes that take part in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING

from replay_agent.exceptions import CassetteError, CassetteMiss, CassetteMissError
from replay_agent.recording.cassettes.lazy_interactions import LazyInteractions
from replay_agent.recording.keeping.entries import Entries, Entry
from replay_agent.recording.keeping.saving import header_of
from replay_agent.recording.kinship import Kinship, asked_by, asked_for, interaction_of, orphaned
from replay_agent.recording.misses import Miss, Misses, MissReason, Trouble
from replay_agent.recording.options import RecordMode, RecordOptions
from replay_agent.recording.playing.disturbance import Disturbance
from replay_agent.recording.playing.end import End
from replay_agent.recording.playing.left_behind import source_of
from replay_agent.recording.playing.lookup import Lookup
from replay_agent.recording.process.frozen import now
from replay_agent.recording.process.spool import Message, Spool
from replay_agent.surroundings.naming import seen_from_here

if TYPE_CHECKING:
    from replay_agent.recording.answers import Live
    from replay_agent.recording.cassettes.document import Cassette
    from replay_agent.recording.cassettes.journal import LeftJournal
    from replay_agent.recording.cassettes.parts.header import Header
    from replay_agent.recording.keeping.keeper import Keeper
    from replay_agent.recording.keeping.own_journal import OwnJournal
    from replay_agent.recording.matching.keys import Key, Keying
    from replay_agent.recording.playing.source import Source
    from replay_agent.traffic import Interaction, Request

__all__ = ("Ledger",)


class Ledger:
    """The books of one run: what it can be answered from, its entries, its misses. Safe for threads.

    Every process that was forked while the run is open has a copy; `hear` brings it up to date. The one lock of the run
    is here, and so is what is closed with it.
    """

    def __init__(
        self, path: Path, options: RecordOptions, keying: Keying, explain: Callable[[Miss], str], test: str | None
    ) -> None:
        """``explain`` is asked for the text of a miss, when there is one."""
        self._path = path
        self._options = options
        self._test = test
        self._keying = keying
        self.lock = RLock()  # a response that is collected as garbage is finished wherever that happens
        self.kin = Kinship()
        self.ended = End()
        self.opened = False
        self._parted = False
        self.base: Cassette | None = None
        """The cassette as it was found, whether it is played or not."""
        self.disturbance = Disturbance()
        self.lookup = Lookup(keying, self.disturbance.owed, self.lock, matches_headers=bool(options.match_headers))
        self.entries = Entries(keying, self.lock)
        self.misses = Misses(explain, options.miss)
        self._made_journal: OwnJournal | None = None
        self._made_keeper: Keeper | None = None
        if options.redact:
            _ = self.keeper.redactor  # what cannot be used is refused before anything is asked

    # What writes is made, and imported, when something is recorded: a replay that finds its answers does without.

    @property
    def journal(self) -> OwnJournal:
        """Where each answer is noted as it comes."""
        from replay_agent.recording.keeping.own_journal import OwnJournal

        with self.lock:
            if self._made_journal is None:
                self._made_journal = OwnJournal(self._path, self._test, self._options.journal_folder, self.trouble)
            return self._made_journal

    @property
    def keeper(self) -> Keeper:
        """Keeps and saves what comes live, and knows what is to be taken out of it."""
        from replay_agent.recording.keeping.keeper import Keeper

        with self.lock:
            if self._made_keeper is None:
                self._made_keeper = Keeper(
                    self._options, self._test, entries=self.entries, journal=self.journal, kin=self.kin, lock=self.lock
                )
            return self._made_keeper

    @property
    def pending(self) -> Sequence[Live]:
        """The live requests that have no outcome yet."""
        return self._made_keeper.pending if self._made_keeper is not None else ()

    @property
    def is_noted(self) -> bool:
        """Whether there is a journal: whether this is a recording that writes."""
        return self._made_journal is not None and self._made_journal.is_kept

    @property
    def is_open(self) -> bool:
        """Whether requests belong here: it was opened and is not closed."""
        return self.opened and (not self.ended.has_come or (self._parted and self.kin.is_child()))

    @property
    def played(self) -> Source | None:
        """The cassette, where the mode plays it."""
        return self.lookup.sources.played

    def own(self, cassette: Cassette) -> frozenset[int]:
        """Return the interactions of a cassette that belong to this test, or to nobody."""
        return frozenset(index for index in range(len(cassette)) if cassette.test(index) in (None, self._test))

    def unread(self) -> Sequence[Interaction]:
        """Return the interactions of the cassette, none of which is read before somebody looks at it."""
        return LazyInteractions(self.base) if self.base else []

    def header(self, frozen: Mapping[str, object]) -> Header:
        """Return the header of the file that is written: that of the cassette which is played, brought up to date."""
        old = self.played.cassette.header if self.played else None
        return header_of(old, self._keying.scheme, frozen, now())

    def take_up_journals(self, refused: Callable[[Interaction], bool]) -> list[LeftJournal]:
        """Return the journals left behind, and play from them unless everything is to be recorded anew.

        ``refused`` tells of an answer whether it is an error that its status does not show: such a one is asked again.
        """
        afresh = self._options.record_mode in (RecordMode.ALL, RecordMode.REWRITE)
        left = self.journal.take_up(read=not afresh)
        self.lookup.sources.follow(filter(None, (source_of(each, self._keying, refused) for each in left)))
        return left

    def let_go(self) -> None:
        """Forget who opened the run, and leave no ring of references."""
        self.misses.let_go()
        if self._made_journal is not None:
            self._made_journal.let_go()

    # Its entries

    def played_entry(self, asked: Request, source: Source, index: int) -> Entry:
        """Return the entry of a request that was answered from a source."""
        item = None if source is self.lookup.sources.played else source.item(index)
        return Entry(asked, None, source, index, item)

    def in_order(self) -> list[Entry]:
        """Return the entries of all processes, in the order of their requests."""
        self.hear()
        return self.entries.in_order()

    # Its processes

    @contextmanager
    def forking(self) -> Iterator[None]:
        """Keep this ledger whole and still while the process forks, and make ready to hear of the child.

        Where that fails, the child refuses what it is asked.
        """
        with self.lock:
            if self.is_open:
                with suppress(OSError):
                    self.kin.expect()
            yield

    def spool_for_child(self) -> Path | None:
        """Return by what file a new process can join, None if there can be none."""
        with self.forking():
            return self.kin.spool.path if self.kin.spool is not None else None

    def join(self, spool: Path) -> None:
        """Be one process of several, as a forked one would be."""
        self.kin.join(Spool(spool))

    def hear(self) -> list[Trouble]:
        """Take over what other processes have played, recorded and missed, and return what they missed."""
        if self.kin.spool is None:
            return []
        with self.lock, self.kin.turn():
            before = len(self.misses)
            for message in self.kin.news():
                self._take_over(message)
            return self.misses[before:]

    def _take_over(self, message: Message) -> None:
        if "over" in message:
            self._parted = True
            self.ended.set()
        elif "played" in message:
            self._take_over_played(message["played"], message["source"])
        elif self.kin.is_child():
            return  # for the process that keeps the cassette
        elif "recorded" in message and self._parted:
            self.trouble(
                CassetteError(f"Recorded after the end of {self._test or 'the block'}, and lost: {asked_for(message)}")
            )
        elif "recorded" in message:
            self.keeper.take_over(interaction_of(message))
        else:
            self.misses.taken_over(message["missed"], asked_by(message), Path(message["path"] or self._path))

    def _take_over_played(self, index: int, number: int) -> None:
        source = self.lookup.sources.numbered(number)
        if source is None:
            return
        source.mark_played(index)
        if not self.kin.is_child():
            # Behind what this process asked itself.
            self.entries.add(self.played_entry(source.interaction(index).request, source, index))

    def refuse_orphan(self, request: Request, refusal: str) -> None:
        """Raise a miss in a process that cannot take part (``refusal`` says why), or outlives the run."""
        if refusal:
            raise self.told(refusal, request)
        if self.kin.is_lost or self._parted:
            raise self.told(orphaned(self._test or self._path, request), request)

    def part(self) -> None:
        """Take leave of forked processes; what they say from now on is too late."""
        if self.kin.spool is not None:
            with self.lock, self.kin.turn():
                self.hear()
                self.kin.say_over()
                self._parted = True

    # What went wrong

    def missed(self, request: Request, key: Key, reason: MissReason | None = None) -> CassetteMiss | CassetteMissError:
        """Return the explained miss of a request, given as the client sent it, and keep it."""
        left = self.journal.unfinished
        note = (
            f"\nAn unfinished recording waits ({seen_from_here(left) if left else ''}): the next recording takes it up."
        )
        error = self.misses.explained(key, self._miss(request, reason or self.reason(key), key), note if left else "")
        self.kin.say_missed(error)
        return error

    def told(self, text: str, request: Request) -> CassetteMiss | CassetteMissError:
        """Return the miss of a request, given as the client sent it, with this text, and keep it."""
        error = self.misses.told(text, self.keeper.redactor.request(request), self._path)
        self.kin.say_missed(error)
        return error

    def trouble(self, error: CassetteError) -> None:
        """Keep an error that is about to be raised to a client, so that the test fails even if it is swallowed."""
        self.misses.append(error)
        self.kin.say_missed(error)

    def reason(self, key: Key) -> MissReason:
        """Return why there is no answer to what has this key."""
        if self.played is None:
            return "no cassette"
        with self.lock:
            return "used up" if self.played.count(key) else "changed"

    def _miss(self, request: Request, reason: MissReason, key: Key) -> Miss:
        with self.lock:
            played = self.played.played if self.played else frozenset()
            recorded = self.played.count(key) if self.played else 0
        mode, frozen = self._options.record_mode.value, self._options.freeze
        asked = self.keeper.redactor.request(request)
        return Miss(asked, self._path, mode, self._test, self.unread, played, reason, recorded, frozen)
