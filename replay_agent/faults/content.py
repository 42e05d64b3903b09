"""Faults in what the model says: sent in good order, and of no use."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from replay_agent.faults.fault import Answered, Lay, response_of
from replay_agent.messages import ModelResponse, ModelResponsePart, TextPart, ToolCallPart
from replay_agent.traffic import Outcome
from replay_agent.wire.codec import is_stream

__all__ = "CONTENT", "Edit", "edited"

Edit: TypeAlias = Callable[[ModelResponse], "ModelResponse | None"]
"""Returns what the model says instead, None where it says nothing to be changed so."""


def edited(edit: Edit) -> Lay:
    """Have the model say what a function makes of its answer."""

    def lay(answered: Answered) -> Outcome | None:
        said = answered.decoded()
        changed = edit(said) if said is not None else None
        if changed is None:
            return None
        call = answered.call
        if not call.stream and is_stream(answered.response.headers):
            call = replace(call, stream=True)
        return response_of(answered.codec.encode_answer(call, changed))

    return lay


def _calls_changed(change: Callable[[ToolCallPart], list[ModelResponsePart]]) -> Edit:
    """Return an edit that changes the first tool call, and leaves an answer alone that makes none."""

    def edit(said: ModelResponse) -> ModelResponse | None:
        place = next((index for index, part in enumerate(said.parts) if isinstance(part, ToolCallPart)), None)
        if place is None:
            return None
        part = said.parts[place]
        assert isinstance(part, ToolCallPart)
        return replace(said, parts=[*said.parts[:place], *change(part), *said.parts[place + 1 :]])

    return edit


def _bad_json(part: ToolCallPart) -> list[ModelResponsePart]:
    text = part.args if isinstance(part.args, str) else json.dumps(part.args or {})
    return [replace(part, args=text[:-1] if len(text) > 1 else "{")]


def _ended(reason: str, keep: Callable[[str], str]) -> Edit:
    """Return an edit that ends an answer for a reason, with so much of its text; calls of tools are lost."""

    def edit(said: ModelResponse) -> ModelResponse:
        texts = [replace(part, content=keep(part.content)) for part in said.parts if isinstance(part, TextPart)]
        parts: list[ModelResponsePart] = [part for part in texts if part.content]
        return replace(said, parts=parts, finish_reason=reason)  # type: ignore[arg-type]

    return edit


def _half(text: str) -> str:
    return text[: len(text) // 2]


def _nothing(_text: str) -> str:
    return ""


def bad_tool_json() -> Lay:
    """Lose the end of a tool call's arguments. Befalls formats that carry them as text."""
    lay = edited(_calls_changed(_bad_json))

    def where_it_shows(answered: Answered) -> Outcome | None:
        try:
            outcome = lay(answered)
        except ValueError:
            return None  # a format whose arguments are an object has no way to write them badly
        shown = replace(answered, response=outcome).decoded() if outcome is not None else None  # type: ignore[arg-type]
        return outcome if shown is not None and any(map(_is_bad, shown.parts)) else None

    return where_it_shows


def _is_bad(part: ModelResponsePart) -> bool:
    if not isinstance(part, ToolCallPart) or not isinstance(part.args, str):
        return False
    try:
        json.loads(part.args)
    except ValueError:
        return True
    return False


CONTENT: dict[str, Callable[[], Lay]] = {
    "bad_tool_json": bad_tool_json,
    "unknown_tool": lambda: edited(_calls_changed(lambda part: [replace(part, tool_name="no_such_tool")])),
    "invalid_arguments": lambda: edited(_calls_changed(lambda part: [replace(part, args={"no_such_argument": [0]})])),
    "duplicate_call_id": lambda: edited(_calls_changed(lambda part: [part, part])),
    "empty_answer": lambda: edited(_ended("stop", _nothing)),
    "length": lambda: edited(_ended("length", _half)),
    "content_filter": lambda: edited(_ended("content_filter", _nothing)),
}
