"""A response while it comes: its events, the message so far, the value so far."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, cast

from pydantic import ValidationError

from replay_agent.agent.context import AgentDepsT, RunContext
from replay_agent.agent.history import RunHistory
from replay_agent.agent.output import ResultDataT, ResultSchema, ResultValidator, ToolRetryError, validated
from replay_agent.agent.reader import Reader
from replay_agent.exceptions import UserError
from replay_agent.messages import (
    FinalResultEvent,
    ModelMessage,
    ModelResponse,
    ModelResponseStreamEvent,
    PartDeltaEvent,
    PartStartEvent,
    TextPart,
    TextPartDelta,
)
from replay_agent.models.base import StreamedResponse
from replay_agent.usage import Usage, UsageLimits

__all__ = "AgentStream", "StreamedRunResult"


@dataclass(eq=False, repr=False)
class _Responding(Generic[AgentDepsT]):
    """A response under way in a run."""

    _response: StreamedResponse
    _schema: ResultSchema
    _validators: list[ResultValidator[AgentDepsT]]
    _ctx: RunContext[AgentDepsT]
    _limits: UsageLimits

    def __post_init__(self) -> None:
        self._usage_before = copy(self._ctx.usage)

    def usage(self) -> Usage:
        """Return what the run has used so far, this response included."""
        return self._usage_before + self._response.usage()

    def _check_tokens(self) -> None:
        if self._limits.has_token_limits():
            self._limits.check_tokens(self.usage())

    async def _responses(self, reader: Reader[Any], debounce_by: float | None) -> AsyncGenerator[ModelResponse, None]:
        so_far = self._response.get()
        if any(getattr(part, "has_content", _yes)() for part in so_far.parts):
            yield so_far
        async with aclosing(reader.groups(debounce_by)) as groups:
            async for _ in groups:
                yield self._response.get()

    async def _values(self, response: ModelResponse, tool_name: str | None) -> list[Any]:
        """Return the value so far, or nothing where what has come does not make a valid one yet."""
        try:
            return [await self._validate(response, tool_name, allow_partial=True)]
        except (ValidationError, ToolRetryError):
            return []

    async def _validate(self, response: ModelResponse, tool_name: str | None, *, allow_partial: bool) -> Any:
        return await self._schema.validate_response(
            response, tool_name, self._validators, self._ctx, allow_partial=allow_partial
        )


def _yes() -> bool:
    return True


@dataclass
class AgentStream(_Responding[AgentDepsT], Generic[AgentDepsT, ResultDataT]):
    """A response under way: iterate over it for its events.

    After the first part that can be the final result comes a `FinalResultEvent`. All ways to read share one
    iterator, so a later one goes on where the earlier one stopped.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        self._final: FinalResultEvent | None = None
        self._generator = self._events()
        self._reader = Reader(self._generator)

    def __aiter__(self) -> AsyncIterator[ModelResponseStreamEvent]:
        return self._reader

    async def _events(self) -> AsyncGenerator[ModelResponseStreamEvent, None]:
        async for event in self._response:
            self._check_tokens()
            yield event
            if self._final is None and isinstance(event, PartStartEvent):
                found = self._schema.starts_result(event.part)
                if found is not None:
                    self._final = FinalResultEvent(*found)
                    yield self._final

    async def stream_responses(self, *, debounce_by: float | None = 0.1) -> AsyncGenerator[ModelResponse, None]:
        """Yield the response so far, at most every ``debounce_by`` seconds; None yields it at every event."""
        async with aclosing(self._responses(self._reader, debounce_by)) as responses:
            async for response in responses:
                yield response

    async def stream_output(self, *, debounce_by: float | None = 0.1) -> AsyncGenerator[ResultDataT, None]:
        """Yield the value as far as it has come, whenever that is valid, and at the end the complete one.

        The complete one is validated strictly: raises pydantic's ``ValidationError``.
        """
        async with aclosing(self.stream_responses(debounce_by=debounce_by)) as responses:
            async for response in responses:
                if self._final is not None:
                    for value in await self._values(response, self._final.tool_name):
                        yield value
        if self._final is not None:
            yield await self._validate(self._response.get(), self._final.tool_name, allow_partial=False)

    async def drain(self) -> None:
        """Read what is left, so that usage is complete."""
        await self._reader.drain()

    async def aclose(self) -> None:
        """Stop reading."""
        await self._reader.aclose()
        await self._generator.aclose()


