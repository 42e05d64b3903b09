"""Differences as text for a terminal: short, bounded, coloured only if asked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
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
from replay_agent.report.conversation.lines import cut, visible
from replay_agent.report.conversation.plain import plain
from replay_agent.report.json_diff import ABSENT, ValueChange
from replay_agent.report.words import Span, word_diff
from replay_agent.surroundings.look_alikes import told_apart

__all__ = "cause_of", "headline", "render_change", "render_changes", "render_spans", "render_values", "short"

# A miss should fit on a screen: who changed more than this knows it, and wants the headline.
_MOST_CHANGES = 12
_MOST_LINES = 14
"""Of one change."""
_CONTEXT = 48
"""Characters of unchanged text that are shown beside a change."""
_WIDEST = 300
"""Characters of a line of changed text."""
_MOST_VALUES = 12
"""Of one tool's schema."""
_RED, _GREEN, _PLAIN = "\x1b[31m", "\x1b[32m", "\x1b[0m"


def headline(changes: Sequence[Change], since: str) -> str:
    """Return one sentence that names what changed."""
    changes = _told_once(changes)
    if len(changes) == 1:
        return f"{_sentence(changes[0])} {since}."
    named = list(dict.fromkeys(_name(change) for change in changes))
    if len(named) == 1:
        return f"{len(changes)} changes of {named[0]} {since}."
    listed = ", ".join(named[:5]) + (f" and {len(named) - 5} more" if len(named) > 5 else "")
    return f"{len(named)} things changed {since}: {listed}."


def cause_of(changes: Sequence[Change]) -> str:
    """Return a text that is equal for the same changes, whatever stands around what changed; empty if nothing did."""
    return "\n".join(line for change in changes for line in _cause(change))


def _cause(change: Change) -> list[str]:
    if isinstance(change, MessageChanged):
        return [change.role, *(f"{span.kind} {span.text}" for span in change.spans if span.kind != "same")]
    return render_change(change)


def render_changes(changes: Sequence[Change], *, colour: bool = False) -> list[str]:
    """Return the lines that show what changed, the first changes first and the rest counted."""
    changes = _told_once(changes)
    lines = [line for change in changes[:_MOST_CHANGES] for line in render_change(change, colour=colour)]
    if len(changes) > _MOST_CHANGES:
        lines.append(f"... and {len(changes) - _MOST_CHANGES} more changes")
    return lines


def _told_once(changes: Sequence[Change]) -> Sequence[Change]:
    """Return the changes without what another one says: the old name of a tool that was renamed."""
    return [change for change in changes if not (isinstance(change, ToolRemoved) and change.now)]


def render_change(change: Change, *, colour: bool = False) -> list[str]:
    """Return a line that says where, then what, indented."""
    match change:
        case MessageChanged():
            return [f"{_place(change)}:", *_block(render_spans(change.spans, colour=colour))]
        case MessageAdded():
            return [f"{_place(change)}, added:", *_block(_marked("added", change.text, colour))]
        case MessageRemoved():
            return [f"{_place(change)}, removed:", *_block(_marked("removed", change.text, colour))]
        case CallIdChanged():
            return [f"{_place(change)}, id: {short(change.before)} -> {short(change.after)}"]
        case ToolAdded() if change.former:
            return [f"tool {change.former} -> {change.name}: renamed, else the same"]
        case ToolAdded() | ToolRemoved():
            return [f"tool {change.name}: {'added' if isinstance(change, ToolAdded) else 'removed'}"]
        case ToolChanged():
            return [f"tool {change.name}:", *_block(render_values(change.changes, colour=colour))]
        case ToolsReordered():
            return [f"order of the tools: {', '.join(change.before)} -> {', '.join(change.after)}"]
        case ArgumentChanged():
            return _value(
                ValueChange(f"{_plain(change.call)}: {_plain(change.name)}", change.before, change.after), colour, " "
            )
        case RemoteCallChanged():
            return [f"{_plain(change.before)} -> {_plain(change.after)}"]
        case RemoteCallAdded() | RemoteCallRemoved():
            return [f"{_plain(change.call)}: {'added' if isinstance(change, RemoteCallAdded) else 'removed'}"]
        case _:
            return _value(ValueChange(change.name, change.before, change.after), colour)


