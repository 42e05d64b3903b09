"""Hooks for lm15, a client on bare sockets that DSPy carries along: its transports, sync and async."""

# ruff: noqa: SLF001 - a response keeps its body and the way back of its connection in private attributes
from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from functools import wraps
from typing import Any

from replay_agent.recording import dispatch
from replay_agent.recording.answers import CANCELLED, Live, Replay
from replay_agent.recording.clients.failures import error_kind, httpx_phase
from replay_agent.recording.clients.tee import Tee, patience_ms
from replay_agent.recording.process import backoff
from replay_agent.recording.process.patching import Patch
from replay_agent.traffic import Failure, Request, Response, StreamEnd

__all__ = ("lm15_patches",)


def lm15_patches(module: Any) -> list[Patch]:
    """Return the patches for lm15's ``transports``."""
    hooks = _Hooks(module)
    return [
        Patch(module.StdlibTransport, "stream", hooks.sync_hook),
        Patch(module.StdlibAsyncTransport, "_do_stream", hooks.async_hook),
    ]


class _Hooks:
    """The hooks of one copy of lm15."""

    def __init__(self, module: Any) -> None:
        self.module = module

    def sync_hook(self, original: Any) -> Any:
        @wraps(original)
        def stream(transport: Any, request: Any) -> Any:
            answer = _begin(request)
            if isinstance(answer, Replay):
                answer.wait(_delay_ms(answer))
                return self._replayed(answer, self.module.TransportResponse, self._pieces, _release)
            try:
                with dispatch.unhooked():
                    response = original(transport, request)
            except BaseException as error:
                self._failed(answer, error)
                raise
            return _teed(answer, response, self._noted)

        return stream

    def async_hook(self, original: Any) -> Any:
        @wraps(original)
        async def stream(transport: Any, request: Any) -> Any:
            answer = _begin(request)
            if isinstance(answer, Replay):
                await asyncio.sleep(_delay_ms(answer) / 1000)
                return self._replayed(answer, self.module.AsyncTransportResponse, self._async_pieces, _async_release)
            try:
                with dispatch.unhooked():
                    response = await original(transport, request)
            except BaseException as error:
                self._failed(answer, error)
                raise
            return _teed(answer, response, self._async_noted)

        return stream

    # Replay

    def _replayed(self, answer: Replay, kind: Any, pieces: Any, release: Any) -> Any:
        outcome = answer.outcome
        backoff.note(outcome)
        if isinstance(outcome, Failure):
            raise self._read_on(answer) if outcome.kind == CANCELLED else self._error(outcome)
        return kind(
            status=outcome.status,
            reason=outcome.reason or "",
            headers=list(outcome.headers),
            http_version=outcome.http_version,
            chunks=pieces(answer, outcome),
            release=release,
        )

    def _pieces(self, answer: Replay, response: Response) -> Iterator[bytes]:
        passed = 0
        for chunk in response.chunks:
            if answer.paced:
                answer.wait(chunk.offset_ms - passed)
                passed = chunk.offset_ms
            yield chunk.data
        if response.end is not StreamEnd.COMPLETE:
            answer.wait(patience_ms(response))
            raise self._end(answer, response)

    async def _async_pieces(self, answer: Replay, response: Response) -> AsyncIterator[bytes]:
        passed = 0
        for chunk in response.chunks:
            if answer.paced:
                await asyncio.sleep((chunk.offset_ms - passed) / 1000)
                passed = chunk.offset_ms
            yield chunk.data
        if response.end is not StreamEnd.COMPLETE:
            await asyncio.sleep(patience_ms(response) / 1000)
            raise self._end(answer, response)

    def _end(self, answer: Replay, response: Response) -> BaseException:
        if response.failure is None:
            return self._read_on(answer)
        backoff.note(response.failure)
        return self._error(response.failure)

    def _read_on(self, answer: Replay) -> BaseException:
        error = answer.read_on()
        read_error: Exception = self.module.ReadError(str(error))
        return read_error if isinstance(error, OSError) else error

    def _error(self, failure: Failure) -> Exception:
        error: Exception = error_kind(self.module, failure)(failure.message)
        return error

    # Recording

    def _failed(self, live: Live | None, error: BaseException) -> None:
        if live is None:
            return
        if isinstance(error, self.module.TransportError):
            kind = type(error).__name__
            live.fail(kind, httpx_phase(kind), str(error))
        elif isinstance(error, Exception):
            live.drop()
        else:
            live.give_up()

    def _noted(self, chunks: Iterator[bytes], tee: Tee) -> Iterator[bytes]:
        tee.waiting = True
        try:
            for piece in chunks:
                tee.piece(piece)
                yield piece
                tee.waiting = True
        except BaseException as error:
            self._broke(tee, error)
            raise
        tee.complete()

    async def _async_noted(self, chunks: AsyncIterator[bytes], tee: Tee) -> AsyncIterator[bytes]:
        tee.waiting = True
        try:
            async for piece in chunks:
                tee.piece(piece)
                yield piece
                tee.waiting = True
        except BaseException as error:
            self._broke(tee, error)
            raise
        tee.complete()

    def _broke(self, tee: Tee, error: BaseException) -> None:
        if isinstance(error, self.module.TransportError):
            tee.failed(type(error).__name__, str(error))
        elif tee.waiting:
            tee.abandoned()
        else:
            tee.closed()


def _begin(request: Any) -> Replay | Live | None:
    recording = dispatch.claimant(request.url)
    if recording is None:
        return None
    return dispatch.begin(recording, Request(request.method, request.url, tuple(request.headers), request.body or b""))


def _delay_ms(answer: Replay) -> int:
    return patience_ms(answer.outcome) if isinstance(answer.outcome, Failure) else 0


def _head(response: Any) -> Response:
    headers = tuple((name, value) for name, value in response.headers)
    return Response(response.status, headers, reason=response.reason, http_version=response.http_version)


def _teed(live: Live | None, response: Any, noted: Callable[[Any, Tee], Any]) -> Any:
    """Have a live response tell what is read of it, and when the client is done with it."""
    if live is not None:
        tee = Tee(live, _head(response))
        response._chunks = noted(response._chunks, tee)
        response._release = _releasing(response._release, tee)
    return response


def _releasing(release: Any, tee: Tee) -> Any:
    @wraps(release)
    def wrapped(body_consumed: bool) -> Any:
        tee.closed()
        return release(body_consumed)

    return wrapped


def _release(_body_consumed: bool) -> None:
    """There is no connection to give back."""


async def _async_release(_body_consumed: bool) -> None:
    """There is no connection to give back."""
