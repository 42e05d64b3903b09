"""Hooks for httpx and httpx2: the transports that open connections, sync and async."""

from __future__ import annotations

import select
import sys
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from functools import partial, wraps
from itertools import chain
from types import coroutine
from typing import Any

from replay_agent.recording import dispatch
from replay_agent.recording.answers import Ending, Live, Replay
from replay_agent.recording.clients.failures import error_of, httpx_error, httpx_phase
from replay_agent.recording.clients.lazy_transport import lazy_transports
from replay_agent.recording.clients.tee import GRACE, Tee
from replay_agent.recording.process import backoff
from replay_agent.recording.process.loop_clock import pass_time
from replay_agent.recording.process.patching import Patch
from replay_agent.traffic import Failure, Headers, Request, Response

__all__ = "TransportHooks", "httpx_patches"

SWITCHING_PROTOCOLS = 101


def httpx_patches(module: Any) -> list[Patch]:
    """Return the patches for httpx or httpx2. Mock, ASGI and WSGI transports are other classes and left alone."""
    streams = TransportHooks(module)
    return [
        Patch(module.HTTPTransport, "handle_request", streams.sync_hook),
        Patch(module.AsyncHTTPTransport, "handle_async_request", streams.async_hook),
        *lazy_transports(module),
    ]


class TransportHooks:
    """The hooks of one module, and the stream classes that are instances of that module's own."""

    def __init__(self, module: Any) -> None:
        self.module = module
        both = (module.SyncByteStream, module.AsyncByteStream)
        self.replayed: Any = type("ReplayedStream", (_ReplayedStream, *both), {})
        self.sync_teed: Any = type("TeedStream", (_TeedStream, both[0]), {})
        self.async_teed: Any = type("AsyncTeedStream", (_AsyncTeedStream, both[1]), {})

    def sync_hook(self, original: Any) -> Any:
        """Return what stands in the place of a transport's ``handle_request``."""

        @wraps(original)
        def handle_request(transport: Any, request: Any) -> Any:
            url = str(request.url)
            recording = dispatch.claimant(url)
            if recording is None:
                return original(transport, request)
            request.read()
            answer = dispatch.begin(recording, _plain(request, url))
            if isinstance(answer, Replay):
                if answer.skips:
                    answer.heed(_patience(request))
                if isinstance(answer.outcome, Failure):
                    answer.wait(answer.patience_ms)
                return self._replayed(answer)
            with dispatch.unhooked():
                if answer is None:
                    return original(transport, request)
                try:
                    response = original(transport, request)
                except BaseException as error:
                    self._failed(answer, error)
                    raise
            return self._teed(answer, response, self.sync_teed)

        return handle_request

    def async_hook(self, original: Any) -> Any:
        """Return what stands in the place of a transport's ``handle_async_request``."""

        @wraps(original)
        async def handle_async_request(transport: Any, request: Any) -> Any:
            url = str(request.url)
            recording = dispatch.claimant(url)
            if recording is None:
                return await original(transport, request)
            await request.aread()
            answer = dispatch.begin(recording, _plain(request, url))
            if isinstance(answer, Replay):
                if answer.skips:
                    answer.heed(_patience(request))
                await _let_others_run()
                if isinstance(answer.outcome, Failure):
                    await pass_time(answer.skipped_ms)
                    await _async_wait(answer.patience_ms)
                return self._replayed(answer)
            with dispatch.unhooked():
                if answer is None:
                    return await original(transport, request)
                try:
                    response = await original(transport, request)
                except BaseException as error:
                    self._failed(answer, error)
                    raise
            return self._teed(answer, response, self.async_teed)

        return handle_async_request

    def _replayed(self, answer: Replay) -> Any:
        outcome = answer.outcome
        if isinstance(outcome, Failure):
            raise self._error(answer, outcome)
        backoff.note(outcome)
        extensions = {"http_version": outcome.http_version.encode("ascii", "replace")}
        if outcome.reason is not None:
            extensions["reason_phrase"] = _bytes(outcome.reason)
        return self.module.Response(
            outcome.status,
            headers=_raw(outcome.headers),
            stream=self.replayed(answer, self._error),
            extensions=extensions,
        )

    def _error(self, answer: Replay, failure: Failure | None) -> BaseException:
        return error_of(answer, failure, partial(httpx_error, self.module))

    def _failed(self, live: Live, error: BaseException) -> None:
        kind = type(error).__name__
        if isinstance(error, self.module.TransportError):
            live.fail(kind, httpx_phase(kind), str(error))
        elif isinstance(error, Exception):
            live.drop()  # no failure of the transport: a closed event loop, a refused network, a bug
        else:
            live.give_up()

    def _teed(self, live: Live, response: Any, kind: Any) -> Any:
        if response.status_code == SWITCHING_PROTOCOLS:
            live.drop()
            return response
        tee = Tee(live, _head(response))
        response.stream = kind(self.module, response.stream, tee, response.extensions.get("network_stream"))
        return response