def _place(change: MessageChanged | MessageAdded | MessageRemoved | CallIdChanged) -> str:
    return f"turn {change.turn}, {change.role}" if change.turn else change.role


def _sentence(change: Change) -> str:
    match change:
        case MessageChanged():
            return f"The {change.role}{_of_turn(change)} changed"
        case MessageAdded():
            return f"The {change.role}{_of_turn(change)} was added"
        case MessageRemoved():
            return f"The {change.role}{_of_turn(change)} was removed"
        case RemoteCallChanged():
            return f"The {_plain(change.before)} gave way to {_plain(change.after)}"
        case RemoteCallAdded():
            return f"The {_plain(change.call)} was added"
        case RemoteCallRemoved():
            return f"The {_plain(change.call)} was removed"
        case ToolAdded() if change.former:
            return f"The tool {change.former} was renamed to {change.name}"
        case ToolAdded():
            return f"The tool {change.name} was added"
        case ToolRemoved():
            return f"The tool {change.name} was removed"
        case SettingChanged() if change.before is ABSENT:
            return f"{_capital(_name(change))} was added"
        case SettingChanged() if change.after is ABSENT:
            return f"{_capital(_name(change))} was removed"
        case _:
            return f"{_capital(_name(change))} changed"


def _of_turn(change: MessageChanged | MessageAdded | MessageRemoved) -> str:
    return f" of turn {change.turn}" if change.turn > 1 else ""


def _name(change: Change) -> str:
    match change:
        case MessageChanged() | MessageAdded() | MessageRemoved():
            return f"the {change.role}"
        case CallIdChanged():
            return "the id of a tool call"
        case ToolsReordered():
            return "the order of the tools"
        case ToolAdded() | ToolRemoved() | ToolChanged():
            return f"the tool {change.name}"
        case ArgumentChanged():
            return f"the {_plain(change.name)} of {_plain(change.call)}"
        case RemoteCallChanged():
            return f"the {_plain(change.before)}"
        case RemoteCallAdded() | RemoteCallRemoved():
            return f"the {_plain(change.call)}"
        case _:
            return f"the {change.name}" if change.name in _NOUNS else change.name


_NOUNS = frozenset({"model", "tool choice", "output schema", "method", "host", "path", "format", "body", "query"})


def _plain(name: str) -> str:
    """Return a name that a server chose, in one visible line."""
    return " ".join(visible(name))


def _capital(text: str) -> str:
    return f"T{text[1:]}" if text.startswith("the ") else text


def _block(lines: Sequence[str]) -> list[str]:
    if len(lines) > _MOST_LINES:
        head, tail = _MOST_LINES * 2 // 3, _MOST_LINES // 3  # the beginning says what it is, the end how far it goes
        lines = [*lines[:head], f"... {len(lines) - head - tail} more lines ...", *lines[-tail:]]
    return [f"    {line}" if line else "" for line in lines]


# --- texts ------------------------------------------------------------------------------------------------------------


def render_spans(spans: Sequence[Span], *, colour: bool = False) -> list[str]:
    """Return a word diff as lines: ``[-old-]{+new+}``, with what is unchanged cut to its nearest words."""
    spans = _told_apart(spans)
    if all(span.kind != "same" for span in spans):
        return [line for span in spans for line in _marked(span.kind, span.text, colour)]
    last = len(spans) - 1
    pieces = [
        _context(span.text, first=place == 0, last=place == last)
        if span.kind == "same"
        else _inline(span.kind, span.text, colour)
        for place, span in enumerate(spans)
    ]
    return "".join(pieces).split("\n")


