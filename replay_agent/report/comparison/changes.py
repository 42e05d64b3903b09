"""Compares what two sides recorded of a test: all that is not the same, causes before effects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from replay_agent.report.comparison.causes import Causes
from replay_agent.report.comparison.effects import effects_of
from replay_agent.report.comparison.other_traffic import differences_of
from replay_agent.report.comparison.result.change import TestChange
from replay_agent.report.comparison.result.difference import Difference
from replay_agent.report.comparison.sources.runs import Run
from replay_agent.report.comparison.spending import blame, spent_by
from replay_agent.report.comparison.turns import Thread, Turn, threads_of
from replay_agent.report.conversation.transcript import Transcript
from replay_agent.report.json_diff import ValueChange

__all__ = ("compare_runs",)


def compare_runs(name: str, path: str, old: Run | None, new: Run | None, was: str | None = None) -> TestChange:
    """Compare what two sides recorded of a test, or tell of the only one."""
    before, after = old.transcript if old else Transcript(), new.transcript if new else Transcript()
    spent = [spent_by(transcript.exchanges) for transcript in (before, after)]
    if old is None or new is None:
        state: Literal["added", "removed"] = "added" if old is None else "removed"
        one = after if old is None else before
        return TestChange(name, path, None, state, [], [], *_size(one), spent[0], spent[1])
    threads = threads_of(before, after)
    causes = Causes((old.interactions, new.interactions))
    effects: list[Difference] = []
    for thread in threads:
        effects += _of_thread(thread, causes, follows=bool(effects))
    for difference in differences_of(before.unknown, after.unknown):
        (causes.found if difference.is_cause else effects).append(difference)
    growth = blame(threads) if spent[0].input_tokens != spent[1].input_tokens else []
    return TestChange(
        name,
        path,
        was,
        "changed",
        causes.found,
        sorted([*causes.followed, *effects], key=lambda each: (each.conversation, each.turn or 1 << 30)),
        *_size(after),
        spent[0],
        spent[1],
        growth,
    )


def _size(transcript: Transcript) -> tuple[int, int]:
    return len(transcript.exchanges), len(transcript.conversations)


def _of_thread(thread: Thread, causes: Causes, *, follows: bool) -> Iterator[Difference]:
    """Compare the turns of a conversation in order, so that what follows is told from what caused it.

    ``follows`` says whether answers of another conversation changed before it: one that is new then has its reason.
    """
    answers_differ = False
    if not (thread.is_old and thread.is_new):
        causes.lone_thread(thread, follows=follows)
        return
    for turn in thread.turns:
        if turn.old is None or turn.new is None:
            causes.lone(thread, turn, follows=_follows(turn, answers_differ=answers_differ))
            answers_differ = True
            continue
        causes.of_turn(thread, turn, answers_differ=answers_differ)
        effects = effects_of(turn, thread.number)
        answers_differ = answers_differ or bool(effects)
        yield from effects
    if thread.retries[0] != thread.retries[1]:
        yield _retries(thread)


def _follows(turn: Turn, *, answers_differ: bool) -> bool:
    """Tell whether a call that one side alone has is one of the model's making: it only hands results of tools over."""
    asked = turn.asked[turn.new is not None].added
    return answers_differ and all(item.role.startswith(("result of", "retry prompt", "assistant's")) for item in asked)


def _retries(thread: Thread) -> Difference:
    change = ValueChange("attempts that failed", *thread.retries)
    return Difference(
        "failure_changed", len(thread.turns), "attempts that failed", values=(change,), conversation=thread.number
    )
