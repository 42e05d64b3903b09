"""Hooks for Tornado's clients: they make a whole response of what was recorded, and tell of the one that came live.

Tornado says of a request without a response that its status is 599 and keeps the error; `fetch` raises that. So does
what is replayed, with the errors of its own client on sockets::

    failure of connecting             the error of the socket; HTTPTimeoutError for a timeout
    hung up, before or in the body    HTTPStreamClosedError
    reset before the head             ConnectionResetError
    reset in the body                 HTTPTimeoutError: the error is lost on the way, and the timeout goes off
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from copy import copy
from functools import wraps
from importlib import import_module
from io import BytesIO
from typing import Any

from replay_agent.exceptions import CassetteMiss, UserError
from replay_agent.framing.http1 import phrase
from replay_agent.recording import dispatch
from replay_agent.recording.answers import Ending, Live, Replay
from replay_agent.recording.clients.failures import error_of, os_error
from replay_agent.recording.process import backoff
from replay_agent.recording.process.loop_clock import pass_time
from replay_agent.recording.process.patching import Patch
from replay_agent.traffic import Chunk, Failure, Outcome, Phase, Request, Response

__all__ = ("tornado_patches",)

_NO_RESPONSE = 599
"""Tornado's own status for a request that got no response."""
_LOST = "ReadError", "WriteError"
"""Errors that Tornado's client loses in the body."""
_CONNECT_TIMEOUT = "ConnectTimeout", Phase.CONNECT
_READ_TIMEOUT = "ReadTimeout", Phase.HEAD


def tornado_patches(module: Any) -> list[Patch]:
    """Return the patches for ``tornado.simple_httpclient`` or ``tornado.curl_httpclient``."""
    kinds = getattr(module, "SimpleAsyncHTTPClient", None), getattr(module, "CurlAsyncHTTPClient", None)
    return [Patch(kind, "fetch_impl", _fetching) for kind in kinds if kind]


def _fetching(original: Any) -> Any:
    @wraps(original)
    def fetch_impl(client: Any, request: Any, callback: Any) -> Any:
        recording = dispatch.claimant(request.url)
        if recording is None:
            return original(client, request, callback)
        sleep = backoff.pending_sleep()
        answer = dispatch.begin(recording, _plain(request))
        if isinstance(answer, Replay):
            return _Replayed(request, callback, answer, sleep).begin(client.io_loop.asyncio_loop)
        with dispatch.unhooked():  # also the fetches that follow a redirect: they are part of this one
            return original(client, request, _Noted(request, callback, answer))

    return fetch_impl


def _plain(request: Any) -> Request:
    if request.body_producer is not None:
        raise UserError(
            f"{request.method} {request.url} takes its body from a function while it is sent (body_producer=), which "
            "cannot be compared with what was recorded. Give the whole body: body=..."
        )
    headers = tuple((str(name), str(value)) for name, value in request.headers.get_all())
    body = request.body.encode() if isinstance(request.body, str) else request.body or b""
    return Request(request.method, request.url, headers, body)


