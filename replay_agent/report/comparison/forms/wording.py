"""How differences and figures are called, in every form alike."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from replay_agent.report.comparison.result.comparison import Comparison
from replay_agent.report.comparison.result.difference import Difference
from replay_agent.report.comparison.result.spent import Growth, Spent
from replay_agent.report.conversation.lines import short
from replay_agent.report.render import render_spans, render_values

__all__ = (
    "cost_line",
    "count",
    "headline",
    "label",
    "lines_of",
    "notes",
    "place",
    "price",
    "tokens_line",
)

_LABELS = {
    "message_changed": "{} changed",
    "message_added": "{} added",
    "message_removed": "{} removed",
    "message_moved": "{} in another place",
    "history_changed": "{}: another part of it is carried on",
    "tool_added": "{} added",
    "tool_removed": "{} removed",
    "tool_renamed": "{} renamed",
    "tool_changed": "{} changed",
    "tools_reordered": "{} changed",
    "model_changed": "{} changed",
    "setting_changed": "{} changed",
    "output_changed": "wanted output ({}) changed",
    "format_changed": "wire format changed",
    "address_changed": "{} changed",
    "turn_added": "turn added, with {}",
    "turn_removed": "turn removed, with {}",
    "conversation_added": "{} added",
    "conversation_removed": "{} removed",
    "request_changed": "{} changed",
    "request_added": "{} added",
    "request_removed": "{} removed",
    "failure_changed": "{}",
    "tool_call_added": "{} is called",
    "tool_call_removed": "{} is no longer called",
    "tool_calls_reordered": "{} changed",
    "tool_arguments_changed": "{} is called with other arguments",
    "result_changed": "{} changed",
    "finish_reason_changed": "{} changed",
    "call_added": "one more call, with {}",
    "call_removed": "one call less, with {}",
    "tool_result_changed": "{} changed, as its call did",
    "message_followed": "{} changed, as it quotes an answer",
    "file_changed": "{} changed",
    "answer_changed": "{} changed",
    "reasoning_changed": "{} changed",
    "response_changed": "{} answered otherwise",
}
_LONGEST_NAME = 120


def label(difference: Difference) -> str:
    """Name a difference in a few words, on one visible line."""
    return _LABELS[difference.kind].format(short(difference.subject, _LONGEST_NAME))


def place(difference: Difference, conversations: int = 1) -> str:
    """Say where it is: the turn, and the conversation where there are several; nothing for other traffic."""
    if not difference.turn:
        return ""
    turn = f"turn {difference.turn}"
    return f"conversation {difference.conversation}, {turn}" if conversations > 1 else turn


def lines_of(difference: Difference, *, colour: bool = False) -> list[str]:
    """Show what changed: words of a text, values by their paths."""
    if difference.kind == "message_moved":
        return [short(span.text, _LONGEST_NAME) for span in difference.spans]
    if difference.spans:
        return render_spans(difference.spans, colour=colour)
    return render_values(difference.values, colour=colour)


def count(number: int, noun: str) -> str:
    """Return a number with its noun: ``1 test``, ``2 tests``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def headline(comparison: Comparison) -> str:
    """Say in a sentence what was compared, and how much of it is not the same."""
    states = [change.state for change in comparison.changes]
    said = [
        f"{count(states.count(state), 'test')} {state}" for state in ("changed", "added", "removed") if state in states
    ]
    if not comparison.files:
        return "nothing could be compared" if comparison.unreadable else "there is no cassette on either side"
    compared = f"{count(comparison.files, 'cassette')} compared"
    return f"{compared}: {', '.join(said) or 'no difference'}"


def notes(comparison: Comparison) -> list[str]:
    """Say what is no difference, and is good to know."""
    said = [f"moved: {each.old} -> {each.new}" for each in comparison.moved]
    if comparison.recorded_anew:
        said.append(f"{count(comparison.recorded_anew, 'test')} recorded anew with no difference that counts")
    return said


# --- figures ----------------------------------------------------------------------------------------------------------


def tokens_line(old: Spent, new: Spent, growth: Sequence[Growth] = ()) -> list[str]:
    """Return the tokens on both sides, and what the growth comes from; nothing where nobody counted any."""
    lines = []
    for name, before, after in (
        ("in", old.input_tokens, new.input_tokens),
        ("out", old.output_tokens, new.output_tokens),
    ):
        if before is not None or after is not None:
            blamed = _blamed(growth) if name == "in" else ""
            lines.append(f"{name} {_figure(before)} -> {_figure(after)}{_grown(before, after, blamed)}")
    return lines


def _figure(tokens: int | None) -> str:
    return "unknown" if tokens is None else f"{tokens:,}"


def _grown(before: int | None, after: int | None, blamed: str) -> str:
    if before is None or after is None or before == after:
        return f" ({blamed})" if blamed else ""
    return f" ({after - before:+,}{f': {blamed}' if blamed else ''})"


def _blamed(growth: Sequence[Growth]) -> str:
    named = [f"{short(each.what, 60)} {each.tokens:+,}" for each in growth[:6]]
    rest = sum(each.tokens for each in growth[6:])
    return ", ".join([*named, *([f"others {rest:+,}"] if len(growth) > 6 else [])])


def price(cost: Decimal | None) -> str:
    """Return a price in USD to four digits that count; ``unknown`` where there is none."""
    if cost is None:
        return "unknown"
    if not cost:
        return "$0"
    digits = max(2, 3 - cost.copy_abs().adjusted())
    return f"${cost:,.{min(digits, 10)}f}"


def cost_line(old: Spent, new: Spent) -> str:
    """Return the price on both sides and its growth; a model without a price is said."""
    grown = ""
    if old.cost and new.cost is not None and old.cost != new.cost:
        grown = f" ({(new.cost - old.cost) / old.cost * 100:+.1f} %)"
    unpriced = max(old.unpriced, new.unpriced)
    known = old.cost is not None or new.cost is not None
    note = f"; {count(unpriced, 'answer')} without a known price" if unpriced and known else ""
    return f"{price(old.cost)} -> {price(new.cost)}{grown}{note}"
