"""Replay and Live, the two results of `Recording.begin`: a recorded answer to give, a live request to report on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from threading import Event
from time import monotonic
from typing import TYPE_CHECKING

from replay_agent.traffic import Failure, Outcome, Phase, Request, Response, StreamEnd

if TYPE_CHECKING:
    from replay_agent.exceptions import CassetteMiss, CassetteMissError
    from replay_agent.recording.matching.keys import Key

__all__ = "CANCELLED", "PATIENCE_MS", "Ending", "Live", "Replay"

CANCELLED = "Cancelled"
"""`Failure.kind` of a request whose client gave up waiting before any answer: no client library has such an error."""

PATIENCE_MS = 1000
"""How much longer than recorded a client that gave up waiting is given to do so again: timers of a busy machine are late,
and a client that reads on for good is told within a second that nothing more was recorded."""


@dataclass(frozen=True, slots=True)
class Ending:
    """What comes after the last piece of an answer that was not received whole."""

    failure: Failure | None = None
    """The error of the transport; None where the recorded client read no further: one that does has missed."""


@dataclass(slots=True)
class Replay:
    """A recorded answer to be given to the client."""

    outcome: Outcome
    ended: Event
    """Set when the recording is over."""
    read_on: Callable[[], CassetteMiss | CassetteMissError]
    """Makes the miss of a client that reads on where the recorded reading ended."""
    paced: bool = False
    """Whether streams are replayed at the recorded pace."""

    @property
    def patience_ms(self) -> int:
        """How long to wait, after the last piece or instead of an answer, for the client to give up as it did."""
        return _patience_ms(self.outcome)

    def wait(self, milliseconds: float) -> None:
        """Wait in this thread, but not beyond the end of the recording."""
        if milliseconds > 0:
            self.ended.wait(milliseconds / 1000)

    def pieces(self) -> Iterator[tuple[int, bytes | Ending]]:
        """Yield the body of a recorded response: how many milliseconds to wait, and then what to give.

        That is a piece of the body, or, last, the `Ending` of one that was not received whole.
        """
        response = self.outcome
        assert isinstance(response, Response)
        passed = 0
        for chunk in response.chunks:
            yield (chunk.offset_ms - passed if self.paced else 0), chunk.data
            passed = chunk.offset_ms
        if response.end is not StreamEnd.COMPLETE:
            yield _patience_ms(response), Ending(response.failure)

    def missed(self) -> CassetteMiss | CassetteMissError | None:
        """Return the miss of a client that reads on where the recorded reading of the stream ended.

        None for one that is still at it after the end of the recording: its connection is gone, it has missed nothing.
        """
        return None if self.ended.is_set() else self.read_on()


def _patience_ms(outcome: Outcome) -> int:
    if isinstance(outcome, Failure):
        return outcome.after_ms + PATIENCE_MS if outcome.kind == CANCELLED else 0
    return outcome.waited_ms + PATIENCE_MS if outcome.end is StreamEnd.ABANDONED else 0


@dataclass(slots=True, eq=False)
class Live:
    """A request that goes live; whoever sends it says what became of it, once, by `finish` or `drop`."""

    order: int
    """Its place among the requests of the recording."""
    request: Request
    """As the client sent it, secrets included."""
    key: Key | None
    """None where there is nothing recorded that it could be equal to: it need not wait for its key."""
    settle: Callable[[Live, Outcome | None], None]
    """Given the outcome, or None if nothing is to be recorded."""
    begun: float = field(default_factory=monotonic)
    so_far: Callable[[], Outcome] | None = None
    """Set when the head of the response has come: tells what was received up to now."""

    def finish(self, outcome: Outcome) -> None:
        """Record the outcome. Ignored when it comes a second time or after the end of the recording."""
        self.settle(self, outcome)

    def drop(self) -> None:
        """Record nothing of this request."""
        self.settle(self, None)

    def fail(self, kind: str, phase: Phase, message: str = "") -> None:
        """Record that there is no response, and why."""
        self.finish(self._failure(kind, phase, message))

    def give_up(self) -> None:
        """Record that the client gave up before any response came."""
        self.fail(CANCELLED, Phase.HEAD)

    def unfinished(self) -> Outcome:
        """Return what is known of the outcome before it is finished."""
        return self.so_far() if self.so_far is not None else self._failure(CANCELLED, Phase.HEAD)

    def _failure(self, kind: str, phase: Phase, message: str = "") -> Failure:
        return Failure(kind, phase, message, round((monotonic() - self.begun) * 1000))
