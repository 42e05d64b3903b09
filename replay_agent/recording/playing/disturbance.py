"""Disturbance: what goes wrong with the recorded answers of a run, and what it owes for that."""

from __future__ import annotations

from typing import Protocol

from replay_agent.recording.playing.source import Source
from replay_agent.recording.stand_ins import PERSEVERANCE
from replay_agent.traffic import Outcome, Request

__all__ = "Disturbance", "Owed", "Tampering"


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
        if not self._left:  # as in every test that nothing goes wrong in
            return None
        return self._take(next((place for place, (owed, _, _) in enumerate(self._left) if owed == digest), None))

    def next_at(self, url: str) -> tuple[Source, int] | None:
        """Return the first that is owed at an address and that the client does not know yet, and owe it no longer."""
        for place, (_, (source, index), delivered) in enumerate(self._left):
            if not delivered and source.interaction(index).request.url == url:
                return self._take(place)
        return None

    def _take(self, place: int | None) -> tuple[Source, int] | None:
        return None if place is None else self._left.pop(place)[1]


class Disturbance:
    """Has answers tampered with, and hands each one out, as it is, to who asks again. Not locked."""

    def __init__(self) -> None:
        self.tampering: Tampering | None = None
        """What is done to answers; None as long as nothing is."""
        self.hung = False
        """Whether a client would have waited, or tried, for ever."""
        self.owed = Owed()
        self._asked: dict[str, int] = {}

    @property
    def struck(self) -> bool:
        """Whether anything was changed so far."""
        return self.tampering is not None and self.tampering.struck

    def goes_on_for_ever(self, digest: str) -> bool:
        """Take note that the client asks for this, and tell whether it has done so more often than any with an end."""
        asked = self._asked[digest] = self._asked.get(digest, 0) + 1
        return asked > PERSEVERANCE

    def changed(self, digest: str, request: Request, found: tuple[Source, int], outcome: Outcome) -> Outcome | None:
        """Return what the client gets instead of the answer found, which waits for it to ask again; None for the answer."""
        if self.tampering is None:
            return None
        changed = self.tampering.tampered(request, outcome)
        if changed is not None:
            self.owed.put(digest, found, delivered=self.tampering.delivered)
        return changed
