"""Replay and Live, the two results of `Recording.begin`: a recorded answer to give, a live request to report on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import TYPE_CHECKING, Protocol

from replay_agent.traffic import Failure, Outcome, Phase, Request, Response, StreamEnd

if TYPE_CHECKING:
    from replay_agent.exceptions import CassetteMiss, CassetteMissError
    from replay_agent.recording.matching.keys import Key

__all__ = (
    "CANCELLED",
    "ENDLESS",
    "PATIENCE_MS",
    "STALLED",
    "UNKNOWN_PATIENCE",
    "Ending",
    "Live",
    "Replay",
    "endured",
    "has_failed",
    "was_given_up",
)

CANCELLED = "Cancelled"
"""`Failure.kind` of a request whose client gave up waiting before any answer: no client library has such an error."""

_REFUSED = 400
"""From this status on an answer is a refusal."""

STALLED = "Stalled"
"""`Failure.kind` of an answer that is put off: nothing comes for ``after_ms``. What becomes of it is up to the client."""

ENDLESS = 10**12
"""Milliseconds of a delay that no client sits out."""

UNKNOWN_PATIENCE = 20.0
"""Seconds that a client is taken to wait of which the hooks cannot tell: what those clients wait unless told otherwise."""

PATIENCE_MS = 1000
"""How much longer than recorded a client that gave up waiting is given to do so again: timers of a busy machine are late,
and a client that reads on for good is told within a second that nothing more was recorded."""


@dataclass(frozen=True, slots=True)
class Ending:
    """What comes after the last piece of an answer that was not received whole."""

    failure: Failure | None = None
    """The error of the transport; None where the recorded client read no further: one that does has missed."""


class Ended(Protocol):
    """That something is over, as `threading.Event` tells it."""

    def is_set(self) -> bool:
        """Tell whether it is over."""

    def wait(self, seconds: float, /) -> object:
        """Wait for the end, as long as this at most."""


@dataclass(slots=True)
class Replay:
    """A recorded answer to be given to the client."""

    outcome: Outcome
    ended: Ended
    """Set when the recording is over."""
    read_on: Callable[[], CassetteMiss | CassetteMissError]
    """Makes the miss of a client that reads on where the recorded reading ended."""
    paced: bool = False
    """Whether streams are replayed at the recorded pace."""
    skips: bool = False
    """Whether delays are not waited for: a client whose patience they exceed is told at once that it ran into its timeout."""
    virtual: bool = False
    """Whether delays pass on the clock of the event loop alone, and nobody waits for them: those that a client sits out."""
    hangs: bool = False
    """Whether the client would wait for ever, for it has no timeout."""
    skipped_ms: int = 0
    """How much time has passed, for the client, when it runs into its timeout."""
    hung: Callable[[], CassetteMiss | CassetteMissError] | None = None
    """Makes the miss of a client that would wait for ever; `read_on` without it."""

    def heed(self, patience: float | None) -> None:
        """Take it that the client waits this many seconds for anything to come, for ever if None.

        To be called where ``skips`` is set, before anything of the outcome is used.
        """
        if self.skips:
            self.skips = False
            before = self.outcome
            self.outcome, self.skipped_ms = endured(before, patience)
            self.paced = self.virtual = isinstance(self.outcome, Response) and any(_offsets(self.outcome))
            self.hangs = self.outcome is not before and patience is None and _gives_up(self.outcome)

    @property
    def patience_ms(self) -> int:
        """How long to wait, after the last piece or instead of an answer, for the client to give up as it did."""
        return 0 if self.hangs else _patience_ms(self.outcome)

    def wait(self, milliseconds: float) -> None:
        """Wait in this thread, but not beyond the end of the recording."""
        if milliseconds > 0 and not self.virtual:
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
            yield self.patience_ms, Ending(response.failure)

    def pieces_at_once(self) -> Iterator[bytes] | None:
        """Return the pieces of a recorded response for which nobody waits and that nothing follows; None for any other.

        Of a stream of hundreds, each then costs the client's own work alone.
        """
        response = self.outcome
        assert isinstance(response, Response)
        if self.paced or response.end is not StreamEnd.COMPLETE:
            return None
        return iter(response.pieces)

    def missed(self) -> CassetteMiss | CassetteMissError | None:
        """Return the miss of a client that reads on where the recorded reading of the stream ended.

        None for one that is still at it after the end of the recording: its connection is gone, it has missed nothing.
        """
        if self.ended.is_set():
            return None
        return self.hung() if self.hangs and self.hung is not None else self.read_on()


def endured(outcome: Outcome, patience: float | None) -> tuple[Outcome, int]:
    """Return what is left of an outcome for a client of this patience (seconds; None: it has no timeout), and when it ends.

    A delay that it sits out stays. One that it does not, ends the answer in a timeout of reading, or, where it has
    none, as one that was given up.
    """
    limit = ENDLESS - 1 if patience is None else patience * 1000
    if isinstance(outcome, Failure):
        return (outcome, 0) if outcome.kind != STALLED else _timed_out(outcome, patience, limit)
    gaps = [after.offset_ms - before for after, before in zip(outcome.chunks, _offsets(outcome), strict=False)]
    late = next((index for index, gap in enumerate(gaps) if gap > limit), None)
    if late is not None:
        cut = replace(outcome, chunks=outcome.chunks[:late], end=StreamEnd.FAILED)
        return _cut_short(cut, Failure(STALLED, Phase.BODY, "", gaps[late]), patience, limit)
    if outcome.failure is not None and outcome.failure.kind == STALLED:
        return _cut_short(outcome, outcome.failure, patience, limit)
    return outcome, 0


def _offsets(response: Response) -> list[int]:
    return [0, *(chunk.offset_ms for chunk in response.chunks)]


def _timed_out(failure: Failure, patience: float | None, limit: float) -> tuple[Failure, int]:
    if patience is None:
        return Failure(CANCELLED, failure.phase, failure.message), failure.after_ms
    passed = min(round(limit), failure.after_ms)
    return Failure("ReadTimeout", failure.phase, "timed out", passed), passed


def _cut_short(response: Response, failure: Failure, patience: float | None, limit: float) -> tuple[Response, int]:
    ended, passed = _timed_out(failure, patience, limit)
    if ended.kind == CANCELLED:
        return replace(response, end=StreamEnd.ABANDONED, failure=None), passed
    return replace(response, end=StreamEnd.FAILED, failure=ended), passed


def _gives_up(outcome: Outcome) -> bool:
    return outcome.kind == CANCELLED if isinstance(outcome, Failure) else outcome.end is StreamEnd.ABANDONED


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


def has_failed(outcome: Outcome) -> bool:
    """Tell whether a client got no answer, a refusal, or one that broke off."""
    return isinstance(outcome, Failure) or outcome.status >= _REFUSED or outcome.end is StreamEnd.FAILED


def was_given_up(outcome: Outcome) -> bool:
    """Tell whether the client itself did not want the answer, or the rest of it, any longer."""
    return outcome.kind == CANCELLED if isinstance(outcome, Failure) else outcome.end is StreamEnd.ABANDONED
