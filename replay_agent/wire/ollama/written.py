"""Answers of Ollama's chat, written: one JSON object, or one a line."""

from __future__ import annotations

from collections.abc import Iterator

from replay_agent.messages import ModelResponse
from replay_agent.usage import Usage
from replay_agent.wire.shapes.json_text import Fields
from replay_agent.wire.shapes.made_up import pieces

__all__ = "message_pieces", "write_end"


def write_end(answer: ModelResponse) -> Fields:
    """Return the fields that end an answer: why, what it cost, and times, which are 0."""
    usage = answer.usage or Usage()
    return {
        "done": True,
        "done_reason": "length" if answer.finish_reason == "length" else "stop",
        "total_duration": 0,
        "load_duration": 0,
        "prompt_eval_count": usage.request_tokens or 0,
        "prompt_eval_duration": 0,
        "eval_count": usage.response_tokens or 0,
        "eval_duration": 0,
    }


def message_pieces(message: Fields) -> Iterator[Fields]:
    """Yield the messages in which a stream brings this one: thoughts and text in pieces, then the rest."""
    role = {"role": message["role"], "content": ""}
    for piece in pieces(message.get("thinking", "")):
        yield {**role, "thinking": piece}
    for piece in pieces(message["content"]):
        yield {**role, "content": piece}
    rest = {key: value for key, value in message.items() if key not in ("role", "content", "thinking")}
    if rest:
        yield {**role, **rest}
