"""Entries: the requests of one run that have their answers, in the order in which they were made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING

from replay_agent.recording.cassettes.parts.item import Item, new_item
from replay_agent.recording.succession.successors import Successor, pairs, renamed, successors

if TYPE_CHECKING:
    from replay_agent.recording.cassettes.document import Cassette
    from replay_agent.recording.matching.keys import Keying
    from replay_agent.recording.playing.source import Source
    from replay_agent.recording.redaction.redactor import Redactor
    from replay_agent.recording.succession.tally import Tally
    from replay_agent.traffic import Interaction, Request

__all__ = "Entries", "Entry"


@dataclass(slots=True)
class Entry:
    """A request of this run that has its answer: a played item of a source, or one to be written."""

    asked: Request
    """As the client sent it."""
    interaction: Interaction | None = None
    """As it is stored; read from the source when somebody asks."""
    source: Source | None = None
    index: int = -1
    item: Item | None = None
    """What is to be written, if it is not in the cassette yet."""

    def read(self) -> Interaction:
        """Return the interaction as it is stored. Raises `CassetteUnreadable`."""
        if self.interaction is None:
            assert self.source is not None
            self.interaction = self.source.interaction(self.index)
        return self.interaction


class Entries:
    """What one run was answered, and what of it is to be written.

    A place is taken before the answer is known, so that entries stand in the order of the requests, however long each
    takes. The lock is the recording's own.
    """

    def __init__(self, keying: Keying, lock: AbstractContextManager[object]) -> None:
        self._keying = keying
        self._lock = lock
        self._by_place: dict[int, Entry] = {}
        self._unlearnt: dict[int, Entry] = {}
        """Played ones, by place, whose ``asked`` was not redacted, so that the credentials in it are not known."""
        self._places = count()
        self._redacted_at = 0
        """How many secrets were known when everything recorded was last searched for them."""

    def place(self) -> int:
        """Take the place of a request that is being made."""
        return next(self._places)

    def put(self, place: int, entry: Entry, *, known: int | None = None) -> None:
        """Keep the answer to the request that has this place.

        ``known`` is how many secrets were known when a live one was redacted: others may have turned up, and what was
        recorded before been searched for them, while it was on its way.
        """
        with self._lock:
            self._by_place[place] = entry
            if entry.source is not None:
                self._unlearnt[place] = entry
            if known is not None:
                self._redacted_at = min(self._redacted_at, known)

    def add(self, entry: Entry) -> None:
        """Keep an answer behind all requests made so far."""
        self.put(self.place(), entry)

    def item(self, interaction: Interaction) -> Item:
        """Return what is to be written of a live answer, redacted. Takes its time, and no lock."""
        return new_item(interaction, self._keying(interaction.request))

    def count_played(self) -> int:
        """Return how many were answered from a source."""
        with self._lock:
            return len(self._by_place) - [entry.source for entry in self._by_place.values()].count(None)

    def in_order(self) -> list[Entry]:
        """Return all of them."""
        with self._lock:
            return [entry for _, entry in sorted(self._by_place.items())]

    def new(self) -> list[Entry]:
        """Return those that are not in the cassette yet."""
        return [entry for entry in self.in_order() if entry.item is not None]

    def tally(self, saved: Tally, played: Source | None) -> Tally:
        """Return how many answers there are, and from where; ``played`` is the cassette, all other sources are journals."""
        sources = [entry.source for entry in self.in_order()]
        journals = (each.cassette.header.recorded_at for each in sources if each is not None and each is not played)
        replayed = sources.count(played) if played is not None else 0
        taken_up = Counter(recorded_at or "" for recorded_at in journals)
        return replace(saved, live=sources.count(None), replayed=replayed, taken_up=dict(taken_up))

    # Secrets

    def learn(self, redactor: Callable[[], Redactor]) -> None:
        """Let the credentials be known that replayed requests carried: they were not looked through."""
        with self._lock:
            new = sorted(self._unlearnt)
        for place in new:
            redactor().learn(self._by_place[place].asked)
            self._unlearnt.pop(place, None)

    def redact_again(self, redactor: Redactor) -> list[tuple[Item, Item]]:
        """Take out of what was recorded before what has turned out since to be a secret.

        Returns what is to be written otherwise: as it was and as it is now.
        """
        with self._lock:
            known = redactor.known
            if known == self._redacted_at:
                return []
            self._redacted_at = known
            return list(self._redacted_again(redactor))

    def _redacted_again(self, redactor: Redactor) -> Iterator[tuple[Item, Item]]:
        for entry in self._by_place.values():
            if entry.item is None:
                continue
            old, recorded = entry.item, entry.read()
            interaction = redactor.interaction(recorded)
            if interaction != recorded:
                yield old, self._write_instead(entry, interaction)

    def _write_instead(self, entry: Entry, interaction: Interaction) -> Item:
        entry.interaction = interaction
        entry.item = self.item(interaction)
        return entry.item

    # What they take the place of

    def successors(self, base: Cassette | None, own: AbstractSet[int]) -> list[Successor]:
        """Return what is to be written, and which of the test's ``own`` old interactions each takes the place of."""
        played = {entry.index for entry in self.in_order() if entry.item is None}
        old = (base.interaction(index) for index in sorted(own - played)) if base else iter(())
        return pairs(old, [entry.read() for entry in self.new()])

    def keep_what_means_the_same(self, found: Sequence[Successor], is_answer: Callable[[Interaction], bool]) -> None:
        """Let what is to be written differ from what it replaces in what means something only."""
        kept, names = successors(found, is_answer)
        for entry, interaction in zip(self.new(), kept, strict=True):
            entry.asked = renamed(entry.asked, names)  # as the client will ask when it is handed the old ids
            self._write_instead(entry, interaction)
