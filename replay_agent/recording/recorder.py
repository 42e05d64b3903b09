"""A recording: which answer a request gets, what is kept of live traffic, and what becomes of the cassette."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from replay_agent.exceptions import (
    CassetteError,
    CassetteMiss,
    CassetteMissError,
    CassetteUnreadable,
)
from replay_agent.recording.answers import Live, Replay, endured, was_given_up
from replay_agent.recording.cassettes import store
from replay_agent.recording.cassettes.document import Cassette
from replay_agent.recording.cassettes.parts.header import Header
from replay_agent.recording.keeping.entries import Entry
from replay_agent.recording.keeping.rehearsal import rehearsed
from replay_agent.recording.ledger import Ledger
from replay_agent.recording.matching.hosts import origin
from replay_agent.recording.matching.keys import Key, Keying
from replay_agent.recording.meaning.incidental import EMPTY_ANSWER, is_incidental
from replay_agent.recording.meaning.token_requests import MADE_UP_TOKEN, is_made_up, is_token_request
from replay_agent.recording.misses import Miss, Misses, Trouble
from replay_agent.recording.options import RecordMode, RecordOptions
from replay_agent.recording.playing.lookup import outcome_for
from replay_agent.recording.playing.source import Source, Sources
from replay_agent.recording.process.frozen import now, seeds
from replay_agent.recording.stand_ins import FOR_EVER, PERSEVERANCE
from replay_agent.recording.succession.bounds import Bounds
from replay_agent.recording.succession.tally import Tally
from replay_agent.traffic import Interaction, Outcome, Request, Response

if TYPE_CHECKING:
    from replay_agent.recording.redaction.redactor import Redactor

__all__ = ("Recording",)

Approximates: TypeAlias = Callable[[Request, Sequence[Interaction]], int | None]


class Recording:
    """One test's (or one ``with`` block's) traffic, played from a cassette or recorded into it.

    Knows no client library: hooks ask `begin` what becomes of a request. Safe for threads and tasks. ``key`` says
    which requests mean the same; ``explain`` is asked for the text of a miss, when there is one; ``refused`` tells of an
    answer whether it is an error that its status does not show, ``is_answer`` whether ids and dates in it mean nothing.
    """

    frozen: Mapping[str, object] = MappingProxyType({})
    """What the sources that ``freeze`` names are set to, known when the recording is open."""
    invitation: Callable[[], tuple[object, ...]] | None = None
    """What makes this recording anew in a process that was not forked: a function and its arguments, to be pickled."""
    passes: Callable[[Request], bool] | None = None
    """Tells which requests go through as if nobody recorded."""
    refusal: str = ""
    """Why every request is refused, if it is."""
    seeds_otherwise: Mapping[str, object] = MappingProxyType({})
    """What to set the sources that ``freeze`` names to, where no cassette says it; at random without."""
    fallback: Recording | None = None
    """Where else to look for an answer: another recording, which then counts it as its own."""
    approximates: Approximates | None = None
    """Chooses, among the test's own interactions that are left, which one answers a request that equals none."""
    bounds: Bounds | None = None
    """How far the run may go, where not everything that changed is to be recorded."""
    recut: Callable[[Response], Response] | None = None
    """How streams are cut otherwise than they were recorded."""

    def __init__(
        self,
        path: Path,
        options: RecordOptions | None = None,
        *,
        key: Keying,
        explain: Callable[[Miss], str],
        test: str | None = None,
        refused: Callable[[Interaction], bool] = lambda _: False,
        is_answer: Callable[[Interaction], bool] = lambda _: False,
    ) -> None:
        self.cassette_path = path
        self.options = options or RecordOptions()
        self.test = test
        self._ledger = Ledger(path, self.options, key, explain, test)
        self._lock, self._kin = self._ledger.lock, self._ledger.kin
        self._lookup, self._entries = self._ledger.lookup, self._ledger.entries
        self.disturbance = self._ledger.disturbance
        """What goes wrong with answers that are replayed."""
        self._answering: set[str] = set()
        """Where recorded answers came from, by scheme, host and port. Somebody else's server stood there, which needs no
        further look at who listens: one that the test had started itself would not have been recorded."""
        self.records = False
        """Whether requests may go live and be recorded, known when it is known whether there is a cassette."""
        self._keying = key
        self.wants = self.options.wants
        """Tells whether traffic with an address belongs here, by its host; all other passes by untouched."""
        self._refused = refused
        self._is_answer = is_answer
        self._saved = Tally()

    # The life of a recording

    def open(self) -> Recording:
        """Start. Raises `CassetteUnreadable` for a damaged cassette, `CassetteUnwritable` where none could be saved.

        A missing cassette is no error here: a test that makes no request needs none.
        """
        found = store.exists(self.cassette_path)
        plays, self.records = self.mode.permissions(found)
        self._ledger.base = self._load_base() if found else None
        if self._ledger.base is not None and plays:
            repeats = self.options.allow_repeats and not self.records
            self._sources.play(Source(self._ledger.base, self._keying, repeats=repeats))
        if self.records:
            store.check_writable(self.cassette_path)
        left = self._ledger.take_up_journals(self._refused) if self.records and not self._kin.is_child() else []
        if self.options.freeze:
            self.frozen = self._seeds()
        if self.records:
            self._ledger.journal.start(self._ledger.header(self.frozen), now(), left)
        self._ledger.opened = True
        return self

    # Forked processes

    def forking(self) -> AbstractContextManager[None]:
        """Keep this recording whole and still while the process forks, and make ready to hear of the child.

        Where that fails, the child refuses what it is asked.
        """
        return self._ledger.forking()

    def spool_for_child(self) -> Path | None:
        """Return by what file a new process can join this recording (see `join`), None if there can be none."""
        return self._ledger.spool_for_child()

    def join(self, spool: Path) -> Recording:
        """Open as one process of several, as a forked one would be: what it records is kept by the one that has the spool."""
        self._ledger.join(spool)
        return self.open()

    def hear(self) -> list[Trouble]:
        """Take over what forked processes have played, recorded and missed, and return what they missed."""
        return self._ledger.hear()

    def close(self, success: bool = True, *, whole: bool = True) -> None:
        """End. A recording run saves the cassette if it was a success, else leaves the journal for the next one.

        Of a run that is not ``whole``, which stopped before it had asked for everything, the old interactions stay that
        it may have come to yet. What was saved is asked for once more, as replay will. Raises `CassetteUnwritable` or `CassetteUnreadable`
        (somebody damaged the file meanwhile), the answers being in the journal then, and `CassetteUnreplayable` for
        requests that replay will not find, all being saved. Closing again does nothing.
        """
        if not self.is_open:
            return
        self._ledger.ended.set()
        for live in self._ledger.pending:
            self._ledger.keeper.record(live, live.unfinished())
        if self._kin.is_child():
            return
        self._ledger.part()
        if self._ledger.is_noted and self._finish(success, whole=whole):
            self._rehearse()

    def _finish(self, success: bool, *, whole: bool) -> bool:
        """Save the cassette or leave the journal, and tell whether anything was saved."""
        try:
            saved = success and self._save(whole=whole)
        except BaseException:
            self._ledger.journal.close()
            raise
        self._ledger.journal.discard() if success else self._ledger.journal.close()
        return saved

    def let_go(self) -> None:
        """Forget who opened this recording, which then is freed at once, and not when garbage is next collected."""
        self.invitation = None
        self._ledger.let_go()

    def _load_base(self) -> Cassette | None:
        try:
            found = store.load(self.cassette_path)
            found.check()
            return found
        except CassetteUnreadable:
            if self.mode is RecordMode.REWRITE:
                return None
            raise

    def _seeds(self) -> dict[str, object]:
        """Return the seeds of what is played from: the journals left behind, the cassette; new ones if there is neither."""
        sources = [source.cassette for source in self._sources]
        base = self._ledger.base
        if base is not None and self._played is None and len(self._ledger.own(base)) < len(base):
            sources.insert(0, base)
        headers = [source.header for source in sources]
        recorded = {name: seed for header in reversed(headers) for name, seed in header.frozen.items()}
        return seeds(
            self.options.freeze, {**self.seeds_otherwise, **recorded}, headers[0].recorded_at if headers else None
        )

    @property
    def _redactor(self) -> Redactor:
        return self._ledger.keeper.redactor

    @property
    def _sources(self) -> Sources:
        return self._lookup.sources

    @property
    def _played(self) -> Source | None:
        """The cassette, where the mode plays it."""
        return self._sources.played

    # What the run made

    @property
    def is_open(self) -> bool:
        """Whether requests belong here: it was opened and is not closed."""
        return self._ledger.is_open

    @property
    def mode(self) -> RecordMode:
        """The record mode that was asked for; see `records` for what follows from it."""
        return self.options.record_mode

    @property
    def header(self) -> Header | None:
        """What the cassette that was found says of itself."""
        return self._ledger.base.header if self._ledger.base else None

    @property
    def interactions(self) -> list[Interaction]:
        """The interactions played or recorded by this run, in the order of their requests."""
        return [entry.read() for entry in self._ledger.in_order()]

    @property
    def requests(self) -> list[Request]:
        """The requests of this run that were answered, as they were made, redacted."""
        entries = self._ledger.in_order()
        return [each.read().request if each.source is None else self._redactor.request(each.asked) for each in entries]

    def redacted(self, text: str) -> str:
        """Return a text without the secrets that would be taken out of this run's traffic."""
        _ = self.requests  # whose own credentials are known from then on
        return self._redactor.text(text)

    @property
    def play_count(self) -> int:
        """How many answers were replayed."""
        self._ledger.hear()
        return self._entries.count_played()

    @property
    def unfinished_journal(self) -> Path | None:
        """The journal that an unfinished recording of this test left behind, if there is one."""
        return self._ledger.journal.unfinished

    @property
    def played(self) -> frozenset[int]:
        """Which interactions of the cassette were played."""
        with self._lock:
            return self._played.played if self._played is not None else frozenset()

    def key_at(self, index: int) -> str:
        """Return the digest of the key of an interaction in the cassette that is played; empty if none is."""
        return self._played.digest(index) if self._played is not None else ""

    def tally(self) -> Tally:
        """Return what became of this run; the answers that were replaced are known once it is closed."""
        self._ledger.hear()
        return self._entries.tally(self._saved, self._played)

    def leftovers(self) -> list[int]:
        """Return the indexes in the cassette of this test's own interactions that were not played, but should be.

        Tokens, and requests that the client gave up, may be left: whether one is made before the end of a test, which in
        replay comes sooner, is a matter of time.
        """
        self._ledger.hear()
        played = self._played
        if played is None or self.disturbance.struck:
            return []  # what was asked after a fault, and what not, is the client's way of taking it
        with self._lock:
            left = played.leftovers()
            if not left:
                return []
            own = self._ledger.own(played.cassette)
            unplayed = [index for index in left if index in own]
        return [index for index in unplayed if not _may_be_left(played.interaction(index))]

    # What becomes of a request

    def begin(self, raw: Request) -> Replay | Live | None:
        """Decide on a request: a recorded answer, a live request whose outcome is wanted, or None: let it pass.

        Raises `CassetteMiss` (with ``miss="exception"``: `CassetteMissError`) where it must be replayed and cannot.
        """
        if is_incidental(raw.url, raw.body):
            return None if self.records else self._answer(EMPTY_ANSWER, raw, Key(""))
        if self._kin.is_child() or self.refusal:
            self._ledger.hear()
            self._ledger.refuse_orphan(raw, self.refusal)
        # Where an answer came from, no server of the test's own stands.
        if self.passes is not None and origin(raw.url) not in self._answering and self.passes(raw):
            return None
        hook = self.options.before_record_request
        wanted = hook(raw) if hook else raw
        if wanted is None:
            return None
        if self.records and not self._sources and self.fallback is None and self.bounds is None:
            return self._went_live(wanted, None)
        # First as it is: a request that was spelled like a recorded one, in which no secret is left, holds none either.
        # Only one that is not found is searched for secrets, which takes longer than all the rest.
        return self._recorded(wanted, self._lookup.key(wanted, as_sent=hook is None), literal=True) or self._sought(
            wanted
        )

    def _sought(self, request: Request) -> Replay | Live:
        """Return what becomes of a request that is not found as it is: the first way that leads to an answer."""
        self._ledger.keeper.learn()
        redacted = self._redactor.request(request)
        key = self._lookup.key(redacted)
        return (
            self._recorded(request, key)
            or self._with_supposed_secrets(request, redacted)
            or self._resumed(request, key)
            or self._held(request, key)
            or self._approximated(request, redacted, key)
            or (self.fallback.lent(request) if self.fallback else None)
            or self._token(request, key)
            or self._went_live(request, key)
        )

    def lent(self, request: Request) -> Replay | None:
        """Return the recorded answer to a request of another recording, None if there is none: that is no miss here."""
        if not (self.is_open and self._played is not None):
            return None
        return self._recorded(request, self._lookup.key(request), literal=True) or self._recorded(
            request, self._lookup.key(self._redactor.request(request))
        )

    def _answer(self, outcome: Outcome, request: Request, key: Key, *, skips: bool = False) -> Replay:
        read_on = partial(self._ledger.missed, request, key, "read on")
        if self.recut is not None and isinstance(outcome, Response):
            outcome = self.recut(outcome)
        hung = partial(self._hangs, FOR_EVER, request) if skips else None
        return Replay(outcome, self._ledger.ended, read_on, self.options.paced, skips=skips, hung=hung)

    def _recorded(self, request: Request, key: Key, *, literal: bool = False) -> Replay | None:
        """Return the recorded answer to a request, from the cassette or a journal left behind.

        ``literal`` is for the key of a request that was not redacted.
        """
        taken = self._take(key, literal=literal)
        if taken is None:
            return None
        order, source, index = taken
        outcome = self._read(source, index, request)
        if self.passes is not None and isinstance(outcome, Response) and source.cassette.layout == "replay-agent":
            self._answering.add(origin(request.url))
        outcome = outcome_for(request, outcome, source, index)
        if self.disturbance.tampering is not None:
            changed = self._tampered(request, key, (source, index), outcome)
            if changed is not None:
                self._note_tampered(order, request, (source, index), changed)
                return self._answer(changed, request, key, skips=True)
        self._entries.put(order, self._ledger.played_entry(request, source, index))
        return self._answer(outcome, request, key)

    def _take(self, key: Key, *, literal: bool) -> tuple[int, Source, int] | None:
        """Find what answers a key, and say so to other processes: the place of the request, and what is played."""
        with self._lock:
            order = self._entries.place()  # before the answer is read: entries stand in the order of the requests
            if self._kin.spool is None:
                found = self._lookup.find(key, literal=literal)
            else:
                with self._kin.turn():
                    self._ledger.hear()
                    found = self._lookup.find(key, literal=literal)
                    if found is not None:
                        self._kin.say_played(found[1], source=self._sources.number(found[0]))
            return None if found is None else (order, *found)

    def _with_supposed_secrets(self, request: Request, redacted: Request) -> Replay | None:
        """Return the recorded answer to a request with secrets that only a later one, or the recorded answers, showed."""
        from replay_agent.recording.playing.supposed import supposed_among

        recorded = ((key.digest, each) for source in self._sources for key, each in source.with_secrets())
        found = supposed_among(redacted, recorded, self._keying)
        for each in found:
            self._redactor.look_for(each.rule, each.value)
        return self._recorded(request, self._lookup.key(self._redactor.request(request))) if found else None

    def _tampered(self, request: Request, key: Key, found: tuple[Source, int], outcome: Outcome) -> Outcome | None:
        """Return what the client gets instead of a recorded answer, which waits for it to ask again; None for the answer."""
        if self.disturbance.goes_on_for_ever(key.digest):
            text = f"The client has asked for the same {PERSEVERANCE} times and goes on: {request.method} {request.url}"
            raise self._hangs(text, request)
        with self._lock:
            return self.disturbance.changed(key.digest, request, found, outcome)

    def _hangs(self, text: str, request: Request) -> CassetteMiss | CassetteMissError:
        self.disturbance.hung = True
        return self._ledger.told(text, request)

    def _note_tampered(self, order: int, request: Request, found: tuple[Source, int], changed: Outcome) -> None:
        source, index = found
        shown, _ = endured(changed, 0)
        interaction = Interaction(source.interaction(index).request, shown, self.test)
        self._entries.put(order, Entry(request, interaction, source=source, index=index))

    def _resumed(self, request: Request, key: Key) -> Replay | None:
        """Return how a conversation goes on that took another way after its answer was tampered with.

        The model is taken to say next what it had said: first the true answer, then whatever followed.
        """
        if not self.disturbance.struck or self.records:
            return None
        with self._lock, self._kin.turn():
            order = self._entries.place()
            found = self._lookup.next_at(request.url)
        if found is None:
            return None
        source, index = found
        outcome = self._read(source, index, request)
        interaction = Interaction(self._redactor.request(request), outcome, self.test)
        self._entries.put(order, Entry(request, interaction, source=source, index=index))
        return self._answer(outcome, request, key)

    def _held(self, request: Request, key: Key) -> Replay | None:
        """Return the old answer to a request that has changed, where that change is not to be recorded in this run."""
        former = self.bounds.held.get(key.digest) if self.bounds is not None else None
        source = self._played
        index = source.place(former) if source is not None and former is not None else None
        if source is None or index is None:
            return None
        recorded = source.interaction(index).request
        with self._lock, self._kin.turn():
            order = self._entries.place()
            found = source.find(self._keying(recorded))
            if found is not None:
                # As if the recorded request had been made, which is what will be asked of the new file.
                self._entries.put(order, Entry(recorded, source=source, index=found))
        return self._answer(source.outcome(index if found is None else found), request, key)

    def _approximated(self, request: Request, redacted: Request, key: Key) -> Replay | None:
        """Return the answer to a recorded request that is not this one, but stands for it, where that is wanted."""
        source = self._played
        if self.approximates is None or source is None or self.records:
            return None
        index = self._nearest(source, request, self.approximates, redacted)
        if index is None:
            return None
        outcome = outcome_for(request, self._read(source, index, request), source, index)
        return self._answer(outcome, request, key)

    def _nearest(self, source: Source, request: Request, choose: Approximates, redacted: Request) -> int | None:
        """Return the interaction that is chosen for a request, played and entered."""
        with self._lock, self._kin.turn():
            self._ledger.hear()
            own = self._ledger.own(source.cassette)
            left = [index for index in source.leftovers() if index in own]
            chosen = choose(redacted, [source.interaction(index) for index in left])
            if chosen is None:
                return None
            index, order = left[chosen], self._entries.place()
            source.mark_played(index)
            self._kin.say_played(index, source=self._sources.number(source))
            self._entries.put(order, Entry(request, source=source, index=index))
        return index

    def _token(self, request: Request, key: Key) -> Replay | None:
        """Return a token for a client that had one, or other credentials, when it was recorded."""
        if self.records or self._ledger.base is None or not is_token_request(request):
            return None
        recorded = (interaction.request for interaction in self._ledger.unread())
        if self._ledger.reason(key) == "used up" or is_made_up(request, recorded):
            return self._answer(MADE_UP_TOKEN, request, key)
        return None

    def _read(self, source: Source, index: int, request: Request) -> Outcome:
        try:
            return source.outcome(index)
        except CassetteUnreadable as error:
            # As itself, an SDK would take it for a broken connection and try again.
            raise self._ledger.told(str(error), request) from error

    def _went_live(self, request: Request, key: Key | None) -> Live:
        if key is not None and not (self.records and (self.bounds is None or self.bounds.allows(key.digest))):
            raise self._ledger.missed(request, key)
        return self._ledger.keeper.wait(request, key, self._settle)

    def _settle(self, live: Live, outcome: Outcome | None) -> None:
        """Take what became of a live request. See `Live.finish` and `Live.drop`."""
        if outcome is None:
            self._ledger.keeper.drop(live)
        elif self.is_open:
            self._ledger.keeper.record(live, outcome)

    # Misses

    @property
    def misses(self) -> Misses:
        """What went wrong in this recording, in order; raised to the client too, which may have swallowed it."""
        self._ledger.hear()
        return self._ledger.misses

    @property
    def unreported_misses(self) -> list[Trouble]:
        """Those of `misses` that nobody has said to be `reported`."""
        misses = self.misses
        return misses.unreported if misses else []

    def reported(self, miss: BaseException) -> None:
        """Say that this miss has reached the report of the test, so that it need not be said again."""
        self._ledger.misses.report(miss)

    def trouble(self, error: CassetteError) -> None:
        """Keep an error that is about to be raised to a client, so that the test fails even if it is swallowed."""
        self._ledger.trouble(error)

    # Saving

    def _save(self, *, whole: bool) -> bool:
        """Save the cassette, and tell whether there was anything to save."""
        own: AbstractSet[int] = self._ledger.own(self._ledger.base) if self._ledger.base is not None else frozenset()
        saved = self._ledger.keeper.save(
            self.cassette_path,
            self._ledger.header(self.frozen),
            self._ledger.base,
            own,
            is_answer=self._is_answer,
            whole=whole,
        )
        self._saved = saved or self._saved
        return saved is not None

    def _rehearse(self) -> None:
        """Ask the saved cassette for every answer of this run. Raises `CassetteUnreplayable` for those it will not give."""
        entries = self._ledger.in_order()
        if not entries:
            return
        replay = self._replay().open()
        try:
            rehearsed(self.cassette_path, [(entry.asked, entry.read()) for entry in entries], replay.begin)
        finally:
            replay.close()

    def _replay(self) -> Recording:
        """Return a recording that answers what this one was asked from what it has saved."""
        options = replace(
            self.options,
            record_mode=RecordMode.NONE,
            miss="exception",
            freeze=(),
            before_record_request=None,  # it has been asked
        )
        return Recording(
            self.cassette_path, options, key=self._keying, explain=lambda miss: miss.reason, test=self.test
        )


def _may_be_left(interaction: Interaction) -> bool:
    return was_given_up(interaction.outcome) or is_token_request(interaction.request)
