"""A model that answers without a provider: it calls every tool once, then gives a result that fits."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal

import pydantic_core

from replay_agent.calls import ToolDefinition
from replay_agent.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    ModelResponsePart,
    ModelResponseStreamEvent,
    RetryPromptPart,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
)
from replay_agent.models.base import Model, ModelRequestParameters, StreamedResponse
from replay_agent.models.estimates import estimate_tokens, estimate_usage, response_usage
from replay_agent.models.schema_data import CHARACTERS as _chars  # noqa: F401, N811  the seed's name
from replay_agent.models.schema_data import SchemaData as _JsonSchemaTestData
from replay_agent.settings import ModelSettings
from replay_agent.usage import Usage

__all__ = "TestModel", "TestStreamedResponse"


@dataclass
class TestModel(Model):
    """Answers from the schemas alone.

    The first response calls the tools of ``call_tools`` with made-up arguments that fit their schemas. A retry is
    answered by calling the tools that it names again. Otherwise comes the result: the custom one, a text that shows
    what the tools returned, or a call of a result tool.
    """

    __test__: ClassVar[bool] = False  # pytest would collect the class by its name

    call_tools: list[str] | Literal["all"] = "all"
    """Names of the function tools to call."""
    custom_result_text: str | None = None
    """The text to end with."""
    custom_result_args: Any | None = None
    """The arguments of the first result tool to end with."""
    seed: int = 0
    """Chooses between result tools and in the data made."""
    last_model_request_parameters: ModelRequestParameters | None = field(default=None, init=False)
    """What the last request offered."""

    @property
    def model_name(self) -> str:
        return "test"

    @property
    def system(self) -> str:
        return "test"

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,  # noqa: ARG002
        model_request_parameters: ModelRequestParameters,
    ) -> tuple[ModelResponse, Usage]:
        response = self._respond(messages, model_request_parameters)
        return response, estimate_usage([*messages, response])

    @asynccontextmanager
    async def request_stream(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,  # noqa: ARG002
        model_request_parameters: ModelRequestParameters,
    ) -> AsyncIterator[StreamedResponse]:
        whole = self._respond(messages, model_request_parameters)
        response = TestStreamedResponse(self.model_name, whole, messages)
        try:
            yield response
        finally:
            await response.aclose()

    def gen_tool_args(self, tool_def: ToolDefinition) -> Any:
        """Return made-up arguments for a tool."""
        return _JsonSchemaTestData(tool_def.parameters_json_schema, self.seed).generate()

    def _respond(self, messages: list[ModelMessage], parameters: ModelRequestParameters) -> ModelResponse:
        self.last_model_request_parameters = parameters
        self._check_custom_result(parameters)
        return ModelResponse(self._parts(messages, parameters), model_name=self.model_name)

    def _check_custom_result(self, parameters: ModelRequestParameters) -> None:
        if self.custom_result_text is not None:
            assert parameters.allow_text_result, "Plain response not allowed, but `custom_result_text` is set."
            assert self.custom_result_args is None, "Cannot set both `custom_result_text` and `custom_result_args`."
        elif self.custom_result_args is not None:
            assert parameters.result_tools, "No result tools provided, but `custom_result_args` is set."

    def _parts(self, messages: list[ModelMessage], parameters: ModelRequestParameters) -> list[ModelResponsePart]:
        tools = self._tools_to_call(parameters)
        if tools and not any(isinstance(message, ModelResponse) for message in messages):
            return [self._call(tool) for tool in tools]
        retries = _named_retries(messages)
        if again := [self._call(tool) for tool in tools if tool.name in retries]:
            return [*again, *self._result_retries(parameters, retries)]
        return [*self._result_retries(parameters, retries)] or [self._result(messages, parameters)]

    def _tools_to_call(self, parameters: ModelRequestParameters) -> list[ToolDefinition]:
        if self.call_tools == "all":
            return parameters.function_tools
        by_name = {tool.name: tool for tool in parameters.function_tools}
        return [by_name[name] for name in self.call_tools]

    def _call(self, tool: ToolDefinition) -> ToolCallPart:
        return ToolCallPart(tool.name, self.gen_tool_args(tool))

    def _result_retries(self, parameters: ModelRequestParameters, names: set[str]) -> Iterable[ToolCallPart]:
        for tool in parameters.result_tools:
            if tool.name in names:
                yield self._custom_call(tool) if self.custom_result_args is not None else self._call(tool)

    def _custom_call(self, tool: ToolDefinition) -> ToolCallPart:
        args: Any = self.custom_result_args
        return ToolCallPart(tool.name, {tool.outer_typed_dict_key: args} if tool.outer_typed_dict_key else args)

    def _result(self, messages: list[ModelMessage], parameters: ModelRequestParameters) -> ModelResponsePart:
        if self.custom_result_text is not None:
            return TextPart(self.custom_result_text)
        if self.custom_result_args is not None:
            return self._custom_call(parameters.result_tools[0])
        if parameters.allow_text_result or not parameters.result_tools:
            return TextPart(_tool_returns(messages) or "success (no tool calls)")
        return self._call(parameters.result_tools[self.seed % len(parameters.result_tools)])


def _named_retries(messages: list[ModelMessage]) -> set[str]:
    if not messages:
        return set()
    last = messages[-1]
    assert isinstance(last, ModelRequest), "Expected last message to be a `ModelRequest`."
    return {part.tool_name for part in last.parts if isinstance(part, RetryPromptPart) and part.tool_name}


def _tool_returns(messages: list[ModelMessage]) -> str | None:
    requests = (message for message in messages if isinstance(message, ModelRequest))
    parts = (part for request in requests for part in request.parts)
    returned = {part.tool_name: part.content for part in parts if isinstance(part, ToolReturnPart)}
    return pydantic_core.to_json(returned).decode() if returned else None


@dataclass
class TestStreamedResponse(StreamedResponse):
    """A `TestModel`'s answer word by word; tool calls come whole."""

    __test__: ClassVar[bool] = False

    _model_name: str
    _whole: ModelResponse
    _messages: list[ModelMessage]
    _timestamp: datetime = field(default_factory=lambda: datetime.now(tz=UTC), init=False)

    def __post_init__(self) -> None:
        self._usage = estimate_usage(self._messages)

    async def _get_event_iterator(self) -> AsyncIterator[ModelResponseStreamEvent]:
        for index, part in enumerate(self._whole.parts):
            pieces = ["", *_words(part.content)] if isinstance(part, TextPart) else []
            for piece in pieces:
                self._usage += response_usage(estimate_tokens(piece))
                for event in self._parts.text(index, piece):
                    yield event
            if not isinstance(part, TextPart):
                for event in self._parts.whole(part, index):
                    yield event

    @property
    def model_name(self) -> str:
        return self._model_name

    @property
    def timestamp(self) -> datetime:
        return self._timestamp


def _words(text: str) -> list[str]:
    *words, last = text.split(" ")
    if not words and len(text) > 2:
        middle = len(text) // 2
        return [text[:middle], text[middle:]]
    return [*(f"{word} " for word in words), last]
