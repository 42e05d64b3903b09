"""Structure: what a model does, whatever its words: calls of tools, shapes of values, endings, refusals, turns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from replay_agent.calls import Exchange
from replay_agent.messages import ModelResponse, NativeToolCallPart, TextPart, ToolCallPart
from replay_agent.report.comparison.causes import arguments_text
from replay_agent.report.comparison.changes import compare_runs
from replay_agent.report.comparison.forms.wording import label
from replay_agent.report.comparison.result.difference import lean
from replay_agent.report.comparison.sources.runs import Run
from replay_agent.report.comparison.trials.shapes import shape_changes, shape_of
from replay_agent.report.comparison.turns import Thread, Turn, threads_of
from replay_agent.report.conversation.lines import short
from replay_agent.report.conversation.plain import parsed
from replay_agent.report.words import Span, word_diff

__all__ = "Comparison", "Deviation", "Worded", "compare_structure"

_Call = ToolCallPart | NativeToolCallPart
_MOST_NAMES = 12


@dataclass(frozen=True, slots=True)
class Deviation:
    """Something that the model does otherwise than was recorded."""

    kind: str
    """``tools``, ``arguments``, ``result``, ``finish_reason``, ``failure``, ``answer``, ``turns``, ``conversations``."""
    turn: int
    """The turn that it shows in, from 1; 0 for a conversation as a whole."""
    text: str
    conversation: int = 1


@dataclass(frozen=True, slots=True)
class Worded:
    """An answer in other words, or a call with other values, in the same structure."""

    turn: int
    subject: str
    spans: tuple[Span, ...]
    conversation: int = 1


@dataclass
class Comparison:
    """What was recorded and what came now, of one test."""

    deviations: list[Deviation] = field(default_factory=list)
    worded: list[Worded] = field(default_factory=list)
    asked_otherwise: list[str] = field(default_factory=list)
    """What the test asks otherwise than it did when it was recorded: a deviation may be of its making."""
    turns: int = 0
    conversations: int = 0


def compare_structure(before: Run, after: Run) -> Comparison:
    """Compare what a model did, turn by turn, with what was recorded of the same test."""
    found = Comparison(
        asked_otherwise=list(dict.fromkeys(_causes(before, after))),
        turns=len(after.transcript.exchanges),
        conversations=len(after.transcript.conversations),
    )
    threads = threads_of(before.transcript, after.transcript)
    for thread in threads:
        found.deviations += _of_thread(thread)
        found.worded += _words_of(thread)
    return found


def _causes(before: Run, after: Run) -> Iterator[str]:
    change = compare_runs("", "", before, after)
    for cause in change.causes:
        if cause.kind.startswith(("turn_", "conversation_", "request_", "address_")):
            continue  # which the structure tells, or are no calls of a model
        yield f"{label(cause)} (turn {cause.turn})" if cause.turn else label(cause)


def _of_thread(thread: Thread) -> Iterator[Deviation]:
    number = thread.number
    if not thread.is_old or not thread.is_new:
        what = "is new" if thread.is_new else "did not take place"
        yield Deviation("conversations", 0, f"conversation {number} {what}", number)
        return
    olds = sum(turn.old is not None for turn in thread.turns)
    news = sum(turn.new is not None for turn in thread.turns)
    for turn in thread.turns:
        yield from (Deviation(kind, turn.number, text, number) for kind, text in _of_turn(turn))
    if olds != news:
        yield Deviation("turns", min(olds, news) + 1, f"{_turns(news)}, recorded {olds}", number)


def _turns(number: int) -> str:
    return "1 turn" if number == 1 else f"{number} turns"


def _of_turn(turn: Turn) -> Iterator[tuple[str, str]]:
    if turn.old is None or turn.new is None:
        return
    one, other = _failure(turn.old), _failure(turn.new)
    if one != other:
        yield "failure", f"{other or 'an answer'}, recorded {one or 'an answer'}"
    before, after = turn.old.answer.response, turn.new.answer.response
    if before is None or after is None:
        return
    calls = _calls(before), _calls(after)
    names = [[call.tool_name for call in side] for side in calls]
    if names[0] != names[1]:
        yield "tools", f"calls {_named(names[1])}, recorded {_named(names[0])}"
    else:
        for call, now in zip(*calls, strict=True):
            yield from (("arguments", text) for text in _arguments(call, now))
        yield from _of_text(before, after)
    if None not in (before.finish_reason, after.finish_reason) and before.finish_reason != after.finish_reason:
        yield "finish_reason", f"ends with {after.finish_reason}, recorded {before.finish_reason}"


def _failure(exchange: Exchange) -> str:
    error = exchange.answer.error
    if error is not None:
        said = f"{error.status}: {error.message}" if error.status else error.message
        return f"an error ({short(said, 200)})"
    return "an answer that was cut off" if exchange.partial else ""


def _calls(response: ModelResponse) -> list[_Call]:
    return [part for part in response.parts if isinstance(part, _Call)]


def _named(names: Sequence[str]) -> str:
    if not names:
        return "no tool"
    shown = ", ".join(short(name, 80) for name in names[:_MOST_NAMES])
    return f"{shown} and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else shown


def _arguments(before: _Call, after: _Call) -> Iterator[str]:
    values: list[dict[str, Any] | None] = []
    for call in (before, after):
        try:
            values.append(call.args_as_dict())
        except ValueError:
            values.append(None)
    if (values[0] is None) != (values[1] is None):
        wrong = "no JSON object" if values[1] is None else "a JSON object"
        yield f"{short(after.tool_name, 80)}: the arguments are {wrong}, recorded otherwise"
    elif values[0] is not None and values[1] is not None:
        yield from shape_changes(shape_of(values[0]), shape_of(values[1]), short(after.tool_name, 80))


def _of_text(before: ModelResponse, after: ModelResponse) -> Iterator[tuple[str, str]]:
    """Compare answers as JSON where they were that; else whether there is one."""
    texts = _text(before), _text(after)
    results = parsed(texts[0]), parsed(texts[1])
    structured = [isinstance(result, dict | list) for result in results]
    if all(structured):
        yield from (
            ("result", text) for text in shape_changes(shape_of(results[0]), shape_of(results[1]), "the result")
        )
    elif structured[0]:
        yield "result", "the answer is no JSON, recorded JSON"
    elif structured[1]:
        yield "result", "the answer is JSON, recorded text"
    elif bool(texts[0].strip()) != bool(texts[1].strip()) and not _calls(after):
        yield "answer", "no text, recorded one" if texts[0].strip() else "a text, recorded none"


def _text(response: ModelResponse) -> str:
    return "\n".join(part.content for part in response.parts if isinstance(part, TextPart))


def _words_of(thread: Thread) -> Iterator[Worded]:
    for turn in thread.turns:
        before, after = (side.answer.response if side else None for side in (turn.old, turn.new))
        if before is None or after is None:
            continue
        one, other = _text(before), _text(after)
        if one != other:
            yield Worded(turn.number, "answer", lean(word_diff(one, other)), thread.number)
        calls = _calls(before), _calls(after)
        if [call.tool_name for call in calls[0]] == [call.tool_name for call in calls[1]]:
            for call, now in zip(*calls, strict=True):
                texts = arguments_text(call), arguments_text(now)
                if texts[0] != texts[1]:
                    yield Worded(turn.number, f"tool {now.tool_name}", lean(word_diff(*texts)), thread.number)
