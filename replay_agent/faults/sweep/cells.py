"""The cells of a sweep: every fault that can befall the answer to every call of a recorded run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from replay_agent.exceptions import UserError, WireError
from replay_agent.faults.catalogue import FAULTS, Faults, fault, faults_of
from replay_agent.faults.fault import Answered, Fault
from replay_agent.traffic import Interaction, Response
from replay_agent.wire.registry import read_call

__all__ = "cells_of", "faults_to_sweep"

_OUTAGES = "refused", "unavailable"
"""Faults that are tried for ever, too: who tries again must stop some time."""


def faults_to_sweep(asked: Faults) -> list[Fault]:
    """Return the faults of a sweep: those asked for, or, for ``"all"``, one of each kind and outages that do not end."""
    if asked != "all":
        names = asked.replace(",", " ").split() if isinstance(asked, str) else asked
        return faults_of(names)
    each = [fault(name) for name in FAULTS if name != "http_status"]
    return [*each, *(replace(fault(name, times=None), name=f"{name} for ever") for name in _OUTAGES)]


def cells_of(interactions: Sequence[Interaction], faults: Iterable[Fault]) -> tuple[int, list[Fault]]:
    """Return how many calls a run has, and every fault at every call whose answer it can befall.

    Raises `UserError` where there are no calls of a model to lay faults on.
    """
    answers = list(_answers(interactions))
    if not answers:
        raise UserError("There is nothing to sweep: the recorded run has no answered call of a model")
    chosen = list(faults)
    cells = [
        replace(each, call=number)
        for number, answered in enumerate(answers, 1)
        for each in chosen
        if each.call in (None, number) and each.lay(answered) is not None
    ]
    return len(answers), cells


def _answers(interactions: Sequence[Interaction]) -> Iterator[Answered]:
    for interaction in interactions:
        if not isinstance(interaction.outcome, Response):
            continue
        try:
            found = read_call(interaction.request)
        except WireError:
            continue
        if found is not None:
            codec, call = found
            yield Answered.by(codec, interaction.request, call, interaction.outcome)
