"""What the answers say and do otherwise: calls of tools, typed results, words, how they ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from typing import Any

from replay_agent.calls import Answer, Exchange
from replay_agent.messages import (
    FilePart,
    ModelResponse,
    ModelResponsePart,
    NativeToolCallPart,
    NativeToolReturnPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    UnknownPart,
)
from replay_agent.report.comparison.causes import RESULT_TOOL, arguments_text, is_made_up
from replay_agent.report.comparison.result.difference import Difference, lean
from replay_agent.report.comparison.turns import Turn
from replay_agent.report.conversation.plain import parsed, plain
from replay_agent.report.json_diff import ABSENT, ValueChange, json_diff
from replay_agent.report.words import Span, word_diff

__all__ = ("effects_of",)

_Call = ToolCallPart | NativeToolCallPart


def effects_of(turn: Turn, conversation: int) -> list[Difference]:
    """Return what the answer to a turn says otherwise; nothing for a turn that only one side has."""
    if turn.old is None or turn.new is None:
        return []
    found = (replace(each, spans=lean(each.spans)) for each in _effects(turn.old, turn.new))
    return [replace(each, turn=turn.number, conversation=conversation) for each in found if not is_made_up(each)]


def _effects(old: Exchange, new: Exchange) -> Iterator[Difference]:
    yield from _failures(old, new)
    before, after = old.answer.response, new.answer.response
    if before is None or after is None:
        return
    yield from _tool_calls(_calls(before), _calls(after))
    yield from _texts(old, new, before, after)
    if before.finish_reason != after.finish_reason:
        yield _value("finish_reason_changed", "finish reason", before.finish_reason, after.finish_reason)
    yield from _reasoning(before, after)
    one, other = _others(before), _others(after)
    if one != other:
        yield Difference("file_changed", 0, "other parts", values=tuple(json_diff(one, other, "parts")))


def _value(kind: str, subject: str, before: object, after: object) -> Difference:
    change = ValueChange(subject, ABSENT if before is None else before, ABSENT if after is None else after)
    return Difference(kind, 0, subject, values=(change,))


def _failures(old: Exchange, new: Exchange) -> Iterator[Difference]:
    one, other = _failure(old.answer), _failure(new.answer)
    if one != other:
        yield _value("failure_changed", "failure", one, other)
    if old.partial != new.partial:
        words = {False: "whole", True: "cut off"}
        yield _value("failure_changed", "stream", words[old.partial], words[new.partial])


def _failure(answer: Answer) -> str | None:
    error = answer.error
    if error is None:
        return None
    return f"{error.status}: {error.message}" if error.status else error.message


# --- texts ------------------------------------------------------------------------------------------------------------


def _texts(old: Exchange, new: Exchange, before: ModelResponse, after: ModelResponse) -> Iterator[Difference]:
    one, other = _text(before), _text(after)
    if one == other:
        return
    typed = old.call.output_schema is not None and new.call.output_schema is not None
    results = (parsed(one), parsed(other)) if typed else (None, None)
    if None not in results:
        values = tuple(json_diff(results[0], results[1], "result"))
        if values:
            yield Difference("result_changed", 0, "typed result", values=values)
    else:
        yield Difference("answer_changed", 0, "answer", word_diff(one, other))


def _text(response: ModelResponse) -> str:
    return "\n".join(part.content for part in response.parts if isinstance(part, TextPart))


def _reasoning(before: ModelResponse, after: ModelResponse) -> Iterator[Difference]:
    one, other = _thoughts(before), _thoughts(after)
    if one != other:
        yield Difference("reasoning_changed", 0, "reasoning", word_diff(one, other))


def _thoughts(response: ModelResponse) -> str:
    return "\n".join(part.content for part in response.parts if isinstance(part, ThinkingPart))


def _others(response: ModelResponse) -> list[Any]:
    return [plain(part) for part in response.parts if _is_other(part)]


def _is_other(part: ModelResponsePart) -> bool:
    return isinstance(part, FilePart | UnknownPart | NativeToolReturnPart)


# --- calls of tools ---------------------------------------------------------------------------------------------------


def _calls(response: ModelResponse) -> list[_Call]:
    return [part for part in response.parts if isinstance(part, _Call)]


def _tool_calls(old: Sequence[_Call], new: Sequence[_Call]) -> Iterator[Difference]:
    keys = [[(call.tool_name, arguments_text(call)) for call in side] for side in (old, new)]
    if keys[0] == keys[1]:
        return
    if Counter(keys[0]) == Counter(keys[1]):
        yield _value("tool_calls_reordered", "order of the tool calls", _names(old), _names(new))
        return
    for tag, i, j, k, m in SequenceMatcher(None, keys[0], keys[1], autojunk=False).get_opcodes():
        if tag != "equal":
            yield from _other_calls(old[i:j], new[k:m])


def _names(calls: Sequence[_Call]) -> list[str]:
    return [call.tool_name for call in calls]


def _other_calls(old: Sequence[_Call], new: Sequence[_Call]) -> Iterator[Difference]:
    """Pair calls of the same tool in order; what finds no partner was added or removed."""
    waiting = list(old)
    for call in new:
        place = next((place for place, each in enumerate(waiting) if each.tool_name == call.tool_name), None)
        if place is None:
            yield _lone("added", call)
        else:
            yield from _arguments(waiting.pop(place), call)
    yield from (_lone("removed", call) for call in waiting)


def _lone(kind: str, call: _Call) -> Difference:
    change = Span("added" if kind == "added" else "removed", arguments_text(call))
    return Difference(f"tool_call_{kind}", 0, f"tool {call.tool_name}", (change,))


def _arguments(before: _Call, after: _Call) -> Iterator[Difference]:
    is_result = after.tool_name.startswith(RESULT_TOOL)
    kind, path = ("result_changed", "result") if is_result else ("tool_arguments_changed", "arguments")
    subject = "typed result" if is_result else f"tool {after.tool_name}"
    try:
        values = tuple(json_diff(before.args_as_dict(), after.args_as_dict(), path))
    except ValueError:
        values = (ValueChange(path, arguments_text(before), arguments_text(after)),)
    if values:
        yield Difference(kind, 0, subject, values=values)
