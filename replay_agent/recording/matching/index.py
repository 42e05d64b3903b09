"""Which recorded interaction answers a request: keys of equal meaning, and an index that finds and uses them up."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

from replay_agent.traffic import Interaction, Request

__all__ = "Index", "Key", "Keying", "Miss", "MissReason"

MissReason: TypeAlias = Literal["changed", "used up", "no cassette", "read on"]
"""Why a request has no answer: nothing recorded is equal to it; what is equal was all played; there is no recording;
or the client reads on where the recorded reading of a stream ended."""


@dataclass(frozen=True, slots=True)
class Key:
    """The meaning of a request: two requests that ask for the same have equal keys.

    ``digest`` is taken with every tool-call id replaced by its order of appearance; ``ids`` are those ids, in order.
    ``fingerprint`` is that of the request whose key was computed, where it is known: it is no part of the meaning.
    """

    digest: str
    ids: tuple[str, ...] = ()
    fingerprint: str = field(default="", compare=False)


class Keying(Protocol):
    """Computes keys. ``scheme`` names algorithm and options: keys of another scheme say nothing and are recomputed."""

    @property
    def scheme(self) -> str:
        """Name of the algorithm and its options, one line, as it is stored in the cassette."""

    def __call__(self, request: Request) -> Key:
        """Return the key of a request whose secrets are already taken out."""


@dataclass
class Miss:
    """A request without an answer, and all that its explanation may need.

    ``interactions`` reads everything recorded, lazily; ``played`` are the indexes in it that were used already.
    """

    request: Request
    cassette_path: Path | None
    record_mode: str
    test: str | None
    interactions: Callable[[], Sequence[Interaction]]
    played: frozenset[int] = frozenset()
    reason: MissReason = "changed"


def _never(_id: str) -> bool:
    return False


@dataclass(slots=True)
class _Queue:
    """Interactions that answer the same requests, in recorded order, and how far the queue is used up."""

    members: list[int]
    start: int = 0

    def next(self, played: set[int]) -> int | None:
        """Return the first member that is not played; each is stepped over once only."""
        while self.start < len(self.members):
            if self.members[self.start] not in played:
                return self.members[self.start]
            self.start += 1
        return None


_Ids: TypeAlias = tuple[str, ...]
_Grouping: TypeAlias = dict[str, dict[Hashable, _Queue]]


class Index:
    """Finds the interaction that answers a key, each once, equal ones in recorded order.

    An id of the key that occurs in a recorded answer (``answered`` tells) must be equal; an id that no recorded answer
    contains was made by the client, and such ids compare by their order of appearance alone. Finding takes the same
    time however many interactions there are. Not locked: the caller holds its lock around every call.
    """

    def __init__(
        self,
        keys: Iterable[Key] = (),
        *,
        answered: Callable[[str], bool] = _never,
        allow_repeats: bool = False,
    ) -> None:
        self._answered = answered
        self._allow_repeats = allow_repeats
        self._keys: list[Key] = []
        self._played: set[int] = set()
        self._same: dict[str, _Queue] = {}
        self._by_ids: _Grouping = {}
        self._by_pattern: _Grouping = {}
        self._recorded_ids: set[str] = set()
        for key in keys:
            self.add(key)

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def played(self) -> frozenset[int]:
        """The indexes that were played."""
        return frozenset(self._played)

    def add(self, key: Key, *, played: bool = False) -> int:
        """Append an interaction and return its index; ``played`` for one that was recorded just now."""
        index = len(self._keys)
        self._keys.append(key)
        same = self._same.get(key.digest)
        if same is None:
            same = self._same[key.digest] = _Queue([])
        same.members.append(index)
        if key.ids:
            self._recorded_ids.update(key.ids)
            self._by_ids.pop(key.digest, None)
            self._by_pattern.pop(key.digest, None)
        if played:
            self._played.add(index)
        return index

    def find(self, key: Key) -> int | None:
        """Return the next interaction for the key and mark it played; None if there is none (left).

        With ``allow_repeats`` the last one is returned again when all are played.
        """
        for queue in self._queues(key):
            index = queue.next(self._played)
            if index is not None:
                self._played.add(index)
                return index
        if not self._allow_repeats:
            return None
        return max((queue.members[-1] for queue in self._queues(key)), default=None)

    def mark_played(self, index: int) -> None:
        """Count an interaction as played that was played elsewhere."""
        self._played.add(index)

    def knows(self, key: Key) -> bool:
        """Tell whether any interaction answers this key, played or not."""
        return next(self._queues(key), None) is not None

    def leftovers(self) -> list[int]:
        """Return the indexes that were never played, in recorded order."""
        return [index for index in range(len(self._keys)) if index not in self._played]

    def _queues(self, key: Key) -> Iterator[_Queue]:
        """Yield where to look: among those with the very same ids first, then among those with client-made ones."""
        if key.digest not in self._same:
            return
        if not key.ids:
            yield self._same[key.digest]
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
            for index in self._same[digest].members:
                groups.setdefault(group(self._keys[index].ids), _Queue([])).members.append(index)
        return groups

    def _pattern(self, ids: tuple[str, ...]) -> Hashable:
        """Return the ids with those that the client made left blank.

        An id that no recorded request carries need not be looked for in the answers: were it in one, the recorded
        request at its place would have to carry it too.
        """
        return tuple(each if each in self._recorded_ids and self._answered(each) else None for each in ids)
