"""Which answer which fault strikes, and what is left to strike."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass

from replay_agent.calls import ModelCall
from replay_agent.exceptions import WireError
from replay_agent.faults.fault import Answered, Fault
from replay_agent.messages import ModelRequest, ModelResponse, UserPromptPart
from replay_agent.traffic import Outcome, Request, Response
from replay_agent.wire.registry import read_call

__all__ = "Plan", "turn_of"


@dataclass
class _Laid:
    fault: Fault
    left: float
    struck: int = 0


class Plan:
    """The faults of one test. Safe to use from several threads."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._laid: list[_Laid] = []
        self._calls = 0
        self.delivered = False
        """Whether the client has got the answer all the same from what struck last: it need not ask again."""
        self._lock = threading.Lock()
        self.lay(*faults)

    def lay(self, *faults: Fault) -> None:
        """Add faults; where several strike the same answer, the first does."""
        with self._lock:
            self._laid += [_Laid(fault, float("inf") if fault.times is None else fault.times) for fault in faults]

    @property
    def struck(self) -> bool:
        """Whether any fault has struck so far."""
        return any(laid.struck for laid in self._laid)

    @property
    def is_pending(self) -> bool:
        """Whether any fault may strike yet."""
        return any(laid.left > 0 for laid in self._laid)

    def unstruck(self) -> list[Fault]:
        """Return the faults that have struck less often than they should."""
        return [laid.fault for laid in self._laid if not laid.struck or 0 < laid.left < float("inf")]

    def unstruck_text(self, name: str) -> str:
        """Return what to say of faults that never struck, nothing if there are none."""
        left = self.unstruck()
        if not left:
            return ""
        return (
            f"{name}: {len(left)} of {len(self._laid)} faults did not strike: {', '.join(map(repr, left))}.\n"
            f"  {self._calls} calls came. A fault strikes only answers that it can befall: there must be a call of that "
            "number or turn, a stream for one in the stream, a tool call for one of its arguments.\n"
            "  Lay it where there is such an answer, or take it out."
        )

    def tampered(self, request: Request, outcome: Outcome) -> Outcome | None:
        """Return what the client is told in place of an answer, None where no fault strikes it."""
        if not self._laid or not isinstance(outcome, Response):
            return None
        try:
            found = read_call(request)
        except WireError:
            return None
        if found is None:
            return None
        codec, call = found
        with self._lock:
            self._calls += 1
            return self._struck(Answered.by(codec, request, call, outcome), self._calls)

    def _struck(self, answered: Answered, number: int) -> Outcome | None:
        for laid in self._laid:
            if laid.left > 0 and _is_meant(laid.fault, answered.call, number):
                changed = laid.fault.lay(answered)
                if changed is not None:
                    laid.left -= 1
                    laid.struck += 1
                    self.delivered = laid.fault.delivers
                    return changed
        return None


def turn_of(call: ModelCall) -> int:
    """Return which turn of its conversation a call is: one more than the answers in it."""
    return sum(isinstance(message, ModelResponse) for message in call.messages) + 1


def _is_meant(fault: Fault, call: ModelCall, number: int) -> bool:
    if fault.turn not in (None, turn_of(call)):
        return False
    if fault.call is not None and (number < fault.call or (number > fault.call and fault.times == 1)):
        return False
    if isinstance(fault.when, str):
        return any(fault.when in text for text in _prompts(call))
    return fault.when is None or bool(fault.when(call))


def _prompts(call: ModelCall) -> list[str]:
    return [
        str(part.content)
        for message in call.messages
        if isinstance(message, ModelRequest)
        for part in message.parts
        if isinstance(part, UserPromptPart)
    ]
