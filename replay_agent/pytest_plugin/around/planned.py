"""Which changes a run may make that `replay-agent accept` and `replay-agent review` have started."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from replay_agent.report.review.plan import Plan, TestPlan

__all__ = "plan_of", "run_name"

_PLAN: pytest.StashKey[Plan] = pytest.StashKey()


def run_name(item: pytest.Item) -> str:
    """Return what to call a test on pytest's command line, wherever that is run."""
    _, separator, names = item.nodeid.partition("::")
    return f"{item.path}{separator}{names}"


def plan_of(item: pytest.Item) -> TestPlan | None:
    """Return what a test may change in this session; None in one that follows no plan."""
    config = item.config
    path = getattr(config.option, "replay_plan", None)
    if not path:
        return None
    if _PLAN not in config.stash:
        config.stash[_PLAN] = _read(path)
    plan = config.stash[_PLAN]
    from replay_agent.report.review.plan import TestPlan

    return plan.tests.get(run_name(item), TestPlan(snapshots=()))


def _read(path: str) -> Plan:
    from replay_agent.report.review.plan import Plan

    return Plan.read(Path(path))
