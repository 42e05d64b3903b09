"""Equal causes of several tests, as one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from replay_agent.report.comparison.result.change import TestChange
from replay_agent.report.comparison.result.difference import Difference, Gist, gist

__all__ = "CauseGroup", "grouped"


@dataclass
class CauseGroup:
    """A cause, the tests that have it, and those of them in which an answer changed."""

    cause: Difference
    tests: list[TestChange] = field(default_factory=list)

    @property
    def affected(self) -> list[TestChange]:
        """The tests whose answers are not the same."""
        return [test for test in self.tests if test.effects]


def grouped(changes: Iterable[TestChange]) -> list[CauseGroup]:
    """Return the causes of all tests, those of most tests first; of equal ones that which did more."""
    groups: dict[Gist, CauseGroup] = {}
    for test in changes:
        for cause in test.causes:
            group = groups.setdefault(gist(cause), CauseGroup(cause))
            if not group.tests or group.tests[-1] is not test:
                group.tests.append(test)
    return sorted(groups.values(), key=lambda group: (-len(group.tests), -len(group.affected)))
