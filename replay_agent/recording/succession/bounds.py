"""How far a recording run may go, where not everything that changed has been accepted."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

__all__ = ("Bounds",)


@dataclass(frozen=True)
class Bounds:
    """What of the old recording stays, although it is asked for otherwise now, and whether anything may be asked live."""

    held: Mapping[str, str] = field(default_factory=dict)
    """By the keys of requests, those of the recorded ones whose answers they get all the same, and which stay as they are."""
    barred: AbstractSet[str] = frozenset()
    """The keys of requests that are misses, as nothing that was recorded is near enough to answer them meanwhile."""
    live: bool = True
    """Whether other requests without an answer are asked live; else they are misses."""

    def allows(self, key: str) -> bool:
        """Tell whether a request with this key may be asked live."""
        return self.live and key not in self.barred
