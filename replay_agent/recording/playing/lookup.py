"""Lookup: finds what was recorded for a request, in the cassette, in journals left behind and among what is owed."""

from __future__ import annotations

from contextlib import AbstractContextManager

from replay_agent.framing.json_rpc import may_be_json_rpc, readdressed
from replay_agent.recording.matching.choosing import choice_of
from replay_agent.recording.matching.fingerprint import fingerprint
from replay_agent.recording.matching.keys import Key, Keying
from replay_agent.recording.playing.disturbance import Owed
from replay_agent.recording.playing.source import Source, Sources
from replay_agent.traffic import Outcome, Request, Response

__all__ = "Lookup", "outcome_for"


class Lookup:
    """What one run can be answered from. The lock is the recording's own; who finds something holds it."""

    def __init__(
        self, keying: Keying, owed: Owed, lock: AbstractContextManager[object], *, matches_headers: bool
    ) -> None:
        """``matches_headers``: headers are part of the keys, which no fingerprint tells of."""
        self.sources = Sources()
        self._keying = keying
        self._owed = owed
        self._lock = lock
        self._matches_headers = matches_headers

    def key(self, request: Request, *, as_sent: bool = False) -> Key:
        """Return the key of a request, which needs no computing if a recorded one was spelled the same.

        One that is still ``as_sent``, and spelled as in the one cassette to play from, which we have recorded, chooses
        what the recorded one does: that is not asked for.
        """
        if self.sources and not self._matches_headers:
            with self._lock:
                known = self.sources.key_of(fingerprint(request))
            if known is not None:
                if as_sent and self.sources.are_one_of_ours:
                    return known
                return Key(known.digest, known.ids, known.fingerprint, choice_of(request), known.secrets)
        return self._keying(request)

    def find(self, key: Key, *, literal: bool = False) -> tuple[Source, int] | None:
        """Return the next interaction for a key, and count it as played. See `Source.find`."""
        return self._owed.pay(key.digest) or self.sources.find(key, literal=literal)

    def next_at(self, url: str) -> tuple[Source, int] | None:
        """Return the first interaction that is left with this address, whatever it asks, and count it as played."""
        return self._owed.next_at(url) or self.sources.next_at(url)


def outcome_for(request: Request, outcome: Outcome, source: Source, index: int) -> Outcome:
    """Return a recorded outcome as the answer to a request: to one of JSON-RPC under the number that it came with."""
    if isinstance(outcome, Response) and may_be_json_rpc(request.body):
        return readdressed(outcome, request.body, source.interaction(index).request.body)
    return outcome
