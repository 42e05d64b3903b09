"""What changed in the answers of a model from one recording to the next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from replay_agent.calls import Exchange, ModelCall
from replay_agent.messages import ModelMessage
from replay_agent.report.compare import (
    CallIdChanged,
    Change,
    MessageAdded,
    MessageChanged,
    MessageRemoved,
    compare_calls,
)
from replay_agent.report.conversation.transcript import Transcript
from replay_agent.report.render import render_changes
from replay_agent.traffic import Interaction

__all__ = ("changed_answers",)


def changed_answers(before: Interaction, after: Interaction, *, colour: bool = False) -> list[str]:
    """Return the lines that say how an answer differs from the one before it, none if it says the same."""
    return render_changes(list(_changes(before, after)), colour=colour)


def _changes(before: Interaction, after: Interaction) -> Iterator[Change]:
    one, other = _exchange(before), _exchange(after)
    if one is None or other is None:
        return
    call = ModelCall(model=None, messages=[])
    old, new = replace(call, messages=_answered(one)), replace(call, messages=_answered(other))
    for change in compare_calls(old, new):
        if isinstance(change, MessageChanged | MessageAdded | MessageRemoved):
            yield replace(change, turn=0)  # which is that of this answer alone
        elif not isinstance(change, CallIdChanged):
            yield change


def _exchange(interaction: Interaction) -> Exchange | None:
    exchanges: Sequence[Exchange] = Transcript.from_interactions([interaction]).exchanges
    return exchanges[0] if exchanges else None


def _answered(exchange: Exchange) -> list[ModelMessage]:
    return [exchange.answer.response] if exchange.answer.response is not None else []
