from __future__ import annotations

import json
from datetime import UTC, datetime

import httpx
import pytest

from replay_agent.calls import ToolDefinition
from replay_agent.messages import (
    ModelRequest,
    ModelResponse,
    RetryPromptPart,
    SystemPromptPart,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from replay_agent.models.base import ModelRequestParameters

ADD = {
    "type": "object",
    "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
    "required": ["a", "b"],
    "additionalProperties": False,
}
RESULT = {"type": "object", "properties": {"sum": {"type": "integer"}}, "required": ["sum"], "title": "Sum"}


class Wire:
    """The other end of a client: notes every request and answers each with the next of the given responses."""

    def __init__(self):
        self.requests = []
        self.responses = []
        self.client = httpx.AsyncClient(transport=httpx.MockTransport(self._answer))

    def answers(self, body, *, status=200, headers=None):
        """Take a JSON value, text, bytes, or pieces of bytes that are streamed."""
        if isinstance(body, bytes | str) or hasattr(body, "__aiter__"):
            self.responses.append(httpx.Response(status, headers=headers, content=body))
        else:
            self.responses.append(httpx.Response(status, headers=headers, json=body))
        return self

    def streams(self, *pieces, headers=None):
        async def body():
            for piece in pieces:
                yield piece

        return self.answers(body(), headers=headers or {"content-type": "text/event-stream"})

    async def _answer(self, request):
        await request.aread()
        self.requests.append(request)
        return self.responses.pop(0)

    @property
    def request(self):
        (request,) = self.requests
        return request

    @property
    def body(self):
        return json.loads(self.request.content)


@pytest.fixture
def wire():
    return Wire()


@pytest.fixture
def conversation():
    """Two system prompts, text beside a call, its return, a second call, its retry, and a retry of no call."""
    return [
        ModelRequest([SystemPromptPart("Be brief."), SystemPromptPart("Be kind."), UserPromptPart("What is 2 + 2?")]),
        ModelResponse([TextPart("Let me see."), TextPart("I add."), ToolCallPart("add", {"a": 2, "b": 2}, "call_1")]),
        ModelRequest([ToolReturnPart("add", {"sum": 4}, "call_1")]),
        ModelResponse([ToolCallPart("final_result", '{"sum": "four"}', "call_2")]),
        ModelRequest([RetryPromptPart("No number.", "final_result", "call_2"), RetryPromptPart("Call a tool.")]),
    ]


@pytest.fixture
def required():
    """A function tool and a result tool, one of which must be called."""
    return ModelRequestParameters(
        [ToolDefinition("add", "Add two numbers.", ADD)], False, [ToolDefinition("final_result", "The sum.", RESULT)]
    )


@pytest.fixture
def optional():
    """A function tool beside text."""
    return ModelRequestParameters([ToolDefinition("add", "Add two numbers.", ADD)], True, [])


@pytest.fixture
def plain():
    """Text and nothing else."""
    return ModelRequestParameters([], True, [])


@pytest.fixture
def hello():
    return [ModelRequest([UserPromptPart("Hello")])]


@pytest.fixture
def settings():
    """Every shared setting."""
    return {
        "max_tokens": 100,
        "temperature": 0.5,
        "top_p": 0.9,
        "timeout": 7,
        "parallel_tool_calls": False,
        "seed": 3,
        "presence_penalty": 0.1,
        "frequency_penalty": 0.2,
        "logit_bias": {"50256": -100},
    }


@pytest.fixture
def is_recent():
    start = datetime.now(tz=UTC)
    return lambda timestamp: start <= timestamp <= datetime.now(tz=UTC)