def _told_apart(spans: Sequence[Span]) -> list[Span]:
    """Return the spans with what was replaced by something that looks the same as escapes."""
    told = list(spans)
    for place, (one, two) in enumerate(pairwise(spans)):
        if (one.kind, two.kind) == ("removed", "added"):
            shown = told_apart(one.text, two.text)
            told[place : place + 2] = [Span("removed", shown[0]), Span("added", shown[1])]
    return told


def _marked(kind: str, text: str, colour: bool) -> list[str]:
    sign, tint = ("-", _RED) if kind == "removed" else ("+", _GREEN)
    lines = [f"{sign} {cut(line, _WIDEST)}" for line in visible(text)]
    return [f"{tint}{line}{_PLAIN}" for line in lines] if colour else lines


def _inline(kind: str, text: str, colour: bool) -> str:
    shown = "\n".join(cut(line, _WIDEST) for line in visible(text, trailing=False))
    opening, closing, tint = ("[-", "-]", _RED) if kind == "removed" else ("{+", "+}", _GREEN)
    return f"{tint}{opening}{shown}{closing}{_PLAIN}" if colour else f"{opening}{shown}{closing}"


def _context(text: str, *, first: bool, last: bool) -> str:
    """The ends of an unchanged stretch that touch a change: the rest of the line, a few words at most."""
    lines = visible(text, trailing=False)
    joined = "\n".join(lines)
    if not (first or last) and len(joined) <= 2 * _CONTEXT and len(lines) <= 3:
        return joined
    after = "" if first else _head(lines[0])
    before = "" if last else _tail(lines[-1])
    left_out = len(joined) > len(after) + len(before)
    if not left_out:
        return joined
    if len(lines) == 1:
        return f"{after}{'' if first else ' '}...{'' if last else ' '}{before}"
    return f"{after}\n...\n{before}" if not (first or last) else f"...\n{before}" if first else f"{after}\n..."


def _head(line: str) -> str:
    return line if len(line) <= _CONTEXT else line[:_CONTEXT].rpartition(" ")[0] or line[:_CONTEXT]


def _tail(line: str) -> str:
    return line if len(line) <= _CONTEXT else line[-_CONTEXT:].partition(" ")[2] or line[-_CONTEXT:]


# --- values -----------------------------------------------------------------------------------------------------------


def render_values(changes: Sequence[ValueChange], *, colour: bool = False) -> list[str]:
    """Return a line for each value that changed, long texts word by word; the first dozen, and how many more there are."""
    lines = [line for change in changes[:_MOST_VALUES] for line in _value(change, colour)]
    if len(changes) > _MOST_VALUES:
        lines.append(f"... and {len(changes) - _MOST_VALUES} more")
    return lines


def _value(change: ValueChange, colour: bool, joint: str = ": ") -> list[str]:
    before, after = change.before, change.after
    if before is ABSENT:
        return [_tinted(f"{change.path}: added, {short(after)}", _GREEN, colour)]
    if after is ABSENT:
        return [_tinted(f"{change.path}: removed, was {short(before)}", _RED, colour)]
    # Short values are told whole on one line; in a longer one the words that changed have to be found.
    if isinstance(before, str) and isinstance(after, str) and max(len(before), len(after)) > 40:
        return [f"{change.path}:", *_block(render_spans(word_diff(before, after), colour=colour))]
    shown = told_apart(short(before), short(after))
    return [f"{change.path}{joint}{_tinted(shown[0], _RED, colour)} -> {_tinted(shown[1], _GREEN, colour)}"]


def _tinted(text: str, tint: str, colour: bool) -> str:
    return f"{tint}{text}{_PLAIN}" if colour else text


def short(value: Any, width: int = 160) -> str:
    """Return a value as one line of JSON of bounded length."""
    text = repr(value) if value is ABSENT else json.dumps(plain(value), ensure_ascii=False)
    text = " ".join(visible(text))
    return text if len(text) <= width else f"{text[: width - 12]} ... {text[-7:]}"
