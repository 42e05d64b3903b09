"""Conversations as requests and answers, out of what several formats write the same way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from replay_agent.exceptions import WireError
from replay_agent.messages import (
    NO_TIMESTAMP,
    ModelMessage,
    ModelRequest,
    ModelRequestPart,
    ModelResponse,
    ModelResponsePart,
    RetryPromptPart,
    ToolCallPart,
    UnknownPart,
    UserContent,
    UserPromptPart,
)
from replay_agent.wire.shapes.json_text import Fields

__all__ = "read_history", "read_lately", "retry_reason", "sharing", "user_prompt", "with_system"

_Said = TypeVar("_Said")
_LATELY: ContextVar[dict[type, list[Any]] | None] = ContextVar("_LATELY", default=None)

_INVITATION = RetryPromptPart("").model_response()
"""Providers have no word for a retry, so the invitation that ends its text gives it away."""


@contextmanager
def sharing() -> Iterator[None]:
    """Let the calls that are read in the block, as those of one recording, share the messages that they have in common.

    Beyond it nothing is remembered: whoever changes a message changes none of another recording.
    """
    before = _LATELY.set({})
    try:
        yield
    finally:
        _LATELY.reset(before)


def read_lately(kind: type[_Said]) -> list[_Said] | None:
    """Return what was read of late in the block of `sharing`, to be looked at and kept up to date; None outside of one."""
    lately = _LATELY.get()
    return None if lately is None else lately.setdefault(kind, [])


def retry_reason(text: str) -> str | None:
    """Return why a text asks the model to try again, None where it does not."""
    return text.removesuffix(_INVITATION) if text.endswith(_INVITATION) else None


def user_prompt(said: list[UserContent | UnknownPart]) -> list[ModelRequestPart]:
    """Return the prompt that pieces of content add up to; a text alone is one by itself."""
    if not said:
        return []
    only = said[0] if len(said) == 1 else None
    return [UserPromptPart(only if isinstance(only, str) else said, timestamp=NO_TIMESTAMP)]


def with_system(system: Sequence[ModelRequestPart], messages: list[ModelMessage]) -> list[ModelMessage]:
    """Return the messages with system prompts, which come apart from them, at the head of the first request."""
    if not system:
        return messages
    if messages and isinstance(messages[0], ModelRequest):
        return [ModelRequest([*system, *messages[0].parts]), *messages[1:]]
    return [ModelRequest([*system]), *messages]


def read_history(
    messages: object,
    answered: Callable[[Fields], Iterable[ModelResponsePart]],
    asked: Callable[[Fields, dict[str, str]], ModelRequestPart],
    format: str,
) -> list[ModelMessage]:
    """Read a list of messages with roles; those between two answers are one request.

    ``asked`` is told the names of the tools that were called before, by the ids of their calls. Raises `WireError`, which
    names ``format``, where there is no list of objects.
    """
    if not isinstance(messages, list):
        raise WireError("the messages are no list", format)
    names: dict[str, str] = {}
    history: list[ModelMessage] = []
    for message in messages:
        if not isinstance(message, dict):
            raise WireError("a message is no object", format)
        if message.get("role") == "assistant":
            parts = list(answered(message))
            names |= {part.tool_call_id or "": part.tool_name for part in parts if isinstance(part, ToolCallPart)}
            history.append(ModelResponse(parts, timestamp=NO_TIMESTAMP))
        elif history and isinstance(history[-1], ModelRequest):
            history[-1].parts.append(asked(message, names))
        else:
            history.append(ModelRequest([asked(message, names)]))
    return history
