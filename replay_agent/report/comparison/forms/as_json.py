"""A comparison for programs: one JSON object of a documented, stable schema (docs/diff.md)."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from replay_agent.report.comparison.forms.wording import label
from replay_agent.report.comparison.limits import Breach
from replay_agent.report.comparison.result.change import TestChange
from replay_agent.report.comparison.result.comparison import Comparison
from replay_agent.report.comparison.result.difference import Difference
from replay_agent.report.comparison.result.grouping import CauseGroup
from replay_agent.report.comparison.result.spent import Spent
from replay_agent.report.conversation.plain import plain
from replay_agent.report.json_diff import ABSENT

__all__ = ("SCHEMA", "render_json")

SCHEMA = 1
"""Grows whenever a program that reads the object would have to change; new members may come without."""


def render_json(comparison: Comparison, breaches: list[Breach], *, changed: bool) -> str:
    """Return the object; ``changed`` is the judgement that the exit status gives."""
    old, new = comparison.spent
    document = {
        "schema": SCHEMA,
        "old": comparison.old,
        "new": comparison.new,
        "changed": changed,
        "compared": comparison.files,
        "recorded_anew": comparison.recorded_anew,
        "causes": [_group(group) for group in comparison.groups],
        "tests": [_test(change) for change in comparison.changes],
        "moved": [{"old": each.old, "new": each.new} for each in comparison.moved],
        "unreadable": [{"path": each.path, "side": each.side, "cause": each.cause} for each in comparison.unreadable],
        "total": {"old": _spent(old), "new": _spent(new)},
        "breaches": [{"test": each.test, "limit": each.limit, "message": str(each)} for each in breaches],
    }
    return json.dumps(document, ensure_ascii=True)


def _group(group: CauseGroup) -> dict[str, Any]:
    return {
        **_difference(group.cause),
        "tests": [test.name for test in group.tests],
        "affected": [test.name for test in group.affected],
    }


def _test(change: TestChange) -> dict[str, Any]:
    return {
        "test": change.name,
        "path": change.path,
        "was": change.was,
        "state": change.state,
        "first_turn": change.first_turn,
        "turns": change.turns,
        "causes": [_difference(each) for each in change.causes],
        "effects": [_difference(each) for each in change.effects],
        "old": None if change.state == "added" else _spent(change.old),
        "new": None if change.state == "removed" else _spent(change.new),
        "growth": [{"what": each.what, "input_tokens": each.tokens} for each in change.growth],
    }


def _difference(difference: Difference) -> dict[str, Any]:
    said: dict[str, Any] = {
        "kind": difference.kind,
        "conversation": difference.conversation,
        "turn": difference.turn or None,
        "subject": difference.subject,
        "label": label(difference),
    }
    if difference.spans:
        said["text"] = [{"kind": span.kind, "text": span.text} for span in difference.spans]
    if difference.values:
        said["values"] = [
            {"path": change.path, **_side("before", change.before), **_side("after", change.after)}
            for change in difference.values
        ]
    return said


def _side(name: str, value: object) -> dict[str, Any]:
    """Return one side of a value; it has no member where the value is absent."""
    return {} if value is ABSENT else {name: plain(value)}


def _spent(spent: Spent) -> dict[str, Any]:
    return {
        "calls": spent.calls,
        "input_tokens": spent.input_tokens,
        "output_tokens": spent.output_tokens,
        "cost_usd": _number(spent.cost),
        "unpriced": spent.unpriced,
    }


def _number(cost: Decimal | None) -> float | None:
    return None if cost is None else float(cost)
