"""Made-up conversations for property tests; every format says which of them it can carry without loss."""

from __future__ import annotations

import base64
import string
from collections.abc import Callable

from hypothesis import strategies as st

from replay_agent.calls import ToolDefinition
from replay_agent.messages import (
    NO_TIMESTAMP,
    BinaryContent,
    ModelRequest,
    ModelResponse,
    RetryPromptPart,
    SystemPromptPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from replay_agent.usage import Usage

INVITATION = RetryPromptPart("").model_response()

characters = st.characters(exclude_categories=("Cs",))
any_texts = st.text(characters, max_size=40)
texts = st.text(characters, min_size=1, max_size=40)
reasons = any_texts.filter(lambda text: not text.endswith(INVITATION))
names = st.text(string.ascii_lowercase + "_", min_size=1, max_size=12)
numbers = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | numbers | any_texts
json_values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(any_texts, inner, max_size=3), max_leaves=8
)
json_objects = st.dictionaries(any_texts, json_values, max_size=3)
signatures = st.binary(min_size=1, max_size=12).map(lambda data: base64.b64encode(data).decode())
images = st.builds(
    BinaryContent, st.binary(max_size=30), st.sampled_from(["image/png", "image/jpeg", "image/gif", "image/webp"])
)
schemas = st.dictionaries(
    names, st.fixed_dictionaries({"type": st.sampled_from(["string", "integer", "boolean"])}), min_size=1, max_size=3
).map(lambda properties: {"type": "object", "properties": properties, "required": sorted(properties)[:1]})
tool_lists = st.lists(
    st.builds(ToolDefinition, names, st.none() | texts, schemas), max_size=3, unique_by=lambda tool: tool.name
)
counts = st.integers(0, 10**7)


def usages(*details: str) -> st.SearchStrategy[Usage]:
    """Return usages with positive counters of these names, which are part of the totals."""
    counters = st.dictionaries(st.sampled_from(details), st.integers(1, 1000), max_size=len(details))
    return st.builds(_usage, counts, counts, counters if details else st.just({}))


def _usage(request_tokens: int, response_tokens: int, details: dict[str, int]) -> Usage:
    request_tokens += sum(details.values())
    response_tokens += sum(details.values())
    return Usage(0, request_tokens, response_tokens, request_tokens + response_tokens, details or None)


def prompts(*content: st.SearchStrategy) -> st.SearchStrategy[UserPromptPart]:
    """Return prompts: a text, or several pieces of the given kinds."""
    several = st.lists(st.one_of(*content), min_size=2, max_size=4) if content else any_texts
    return (any_texts | several).map(lambda said: UserPromptPart(said, timestamp=NO_TIMESTAMP))


def results(call: ToolCallPart, content: st.SearchStrategy) -> st.SearchStrategy:
    """Return what may come back for a call: its result, or a retry."""
    returned = content.map(lambda value: ToolReturnPart(call.tool_name, value, call.tool_call_id, NO_TIMESTAMP))
    retried = reasons.map(
        lambda text: RetryPromptPart(
            text, tool_name=call.tool_name, tool_call_id=call.tool_call_id, timestamp=NO_TIMESTAMP
        )
    )
    return returned | retried


@st.composite
def histories(
    draw: Callable,
    answers: Callable[[int], st.SearchStrategy],
    *,
    prompt: st.SearchStrategy,
    result: st.SearchStrategy,
    system: st.SearchStrategy = st.lists(texts.map(SystemPromptPart), max_size=2),  # noqa: B008
) -> list:
    """Return a conversation that ends with a request; ``answers(n)`` gives the parts of turn ``n``."""
    messages = [ModelRequest([*draw(system), draw(prompt)])]
    for turn in range(draw(st.integers(0, 3))):
        parts = draw(answers(turn))
        messages.append(ModelResponse(parts, timestamp=NO_TIMESTAMP))
        calls = [part for part in parts if isinstance(part, ToolCallPart)]
        asked = [draw(results(call, result)) for call in calls]
        if not asked or draw(st.booleans()):
            asked.append(draw(prompt))
        messages.append(ModelRequest(asked))
    return messages