class _Replayed:
    """Gives a recorded answer to who has asked for it, in a turn of the event loop of its own."""

    def __init__(self, request: Any, callback: Any, answer: Replay, sleep: backoff.PendingSleep) -> None:
        self._request = request
        self._callback = callback
        self._answer = answer
        self._sleep = sleep

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin on the client's own loop, which may not run yet: ``loop.run_until_complete(client.fetch(url))``."""
        self._answer.heed(self._request.request_timeout or None)
        self._sleep.note(self._answer.outcome)
        self._task = loop.create_task(self._give(self._answer.outcome))

    async def _give(self, outcome: Outcome) -> None:
        try:
            response = None if isinstance(outcome, Failure) else await self._received(outcome)
            if isinstance(outcome, Failure):
                await asyncio.sleep(self._answer.patience_ms / 1000)
                await self._broken(outcome)
        except Exception as error:  # noqa: BLE001 - also of the client's own callbacks: for who waits for the response
            response = _response(self._request, _NO_RESPONSE, error=error)
        except CassetteMiss as miss:
            response = _response(self._request, _NO_RESPONSE, error=miss)
        self._callback(response)

    async def _received(self, response: Response) -> Any:
        headers, body = _headers_of(response), BytesIO()
        reason = response.reason or phrase(response.status)
        if self._request.header_callback is not None:
            lines = [
                f"HTTP/1.1 {response.status} {reason}",
                *(f"{name}: {value}" for name, value in response.headers),
                "",
            ]
            for line in lines:
                self._request.header_callback(f"{line}\r\n")
        take = self._request.streaming_callback or body.write
        for wait_ms, piece in self._answer.pieces():
            if wait_ms > 0:
                await (pass_time(wait_ms) if self._answer.virtual else asyncio.sleep(wait_ms / 1000))
            if isinstance(piece, Ending):
                await self._broken(piece.failure)
            else:
                take(piece)
        body.seek(0)
        return _response(self._request, response.status, reason=reason, headers=headers, buffer=body)

    async def _broken(self, failure: Failure | None) -> None:
        """Raise what ends an answer that was not received whole, when as much time has passed as the client waits."""
        await pass_time(self._answer.skipped_ms)
        raise error_of(self._answer, failure, _own_error, self._sleep.note)


class _Noted:
    """The callback of a live request: tells the recording what became of it, and then the client."""

    def __init__(self, request: Any, callback: Callable[[Any], Any], live: Live | None) -> None:
        self._callback = callback
        self._live = live
        self._asked = request.request
        self._pieces: list[bytes] = []
        if request.streaming_callback is not None:
            self._streams = request.streaming_callback
            # Of a copy: the request is the caller's. What follows a redirect is copied from this one.
            request.request = copy(self._asked)
            request.request.streaming_callback = self._hear

    def _hear(self, piece: bytes) -> Any:
        self._pieces.append(piece)
        return self._streams(piece)

    def __call__(self, response: Any) -> Any:
        response.request = self._asked
        if self._live is not None:
            self._live.finish(_outcome(response, self._pieces))
        return self._callback(response)


def _outcome(response: Any, pieces: list[bytes]) -> Outcome:
    if response.code == _NO_RESPONSE:
        return _failure(response.error)
    chunks = tuple(map(Chunk, pieces or filter(None, [response.body])))
    return Response(response.code, tuple(response.headers.get_all()), chunks, reason=response.reason)


def _failure(error: BaseException | None) -> Failure:
    """Return what an error of Tornado's client is in httpx's words."""
    kind, message = type(error).__name__, str(error)
    if kind == "HTTPTimeoutError":
        connecting = "connecting" in message
        return Failure(*(_CONNECT_TIMEOUT if connecting else _READ_TIMEOUT), message)
    if kind == "HTTPStreamClosedError":
        return Failure("RemoteProtocolError", Phase.HEAD, message)
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        return Failure("ReadError", Phase.HEAD, message)
    return Failure("ConnectError", Phase.CONNECT, message)


def _own_error(failure: Failure) -> Exception:
    """Return the error that Tornado's client raises for a failure on a socket: see the table above."""
    library: Any = import_module("tornado.simple_httpclient")
    if failure.kind.endswith("Timeout") or (failure.phase is Phase.BODY and failure.kind in _LOST):
        timeout: Exception = library.HTTPTimeoutError(failure.message or "Timeout during request")
        return timeout
    if failure.kind == "RemoteProtocolError":
        closed: Exception = library.HTTPStreamClosedError(failure.message or "Connection closed")
        return closed
    return os_error(failure)


def _headers_of(response: Response) -> Any:
    headers = import_module("tornado.httputil").HTTPHeaders()
    for name, value in response.headers:
        headers.add(name, value)
    return headers


def _response(request: Any, code: int, **more: Any) -> Any:
    return import_module("tornado.httpclient").HTTPResponse(request, code, **more)
