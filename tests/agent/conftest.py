"""How tests of the agent look at conversations, and models that answer from a list."""

from __future__ import annotations

import pytest

from replay_agent.messages import ModelResponse, TextPart, ToolCallPart
from replay_agent.models.function import FunctionModel


def _content(part):
    return part.args if isinstance(part, ToolCallPart) else part.content


@pytest.fixture
def outline():
    """Parts of messages as (kind, content), one list for each message."""
    return lambda messages: [[(part.part_kind, _content(part)) for part in message.parts] for message in messages]


def _answer(said):
    parts = said if isinstance(said, list) else [said]
    return ModelResponse([TextPart(part) if isinstance(part, str) else part for part in parts])


@pytest.fixture
def answering():
    """A model that gives these answers one after another: texts, calls, or lists of them."""

    def make(*answers):
        def function(messages, info):
            model.seen.append((list(messages), info))
            return _answer(answers[sum(isinstance(message, ModelResponse) for message in messages)])

        model = FunctionModel(function)
        model.seen = []
        return model

    return make


@pytest.fixture
def streaming():
    """A model that streams these answers one after another, each a list of texts or pieces of calls."""

    def make(*answers):
        async def function(messages, info):
            for piece in answers[sum(isinstance(message, ModelResponse) for message in messages)]:
                yield piece

        return FunctionModel(stream_function=function)

    return make
