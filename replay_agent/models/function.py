"""A model that is a function of yours: it sees the messages and says the answer."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeAlias, cast

from anyio.to_thread import run_sync

from replay_agent.calls import ToolDefinition
from replay_agent.messages import ModelMessage, ModelResponse, ModelResponseStreamEvent
from replay_agent.models.base import Model, ModelRequestParameters, StreamedResponse
from replay_agent.models.estimates import estimate_tokens as _estimate_string_tokens
from replay_agent.models.estimates import estimate_usage as _estimate_usage
from replay_agent.models.estimates import response_usage as _response_usage
from replay_agent.settings import ModelSettings
from replay_agent.usage import Usage

__all__ = (
    "AgentInfo",
    "DeltaToolCall",
    "DeltaToolCalls",
    "FunctionDef",
    "FunctionModel",
    "FunctionStreamedResponse",
    "StreamFunctionDef",
)


@dataclass(frozen=True)
class AgentInfo:
    """What the function is told beside the messages."""

    function_tools: list[ToolDefinition]
    """The tools that the agent's user registered."""
    allow_text_result: bool
    """Whether plain text ends the run."""
    result_tools: list[ToolDefinition]
    """The tools whose call ends the run."""
    model_settings: ModelSettings | None
    """The settings of this request."""


@dataclass
class DeltaToolCall:
    """A piece of a streamed tool call; the pieces under one index make one call."""

    name: str | None = None
    json_args: str | None = None
    tool_call_id: str | None = None


DeltaToolCalls: TypeAlias = dict[int, DeltaToolCall]
"""Pieces of tool calls, by the index of the call."""

FunctionDef: TypeAlias = Callable[[list[ModelMessage], AgentInfo], ModelResponse | Awaitable[ModelResponse]]
"""Answers a request; a plain function runs in a worker thread."""

StreamFunctionDef: TypeAlias = Callable[[list[ModelMessage], AgentInfo], AsyncIterator[str | DeltaToolCalls]]
"""Answers a request piece by piece: text, or pieces of tool calls."""


@dataclass(init=False)
class FunctionModel(Model):
    """Answers by calling a function, for tests that need to say exactly what the model does.

    The function may be sync or async and returns a `ModelResponse`, whose ``model_name`` is set to this model's;
    ``stream_function`` is an asynchronous generator of text or `DeltaToolCalls`. `TypeError` where neither is given.
    """

    function: FunctionDef | None = None
    stream_function: StreamFunctionDef | None = None
    _model_name: str = field(default="", repr=False)

    def __init__(
        self,
        function: FunctionDef | None = None,
        *,
        stream_function: StreamFunctionDef | None = None,
        model_name: str | None = None,
    ) -> None:
        if function is None and stream_function is None:
            raise TypeError("Either `function` or `stream_function` must be provided")
        self.function = function
        self.stream_function = stream_function
        self._model_name = model_name or f"function:{_name_of(function)}:{_name_of(stream_function)}"

    @property
    def model_name(self) -> str:
        return self._model_name

    @property
    def system(self) -> str:
        return "function"

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> tuple[ModelResponse, Usage]:
        assert self.function is not None, "FunctionModel must receive a `function` to support non-streamed requests"
        info = _agent_info(model_settings, model_request_parameters)
        response = await _called(self.function, messages, info)
        response.model_name = self._model_name
        return response, _estimate_usage([*messages, response])

    @asynccontextmanager
    async def request_stream(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> AsyncIterator[StreamedResponse]:
        assert self.stream_function is not None, (
            "FunctionModel must receive a `stream_function` to support streamed requests"
        )
        pieces = self.stream_function(messages, _agent_info(model_settings, model_request_parameters))
        try:
            first = await anext(pieces, None)
            if first is None:
                raise ValueError("Stream function must return at least one item")
            response = FunctionStreamedResponse(self._model_name, first, pieces)
            try:
                yield response
            finally:
                await response.aclose()
        finally:
            if isinstance(pieces, AsyncGenerator):
                await pieces.aclose()


def _name_of(function: Callable[..., object] | None) -> str:
    return "" if function is None else getattr(function, "__name__", type(function).__name__)


def _agent_info(model_settings: ModelSettings | None, parameters: ModelRequestParameters) -> AgentInfo:
    return AgentInfo(parameters.function_tools, parameters.allow_text_result, parameters.result_tools, model_settings)


async def _called(function: FunctionDef, messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
    if inspect.iscoroutinefunction(function):
        return await cast("Awaitable[ModelResponse]", function(messages, info))
    # In a tuple, since trio refuses a thread that returns a coroutine, as a callable object may do here.
    (response,) = await run_sync(lambda: (function(messages, info),))
    return await response if inspect.isawaitable(response) else response


@dataclass
class FunctionStreamedResponse(StreamedResponse):
    """The answer of a stream function, under way."""

    _model_name: str
    _first: str | DeltaToolCalls
    _rest: AsyncIterator[str | DeltaToolCalls]
    _timestamp: datetime = field(default_factory=lambda: datetime.now(tz=UTC))

    def __post_init__(self) -> None:
        self._usage = _estimate_usage([])

    async def _get_event_iterator(self) -> AsyncIterator[ModelResponseStreamEvent]:
        for event in self._events(self._first):
            yield event
        async for piece in self._rest:
            for event in self._events(piece):
                yield event

    def _events(self, piece: str | DeltaToolCalls) -> list[ModelResponseStreamEvent]:
        return self._text(piece) if isinstance(piece, str) else self._calls(piece)

    def _text(self, piece: str) -> list[ModelResponseStreamEvent]:
        self._usage += _response_usage(_estimate_string_tokens(piece))
        return self._parts.text("content", piece)

    def _calls(self, pieces: DeltaToolCalls) -> list[ModelResponseStreamEvent]:
        events: list[ModelResponseStreamEvent] = []
        for index, piece in pieces.items():
            if piece.json_args:
                self._usage += _response_usage(_estimate_string_tokens(piece.json_args))
            events += self._parts.tool_call(index, name=piece.name, args=piece.json_args, call_id=piece.tool_call_id)
        return events

    @property
    def model_name(self) -> str:
        return self._model_name

    @property
    def timestamp(self) -> datetime:
        return self._timestamp
