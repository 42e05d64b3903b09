"""What a recording says to a request: here is the recorded answer, or, go live and tell me what came of it."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING

from replay_agent.recording.matching.keys import Key
from replay_agent.traffic import Failure, Outcome, Phase, Request

if TYPE_CHECKING:
    from replay_agent.exceptions import CassetteMiss, CassetteMissError
    from replay_agent.recording.recorder import Recording

__all__ = "CANCELLED", "Live", "Replay"

CANCELLED = "Cancelled"
"""`Failure.kind` of a request whose client gave up waiting before any answer: no client library has such an error."""


@dataclass(slots=True)
class Replay:
    """A recorded answer to be given to the client."""

    recording: Recording
    outcome: Outcome
    request: Request
    """The live request, as the client sent it."""
    key: Key

    @property
    def paced(self) -> bool:
        """Whether streams are replayed at the recorded pace."""
        return self.recording.options.paced

    def wait(self, milliseconds: float) -> None:
        """Wait in this thread, but not beyond the end of the recording."""
        if milliseconds > 0:
            self.recording.ended.wait(milliseconds / 1000)

    def read_on(self) -> CassetteMiss | CassetteMissError | ConnectionResetError:
        """Return the miss of a client that reads on where the recorded reading of the stream ended.

        A client that is still at it after the end of the recording has missed nothing: its connection is gone.
        """
        if self.recording.ended.is_set():
            return ConnectionResetError(errno.ECONNRESET, "The recording that was replayed has ended")
        return self.recording.missed(self.request, self.key, "read on")


@dataclass(slots=True, eq=False)
class Live:
    """A request that goes live; whoever sends it says what became of it, once, by `finish` or `drop`."""

    recording: Recording
    order: int
    request: Request
    """As the client sent it, secrets included."""
    key: Key | None
    """None where there is nothing recorded that it could be equal to: it need not wait for its key."""
    begun: float = field(default_factory=monotonic)
    so_far: Callable[[], Outcome] | None = None
    """Set when the head of the response has come: tells what was received up to now."""

    def finish(self, outcome: Outcome) -> None:
        """Record the outcome. Ignored when it comes a second time or after the end of the recording."""
        self.recording.finish(self, outcome)

    def fail(self, kind: str, phase: Phase, message: str = "") -> None:
        """Record that there is no response, and why."""
        self.finish(Failure(kind, phase, message, round((monotonic() - self.begun) * 1000)))

    def give_up(self) -> None:
        """Record that the client gave up before any response came."""
        self.fail(CANCELLED, Phase.HEAD)

    def drop(self) -> None:
        """Record nothing of this request."""
        self.recording.drop(self)

    def unfinished(self) -> Outcome:
        """Return what is known of the outcome before it is finished."""
        if self.so_far is not None:
            return self.so_far()
        return Failure(CANCELLED, Phase.HEAD, after_ms=round((monotonic() - self.begun) * 1000))
