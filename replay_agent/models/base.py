"""What an agent knows of a model: ask it for a response, at once or as a stream of events."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

from replay_agent.calls import ToolDefinition
from replay_agent.messages import ModelMessage, ModelResponse, ModelResponseStreamEvent
from replay_agent.models.parts_manager import PartsManager
from replay_agent.settings import ModelSettings
from replay_agent.usage import Usage
from replay_agent.wire.shapes.streamed_parts import StreamedParts

__all__ = "Model", "ModelRequestParameters", "StreamedResponse"


@dataclass
class ModelRequestParameters:
    """How the model may answer: by calling a function tool, by plain text, by calling a result tool."""

    function_tools: list[ToolDefinition] = field(default_factory=list)
    allow_text_result: bool = True
    result_tools: list[ToolDefinition] = field(default_factory=list)


@dataclass
class StreamedResponse(ABC):
    """A response under way: iterate over it for its events.

    All iterations share one underlying iterator, so a later one goes on where the earlier one stopped. A subclass
    yields events from `_get_event_iterator`, built with ``self._parts`` or, as in the seed, with
    ``self._parts_manager``, and counts tokens in ``self._usage``.
    """

    _parts: StreamedParts = field(default_factory=StreamedParts, init=False, repr=False)
    _usage: Usage = field(default_factory=Usage, init=False)
    _event_iterator: AsyncIterator[ModelResponseStreamEvent] | None = field(default=None, init=False, repr=False)

    @property
    def _parts_manager(self) -> PartsManager:
        return PartsManager(self._parts)

    def __aiter__(self) -> AsyncIterator[ModelResponseStreamEvent]:
        if self._event_iterator is None:
            self._event_iterator = self._get_event_iterator()
        return self._event_iterator

    @abstractmethod
    def _get_event_iterator(self) -> AsyncIterator[ModelResponseStreamEvent]:
        """Yield the events of the response as they come; called once."""

    async def aclose(self) -> None:
        """End the iteration; what has come so far stays. A model does it when its block is left."""
        if isinstance(self._event_iterator, AsyncGenerator):
            await self._event_iterator.aclose()

    def get(self) -> ModelResponse:
        """Return the response as far as it has come."""
        return ModelResponse(self._parts.parts(), model_name=self.model_name, timestamp=self.timestamp)

    def usage(self) -> Usage:
        """Return the tokens used so far, with ``requests`` at 0."""
        return self._usage

    @property
    @abstractmethod
    def model_name(self) -> str:
        """The name of the model that answers."""

    @property
    @abstractmethod
    def timestamp(self) -> datetime:
        """When the response began."""


class Model(ABC):
    """Something that answers a conversation. Every model runs on asyncio and on trio."""

    @abstractmethod
    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> tuple[ModelResponse, Usage]:
        """Return the whole response and the tokens it used (with ``requests`` at 0: the run counts those).

        Raises `ModelHTTPError` where a provider refuses and `UnexpectedModelBehavior` where its answer is unusable.
        """

    @asynccontextmanager
    async def request_stream(
        self,
        messages: list[ModelMessage],  # noqa: ARG002
        model_settings: ModelSettings | None,  # noqa: ARG002
        model_request_parameters: ModelRequestParameters,  # noqa: ARG002
    ) -> AsyncIterator[StreamedResponse]:
        """Open a streamed response; leaving the block closes it. `NotImplementedError` for a model that cannot stream."""
        raise NotImplementedError(f"Streamed requests not supported by this {type(self).__name__}")
        yield  # type: ignore[unreachable]  # makes this an asynchronous generator

    @property
    @abstractmethod
    def model_name(self) -> str:
        """The name of the model, as its provider spells it."""

    @property
    @abstractmethod
    def system(self) -> str:
        """The name of the provider, as OpenTelemetry's attribute ``gen_ai.system`` has it."""

    @property
    def base_url(self) -> str | None:
        """The address that requests go to, None for a model without one."""
        return None
