"""Difference: one thing that is not the same on both sides, a cause or an effect, as a plain value."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

from replay_agent.report.json_diff import ABSENT, ValueChange
from replay_agent.report.words import Span

__all__ = "CAUSES", "EFFECTS", "Difference", "Gist", "gist", "lean"

CAUSES = (
    "message_changed",
    "message_added",
    "message_removed",
    "message_moved",
    "history_changed",
    "tool_added",
    "tool_removed",
    "tool_renamed",
    "tool_changed",
    "tools_reordered",
    "model_changed",
    "setting_changed",
    "output_changed",
    "format_changed",
    "address_changed",
    "turn_added",
    "turn_removed",
    "conversation_added",
    "conversation_removed",
    "request_changed",
    "request_added",
    "request_removed",
)
"""What may have changed in what a test asks."""
EFFECTS = (
    "failure_changed",
    "tool_call_added",
    "tool_call_removed",
    "tool_calls_reordered",
    "tool_arguments_changed",
    "result_changed",
    "finish_reason_changed",
    "call_added",
    "call_removed",
    "tool_result_changed",
    "message_followed",
    "file_changed",
    "answer_changed",
    "reasoning_changed",
    "response_changed",
)
"""What may have changed in what came back, and in what was asked because of that; the worst first."""

_ENDS = 240
"""Characters that are kept at each end of a text that did not change: pages show fewer."""
_NEAR = 60
"""Characters beside a change that say where in a prompt it is."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What is not the same: texts as ``spans``, values as ``values``; one of the two, or neither where the kind says all."""

    kind: str
    turn: int
    """The call of its conversation that it shows in first, from 1; 0 for what is no call of a model."""
    subject: str
    """What it is about: ``system prompt``, ``tool search``, ``temperature``, ``POST api.example/search``."""
    spans: tuple[Span, ...] = ()
    values: tuple[ValueChange, ...] = ()
    conversation: int = 1
    """Which conversation of the test, from 1."""

    @property
    def is_cause(self) -> bool:
        """Whether it is a change of what was asked."""
        return self.kind in CAUSES


Gist: TypeAlias = tuple[Any, ...]


def gist(difference: Difference) -> Gist:
    """Return what is equal for the same change in several tests: its turn and what is far from it in a text aside."""
    spans = difference.spans
    pieces = tuple(
        (
            span.kind,
            _nearby(span.text, first=place == 0, last=place == len(spans) - 1) if span.kind == "same" else span.text,
        )
        for place, span in enumerate(spans)
    )
    values = tuple((value.path, _shown(value.before), _shown(value.after)) for value in difference.values)
    return difference.kind, difference.subject, pieces if len(spans) > 1 else _whole(spans), values


def _nearby(text: str, *, first: bool, last: bool) -> str:
    """Return an unchanged text by its ends that touch a change; a changed one as it is."""
    if len(text) <= _NEAR:
        return text
    return text[-_NEAR:] if first else text[:_NEAR] if last else text[:_NEAR] + text[-_NEAR:]


def _whole(spans: tuple[Span, ...]) -> tuple[tuple[str, str], ...]:
    return tuple((span.kind, span.text) for span in spans)


def _shown(value: Any) -> str:
    return repr(value) if value is ABSENT else f"{type(value).__name__} {value!r}"


def lean(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Return a word diff whose unchanged stretches are kept by their ends alone: it takes the space of what changed."""
    return tuple(Span(span.kind, _ends(span.text)) if span.kind == "same" else span for span in spans)


def _ends(text: str) -> str:
    return text if len(text) <= 3 * _ENDS else f"{text[:_ENDS]} ... {text[-_ENDS:]}"
