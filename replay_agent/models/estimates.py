"""Token counts guessed from words, for models that nobody bills: every figure can be worked out by hand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from replay_agent.messages import (
    BinaryContent,
    ModelMessage,
    ModelRequestPart,
    ModelResponse,
    ModelResponsePart,
    RetryPromptPart,
    SystemPromptPart,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UnknownPart,
    UserContent,
    UserPromptPart,
)
from replay_agent.usage import Usage

__all__ = "REQUEST_OVERHEAD", "estimate_tokens", "estimate_usage", "response_usage"

REQUEST_OVERHEAD = 50
"""Tokens that every estimate counts for a request before its first word."""

_BETWEEN_WORDS = re.compile(r'[\s",.:]+')


def estimate_tokens(content: str | Sequence[UserContent | UnknownPart]) -> int:
    """Count the words of a text; in a sequence, the words of its texts and the bytes of its binary content."""
    if not content:  # also None, which a prompt function may have returned
        return 0
    if isinstance(content, str):
        return len(_BETWEEN_WORDS.split(content.strip()))
    return sum(_content_tokens(item) for item in content)


def _content_tokens(item: UserContent | UnknownPart) -> int:
    if isinstance(item, str):
        return estimate_tokens(item)
    return len(item.data) if isinstance(item, BinaryContent) else 0


def response_usage(tokens: int) -> Usage:
    """Return the usage of an answer, or a piece of one, that has ``tokens`` tokens."""
    return Usage(response_tokens=tokens, total_tokens=tokens)


def estimate_usage(messages: Iterable[ModelMessage]) -> Usage:
    """Return the usage of a whole conversation: its requests and `REQUEST_OVERHEAD`, and its responses."""
    request_tokens, response_tokens = REQUEST_OVERHEAD, 0
    for message in messages:
        if isinstance(message, ModelResponse):
            response_tokens += sum(map(_response_part_tokens, message.parts))
        else:
            request_tokens += sum(map(_request_part_tokens, message.parts))
    return Usage(
        request_tokens=request_tokens,
        response_tokens=response_tokens,
        total_tokens=request_tokens + response_tokens,
    )


def _request_part_tokens(part: ModelRequestPart) -> int:
    if isinstance(part, SystemPromptPart | UserPromptPart):
        return estimate_tokens(part.content)
    if isinstance(part, ToolReturnPart):
        return estimate_tokens(part.model_response_str())
    return estimate_tokens(part.model_response()) if isinstance(part, RetryPromptPart) else 0


def _response_part_tokens(part: ModelResponsePart) -> int:
    if isinstance(part, TextPart):
        return estimate_tokens(part.content)
    return 1 + estimate_tokens(part.args_as_json_str()) if isinstance(part, ToolCallPart) else 0
