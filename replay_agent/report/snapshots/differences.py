"""What differs between a snapshot and a run: by message and field, words within a message, as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from replay_agent.report.compare import CallIdChanged, Change, Item, MessageAdded, MessageChanged, compare_items
from replay_agent.report.comparison.forms.wrapping import wrapped
from replay_agent.report.conversation.plain import parsed
from replay_agent.report.json_diff import ABSENT, ValueChange, json_diff
from replay_agent.report.render import render_change, render_values
from replay_agent.report.snapshots.blocks import sections_of
from replay_agent.report.words import Span

__all__ = ("differences",)

_MOST_LINES = 36
"""Of a difference, so that it fits on a screen with the assertion above it."""


def differences(before: str, after: str, *, width: int = 80, colour: bool = False, whole: bool = False) -> list[str]:
    """Return the lines that tell what a run says otherwise than its snapshot, none wider than ``width``.

    The first dozens, and how many more there are; all of them if ``whole``.
    """
    lines = [line for each in _told(before, after, colour) for line in _broken(each, width)]
    if not whole and len(lines) > _MOST_LINES:
        return [*lines[:_MOST_LINES], f"... {len(lines) - _MOST_LINES} more lines, which -vv shows"]
    return lines


def _told(before: str, after: str, colour: bool) -> Iterator[str]:
    old, new = sections_of(before), sections_of(after)
    several = len([name for name in {**old, **new} if name.startswith("conversation ")]) > 1
    for name in [*new, *(name for name in old if name not in new)]:
        lines = list(_of_section(name, old.get(name, ()), new.get(name, ()), colour))
        if lines and (several or not name.startswith("conversation ")):
            lines = [f"{name}:", *(f"    {line}" if line else "" for line in lines)]
        yield from lines


def _of_section(name: str, old: Sequence[Item], new: Sequence[Item], colour: bool) -> Iterator[str]:
    if not old or not new:
        yield "was not there before" if new else "is not there any more"
    if name == "usage" and old and new:
        yield from _counters(old, new, colour)
        return
    for change in compare_items(old, new):
        if not isinstance(change, CallIdChanged):
            yield from _change(change, colour)


def _counters(old: Sequence[Item], new: Sequence[Item], colour: bool) -> Iterator[str]:
    one, other = ({item.role: _number(item.text) for item in items} for items in (old, new))
    changes = [ValueChange(name, one.get(name, ABSENT), other.get(name, ABSENT)) for name in {**other, **one}]
    yield from render_values([each for each in changes if each.before != each.after], colour=colour)


def _number(text: str) -> int | str:
    return int(text) if text.isdecimal() else text


def _change(change: Change, colour: bool) -> list[str]:
    """Return the lines of a change; what is JSON on both sides is told by field."""
    if isinstance(change, MessageChanged):
        before, after = _side(change.spans, "removed"), _side(change.spans, "added")
        one, other = parsed(before), parsed(after)
        if one is not None and other is not None:
            fields = render_values(json_diff(one, other, ""), colour=colour)
            place = f"turn {change.turn}, {change.role}" if change.turn else change.role
            return [f"{place}:", *(f"    {line.removeprefix('.')}" for line in fields)]
    if isinstance(change, MessageAdded) and not change.role:
        return [f"+ {change.text}"]
    return render_change(change, colour=colour)


def _side(spans: Sequence[Span], kind: str) -> str:
    return "".join(span.text for span in spans if span.kind in ("same", kind))


def _broken(line: str, width: int) -> list[str]:
    text = line.lstrip(" ")
    indent = line[: len(line) - len(text)]
    return wrapped(text, width, indent) if text else [""]
