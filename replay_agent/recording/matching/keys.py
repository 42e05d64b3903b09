"""Key: the meaning of a request as a short value. Keying: what computes keys."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from replay_agent.recording.matching.choosing import Choice
from replay_agent.traffic import Request

__all__ = "Key", "Keying"


@dataclass(slots=True, unsafe_hash=True)  # nobody changes one; frozen, each of a cassette would take twice the time
class Key:
    """The meaning of a request: two requests that ask for the same have equal keys.

    ``digest`` is taken with every tool-call id replaced by its order of appearance; ``ids`` are those ids, in order.
    The rest is known of a request only, not of every key that a cassette stores, and is no part of the meaning.
    """

    digest: str
    ids: tuple[str, ...] = ()
    fingerprint: str = field(default="", compare=False)
    """That of the request whose key was computed; a key that is found by it says of no other request what it chooses."""
    choice: Choice | None = field(default=None, compare=False)
    """Which of several answers the request chooses by its headers; None where it would have to be read for that."""
    secrets: tuple[str, ...] = field(default=(), compare=False)
    """The placeholders of secrets in the request, in order; the digest is taken with all of them alike."""


class Keying(Protocol):
    """Computes keys. ``scheme`` names algorithm and options: keys of another scheme say nothing and are recomputed."""

    @property
    def scheme(self) -> str:
        """Name of the algorithm and its options, one line, as it is stored in the cassette."""

    def __call__(self, request: Request) -> Key:
        """Return the key of a request whose secrets are already taken out."""
