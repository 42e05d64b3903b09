"""All faults by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from difflib import get_close_matches
from inspect import signature
from typing import Any, TypeAlias

from replay_agent.calls import ModelCall
from replay_agent.exceptions import UserError
from replay_agent.faults import connection, refusals, streams
from replay_agent.faults.connection import CONNECTION
from replay_agent.faults.content import CONTENT
from replay_agent.faults.fault import Fault, Lay
from replay_agent.faults.refusals import REFUSALS

__all__ = "FAULTS", "Faults", "fault", "faults_of"

FAULTS: Mapping[str, Callable[..., Lay]] = {
    **CONNECTION,
    "read_timeout": connection.read_timeout,
    "slow_first_token": connection.slow_first_token,
    "stall": connection.stall,
    "cut": connection.cut,
    "reset_in_body": connection.reset_in_body,
    **REFUSALS,
    "rate_limited": refusals.rate_limited,
    "http_status": refusals.http_status,
    "truncated": streams.truncated,
    "corrupted": streams.corrupted,
    "error_event": streams.error_event,
    "wrong_content_type": streams.wrong_content_type,
    **CONTENT,
}
"""What makes each fault, by its name."""

_DELIVER = frozenset({"duplicate_call_id", "slow_first_token", "wrong_content_type"})

Faults: TypeAlias = "str | Fault | Iterable[str | Fault]"
"""One fault or several, by name or made by `fault`."""


def fault(
    name: str,
    *,
    call: int | None = None,
    turn: int | None = None,
    times: int | None = 1,
    when: str | Callable[[ModelCall], bool] | None = None,
    **options: Any,
) -> Fault:
    """Return the fault of this name; ``options`` are its own: ``after``, ``seconds``, ``retry_after``, ``status``, ``seed``.

    ``call`` or ``turn`` says when it strikes (both count from 1), ``times`` how often (None: every time), ``when`` in
    which conversations. Raises `UserError` for a name or an option that there is not.
    """
    make = FAULTS.get(name)
    if make is None:
        close = get_close_matches(name, FAULTS, 1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise UserError(f"There is no fault named {name!r}.{hint} Faults: {', '.join(sorted(FAULTS))}")
    try:
        lay = make(**options)
    except TypeError:
        takes = ", ".join(signature(make).parameters) or "nothing"
        raise UserError(
            f"The fault {name!r} does not take {', '.join(options) or 'nothing'}. Beside call, turn, times and when it "
            f"takes: {takes}"
        ) from None
    return Fault(name, lay, call, turn, times, when, name in _DELIVER)


def faults_of(asked: Faults) -> list[Fault]:
    """Return the faults that were asked for, by name or made already. Raises `UserError` for what is none."""
    if isinstance(asked, str | Fault):
        asked = (asked,)
    return [_fault_of(each) for each in asked]


def _fault_of(asked: object) -> Fault:
    if isinstance(asked, Fault):
        return replace(asked)
    if isinstance(asked, str):
        return fault(asked)
    raise UserError(f"{asked!r} is no fault. Name one ('refused'), or make one: fault('cut', after=3)")
