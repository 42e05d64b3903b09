"""A provider's streamed answer: bytes are read as they come and handed on as events."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import anyio
import httpx

from replay_agent.exceptions import UnexpectedModelBehavior, WireError
from replay_agent.messages import NO_TIMESTAMP, ModelResponse, ModelResponseStreamEvent
from replay_agent.models.base import StreamedResponse
from replay_agent.models.refusals import refused
from replay_agent.usage import Usage
from replay_agent.wire.codec import StreamDecoder

__all__ = ("HTTPStreamedResponse",)


@dataclass
class HTTPStreamedResponse(StreamedResponse):
    """An answer whose body is still being read.

    An error that the provider sends inside the stream is raised as `ModelHTTPError` where it names a status, else as
    `UnexpectedModelBehavior`; so is a body that cannot be read.
    """

    _model_name: str
    _http_response: httpx.Response
    _decoder: StreamDecoder
    _body: AsyncIterator[bytes] = field(init=False, repr=False)
    _first_events: list[ModelResponseStreamEvent] = field(default_factory=list, init=False, repr=False)
    _timestamp: datetime | None = field(default=None, init=False)
    _at_end: bool = field(default=False, init=False)
    _ahead: int = field(default=0, init=False)
    """How many events have been read and not handed on."""

    def __post_init__(self) -> None:
        self._body = self._http_response.aiter_bytes()

    async def begin(self) -> None:
        """Read up to the first event, so that a refusal or an empty stream is known before anything is handed on.

        Raises `UnexpectedModelBehavior` for a stream that ends before it says anything.
        """
        while not self._first_events and not self._at_end:
            self._first_events = await self._next_events()
            if not self._first_events:
                self._raise_error()
        if not self._first_events and not self._decoder.finished:
            raise UnexpectedModelBehavior("Streamed response ended without content or tool calls")
        self._timestamp = self.timestamp

    async def _get_event_iterator(self) -> AsyncIterator[ModelResponseStreamEvent]:
        for event in self._handed_on(self._first_events):
            yield event
        while not self._at_end:
            self._raise_error()
            for event in self._handed_on(await self._next_events()):
                yield event
        self._raise_error()

    def _handed_on(self, events: list[ModelResponseStreamEvent]) -> Iterator[ModelResponseStreamEvent]:
        for left, event in zip(range(len(events) - 1, -1, -1), events, strict=True):
            self._ahead = left
            self._parts.follow(event)
            yield event

    async def _next_events(self) -> list[ModelResponseStreamEvent]:
        data = await anext(self._body, None)
        self._at_end = data is None
        try:
            return self._decoder.close() if data is None else self._decoder.feed(data)
        except WireError as exc:
            raise UnexpectedModelBehavior(str(exc)) from exc

    def _raise_error(self) -> None:
        error = self._decoder.answer.error
        if error is not None:
            raise refused(error, self._model_name)

    async def aclose(self) -> None:
        await super().aclose()
        await self._http_response.aclose()
        if not self._at_end:
            await self._let_go()

    async def _let_go(self) -> None:
        # Trio warns of every asynchronous generator that is thrown away before its end, and httpx nests several. A
        # read that fails or is cancelled ends them all; on a closed response it cannot do anything else.
        with anyio.CancelScope() as scope, suppress(httpx.HTTPError, httpx.StreamError):
            scope.cancel()
            async for _ in self._body:
                pass

    def get(self) -> ModelResponse:
        response = self._decoder.answer.response or ModelResponse([])
        parts = self._parts.parts() if self._ahead else response.parts
        return replace(response, parts=parts, model_name=self.model_name, timestamp=self.timestamp)

    def usage(self) -> Usage:
        response = self._decoder.answer.response
        return (response and response.usage) or Usage()

    @property
    def model_name(self) -> str:
        return self._model_name

    @property
    def timestamp(self) -> datetime:
        if self._timestamp is not None:
            return self._timestamp
        response = self._decoder.answer.response
        known = response and response.timestamp != NO_TIMESTAMP
        return response.timestamp if response and known else datetime.now(tz=UTC)
