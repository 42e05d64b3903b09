"""Stand-ins: responders, who answer what would go live, and tampering, which changes what was recorded and owes it."""

from __future__ import annotations

from typing import Protocol

from replay_agent.recording.answers import Replay
from replay_agent.recording.playing.source import Source
from replay_agent.traffic import Outcome, Request

__all__ = "FOR_EVER", "PERSEVERANCE", "Owed", "Responder", "Tampering"

PERSEVERANCE = 25
"""How often a client may ask for the same while a fault lasts. SDKs try three times, careful clients ten; one that is still
at it goes on for ever."""

FOR_EVER = (
    "The client would wait for ever: nothing comes, and it has no timeout.\n"
    "  Give it one: most SDKs take timeout= where they are made."
)


class Responder(Protocol):
    """Stands in for the servers. Hooks of clients see it as they see a recording."""

    @property
    def is_open(self) -> bool:
        """Whether it still answers."""

    def wants(self, url: str) -> bool:
        """Tell whether traffic with this address may be for it."""

    def begin(self, raw: Request) -> Replay | None:
        """Return the answer to a request, None for one that is not for it and may pass.

        What it raises goes to the client as it is.
        """

    def overhear(self, raw: Request) -> None:
        """Take note of a request that a recording has answered."""


class Tampering(Protocol):
    """Changes answers. Knows how often and which; asked once for each request that has an answer."""

    @property
    def struck(self) -> bool:
        """Whether anything was changed so far."""

    @property
    def delivered(self) -> bool:
        """Whether the client has got the answer all the same from what was changed last, and may go on from there."""

    def tampered(self, request: Request, outcome: Outcome) -> Outcome | None:
        """Return what the client is told in place of an answer, None for the answer as it is.

        The answer itself then waits for the client to ask again.
        """


class Owed:
    """Answers that were tampered with: they are given, as they are, to who asks again. Not locked."""

    def __init__(self) -> None:
        self._left: list[tuple[str, tuple[Source, int], bool]] = []

    def put(self, digest: str, found: tuple[Source, int], *, delivered: bool) -> None:
        """Owe an interaction to who asks for this digest; ``delivered``: the client knows the answer all the same."""
        self._left.append((digest, found, delivered))

    def pay(self, digest: str) -> tuple[Source, int] | None:
        """Return what is owed to a request, and owe it no longer."""
        return self._take(next((place for place, (owed, _, _) in enumerate(self._left) if owed == digest), None))

    def next_at(self, url: str) -> tuple[Source, int] | None:
        """Return the first that is owed at an address and that the client does not know yet, and owe it no longer."""
        for place, (_, (source, index), delivered) in enumerate(self._left):
            if not delivered and source.interaction(index).request.url == url:
                return self._take(place)
        return None

    def _take(self, place: int | None) -> tuple[Source, int] | None:
        return None if place is None else self._left.pop(place)[1]