@dataclass
class StreamedRunResult(_Responding[AgentDepsT], RunHistory, Generic[AgentDepsT, ResultDataT]):
    """The result of a run while the model still writes it.

    The messages leave out the response under way until `is_complete`.
    """

    _messages: list[ModelMessage]
    _new_message_index: int
    _result_tool_name: str | None
    _on_complete: Callable[[ModelResponse], Awaitable[None]]
    is_complete: bool = field(default=False, init=False)
    """Whether the response has been read to its end."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._text = "".join(part.content for part in self._response.get().parts if isinstance(part, TextPart))
        self._reader = Reader(aiter(self._response), self._note)

    def _note(self, event: ModelResponseStreamEvent) -> None:
        self._text += _text_of(event)

    def all_messages(self, *, result_tool_return_content: str | None = None) -> list[ModelMessage]:
        """Return the whole conversation, the given history included.

        ``result_tool_return_content`` is not supported here: `NotImplementedError`.
        """
        if result_tool_return_content is not None:
            raise NotImplementedError("Setting result tool return content is not supported for this result type.")
        return self._messages

    def timestamp(self) -> datetime:
        """Return when the response began."""
        return self._response.timestamp

    async def stream(self, *, debounce_by: float | None = 0.1) -> AsyncGenerator[ResultDataT, None]:
        """Yield the value as far as it has come, whenever that is valid, and at the end the complete one.

        ``debounce_by`` is the least time between two values in seconds; None yields one at every event. The complete
        value is validated strictly: raises pydantic's ``ValidationError``.
        """
        async with aclosing(self.stream_structured(debounce_by=debounce_by)) as responses:
            async for response, is_last in responses:
                if is_last:
                    yield await self.validate_structured_result(response)
                else:
                    for value in await self._values(response, self._result_tool_name):
                        yield value

    async def stream_text(self, *, delta: bool = False, debounce_by: float | None = 0.1) -> AsyncGenerator[str, None]:
        """Yield the text so far, validated; with ``delta`` yield just what is new, not validated.

        Raises `UserError` where text is not a permitted result.
        """
        if not self._schema.allow_text_result:
            raise UserError("stream_text() can only be used with text responses")
        so_far = ""
        refused: ToolRetryError | None = None
        async with aclosing(self._texts(debounce_by)) as texts:
            async for text in texts:
                if delta:
                    yield text
                    continue
                so_far += text
                try:
                    value = await validated(so_far, None, self._validators, self._ctx)
                except ToolRetryError as exc:  # more text may mend it
                    refused = exc
                else:
                    refused = None
                    yield value
        if refused is not None:
            raise refused
        await self._complete()

    async def _texts(self, debounce_by: float | None) -> AsyncGenerator[str, None]:
        ahead = [PartStartEvent(0, TextPart(self._text))]
        async with aclosing(self._reader.groups(debounce_by, ahead)) as groups:
            async for group in groups:
                text = "".join(map(_text_of, group))
                if text:
                    yield text

    async def stream_structured(
        self, *, debounce_by: float | None = 0.1
    ) -> AsyncGenerator[tuple[ModelResponse, bool], None]:
        """Yield the response so far and False, and at the end the complete one and True."""
        async with aclosing(self._responses(self._reader, debounce_by)) as responses:
            async for response in responses:
                yield response, False
        yield self._response.get(), True
        await self._complete()

    async def get_data(self) -> ResultDataT:
        """Read to the end and return the value, validated strictly: raises pydantic's ``ValidationError``."""
        async for _ in self._reader:
            self._check_tokens()
        await self._complete()
        return await self.validate_structured_result(self._response.get())

    async def validate_structured_result(self, message: ModelResponse, *, allow_partial: bool = False) -> ResultDataT:
        """Return the value of a response. Raises pydantic's ``ValidationError``."""
        return cast("ResultDataT", await self._validate(message, self._result_tool_name, allow_partial=allow_partial))

    async def drain(self) -> None:
        """Read what is left, so that usage is complete."""
        await self._reader.drain()

    async def aclose(self) -> None:
        """Stop reading."""
        await self._reader.aclose()

    async def _complete(self) -> None:
        if not self.is_complete:
            self.is_complete = True
            await self._on_complete(self._response.get())


def _text_of(event: ModelResponseStreamEvent) -> str:
    if isinstance(event, PartStartEvent) and isinstance(event.part, TextPart):
        return event.part.content
    if isinstance(event, PartDeltaEvent) and isinstance(event.delta, TextPartDelta):
        return event.delta.content_delta
    return ""