def _plain(request: Any, url: str) -> Request:
    """Return a request as plain values; ``url`` is its address as text."""
    if ("@" in url or "#" in url) and (request.url.userinfo or request.url.fragment):
        url = str(request.url.copy_with(username=None, password=None, fragment=None))
    return Request(request.method, url, _headers(request.headers), request.content)


def _headers(headers: Any) -> Headers:
    """Return headers as text: decoded together, which takes half of what each by itself does."""
    raw = headers.raw
    texts = b"\n".join(chain.from_iterable(raw)).decode("latin-1").split("\n")
    if len(texts) == 2 * len(raw):
        return tuple(zip(texts[::2], texts[1::2], strict=True))
    return tuple([(name.decode("latin-1"), value.decode("latin-1")) for name, value in raw])


def _raw(headers: Headers) -> list[tuple[bytes, bytes]]:
    """Return headers as bytes: encoded together, as they are decoded."""
    try:
        raw = "\n".join(chain.from_iterable(headers)).encode("latin-1").split(b"\n")
    except UnicodeEncodeError:
        raw = []
    if len(raw) == 2 * len(headers):
        return list(zip(raw[::2], raw[1::2], strict=True))
    return [(_bytes(name), _bytes(value)) for name, value in headers]


def _bytes(text: str) -> bytes:
    """Write a header; what is beyond latin-1 comes from files of other tools, which decode UTF-8."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode()


def _head(response: Any) -> Response:
    extensions = response.extensions
    reason = extensions.get("reason_phrase")
    return Response(
        response.status_code,
        _headers(response.headers),
        reason=None if reason is None else reason.decode("latin-1"),
        http_version=extensions.get("http_version", b"HTTP/1.1").decode("ascii", "replace"),
    )


def _has_buffered(stream: Any) -> bool:
    """Tell whether httpcore has bytes of an HTTP/1 response that it has not handed out; it offers no way to ask."""
    for name in ("_httpcore_stream", "_stream", "_connection", "_h11_state"):
        stream = getattr(stream, name, None)
    return stream is not None and bool(stream.trailing_data[0])


def _patience(request: Any) -> float | None:
    """Return how many seconds the client waits for anything to come, None for ever."""
    patience: float | None = (request.extensions.get("timeout") or {}).get("read")
    return patience


async def _async_wait(milliseconds: float) -> None:
    if milliseconds > 0:
        import anyio

        await anyio.sleep(milliseconds / 1000)


async def _let_others_run() -> None:
    """Give every other task a turn, as a live request does that waits for the network.

    Without it a test could end before a task that it started has made its first request.
    """
    asyncio = sys.modules.get("asyncio")
    try:
        if asyncio is not None and asyncio.get_running_loop():
            await _turn()
            return
    except RuntimeError:
        pass  # another event loop's task
    from anyio.lowlevel import checkpoint

    await checkpoint()


@coroutine
def _turn() -> Generator[None]:
    """What ``asyncio.sleep(0)`` is, which tests and back-off replace."""
    yield


class _TeedStream:
    """A live body: hands on what comes, when it comes, and notes it."""

    def __init__(self, module: Any, stream: Any, tee: Tee, network: Any) -> None:
        self._module = module
        self._stream = stream
        self._tee = tee
        self._network = network
        self._iterator: Iterator[bytes] | None = None

    def __iter__(self) -> Iterator[bytes]:
        if self._iterator is None:  # else a client drains what it has begun; a forgotten iterator would hang up
            self._iterator = iter(self._stream)
        return self

    def __next__(self) -> bytes:
        assert self._iterator is not None
        self._tee.waiting = True
        try:
            piece = next(self._iterator)
        except StopIteration:
            self._tee.complete()
            raise
        except BaseException as error:
            _broke(self._tee, self._module, error)
            raise
        self._tee.piece(piece)
        return piece

    def close(self) -> None:
        try:
            if not self._tee.done and self._iterator is not None and self._is_readable():
                self._look_ahead(self._iterator)
            self._tee.closed()
        finally:
            self._stream.close()

    def _is_readable(self) -> bool:
        """Tell whether reading on would not wait: the end may be buffered, or come within the grace."""
        socket = self._network.get_extra_info("socket") if self._network is not None else None
        if socket is None or socket.fileno() < 0:
            return False
        return bool(_has_buffered(self._stream) or select.select([socket], [], [], GRACE)[0])

    def _look_ahead(self, iterator: Iterator[bytes]) -> None:
        try:
            next(iterator)
        except StopIteration:
            self._tee.complete()
        except self._module.TransportError:
            return


class _AsyncTeedStream:
    """The same for async clients."""

    def __init__(self, module: Any, stream: Any, tee: Tee, _network: Any) -> None:
        self._module = module
        self._stream = stream
        self._tee = tee
        self._iterator: AsyncIterator[bytes] | None = None
        self._reader: object = None
        """The task that reads. Another one closes only what was forgotten, with its generators in any state."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        if self._iterator is None:
            self._iterator = aiter(self._stream)
            self._reader = _task()
        return self

    async def __anext__(self) -> bytes:
        assert self._iterator is not None
        self._tee.waiting = True
        try:
            piece = await anext(self._iterator)
        except StopAsyncIteration:
            self._tee.complete()
            raise
        except BaseException as error:
            _broke(self._tee, self._module, error)
            raise
        self._tee.piece(piece)
        return piece

    async def aclose(self) -> None:
        try:
            if self._iterator is not None and not (self._tee.done or self._tee.waiting) and self._reader is _task():
                await self._look_ahead(self._iterator)
            self._tee.closed()
        finally:
            await self._stream.aclose()

    async def _look_ahead(self, iterator: AsyncIterator[bytes]) -> None:
        import anyio

        with anyio.move_on_after(GRACE, shield=True):
            try:
                await anext(iterator)
            except StopAsyncIteration:
                self._tee.complete()
            except self._module.TransportError:
                return


