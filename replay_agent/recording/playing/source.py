"""Cassettes and journals to play from: they find the recorded answer to a request, each once, and tell what is left."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from replay_agent.recording.matching.index import Index

if TYPE_CHECKING:
    from replay_agent.recording.cassettes.document import Cassette
    from replay_agent.recording.cassettes.parts.item import Item
    from replay_agent.recording.matching.keys import Key, Keying
    from replay_agent.traffic import Interaction, Outcome, Request

__all__ = "Source", "Sources"

_MOST_WITH_SECRETS = 100
"""They are read one by one when a request would be a miss."""


class Source:
    """What was recorded in one file, by what its requests ask for.

    Looked through when the first request comes. Not locked: the caller holds its lock around every call that finds.
    Reading raises `CassetteUnreadable`.
    """

    def __init__(self, cassette: Cassette, keying: Keying, *, repeats: bool = False) -> None:
        """``repeats``: a request made more often than recorded gets its last answer again."""
        self.cassette = cassette
        self._keying = keying
        self._repeats = repeats
        # Made when first asked for; not by cached_property, whose lock costs as much as what is within.
        self._found: list[Key] | None = None
        self._made: Index | None = None
        self._spelled: dict[str, Key] | None = None

    @property
    def _keys(self) -> list[Key]:
        if self._found is None:
            self._found = self.cassette.keys(self._keying)
        return self._found

    @property
    def _index(self) -> Index:
        if self._made is None:
            cassette = self.cassette  # and not this source: a cycle would be garbage that only a collection finds
            self._made = Index(
                self._keys,
                answered=cassette.answered,
                request=lambda index: cassette.interaction(index).request,
                allow_repeats=self._repeats,
            )
        return self._made

    def key_of(self, fingerprint: str) -> Key | None:
        """Return the key of a recorded request that was spelled the same, which saves computing it."""
        if self._spelled is None:
            self._spelled = {key.fingerprint: key for key in self._keys if key.fingerprint}
        return self._spelled.get(fingerprint)

    def digest(self, index: int) -> str:
        """Return the digest of the key under which an interaction is found."""
        return self._keys[index].digest

    def place(self, digest: str) -> int | None:
        """Return the first interaction whose key has a digest, played or not; None if there is none."""
        return next((index for index, key in enumerate(self._keys) if key.digest == digest), None)

    def find(self, key: Key, *, literal: bool = False) -> int | None:
        """Return the next interaction for a key and mark it played; None if there is none (left).

        ``literal`` is for the key of a request that was not redacted.
        """
        return (self._made or self._index).find(key, literal=literal)

    def with_secrets(self) -> Iterator[tuple[Key, Request]]:
        """Yield the requests not played yet that placeholders of secrets are in, with their keys; of many the first."""
        left = (index for index in self._index.leftovers() if self._keys[index].secrets)
        for index in islice(left, _MOST_WITH_SECRETS):
            yield self._keys[index], self.interaction(index).request

    def mark_played(self, index: int) -> None:
        """Count an interaction as played that another process has played."""
        self._index.mark_played(index)

    def count(self, key: Key) -> int:
        """Return how many interactions answer a key, played or not."""
        return self._index.count(key)

    @property
    def played(self) -> frozenset[int]:
        """Which interactions were played."""
        return self._made.played if self._made is not None else frozenset()

    def leftovers(self) -> list[int]:
        """Return which interactions were not played, in recorded order."""
        return self._index.leftovers()

    def outcome(self, index: int) -> Outcome:
        """Read what became of a request."""
        return self.cassette.outcome(index)

    def interaction(self, index: int) -> Interaction:
        """Read a whole interaction."""
        return self.cassette.interaction(index)

    def item(self, index: int) -> Item:
        """Return the lines of an interaction, to be written again."""
        _ = self._keys  # under which it is written
        return self.cassette.item(index)


class Sources(list[Source]):
    """What answers are looked for in, in this order: the cassette, and journals left behind. Not locked, as each of them."""

    def __init__(self, played: Source | None = None) -> None:
        super().__init__()
        self.played: Source | None = None
        """The cassette, None where it is not played."""

        self.are_one_of_ours = False
        """Whether there is nothing to play from but a cassette that we have recorded."""
        if played is not None:
            self.play(played)

    def play(self, cassette: Source) -> None:
        """Look in the cassette before everything else."""
        self.played = cassette
        self.insert(0, cassette)
        self.are_one_of_ours = len(self) == 1 and cassette.cassette.layout == "replay-agent"

    def follow(self, journals: Iterable[Source]) -> None:
        """Look in these, too, behind all others."""
        self.extend(journals)
        self.are_one_of_ours = self.are_one_of_ours and len(self) == 1

    def number(self, source: Source) -> int:
        """Return by what number the processes of one recording know a source: 0 is the cassette."""
        return self.index(source) + (self.played is None)

    def numbered(self, number: int) -> Source | None:
        """Return the source of a number, None if this process, which was not forked, has not read it."""
        place = number - (self.played is None)
        return self[place] if 0 <= place < len(self) else None

    def key_of(self, fingerprint: str) -> Key | None:
        """Return the key of a recorded request that was spelled the same."""
        for source in self:
            known = source.key_of(fingerprint)
            if known is not None:
                return known
        return None

    def find(self, key: Key, *, literal: bool = False) -> tuple[Source, int] | None:
        """Return the next interaction for a key and mark it played. See `Source.find`."""
        for source in self:
            index = source.find(key, literal=literal)
            if index is not None:
                return source, index
        return None

    def next_at(self, url: str) -> tuple[Source, int] | None:
        """Return the first interaction that is left with this address, whatever it asks, and mark it played."""
        for source in self:
            for index in source.leftovers():
                if source.interaction(index).request.url == url:
                    source.mark_played(index)
                    return source, index
        return None
