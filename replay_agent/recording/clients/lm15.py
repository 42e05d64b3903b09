"""Hooks for lm15, a client on bare sockets that DSPy carries along: its transports, sync and async."""

# ruff: noqa: SLF001 - a response keeps its body and the way back of its connection in private attributes
from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from functools import wraps
from typing import Any

from replay_agent.recording import dispatch
from replay_agent.recording.answers import UNKNOWN_PATIENCE, Ending, Live, Replay
from replay_agent.recording.clients.failures import error_kind, error_of, httpx_phase
from replay_agent.recording.clients.tee import Tee
from replay_agent.recording.process import backoff
from replay_agent.recording.process.loop_clock import pass_time
from replay_agent.recording.process.patching import Patch
from replay_agent.traffic import Failure, Phase, Request, Response

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
                answer.heed(_patience(transport))
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
                answer.heed(_patience(transport))
                if isinstance(answer.outcome, Failure):
                    await pass_time(answer.skipped_ms)
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
        if isinstance(outcome, Failure):
            raise self._error(answer, outcome)
        backoff.note(outcome)
        return kind(
            status=outcome.status,
            reason=outcome.reason or "",
            headers=list(outcome.headers),
            http_version=outcome.http_version,
            chunks=pieces(answer),
            release=release,
        )

    def _pieces(self, answer: Replay) -> Iterator[bytes]:
        for wait_ms, piece in answer.pieces():
            answer.wait(wait_ms)
            if isinstance(piece, Ending):
                raise self._error(answer, piece.failure)
            yield piece

    async def _async_pieces(self, answer: Replay) -> AsyncIterator[bytes]:
        for wait_ms, piece in answer.pieces():
            if wait_ms > 0:
                await (pass_time(wait_ms) if answer.virtual else asyncio.sleep(wait_ms / 1000))
            if isinstance(piece, Ending):
                await pass_time(answer.skipped_ms)
                raise self._error(answer, piece.failure)
            yield piece

    def _error(self, answer: Replay, failure: Failure | None) -> BaseException:
        return error_of(answer, failure, self._own_error)

    def _own_error(self, failure: Failure) -> Exception:
        broken = failure.phase is Phase.BODY and failure.kind == "RemoteProtocolError"
        kind = self.module.ProtocolError if broken else error_kind(self.module, failure)
        error: Exception = kind(failure.message)
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


def _patience(transport: Any) -> float | None:
    """Return how many seconds a transport waits for anything to come."""
    patience: float | None = getattr(transport, "_read_timeout", UNKNOWN_PATIENCE)
    return patience


def _delay_ms(answer: Replay) -> int:
    return answer.patience_ms if isinstance(answer.outcome, Failure) else 0


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