def _task() -> object:
    """Return the running task itself: its number may be that of another one, once it is over and forgotten."""
    asyncio = sys.modules.get("asyncio")  # which a session of sync clients does without
    try:
        if asyncio is not None:
            return asyncio.current_task()
    except RuntimeError:
        pass  # no loop of asyncio runs here
    return sys.modules["trio"].lowlevel.current_task()


def _broke(tee: Tee, module: Any, error: BaseException) -> None:
    if isinstance(error, module.TransportError):
        tee.failed(type(error).__name__, str(error))
    elif isinstance(error, Exception):
        tee.drop()
    else:
        tee.abandoned()


class _ReplayedStream:
    """A recorded body, piece by piece, and then whatever came after its last one."""

    def __init__(self, answer: Replay, error: Callable[[Replay, Failure | None], BaseException]) -> None:
        self._closed = False
        self._at_once = answer.pieces_at_once()
        if self._at_once is None:  # else nothing of the recording is held, which a response may outlive by long
            self._answer = answer
            self._error = error
            self._left = answer.pieces()

    def __iter__(self) -> Iterator[bytes]:
        return self._one_by_one() if self._at_once is None else self._at_once

    def _one_by_one(self) -> Iterator[bytes]:
        for wait_ms, piece in self._left:
            if wait_ms:
                self._answer.wait(wait_ms)
            if isinstance(piece, Ending):
                raise self._error(self._answer, piece.failure)
            yield piece

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if self._closed:
            raise StopAsyncIteration
        if self._at_once is not None:
            for given in self._at_once:
                return given
            raise StopAsyncIteration
        for wait_ms, piece in self._left:
            if wait_ms:
                await (pass_time(wait_ms) if self._answer.virtual else _async_wait(wait_ms))
            if isinstance(piece, Ending):
                await pass_time(self._answer.skipped_ms)
                raise self._error(self._answer, piece.failure)
            return piece
        raise StopAsyncIteration

    def close(self) -> None:
        """Nothing is held."""

    async def aclose(self) -> None:
        """Nothing is held; a client that reads on only to exhaust its own generators finds the end."""
        self._closed = True
