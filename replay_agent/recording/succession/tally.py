"""What became of one recording run, in numbers, and what took the place of what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from replay_agent.recording.succession.successors import Successor

__all__ = ("Tally",)


@dataclass(frozen=True)
class Tally:
    """How many answers a recording run got, and from where."""

    live: int = 0
    replayed: int = 0
    taken_up: dict[str, int] = field(default_factory=dict)
    """Answers from unfinished recordings, by when those began (ISO 8601 in UTC)."""
    dropped: int = 0
    """Old interactions that are not in the cassette any more."""
    saved: bool = False
    """Whether the cassette was replaced."""
    successors: Sequence[Successor] = ()
    """What is new, and what it takes the place of."""
