"""Finds, among changes, values read off a clock or made up anew on every run, and what keeps them the same."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from replay_agent.report.compare import ArgumentChanged, Change, MessageChanged, SettingChanged, ToolChanged
from replay_agent.report.conversation.volatile import CLOCK, kind_by_origin
from replay_agent.report.json_diff import ABSENT, json_diff
from replay_agent.report.words import Span, word_diff

__all__ = "VolatileValue", "freeze_sources", "volatile_paths", "volatile_values"

_MADE_UP = frozenset({"uuid", "id", "hex id"})
_BETWEEN = re.compile(r"[\s,;]+")
"""What stands between values that follow each other: ``2026-11-21, 3f2504e0-4f89-11d3-9a0c-0305e82c3301``."""


@dataclass(frozen=True, slots=True)
class VolatileValue:
    """A value that differs and is of a kind that always does."""

    kind: str
    before: str
    """Empty where there was nothing, and only what is there now looks as if it were another one in every run."""
    after: str


def volatile_values(changes: Iterable[Change]) -> tuple[list[VolatileValue], bool]:
    """Return the volatile values among changes, and whether there is no other change."""
    found: list[VolatileValue] = []
    other = False
    for change in changes:
        values, rest = _of_change(change)
        found += values
        other = other or rest
    return list(dict.fromkeys(found)), bool(found) and not other


def freeze_sources(kinds: Iterable[str]) -> tuple[str, ...]:
    """Return which frozen sources would keep values of these kinds the same; nothing for a kind that none would."""
    kinds = set(kinds)
    clock = ("clock",) if kinds & CLOCK else ()
    made_up = ("uuid",) if "uuid" in kinds else ("random",) if kinds & _MADE_UP else ()
    return clock + made_up


def volatile_paths(before: Any, after: Any, values: Iterable[VolatileValue]) -> list[str]:
    """Return the JSON paths of the members of two bodies that are volatile values, each once.

    A text that says more than such a value, a prompt with a date in it, is none of them: whoever leaves that out of the
    comparison is told of no other change of it.
    """
    told = {(value.before, value.after) for value in values}
    found = (change.path for change in json_diff(before, after) if (_text(change.before), _text(change.after)) in told)
    return list(dict.fromkeys(found))


def _text(value: Any) -> str:
    return "" if value is ABSENT else str(value)


def _of_change(change: Change) -> tuple[list[VolatileValue], bool]:
    if isinstance(change, MessageChanged):
        return _of_spans(change.spans)
    if isinstance(change, SettingChanged | ArgumentChanged):
        return _of_values(change.before, change.after)
    if isinstance(change, ToolChanged):
        read = [_of_values(item.before, item.after) for item in change.changes]
        return [value for values, _ in read for value in values], any(rest for _, rest in read)
    return [], True


def _of_values(before: Any, after: Any) -> tuple[list[VolatileValue], bool]:
    if before is ABSENT and isinstance(after, str) and (kind := kind_by_origin(after)) is not None:
        return [VolatileValue(kind, "", after)], False
    if isinstance(before, str | int | float) and isinstance(after, str | int | float):
        return _of_spans(word_diff(str(before), str(after)))
    return [], True


def _of_spans(spans: Sequence[Span]) -> tuple[list[VolatileValue], bool]:
    pairs = [
        found
        for place, (one, two) in enumerate(pairwise(spans))
        if not (place and _announces_digest(spans[place - 1])) and (found := _of_pair(one, two))
    ]
    changed = sum(span.kind != "same" for span in spans)
    # Values take two spans, the old and the new; any further span is another change.
    return [value for found in pairs for value in found], changed != 2 * len(pairs)


def _announces_digest(before: Span) -> bool:
    """Tell whether a digest comes next, as in `media_line`: it follows from what it is of, which is another one now."""
    return before.kind == "same" and before.text.endswith("sha256 ")


def _of_pair(one: Span, two: Span) -> list[VolatileValue]:
    """Return the value that two spans are, or the values that stand in them one behind the other."""
    if one.kind != "removed" or two.kind != "added":
        return []
    whole = _of_words(one.text.strip(), two.text.strip())
    if whole is not None:
        return [whole]
    words = [_BETWEEN.split(span.text.strip()) for span in (one, two)]
    if len(words[0]) != len(words[1]):
        return []
    found = [_of_words(before, after) for before, after in zip(*words, strict=True) if before != after]
    return [value for value in found if value is not None] if None not in found else []


def _of_words(before: str, after: str) -> VolatileValue | None:
    # A digest may look like a uuid by chance; that both do is none.
    kinds = {kind_by_origin(before), kind_by_origin(after)}
    kind = "hex id" if kinds == {"uuid", "hex id"} else kinds.pop() if len(kinds) == 1 else None
    return VolatileValue(kind, before, after) if kind is not None else None
