"""Explanations of misses as a page shows them: what was recorded beside what is asked now, and what to do."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from replay_agent.report.compare import (
    ArgumentChanged,
    CallIdChanged,
    Change,
    MessageAdded,
    MessageChanged,
    MessageRemoved,
    RemoteCallAdded,
    RemoteCallChanged,
    RemoteCallRemoved,
    SettingChanged,
    ToolAdded,
    ToolChanged,
    ToolRemoved,
    ToolsReordered,
)
from replay_agent.report.conversation.plain import plain
from replay_agent.report.explanation import Explanation
from replay_agent.report.json_diff import ABSENT, ValueChange
from replay_agent.report.page.report import Drift, Shift, Stretch
from replay_agent.report.words import Span, word_diff
from replay_agent.surroundings.colours import without_colours

__all__ = "drift_of", "shift_of_spans", "shift_of_value"

_MOST_SHIFTS = 24
"""Of one drift: who changed more wants its headline."""
_MOST_LINES = 60
_NEAR = 240
"""Characters of unchanged text that are kept beside a change: enough to know the place, a screen holds several."""
_LONGEST = 6_000
"""Characters of changed text."""


def drift_of(explanation: str, program: Sequence[str] = (), test: str = "", options: str = "") -> Drift:
    """Return the explanation of a miss; its command is ``program``, ``test`` and ``options``, if it records."""
    if not isinstance(explanation, Explanation):
        first, *rest = str(explanation).split("\n")
        return Drift(first, lines=_bounded(rest))
    first, *rest = explanation.around.split("\n")
    told = [shift for change in explanation.changes for shift in _shifts(change)]
    more = len(told) - _MOST_SHIFTS
    return Drift(
        first,
        without_colours(explanation.shared.partition("\n")[0]),
        _bounded([*rest, *([f"... and {more} more changes"] if more > 0 else [])]),
        told[:_MOST_SHIFTS],
        explanation.purpose,
        explanation.command,
        explanation.advice,
        explanation.cause,
        list(program) if explanation.mode else [],
        options if explanation.mode else "",
        test,
    )


def _bounded(lines: Sequence[str]) -> list[str]:
    left = len(lines) - _MOST_LINES
    return [*lines[:_MOST_LINES], f"... {left} more lines"] if left > 0 else list(lines)


def _shifts(change: Change) -> Iterable[Shift]:
    match change:
        case MessageChanged():
            yield shift_of_spans(_place(change.turn, change.role), change.spans)
        case MessageAdded():
            yield Shift(_place(change.turn, change.role), None, _whole(change.text))
        case MessageRemoved():
            yield Shift(_place(change.turn, change.role), _whole(change.text), None)
        case CallIdChanged():
            yield _values(f"{_place(change.turn, change.role)}, id", change.before, change.after)
        case ToolAdded() if change.former:
            yield _values("tool's name", change.former, change.name)
        case ToolRemoved() if change.now:
            return
        case ToolAdded():
            yield Shift("tools", None, _whole(change.name))
        case ToolRemoved():
            yield Shift("tools", _whole(change.name), None)
        case ToolChanged():
            yield from (shift_of_value(f"tool {change.name}", each) for each in change.changes)
        case ToolsReordered():
            yield _values("order of the tools", ", ".join(change.before), ", ".join(change.after))
        case ArgumentChanged():
            yield _values(f"{change.call}: {change.name}", change.before, change.after)
        case RemoteCallChanged():
            yield _values("call", change.before, change.after)
        case RemoteCallAdded():
            yield Shift("calls", None, _whole(change.call))
        case RemoteCallRemoved():
            yield Shift("calls", _whole(change.call), None)
        case SettingChanged():
            yield _values(change.name, change.before, change.after)


def _place(turn: int, role: str) -> str:
    return f"turn {turn}, {role}" if turn else role


def shift_of_spans(title: str, spans: Sequence[Span]) -> Shift:
    """Return a word diff as two texts side by side, with what is the same cut to what stands beside a change."""
    old: list[Stretch] = []
    new: list[Stretch] = []
    for place, span in enumerate(spans):
        if span.kind == "same":
            text = _near(span.text, first=place == 0, last=place == len(spans) - 1)
            old.append(Stretch(text))
            new.append(Stretch(text))
        else:
            (old if span.kind == "removed" else new).append(Stretch(_cut(span.text), changed=True))
    return Shift(title, old, new)


def shift_of_value(subject: str, change: ValueChange) -> Shift:
    """Return a value that changed, by its path within what it is about."""
    path = change.path.removeprefix("$").removeprefix(".")
    return _values(": ".join(each for each in (subject, path) if each), change.before, change.after)


def _values(title: str, before: Any, after: Any) -> Shift:
    old, new = _text(before), _text(after)
    if old is not None and new is not None and max(len(old), len(new)) > 40:
        return shift_of_spans(title, word_diff(old, new))
    return Shift(title, None if old is None else _whole(old), None if new is None else _whole(new))


def _text(value: Any) -> str | None:
    # By its kind: a miss may come from another process, which has a mark of absence of its own.
    if isinstance(value, type(ABSENT)):
        return None
    return value if isinstance(value, str) else json.dumps(plain(value), indent=1, ensure_ascii=False)


def _whole(text: str) -> list[Stretch]:
    return [Stretch(_cut(text), changed=True)]


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ... {len(text) - _LONGEST:,} more characters"


def _near(text: str, *, first: bool, last: bool) -> str:
    """Return an unchanged text by its ends that touch a change."""
    if len(text) <= 2 * _NEAR:
        return text
    after, before = "" if first else text[:_NEAR], "" if last else text[-_NEAR:]
    return f"{after}{' ' if after else ''}...{' ' if before else ''}{before}"
