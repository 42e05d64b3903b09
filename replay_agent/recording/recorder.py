"""A recording: which answer a request gets, what is kept of live traffic, and what becomes of the cassette."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event, RLock
from typing import TYPE_CHECKING

from replay_agent.exceptions import (
    CassetteError,
    CassetteMiss,
    CassetteMissError,
    CassetteUnreadable,
    CassetteUnwritable,
)
from replay_agent.framing.json_rpc import may_be_json_rpc, readdressed
from replay_agent.recording.answers import Live, Replay
from replay_agent.recording.arranging import arranged
from replay_agent.recording.cassettes import journal as journals
from replay_agent.recording.cassettes import store
from replay_agent.recording.cassettes.document import Cassette, Header, Item, new_item
from replay_agent.recording.cassettes.unread import UnreadInteractions
from replay_agent.recording.incidental import EMPTY_ANSWER, is_incidental
from replay_agent.recording.kinship import Kinship, asked_by, interaction_of
from replay_agent.recording.matching.choosing import choice_of
from replay_agent.recording.matching.fingerprint import fingerprint
from replay_agent.recording.matching.hosts import host_of, matches_host
from replay_agent.recording.matching.index import Index, Miss, MissReason
from replay_agent.recording.matching.keys import Key, Keying
from replay_agent.recording.misses import Misses, Trouble
from replay_agent.recording.options import RecordMode, RecordOptions
from replay_agent.recording.process.frozen import now, seeds
from replay_agent.recording.spool import Message, Spool
from replay_agent.traffic import Interaction, Outcome, Request, Response

if TYPE_CHECKING:
    from replay_agent.recording.redaction.redactor import Redactor
from replay_agent.recording.token_requests import MADE_UP_TOKEN, is_made_up, is_token_request

__all__ = ("Recording",)


@dataclass(slots=True)
class _Entry:
    """A request of this run that has its answer: a played item of a cassette, or one to be written."""

    request: Request
    """As the client sent it if it was answered from ``source``, else redacted."""
    interaction: Interaction | None = None
    """Read from the source when somebody asks."""
    source: Cassette | None = None
    index: int = -1
    item: Item | None = None
    """What is to be written, if it is not in the cassette yet."""

    def read(self) -> Interaction:
        if self.interaction is None:
            assert self.source is not None
            self.interaction = self.source.interaction(self.index)
        return self.interaction


class Recording:
    """One test's (or one ``with`` block's) traffic, played from a cassette or recorded into it.

    Knows no client library: hooks ask `begin` what becomes of a request. Safe for threads and tasks. ``key`` says
    which requests mean the same; ``explain`` is asked for the text of a miss, when there is one.
    """

    def __init__(
        self,
        path: Path,
        options: RecordOptions | None = None,
        *,
        key: Keying,
        explain: Callable[[Miss], str],
        test: str | None = None,
        redactor: Redactor | None = None,
    ) -> None:
        self.cassette_path = path
        self.options = options or RecordOptions()
        self.test = test
        self.frozen: Mapping[str, object] = {}
        """What the sources that ``freeze`` names are set to, known when the recording is open."""
        self.invitation: Callable[[], tuple[object, ...]] | None = None
        """What makes this recording anew in a process that was not forked: a function and its arguments, to be pickled."""
        self.refusal = ""
        """Why every request is refused, if it is."""
        self.fallback: Recording | None = None
        """Where else to look for an answer: another recording, which then counts it as its own."""
        self.ended = Event()
        self._opened = self._parted = False
        self._keying = key
        self._misses = Misses(explain, self.options.miss)
        self._kin = Kinship()
        self._made_redactor = redactor or (_redactor(self.options) if self.options.redact else None)
        self._lock = RLock()  # a response that is collected as garbage is finished wherever that happens
        self._entries: dict[int, _Entry] = {}
        self._pending: dict[int, Live] = {}
        self._next = 0
        self._plays = self._records = False
        self._base: Cassette | None = None
        self._index: Index | None = None
        self._known: dict[str, Key] = {}
        """The keys of recorded requests by their fingerprints."""
        self._old_journal: Cassette | None = None
        self._old_journal_index: Index | None = None
        self._journal: journals.Journal | None = None

    # The life of a recording

    def open(self) -> Recording:
        """Start. Raises `CassetteUnreadable` for a damaged cassette, `CassetteUnwritable` where none could be saved.

        A missing cassette is no error here: a test that makes no request needs none.
        """
        found = store.exists(self.cassette_path)
        self._plays, self._records = _permissions(self.mode, found)
        self._base = self._load_base() if found else None
        if self._records:
            store.check_writable(self.cassette_path)
            if not self._kin.is_child:
                self._take_up_journal()
        if self.options.freeze:
            self.frozen = self._seeds()
        if self._records:
            journal = journals.journal_path(self.cassette_path, self.test)
            self._journal = journals.Journal(journal, self._header())
        self._opened = True
        return self

    # Forked processes

    @contextmanager
    def forking(self) -> Iterator[None]:
        """Keep this recording whole and still while the process forks, and make ready to hear of the child.

        Where that fails, the child refuses what it is asked.
        """
        with self._lock:
            if self.is_open:
                with suppress(OSError):
                    self._kin.expect()
            yield

    def spool_for_child(self) -> Path | None:
        """Return by what file a new process can join this recording (see `join`), None if there can be none."""
        with self.forking():
            return self._kin.spool.path if self._kin.spool is not None else None

    def join(self, spool: Path) -> Recording:
        """Open as one process of several, as a forked one would be: what it records is kept by the one that has the spool."""
        self._kin.join(Spool(spool))
        return self.open()

    def hear(self) -> list[Trouble]:
        """Take over what forked processes have played, recorded and missed, and return what they missed."""
        if self._kin.spool is None:
            return []
        with self._lock, self._kin.turn():
            before = len(self._misses.kept)
            for message in self._kin.news():
                self._take_over(message)
            return self._misses.kept[before:]

    def _take_over(self, message: Message) -> None:
        if "over" in message:
            self._parted = True
            self.ended.set()
        elif "played" in message:
            self._take_over_played(message["played"], self._old_journal if message["journal"] else self._base)
        elif self._kin.is_child:
            return  # for the process that keeps the cassette
        elif "recorded" in message and self._parted:
            self.trouble(
                CassetteError(f"Recorded after the end of {self.test or 'the block'}, and lost: {_line(message)}")
            )
        elif "recorded" in message:
            self._keep(self._next, interaction_of(message), None)
            self._next += 1
        else:
            path = Path(message["path"] or self.cassette_path)
            self._misses.taken_over(message["missed"], asked_by(message), path)

    def _take_over_played(self, index: int, source: Cassette | None) -> None:
        if source is None:
            return
        (self._played_index(source) if source is self._base else self._left_index(source)).mark_played(index)
        if not self._kin.is_child:
            item = source.item(index) if source is self._old_journal else None
            request = source.interaction(index).request
            self._entries[self._next] = _Entry(request, source=source, index=index, item=item)
            self._next += 1

    def _refuse_orphan(self, request: Request) -> None:
        """Raise a miss in a process that cannot take part in the recording, or outlives it."""
        if self.refusal:
            raise self._told(self.refusal, self._redactor.request(request))
        if self._kin.is_lost or self._parted:
            who = self.test or self.cassette_path
            text = (
                f"This process ({os.getpid()}) was started while {who} was recorded or replayed, and that is over: what "
                f"it asks belongs to no recording.\n  {request.method} {request.url}\n\n"
                "Start the process, or the pool of processes, anew in each test that asks something in it."
            )
            raise self._told(text, self._redactor.request(request))

    def close(self, success: bool = True) -> None:
        """End. A recording run saves the cassette if it was a success, else leaves the journal for the next one.

        Raises `CassetteUnwritable` or `CassetteUnreadable` (somebody damaged the file meanwhile); the answers are
        still in the journal then. Closing again does nothing.
        """
        if not self.is_open:
            return
        self.ended.set()
        for live in list(self._pending.values()):
            self._settle(live, live.unfinished())
        if self._kin.is_child:
            return
        self._part()
        if not self._records:
            return
        try:
            if success:
                self._save()
        except BaseException:
            self._leave_journal()
            raise
        self._discard_journals() if success else self._leave_journal()

    def _part(self) -> None:
        """Take leave of forked processes; what they say from now on is too late."""
        if self._kin.spool is not None:
            with self._lock, self._kin.turn():
                self.hear()
                self._kin.say_over()
                self._parted = True

    def _load_base(self) -> Cassette | None:
        try:
            found = store.load(self.cassette_path)
            found.check()
            return found
        except CassetteUnreadable:
            if self.mode is RecordMode.REWRITE:
                return None
            raise

    def _take_up_journal(self) -> None:
        if self.mode not in (RecordMode.ALL, RecordMode.REWRITE):
            self._old_journal = journals.load_journal(journals.journal_path(self.cassette_path, self.test))

    def _seeds(self) -> dict[str, object]:
        """Return the seeds of what is played from: the journal left behind, the cassette; new ones if there is neither."""
        sources = [self._old_journal] if self._old_journal else []
        base = self._base
        if base is not None and (self._plays or not all(self._is_own(base, index) for index in range(len(base)))):
            sources.insert(0, base)
        headers = [source.header for source in sources]
        recorded = {name: seed for header in reversed(headers) for name, seed in header.frozen.items()}
        return seeds(self.options.freeze, recorded, headers[0].recorded_at if headers else None)

    @property
    def _redactor(self) -> Redactor:
        """Made when it is first needed: a replay that finds its answers needs none."""
        if self._made_redactor is None:
            self._made_redactor = _redactor(self.options)
        return self._made_redactor

    # What the run made

    @property
    def is_open(self) -> bool:
        return self._opened and (not self.ended.is_set() or (self._parted and self._kin.is_child))

    @property
    def mode(self) -> RecordMode:
        return self.options.record_mode

    @property
    def records(self) -> bool:
        """Whether requests may go live and be recorded, now that it is known whether there is a cassette."""
        return self._records

    @property
    def header(self) -> Header | None:
        """What the cassette that was found says of itself."""
        return self._base.header if self._base else None

    @property
    def interactions(self) -> list[Interaction]:
        """The interactions played or recorded by this run, in the order of their requests."""
        return [entry.read() for entry in self._in_order()]

    @property
    def requests(self) -> list[Request]:
        """The requests of this run that were answered, as they were made, redacted."""
        entries = self._in_order()
        return [each.request if each.source is None else self._redactor.request(each.request) for each in entries]

    def redacted(self, text: str) -> str:
        """Return a text without the secrets that would be taken out of this run's traffic."""
        _ = self.requests  # whose own credentials are known from then on
        return self._redactor.text(text)

    @property
    def play_count(self) -> int:
        """How many answers were replayed."""
        return sum(entry.source is not None for entry in self._in_order())

    @property
    def unfinished_journal(self) -> Path | None:
        """The journal that an unfinished recording of this test left behind, if there is one."""
        path = journals.journal_path(self.cassette_path, self.test)
        return path if store.exists(path) else None

    def leftovers(self) -> list[int]:
        """Return the indexes in the cassette of this test's own interactions that were not played, but should be."""
        self.hear()
        base = self._base
        if base is None or not self._plays:
            return []
        with self._lock:
            unplayed = [index for index in self._played_index(base).leftovers() if self._is_own(base, index)]
        return [index for index in unplayed if not is_token_request(base.interaction(index).request)]

    def _in_order(self) -> list[_Entry]:
        self.hear()
        with self._lock:
            return [entry for _, entry in sorted(self._entries.items())]

    def _is_own(self, cassette: Cassette, index: int) -> bool:
        return cassette.test(index) in (None, self.test)

    # What becomes of a request

    def wants(self, url: str) -> bool:
        """Tell whether traffic with this address belongs here, by its host; all other passes by untouched."""
        options = self.options
        if not options.ignore_hosts and not options.only_hosts:
            return True
        host, port = host_of(url)
        if matches_host(host, port, options.ignore_hosts):
            return False
        return not options.only_hosts or matches_host(host, port, options.only_hosts)

    def begin(self, raw: Request) -> Replay | Live | None:
        """Decide on a request: a recorded answer, a live request whose outcome is wanted, or None: let it pass.

        Raises `CassetteMiss` (with ``miss="exception"``: `CassetteMissError`) where it must be replayed and cannot.
        """
        if is_incidental(raw.url, raw.body):
            return None if self._records else Replay(self, EMPTY_ANSWER, raw, Key(""))
        if self._kin.is_child or self.refusal:
            self.hear()
            self._refuse_orphan(raw)
        hook = self.options.before_record_request
        wanted = hook(raw) if hook else raw
        if wanted is None:
            return None
        if self._records and not self._has_answers:
            return self._went_live(wanted, None)
        # What was recorded holds no secrets, so neither does a request that is equal to it: only others are searched.
        found = self._recorded(wanted, self._key(wanted))
        if found is not None:
            return found
        key = self._key(self._redactor.request(wanted))
        return (
            self._recorded(wanted, key)
            or (self.fallback.lent(wanted) if self.fallback else None)
            or self._token(wanted, key)
            or self._went_live(wanted, key)
        )

    @property
    def _has_answers(self) -> bool:
        return bool(self._old_journal or (self._plays and self._base)) or self.fallback is not None

    def lent(self, request: Request) -> Replay | None:
        """Return the recorded answer to a request of another recording, None if there is none: that is no miss here."""
        if not (self.is_open and self._plays and self._base):
            return None
        return self._recorded(request, self._key(request)) or self._recorded(
            request, self._key(self._redactor.request(request))
        )

    def _key(self, request: Request) -> Key:
        """Return the key of a request, which needs no computing if a recorded one was spelled the same."""
        with self._lock:
            if self._plays and self._base is not None:
                self._played_index(self._base)
            if self._old_journal is not None:
                self._left_index(self._old_journal)
            by_spelling = self._known and not self.options.match_headers  # which no fingerprint tells of
            known = self._known.get(fingerprint(request)) if by_spelling else None
        if known is None:
            return self._keying(request)
        return Key(known.digest, known.ids, known.fingerprint, choice_of(request))

    def _recorded(self, request: Request, key: Key) -> Replay | None:
        """Return the recorded answer to a request, from the cassette or a journal left behind."""
        with self._lock, self._kin.turn():
            self.hear()
            order, self._next = self._next, self._next + 1
            found = self._find(key)
            if found is None:
                return None
            cassette, index = found
            self._kin.say_played(index, journal=cassette is self._old_journal)
        outcome = self._read(cassette, index, request)
        if may_be_json_rpc(request.body) and isinstance(outcome, Response):
            outcome = readdressed(outcome, request.body, cassette.interaction(index).request.body)
        item = cassette.item(index) if cassette is self._old_journal else None
        with self._lock:
            self._entries[order] = _Entry(request, source=cassette, index=index, item=item)
        return Replay(self, outcome, request, key)

    def _token(self, request: Request, key: Key) -> Replay | None:
        """Return a token for a client that had one, or other credentials, when it was recorded."""
        if self._records or self._base is None or not is_token_request(request):
            return None
        recorded = (interaction.request for interaction in self._unread())
        if self._reason(key) == "used up" or is_made_up(request, recorded):
            return Replay(self, MADE_UP_TOKEN, request, key)
        return None

    def _find(self, key: Key) -> tuple[Cassette, int] | None:
        if self._plays and self._base is not None:
            index = self._played_index(self._base).find(key)
            if index is not None:
                return self._base, index
        if self._old_journal is not None:
            index = self._left_index(self._old_journal).find(key)
            if index is not None:
                return self._old_journal, index
        return None

    def _played_index(self, base: Cassette) -> Index:
        if self._index is None:
            self._index = self._index_of(base, repeats=self.options.allow_repeats and not self._records)
        return self._index

    def _left_index(self, journal: Cassette) -> Index:
        if self._old_journal_index is None:
            self._old_journal_index = self._index_of(journal, repeats=False)
        return self._old_journal_index

    def _index_of(self, cassette: Cassette, *, repeats: bool) -> Index:
        keys = cassette.keys(self._keying)
        self._known.update((key.fingerprint, key) for key in keys if key.fingerprint)
        return Index(
            keys,
            answered=cassette.answered,
            request=lambda index: cassette.interaction(index).request,
            allow_repeats=repeats,
        )

    def _read(self, cassette: Cassette, index: int, request: Request) -> Outcome:
        try:
            return cassette.outcome(index)
        except CassetteUnreadable as error:
            # As itself, an SDK would take it for a broken connection and try again.
            raise self._told(str(error), self._redactor.request(request)) from error

    def _went_live(self, request: Request, key: Key | None) -> Live:
        if not self._records and key is not None:
            raise self.missed(request, key)
        with self._lock:
            live = Live(self, self._next, request, key)
            self._next += 1
            self._pending[live.order] = live
        return live

    def finish(self, live: Live, outcome: Outcome) -> None:
        """Record what became of a live request. See `Live.finish`."""
        if self.is_open:
            self._settle(live, outcome)

    def drop(self, live: Live) -> None:
        """Forget a live request. See `Live.drop`."""
        with self._lock:
            self._pending.pop(live.order, None)

    def _settle(self, live: Live, outcome: Outcome) -> None:
        with self._lock:
            if self._pending.pop(live.order, None) is None:
                return
        hook = self.options.before_record_response
        kept = hook(outcome) if hook and isinstance(outcome, Response) else outcome
        if kept is None:
            return
        interaction = self._redactor.interaction(Interaction(live.request, kept, self.test, now()))
        if self._kin.is_child:
            self._kin.say_recorded(interaction)
        self._keep(live.order, interaction, live.key)

    def _keep(self, order: int, interaction: Interaction, key: Key | None) -> None:
        item = new_item(interaction, key or self._keying(interaction.request))
        with self._lock:
            self._entries[order] = _Entry(interaction.request, interaction, item=item)
            self._note_in_journal(item)

    def _note_in_journal(self, item: Item) -> None:
        """Write a finished interaction down; that it cannot be is the test's trouble, not the client's."""
        if self._journal is None or self._kin.is_child:
            return
        try:
            self._journal.append(item)
        except CassetteUnwritable as error:
            self._journal = None
            self.trouble(error)

    # Misses

    @property
    def misses(self) -> list[Trouble]:
        """What went wrong in this recording, in order; raised to the client too, which may have swallowed it."""
        self.hear()
        return self._misses.kept

    @property
    def unreported_misses(self) -> list[Trouble]:
        """Those of `misses` that nobody has said to be `reported`."""
        self.hear()
        return self._misses.unreported

    def reported(self, miss: BaseException) -> None:
        """Say that this miss has reached the report of the test, so that it need not be said again."""
        self._misses.report(miss)

    def missed(self, request: Request, key: Key, reason: MissReason | None = None) -> CassetteMiss | CassetteMissError:
        """Return the explained miss of a request, given as the client sent it, and keep it in `misses`."""
        left = self.unfinished_journal
        note = f"\nAn unfinished recording is at {left}; the next recording takes it up, replaying leaves it alone."
        error = self._misses.explained(key, self._miss(request, reason or self._reason(key), key), note if left else "")
        self._kin.say_missed(error)
        return error

    def _told(self, text: str, request: Request) -> CassetteMiss | CassetteMissError:
        error = self._misses.told(text, request, self.cassette_path)
        self._kin.say_missed(error)
        return error

    def trouble(self, error: CassetteError) -> None:
        """Keep an error that is about to be raised to a client, so that the test fails even if it is swallowed."""
        self._misses.kept.append(error)
        self._kin.say_missed(error)

    def _miss(self, request: Request, reason: MissReason, key: Key | None = None) -> Miss:
        with self._lock:
            played = self._index.played if self._index else frozenset()
            recorded = self._index.count(key) if self._index and key else 0
        path, mode = self.cassette_path, self.mode.value
        return Miss(self._redactor.request(request), path, mode, self.test, self._unread, played, reason, recorded)

    def _reason(self, key: Key) -> MissReason:
        if self._base is None:
            return "no cassette"
        with self._lock:
            return "used up" if self._played_index(self._base).count(key) else "changed"

    def _unread(self) -> Sequence[Interaction]:
        return UnreadInteractions(self._base) if self._base else []

    # Saving

    def _save(self) -> None:
        entries, base, header = self._in_order(), self._base, self._header()
        if base is None:
            items = [entry.item for entry in entries if entry.item]
            if not items:
                return
        else:
            order = self._arranged(base, entries)
            if list(order) == list(range(len(base))) and _says_the_same(header, base):
                return
            items = [base.item(one) if isinstance(one, int) else one for one in order]
        store.save(self.cassette_path, header, items, base=base, overwrite=self.mode is RecordMode.REWRITE)

    def _arranged(self, base: Cassette, entries: list[_Entry]) -> Sequence[int | Item]:
        """Return what shall be in the file, in order: indexes of the old cassette, and what is new."""
        places = [entry.item or entry.index for entry in entries]
        own = {index for index in range(len(base)) if self._is_own(base, index)}
        return arranged(len(base), own, self._kept(base, entries), places)

    def _kept(self, base: Cassette, entries: list[_Entry]) -> set[int]:
        """Return the indexes of what stays of the old cassette."""
        everything = set(range(len(base)))
        if self.mode is RecordMode.REWRITE:
            return set()
        if self.mode is RecordMode.NEW_EPISODES:
            return everything
        played = {entry.index for entry in entries if entry.source is base}
        return {index for index in everything if index in played or not self._is_own(base, index)}

    def _header(self) -> Header:
        if self._base is None or not self._plays:
            return Header(keying=self._keying.scheme, recorded_at=now(), frozen=self.frozen)
        frozen = {**self._base.header.frozen, **self.frozen}
        return replace(self._base.header, keying=self._keying.scheme, frozen=frozen)

    def _leave_journal(self) -> None:
        if self._journal is not None:
            self._journal.close()

    def _discard_journals(self) -> None:
        if self._journal is not None:
            self._journal.discard()


def _line(message: Message) -> str:
    request = interaction_of(message).request
    return f"{request.method} {request.url}"


def _permissions(mode: RecordMode, found: bool) -> tuple[bool, bool]:
    """Return whether a mode plays recorded answers and whether it records."""
    if mode is RecordMode.ONCE:
        return found, not found
    plays = mode in (RecordMode.NONE, RecordMode.NEW_EPISODES, RecordMode.REFRESH)
    return plays, mode is not RecordMode.NONE


def _says_the_same(header: Header, cassette: Cassette) -> bool:
    """Tell whether a file need not be written for the sake of its header; another tool's file has none of ours."""
    if cassette.layout == "foreign":
        return True
    return (header.keying, header.frozen) == (cassette.header.keying, cassette.header.frozen)


def _redactor(options: RecordOptions) -> Redactor:
    from replay_agent.recording.redaction.redactor import Redactor

    return Redactor(options.redact, keep_headers=options.match_headers)
