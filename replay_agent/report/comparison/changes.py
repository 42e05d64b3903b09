"""TestChange: all that is not the same in one test, causes before effects."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, TypeAlias

from replay_agent.report.comparison.causes import Causes
from replay_agent.report.comparison.effects import effects_of
from replay_agent.report.comparison.other_traffic import differences_of
from replay_agent.report.comparison.result.difference import EFFECTS, Difference
from replay_agent.report.comparison.sources.runs import Run
from replay_agent.report.comparison.spending import NOTHING, Growth, Spent, blame, spent_by
from replay_agent.report.comparison.turns import Thread, Turn, threads_of
from replay_agent.report.conversation.transcript import Transcript
from replay_agent.report.json_diff import ValueChange

__all__ = "IGNORABLE", "TestChange", "compare_runs"

Aspect: TypeAlias = Literal["cause", "answer", "tokens", "cost", "tool-arguments", "other"]

IGNORABLE: tuple[Aspect, ...] = ("cause", "answer", "tokens", "cost", "tool-arguments")
"""What may be left out of the judgement."""

_ASPECTS: dict[str, Aspect] = {
    "answer_changed": "answer",
    "reasoning_changed": "answer",
    "result_changed": "answer",
    "message_followed": "answer",
    "tool_arguments_changed": "tool-arguments",
    "tool_result_changed": "tool-arguments",
}


@dataclass
class TestChange:
    """One test on both sides, or on one where the other has none."""

    __test__ = False

    name: str
    """The test, or the file where it does not say."""
    path: str
    """The file, on the new side where there is one."""
    was: str | None = None
    """The test or file on the old side, where it was renamed or moved."""
    state: Literal["changed", "added", "removed"] = "changed"
    causes: list[Difference] = field(default_factory=list)
    effects: list[Difference] = field(default_factory=list)
    turns: int = 0
    """How many calls its conversations have, on the new side where there is one."""
    conversations: int = 0
    old: Spent = NOTHING
    new: Spent = NOTHING
    growth: list[Growth] = field(default_factory=list)
    """What the growth in input tokens comes from."""

    @property
    def first_turn(self) -> int | None:
        """The first call that is not the same; None where no call of a model is concerned."""
        concerned = [each for each in (*self.causes, *self.effects) if each.turn]
        first = min(concerned, key=lambda each: (each.conversation, each.turn), default=None)
        return None if first is None else first.turn

    def __bool__(self) -> bool:
        return bool(self.aspects)

    @property
    def aspects(self) -> set[Aspect]:
        """In what respects it is not the same."""
        found: set[Aspect] = {"cause"} if self.causes else set()
        found.update(_ASPECTS.get(effect.kind, "other") for effect in self.effects)
        if self.state != "changed":
            found.add("other")
        elif (self.old.input_tokens, self.old.output_tokens) != (self.new.input_tokens, self.new.output_tokens):
            found.add("tokens")
        if self.state == "changed" and self.old.cost != self.new.cost:
            found.add("cost")
        return found

    def counts(self, ignored: Collection[str]) -> bool:
        """Tell whether something changed beyond what is ignored."""
        return bool(self.aspects - set(ignored))

    @property
    def severity(self) -> tuple[int, Decimal, int]:
        """What worse changes have more of."""
        kinds = {effect.kind for effect in self.effects}
        worst = next((len(EFFECTS) - place for place, kind in enumerate(EFFECTS) if kind in kinds), 0)
        dearer = (self.new.cost or Decimal(0)) - (self.old.cost or Decimal(0))
        return worst, dearer, (self.new.tokens or 0) - (self.old.tokens or 0)


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
