"""Finds the recorded interaction that answers a key, and uses each up."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeAlias

from replay_agent.recording.matching.choosing import Choice, agree, choice_of
from replay_agent.recording.matching.keys import Key
from replay_agent.recording.matching.placeholders import Secrets
from replay_agent.traffic import Request

__all__ = ("Index",)


def _never(_id: str) -> bool:
    return False


def _always(_index: int) -> bool:
    return True


@dataclass(slots=True)
class _Queue:
    """Interactions that answer the same requests, in recorded order, and how far the queue is used up."""

    members: list[int] = field(default_factory=list)
    spellings: dict[str, int] = field(default_factory=dict)
    """The fingerprints of their requests, and which is the first of each."""
    start: int = 0
    by_choice: dict[Choice, _Queue] | None = None
    """The same, by what their requests choose by headers; made when first asked for."""

    def add(self, index: int, spelling: str) -> None:
        self.members.append(index)
        self.spellings.setdefault(spelling, index)
        self.by_choice = None

    def next(self, played: set[int], fits: Callable[[int], bool]) -> int | None:
        """Return the first member that fits and is not played; the played ones before it are stepped over once only."""
        while self.start < len(self.members) and self.members[self.start] in played:
            self.start += 1
        rest = islice(self.members, self.start, None)
        return next((member for member in rest if member not in played and fits(member)), None)


_Ids: TypeAlias = tuple[str, ...]
_Grouping: TypeAlias = dict[str, dict[Hashable, _Queue]]


class Index:
    """Finds the interaction that answers a key, each once, equal ones in recorded order.

    An id of the key that occurs in a recorded answer (``answered`` tells) must be equal; an id that no recorded answer
    contains was made by the client, and such ids compare by their order of appearance alone. Of requests with equal
    keys, one whose headers choose the same goes before one that leaves it open, and one that chooses otherwise is none
    (see `choosing`); ``request`` reads a recorded request, which is done only if the key's was spelled otherwise.
    What secrets were taken out of a request compares as ids do (see `Secrets`). Finding takes the same time however many
    interactions there are. Not locked: the caller holds its lock around every call.
    """

    def __init__(
        self,
        keys: Iterable[Key] = (),
        *,
        answered: Callable[[str], bool] = _never,
        request: Callable[[int], Request] | None = None,
        allow_repeats: bool = False,
    ) -> None:
        self._answered = answered
        self._request = request
        self._allow_repeats = allow_repeats
        self._keys: list[Key] = []
        self._played: set[int] = set()
        self._same: dict[str, _Queue | int] = {}
        """By digest, what answers it; one interaction alone, as most are, by its index, until it is asked for."""
        self._by_ids: _Grouping = {}
        self._by_pattern: _Grouping = {}
        self._recorded_ids: set[str] = set()
        self._choices: dict[str, Choice] = {}
        self._secrets: Secrets | None = None
        for key in keys:
            self.add(key)

    @property
    def played(self) -> frozenset[int]:
        """The indexes that were played."""
        return frozenset(self._played)

    def add(self, key: Key) -> int:
        """Append an interaction and return its index."""
        index = len(self._keys)
        self._keys.append(key)
        if self._same.setdefault(key.digest, index) != index:
            same = self._queue(key.digest)
            assert same is not None
            same.add(index, key.fingerprint)
        if key.ids:
            self._recorded_ids.update(key.ids)
            self._by_ids.pop(key.digest, None)  # made anew when next asked for
            self._by_pattern.pop(key.digest, None)
        return index

    def _queue(self, digest: str) -> _Queue | None:
        same = self._same.get(digest)
        if not isinstance(same, int):
            return same
        queue = self._same[digest] = _Queue()
        queue.add(same, self._keys[same].fingerprint)
        return queue

    def find(self, key: Key, *, literal: bool = False) -> int | None:
        """Return the next interaction for the key and mark it played; None if there is none (left).

        ``literal`` is for the key of a request that was not redacted. With ``allow_repeats`` the last one is returned
        again when all are played.
        """
        # What is found first for a key without ids and secrets, if all of its queue are spelled as it is.
        if key.fingerprint and not (key.ids or key.secrets):
            usual = self._same.get(key.digest)
            if not isinstance(usual, int):
                usual = self._next_spelled(usual, key.fingerprint)
            elif usual in self._played or self._keys[usual].fingerprint != key.fingerprint:
                usual = None
            if usual is not None:
                self._played.add(usual)
                return usual
        fits = self._fitting(key, literal=literal)
        for queues in self._queues(key):
            left = [index for queue in queues if (index := queue.next(self._played, fits)) is not None]
            if left:
                self._played.add(min(left))
                if key.secrets:
                    self._bound().bind(key.secrets, self._keys[min(left)].secrets)
                return min(left)
        return max(self._answering(key, fits), default=None) if self._allow_repeats else None

    def _next_spelled(self, queue: _Queue | None, fingerprint: str) -> int | None:
        """Return the next of a queue all of which are spelled the same."""
        return queue.next(self._played, _always) if queue and queue.spellings.keys() == {fingerprint} else None

    def mark_played(self, index: int) -> None:
        """Count an interaction as played that was played elsewhere."""
        self._played.add(index)

    def count(self, key: Key) -> int:
        """Return how many interactions answer this key, played or not."""
        return len(self._answering(key, self._fitting(key)))

    def _answering(self, key: Key, fits: Callable[[int], bool]) -> set[int]:
        return {index for queues in self._queues(key) for queue in queues for index in queue.members if fits(index)}

    def _fitting(self, key: Key, *, literal: bool = False) -> Callable[[int], bool]:
        """Return what tells whether the secrets of a recorded request can be those of this one."""
        if not key.secrets:
            return _always
        secrets = self._bound()
        return lambda index: secrets.fit(key.secrets, self._keys[index].secrets, literal=literal)

    def _bound(self) -> Secrets:
        """Return which secrets stand for which; nothing is known of any in nearly all runs."""
        if self._secrets is None:
            self._secrets = Secrets()
        return self._secrets

    def leftovers(self) -> list[int]:
        """Return the indexes that were never played, in recorded order."""
        if len(self._played) == len(self._keys):
            return []
        return [index for index in range(len(self._keys)) if index not in self._played]

    def _queues(self, key: Key) -> Iterator[list[_Queue]]:
        """Yield where to look, the nearest first; where several stand together, the earliest interaction is meant.

        The very same ids go before those that the client made, and of these what chooses the same before what leaves it
        open.
        """
        for queue in self._with_like_ids(key):
            if queue.spellings.keys() == {key.fingerprint} != {""}:
                yield [queue]
                continue
            choices = self._by_choice(queue)
            wanted = self._chosen_by(key, queue)
            if wanted in choices:
                yield [choices[wanted]]
            others = [each for choice, each in choices.items() if choice != wanted and agree(choice, wanted)]
            if others:
                yield others

    def _with_like_ids(self, key: Key) -> Iterator[_Queue]:
        """Yield those with the very same ids first, then those with client-made ones."""
        same = self._queue(key.digest)
        if same is None:
            return
        if not key.ids:
            yield same
            return
        for grouping, group in ((self._by_ids, tuple), (self._by_pattern, self._pattern)):
            queue = self._groups(grouping, key.digest, group).get(group(key.ids))
            if queue is not None:
                yield queue

    def _groups(self, grouping: _Grouping, digest: str, group: Callable[[_Ids], Hashable]) -> dict[Hashable, _Queue]:
        """Return the interactions of one digest by what ``group`` makes of their ids; made when first asked for."""
        groups = grouping.get(digest)
        if groups is None:
            groups = grouping[digest] = {}
            same = self._queue(digest)
            for index in same.members if same else ():
                groups.setdefault(group(self._keys[index].ids), _Queue()).add(index, self._keys[index].fingerprint)
        return groups

    def _pattern(self, ids: tuple[str, ...]) -> Hashable:
        """Return the ids with those that the client made left blank.

        An id that no recorded request carries need not be looked for in the answers: were it in one, the recorded
        request at its place would have to carry it too.
        """
        return tuple(each if each in self._recorded_ids and self._answered(each) else None for each in ids)

    def _by_choice(self, queue: _Queue) -> dict[Choice, _Queue]:
        if queue.by_choice is None:
            queue.by_choice = {}
            for index in queue.members:
                group = queue.by_choice.setdefault(self._choice(index), _Queue())
                group.add(index, self._keys[index].fingerprint)
        return queue.by_choice

    def _chosen_by(self, key: Key, queue: _Queue) -> Choice:
        """Return what a request chooses: what its key says, else what a recorded one chooses that is spelled as it is."""
        if key.choice is not None or not key.fingerprint:
            return key.choice or ()
        alike = queue.spellings.get(key.fingerprint)
        return () if alike is None else self._choice(alike)

    def _choice(self, index: int) -> Choice:
        """Return what a recorded request chooses; requests of one spelling choose the same."""
        key = self._keys[index]
        if key.choice is not None or self._request is None:
            return key.choice or ()
        known = self._choices.get(key.fingerprint) if key.fingerprint else None
        if known is None:
            known = self._choices[key.fingerprint] = choice_of(self._request(index))
        return known
