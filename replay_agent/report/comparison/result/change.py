"""TestChange: all that is not the same in one test, causes before effects."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, TypeAlias

from replay_agent.report.comparison.result.difference import EFFECTS, Difference
from replay_agent.report.comparison.result.spent import NOTHING, Growth, Spent

__all__ = "IGNORABLE", "TestChange"

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
