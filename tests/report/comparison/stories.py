"""Conversations told as stories, recorded in every wire format: what the tests of comparisons edit and compare."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field

from replay_agent.calls import AnswerError, ModelCall, OutputSchema, ToolDefinition
from replay_agent.messages import (
    NO_TIMESTAMP,
    BinaryContent,
    ModelMessage,
    ModelRequest,
    ModelRequestPart,
    ModelResponse,
    ModelResponsePart,
    SystemPromptPart,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from replay_agent.recording.cassettes.document import render
from replay_agent.recording.cassettes.parts.header import Header
from replay_agent.recording.cassettes.parts.item import new_item
from replay_agent.report.comparison.changes import compare_runs
from replay_agent.report.comparison.result.change import TestChange
from replay_agent.report.comparison.sources.runs import read_runs
from replay_agent.settings import ModelSettings
from replay_agent.traffic import Chunk, Interaction, Request, Response
from replay_agent.usage import Usage
from replay_agent.wire.registry import codec_named

BASES = {
    "anthropic": "https://api.anthropic.com",
    "bedrock": "https://bedrock-runtime.us-east-1.amazonaws.com",
    "cohere": "https://api.cohere.com",
    "gemini": "https://generativelanguage.googleapis.com/v1beta/models",
    "mistral": "https://api.mistral.ai",
    "ollama": "http://models.example:11434",
    "openai_chat": "https://api.openai.com/v1",
    "openai_responses": "https://api.openai.com/v1",
}
FORMATS = sorted(BASES)
IMAGE = BinaryContent(b"\x89PNG a map of the coast", "image/png")


@dataclass
class Step:
    """What is asked, and what is answered."""

    parts: list[ModelRequestPart]
    answer: list[ModelResponsePart] | AnswerError
    finish: str | None = None
    tokens: tuple[int, int] = (100, 10)


@dataclass
class Story:
    """A run of an agent: everything that an edit may change."""

    steps: list[Step]
    system: str | None = "You are a patient guide. Use the tools for every fact, and never guess."
    examples: list[tuple[str, str]] = field(
        default_factory=lambda: [("Is it far?", "No."), ("Is it cold?", "Yes, very.")]
    )
    model: str = "model-1"
    tools: list[ToolDefinition] = field(default_factory=list)
    tool_choice: str | None = None
    settings: dict[str, object] = field(default_factory=lambda: {"max_tokens": 500, "temperature": 0.5})
    output: OutputSchema | None = None
    stream: bool = False
    extras: dict[str, object] = field(default_factory=dict)
    base: str | None = None
    window: tuple[int, int] | None = None
    """From which call on the history is cut to how many messages."""
    second_system: tuple[int, str] | None = None
    """From which call on the system prompt is another one."""

    def calls(self) -> list[tuple[ModelCall, Step]]:
        said: list[ModelMessage] = []
        for question, answer in self.examples:
            said += [ModelRequest([user(question)]), ModelResponse([TextPart(answer)], timestamp=NO_TIMESTAMP)]
        told: list[tuple[ModelCall, Step]] = []
        for number, step in enumerate(self.steps, 1):
            said.append(ModelRequest(list(step.parts)))
            told.append((self._call(number, list(said)), step))
            if not isinstance(step.answer, AnswerError):
                said.append(ModelResponse(step.answer, timestamp=NO_TIMESTAMP))
        return told

    def _call(self, number: int, messages: list[ModelMessage]) -> ModelCall:
        if self.window and number >= self.window[0]:
            messages = messages[-self.window[1] :]
        system = self.system
        if self.second_system and number >= self.second_system[0]:
            system = self.second_system[1]
        first = messages[0]
        if system is not None and isinstance(first, ModelRequest):
            messages = [ModelRequest([SystemPromptPart(system), *first.parts]), *messages[1:]]
        return ModelCall(
            deepcopy(messages),
            model=self.model,
            tools=deepcopy(self.tools),
            tool_choice=self.tool_choice,
            settings=ModelSettings(**self.settings),
            output_schema=self.output,
            stream=self.stream,
            extras=dict(self.extras),
        )


def user(*content) -> UserPromptPart:
    return UserPromptPart(content[0] if len(content) == 1 else list(content), NO_TIMESTAMP)


def returned(name: str, content: object, call_id: str) -> ToolReturnPart:
    return ToolReturnPart(name, content, call_id, NO_TIMESTAMP)


def tools() -> list[ToolDefinition]:
    return [
        ToolDefinition(
            "search",
            "Find places by what they are called.",
            {
                "type": "object",
                "properties": {
                    "query": {"type": "string", "description": "the name of a place"},
                    "most": {"type": "integer"},
                    "kind": {"type": "string", "enum": ["town", "river"]},
                },
                "required": ["query"],
            },
        ),
        ToolDefinition(
            "distance",
            "Measure how far apart two places are.",
            {"type": "object", "properties": {"one": {"type": "string"}, "other": {"type": "string"}}},
        ),
    ]


def story(format: str) -> Story:
    """A run of five calls: a tool, an answer, two tools at once for a picture, an answer, a farewell."""
    picture = [] if format == "cohere" else [IMAGE]
    return Story(
        [
            Step(
                [user("Where is the harbour of Oslo, please?")], [ToolCallPart("search", {"query": "Oslo"}, "call_a1")]
            ),
            Step(
                [returned("search", "Oslo lies at the end of a fjord.", "call_a1")],
                [TextPart("It lies at the end of a fjord.")],
            ),
            Step(
                [user("How do I get from there to the town on this map?", *picture)],
                [
                    ToolCallPart("search", {"query": "Bergen"}, "call_b1"),
                    ToolCallPart("distance", {"one": "Oslo", "other": "Bergen"}, "call_b2"),
                ],
            ),
            Step(
                [
                    returned("search", "Bergen lies in the west.", "call_b1"),
                    returned("distance", "463 km by road", "call_b2"),
                ],
                [TextPart("Drive west for 463 km, or take the train.")],
            ),
            Step([user("Thank you. Which of the two is faster?")], [TextPart("The train is, by about an hour.")]),
        ],
        tools=tools(),
    )


def interactions(format: str, *stories: Story, test: str | None = "tests/test_guide.py::test_way") -> list[Interaction]:
    """Record stories, one after the other."""
    return [
        _interaction(format, each, call, step, test, number)
        for each in stories
        for number, (call, step) in enumerate(each.calls(), 1)
    ]


def _interaction(format: str, told: Story, call: ModelCall, step: Step, test: str | None, number: int) -> Interaction:
    codec = codec_named(format)
    asked = codec.encode_call(call)
    url = f"{told.base or BASES[format]}/{asked.path.lstrip('/')}"
    request = Request("POST", url, asked.headers, asked.body)
    if isinstance(step.answer, AnswerError):
        encoded = codec.encode_error(call, step.answer.status or 500, step.answer.message)
    else:
        calls = any(isinstance(part, ToolCallPart) for part in step.answer)
        usage = Usage(
            request_tokens=step.tokens[0], response_tokens=step.tokens[1], total_tokens=sum(step.tokens), requests=1
        )
        finish = step.finish or ("tool_call" if calls else "stop")
        answer = ModelResponse(step.answer, told.model, NO_TIMESTAMP, finish_reason=finish, usage=usage)
        answer.provider_response_id = f"resp_{number}"
        encoded = codec.encode_answer(call, answer)
    chunks = tuple(Chunk(data, 3 * place) for place, data in enumerate(encoded.chunks))
    return Interaction(request, Response(encoded.status, encoded.headers, chunks), test, f"2026-11-0{number}T10:00:00Z")


def cassette(recorded: list[Interaction]) -> bytes:
    """Write a cassette of ours."""
    return render(Header("plain-1", "2026-11-01T10:00:00Z"), [new_item(each, None) for each in recorded])


def vcr_cassette(recorded: list[Interaction]) -> bytes:
    """Write a cassette as vcrpy does, in JSON."""
    told = []
    for each in recorded:
        assert isinstance(each.outcome, Response)
        told.append(
            {
                "request": {
                    "method": each.request.method,
                    "uri": each.request.url,
                    "headers": {name: [value] for name, value in each.request.headers},
                    "body": each.request.body.decode(),
                },
                "response": {
                    "status": {"code": each.outcome.status, "message": ""},
                    "headers": {name: [value] for name, value in each.outcome.headers},
                    "body": {"string": each.outcome.body.decode()},
                },
            }
        )
    return json.dumps({"version": 1, "interactions": told}).encode()


def compared(old: bytes, new: bytes) -> TestChange:
    """Compare two cassettes of one test each."""
    from pathlib import Path

    one, other = (read_runs(data, Path("way.yaml")) for data in (old, new))
    assert len(one) == len(other) == 1
    return compare_runs("way", "way.yaml", one[0], other[0])


def change_of(format: str, edit: Callable[[Story], None], base: Story | None = None) -> TestChange:
    """Compare a story with the same one, edited."""
    before = base or story(format)
    after = deepcopy(before)
    edit(after)
    return compared(cassette(interactions(format, before)), cassette(interactions(format, after)))
