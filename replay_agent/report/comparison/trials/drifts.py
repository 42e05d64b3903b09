"""Drift: where a request is another one than it was, and what such a change comes from."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from replay_agent.recording.meaning.json_path import JSONPath
from replay_agent.report.compare import (
    ArgumentChanged,
    Change,
    MessageAdded,
    MessageChanged,
    MessageRemoved,
    SettingChanged,
    ToolChanged,
    ToolsReordered,
    turn_of,
)
from replay_agent.report.decoded_request import DecodedRequest, compare_requests, read_request
from replay_agent.report.json_diff import ABSENT, json_diff
from replay_agent.report.nearest import find_nearest
from replay_agent.report.render import headline, render_changes
from replay_agent.report.volatile_changes import freeze_sources, volatile_values
from replay_agent.report.words import word_diff
from replay_agent.traffic import Interaction, Request, Response

__all__ = "Drift", "drift_between", "nearest_of"

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Drift:
    """What two requests differ in, that should be one."""

    turn: int
    """Of its conversation, from 1; 0 for what is no call of a model."""
    headline: str
    lines: tuple[str, ...]
    field: str = ""
    """The first field of the body that differs, as a JSON path; empty where it is none of the body."""
    cause: str = "other"
    """``order``, ``clock``, ``uuid``, ``random`` or ``other``."""
    detail: str = ""
    """What is known of the cause, in a sentence."""
    remedy: str = ""

    def told(self) -> list[str]:
        """Say where it is and what to do, in lines."""
        place = f"field {self.field}" if self.field else ""
        return [each for each in (self.headline, place, *self.lines, self.detail, self.remedy) if each]


def drift_between(before: Request, after: Request, since: str, ignored: Iterable[str] = ()) -> Drift:
    """Compare two requests; ``since`` ends the headline, ``ignored`` are JSON paths that do not count."""
    paths = [JSONPath.parse(path) for path in ignored]
    one, other = read_request(before, paths), read_request(after, paths)
    changes = compare_requests(one, other)
    cause, detail, remedy = _cause_of(changes)
    return Drift(
        turn_of(other.call) if other.call is not None else 0,
        headline(changes, since) if changes else f"A header, or how it is spelled, changed {since}.",
        tuple(render_changes(changes)),
        _field(one, other),
        cause,
        detail,
        remedy,
    )


def nearest_of(request: Request, others: Sequence[Request]) -> int | None:
    """Return which of the others a request is most like; None if none goes to the same place."""
    found = find_nearest(read_request(request), [Interaction(other, Response(200)) for other in others])
    return None if found is None else found.index


def _field(one: DecodedRequest, other: DecodedRequest) -> str:
    if ABSENT in (one.body, other.body):
        return ""
    found = json_diff(one.body, other.body)
    return found[0].path if found else ""


def _cause_of(changes: Sequence[Change]) -> tuple[str, str, str]:
    """Return the kind of cause, what is known of it, and what to do."""
    gone, come = Counter[str](), Counter[str]()
    for words, texts in zip((gone, come), _texts(changes), strict=True):
        words.update(word for text in texts for word in _WORD.findall(text))
    if any(isinstance(change, ToolsReordered) for change in changes) or (gone and gone == come):
        return (
            "order",
            "The same things in another order: a set's, or that in which something finished first.",
            "Sort them before they are sent: sorted(...), or keep a list or a dict instead of a set.",
        )
    values, alone = volatile_values(changes)
    if not values or not alone:
        return "other", "", ""
    sources = freeze_sources(value.kind for value in values)
    cause = sources[0] if sources else "random"
    value = values[0]
    detail = (
        f"Such a value ({value.kind}) is another one in every run: {value.before or 'nothing'}, then {value.after}."
    )
    way = f"Freeze it (freeze={sources!r} on the mark, then record again), or pass it in." if sources else "Pass it in."
    return cause, detail, way


def _texts(changes: Iterable[Change]) -> tuple[list[str], list[str]]:
    """Return what is gone and what has come, as texts."""
    gone: list[str] = []
    come: list[str] = []
    for removed, added in (pair for change in changes for pair in _pairs(change)):
        gone.append(removed)
        come.append(added)
    return gone, come


def _pairs(change: Change) -> Iterator[tuple[str, str]]:
    match change:
        case MessageChanged():
            for kind in ("removed", "added"):
                text = " ".join(span.text for span in change.spans if span.kind == kind)
                yield (text, "") if kind == "removed" else ("", text)
        case MessageAdded():
            yield "", change.text
        case MessageRemoved():
            yield change.text, ""
        case SettingChanged() | ArgumentChanged():
            yield from _words(change.before, change.after)
        case ToolChanged():
            for value in change.changes:
                yield from _words(value.before, value.after)
        case _:
            yield repr(change), ""


def _words(before: Any, after: Any) -> Iterator[tuple[str, str]]:
    one, other = ("" if value is ABSENT else str(value) for value in (before, after))
    for span in word_diff(one, other):
        if span.kind != "same":
            yield (span.text, "") if span.kind == "removed" else ("", span.text)
