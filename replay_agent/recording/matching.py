"""Which recorded interaction answers a request: keys of equal meaning, and an index that finds and uses them up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
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
    """

    digest: str
    ids: tuple[str, ...] = ()


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
class _Group:
    """The interactions of one digest, in recorded order, and where to look for the next one that is not played."""

    members: list[int] = field(default_factory=list)
    start: dict[tuple[str | None, ...], int] = field(default_factory=dict)
    queues: dict[tuple[str | None, ...], list[int]] = field(default_factory=dict)


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
        raise NotImplementedError

    def __len__(self) -> int:
        raise NotImplementedError

    @property
    def played(self) -> frozenset[int]:
        """The indexes that were played."""
        raise NotImplementedError

    def add(self, key: Key, *, played: bool = False) -> int:
        """Append an interaction and return its index; ``played`` for one that was recorded just now."""
        raise NotImplementedError

    def find(self, key: Key) -> int | None:
        """Return the next interaction for the key and mark it played; None if there is none (left).

        With ``allow_repeats`` the last one is returned again when all are played.
        """
        raise NotImplementedError

    def knows(self, key: Key) -> bool:
        """Tell whether any interaction has this key, played or not."""
        raise NotImplementedError

    def leftovers(self) -> list[int]:
        """Return the indexes that were never played, in recorded order."""
        raise NotImplementedError
