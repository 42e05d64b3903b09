"""Hooks for every client built on ``http.client``: urllib, urllib3, requests, botocore, httplib2.

Only connecting is replaced: the connection gets a stand-in for its socket, which takes the request as bytes and gives
the response as bytes, from the recording or from the real socket that is connected then. Parsing, decoding, retrying
and raising stay the client's own; a connection class that makes its socket in another way is left alone.
"""

# ruff: noqa: SLF001 - http.client and its heirs keep what a connection is in private attributes
from __future__ import annotations

import io
import os
import socket
import sys
from collections.abc import Callable, Iterator
from functools import cache, partial, wraps
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any

from replay_agent.framing.http1 import CONTINUE, RequestReader, head_bytes, piece_bytes, trailing_bytes
from replay_agent.recording import dispatch
from replay_agent.recording.answers import CANCELLED, Ending, Live, Replay
from replay_agent.recording.clients.failures import error_of, os_error
from replay_agent.recording.clients.live_response import LiveResponse
from replay_agent.recording.clients.tee import GRACE
from replay_agent.recording.matching.hosts import DEFAULT_PORTS
from replay_agent.recording.process import backoff
from replay_agent.recording.process.patching import Patch
from replay_agent.traffic import Failure, Phase, Request

__all__ = "http_client_patches", "httplib2_patches", "urllib3_patches"


_RESPONSE = "_HTTPConnection__response"
"""Where a connection has the response that it waits for the end of."""


def http_client_patches(_module: Any) -> list[Patch]:
    """Return the patches for the standard library's connections."""
    return [Patch(kind, "connect", _connecting) for kind in (HTTPConnection, HTTPSConnection)]


def urllib3_patches(module: Any) -> list[Patch]:
    """Return the patches for ``urllib3.connection``."""
    return [Patch(kind, "connect", _connecting) for kind in (module.HTTPConnection, module.HTTPSConnection)]


def httplib2_patches(module: Any) -> list[Patch]:
    """Return the patches for httplib2."""
    kinds = module.HTTPConnectionWithTimeout, module.HTTPSConnectionWithTimeout
    return [Patch(kind, "connect", _connecting) for kind in kinds]


def _connecting(original: Any) -> Any:
    @wraps(original)
    def connect(connection: Any) -> None:
        recording = dispatch.claimant(_base_url(connection), whole=False)
        if recording is None:
            original(connection)
        else:
            connection.sock = _StandIn(connection, original, recording)
            _look_connected(connection)

    return connect


def _base_url(connection: Any) -> str:
    tunnelled = connection._tunnel_host
    host, port = (tunnelled, connection._tunnel_port) if tunnelled else (connection.host, connection.port)
    secure = bool(tunnelled) or connection.default_port == HTTPSConnection.default_port
    authority = f"[{host}]" if ":" in host else host
    if port not in (None, DEFAULT_PORTS["https" if secure else "http"]):
        authority += f":{port}"
    return f"{'https' if secure else 'http'}://{authority}"


def _look_connected(connection: Any) -> None:
    """Set what urllib3 sets on connecting, as it would be after the connect of a client that wants verification."""
    if hasattr(connection, "is_verified"):
        connection.is_verified = getattr(connection, "cert_reqs", None) not in (0, "CERT_NONE")
    if getattr(connection, "proxy", None):
        connection._has_connected_to_proxy = True


class _StandIn:
    """In place of a connection's socket: knows what the client writes, and answers when the client wants to read."""

    def __init__(self, connection: Any, connect: Any, recording: dispatch.Claimant) -> None:
        self._connection = connection
        self._connect = connect
        self._recording: dispatch.Claimant | None = recording
        self._base = _base_url(connection)
        self._connect_timeout = connection.timeout
        self._timeout: Any = None
        self._written = RequestReader()
        self._response: io.RawIOBase | OSError | None = None
        self._real: Any = None

    def sendall(self, data: Any, *_flags: int) -> None:
        self._written.feed(bytes(data))
        if self._written.complete:
            self._respond()

    def send(self, data: Any, *_flags: int) -> int:
        self.sendall(data)
        return len(data)

    def makefile(self, *_args: Any, **_kwargs: Any) -> io.BufferedReader | io.BytesIO:
        """Return the response, for http.client asks for it when it has written the whole request."""
        if self._written.waits_for_continue:
            return io.BytesIO(CONTINUE)
        if self._response is None and not self._written.sent:
            return io.BytesIO()  # the last request was a miss, and this one was not sent: a connection that is closed
        if self._response is None:
            self._respond()
        response, self._response = self._response, None
        if isinstance(response, io.RawIOBase):
            return io.BufferedReader(response)
        raise response or ConnectionResetError("There is no response to read")

    def _respond(self) -> None:
        """Get the response to the request that was written; what fails now fails for the client that is writing."""
        request, sent = self._written.request(self._base), bytes(self._written.sent)
        self._written = RequestReader()
        try:
            self._response = self._answer(request, sent)
        except OSError as error:
            self._response = error  # urllib3 passes over some errors of writing, and reads
            raise

    def settimeout(self, value: Any) -> None:
        self._timeout = value
        if self._real is not None and self._real.fileno() >= 0:
            self._real.settimeout(value)

    def gettimeout(self) -> Any:
        return self._timeout

    def setsockopt(self, *_args: Any) -> None:
        """Options are of no use to a stand-in."""

    def fileno(self) -> int:
        """Return a descriptor that always looks ready, so that no pool takes the stand-in for an idle connection."""
        return _ready_descriptor()

    def shutdown(self, how: int) -> None:
        if self._real is not None and self._real.fileno() >= 0:
            self._real.shutdown(how)

    def close(self) -> None:
        """Leave a response that has been read to its reader, as a connection does that is used again.

        A pool takes a stand-in for a connection that the server has hung up, and closes it in whatever thread asks next.
        That would close the response as well, which its reader may be closing at that moment: one of the two then fails.
        The response holds the real socket, and closes it.
        """
        response = getattr(self._connection, _RESPONSE, None)
        if response is not None and response.isclosed():
            setattr(self._connection, _RESPONSE, None)

    def _answer(self, request: Request, sent: bytes) -> io.RawIOBase:
        recording = self._recording if self._recording and self._recording.is_open else None
        self._recording = None  # a later request on this connection may belong to another one
        recording = recording or dispatch.claimant(request.url)
        if recording is None or not recording.wants(request.url):
            return _TeedResponse(self._send(sent), None, request.method)
        answer = dispatch.begin(recording, request)
        if isinstance(answer, Replay):
            return self._replayed(answer)
        if answer is None:
            return _TeedResponse(self._send(sent), None, request.method)
        try:
            return _TeedResponse(self._send(sent), answer, request.method)
        except BaseException as error:
            _failed(answer, error)
            raise

    def _replayed(self, answer: Replay) -> io.RawIOBase:
        outcome = answer.outcome
        if isinstance(outcome, Failure):
            connecting = outcome.phase in (Phase.CONNECT, Phase.SEND)
            if connecting or outcome.kind == CANCELLED:
                answer.wait(answer.patience_ms)
                raise error_of(answer, outcome, partial(_connect_error, self._connection) if connecting else os_error)
        return _ReplayedResponse(answer, self._patience)

    def _patience(self) -> float | None:
        """Return how many seconds the client waits for anything to come, None for ever; it may say so after it has asked."""
        timeout = self._timeout if self._timeout is not None else self._connection.timeout
        if timeout is None or isinstance(timeout, int | float):
            return timeout
        return socket.getdefaulttimeout()

    def _send(self, sent: bytes) -> Any:
        """Connect in earnest, send the request, return the socket."""
        connection = self._connection
        timeout, connection.timeout, connection.sock = connection.timeout, self._connect_timeout, None
        try:
            with dispatch.unhooked():
                self._connect(connection)
            self._real = connection.sock
        finally:
            connection.timeout, connection.sock = timeout, self
        try:
            self._real.sendall(sent)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it may have answered before it hung up: reading will tell
        except TimeoutError as error:
            raise _WriteTimeout(*error.args) from error
        if self._timeout is not None:
            self._real.settimeout(self._timeout)
        return self._real


class _WriteTimeout(TimeoutError):
    """A timeout of writing, told apart from one of connecting."""


@cache
def _ready_descriptor() -> int:
    reading, writing = os.pipe() if os.name == "posix" else (s.detach() for s in socket.socketpair())
    # A reading end whose other end is closed is ready for ever.
    os.close(writing) if os.name == "posix" else socket.socket(fileno=writing).close()
    return reading


def _failed(live: Live, error: BaseException) -> None:
    """Record that no response came because connecting or sending failed."""
    kind = _kind(error)
    if kind is not None:
        phase = Phase.SEND if kind.startswith("Write") else Phase.CONNECT
        live.fail(kind, phase, _root_text(error))
    elif isinstance(error, Exception):
        live.drop()
    else:
        live.give_up()


def _kind(error: BaseException) -> str | None:
    """Name an error of connecting or sending as httpx would; None if it is none of the transport."""
    name = type(error).__name__
    if isinstance(error, _WriteTimeout):
        return "WriteTimeout"
    if isinstance(error, TimeoutError) or name == "ConnectTimeoutError":
        return "ConnectTimeout"
    if isinstance(error, OSError) and "Tunnel connection failed" in str(error):
        return "ProxyError"
    if isinstance(error, (OSError, HTTPException)) or type(error).__module__.startswith("urllib3."):
        return "ConnectError"
    return None


def _root_text(error: BaseException) -> str:
    """Return what the socket said, which libraries wrap in words of their own."""
    while not isinstance(error, OSError) and isinstance(error.__cause__ or error.__context__, Exception):
        error = error.__cause__ or error.__context__ or error
    return str(error)


def _connect_error(connection: Any, failure: Failure) -> Exception:
    """Return the error of connecting as this connection's library would have wrapped it."""
    error = os_error(failure)
    exceptions: Any = sys.modules.get("urllib3.exceptions")
    if exceptions is None or "urllib3" not in {kind.__module__.partition(".")[0] for kind in type(connection).__mro__}:
        return error
    if isinstance(error, TimeoutError):
        text = f"Connection to {connection.host} timed out. (connect timeout={connection.timeout})"
        wrapped: Exception = exceptions.ConnectTimeoutError(connection, text)
    elif isinstance(error, socket.gaierror) and hasattr(exceptions, "NameResolutionError"):
        wrapped = exceptions.NameResolutionError(connection.host, connection, error)
    elif failure.phase is Phase.SEND or "SSL" in type(error).__name__:
        return error
    else:
        wrapped = exceptions.NewConnectionError(connection, f"Failed to establish a new connection: {error}")
    wrapped.__cause__ = error
    return wrapped


class _TeedResponse(io.RawIOBase):
    """A live response as it comes from the socket, noted on the way. Owns the socket."""

    def __init__(self, real: Any, live: Live | None, method: str) -> None:
        super().__init__()
        self._real = real
        self._noted = LiveResponse(live, method, interim=(100,))  # http.client takes any other for the final one

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._noted.waits()
        try:
            count = int(self._real.recv_into(buffer))
        except OSError as error:
            self._noted.failed("ReadTimeout" if isinstance(error, TimeoutError) else "ReadError", str(error))
            raise
        except BaseException:
            self._noted.abandoned()
            raise
        if count:
            self._noted.feed(bytes(memoryview(buffer)[:count]))
        else:
            self._noted.hung_up()
        return count

    def close(self) -> None:
        if not self.closed:
            try:
                self._closed_by_client()
            finally:
                self._real.close()
        super().close()

    def _closed_by_client(self) -> None:
        if self._noted.has_head and not self._noted.is_settled and self._ends_now():
            self._noted.complete()
        self._noted.closed()

    def _ends_now(self) -> bool:
        """Tell whether nothing but the end of the body was still to come."""
        try:
            self._real.settimeout(GRACE)
            data = self._real.recv(65536)
        except (OSError, ValueError):
            return False
        return self._noted.ends_with(data)


class _ReplayedResponse(io.RawIOBase):
    """A recorded response as a socket would have given it: the head, then each piece at its own read."""

    def __init__(self, answer: Replay, patience: Callable[[], float | None]) -> None:
        super().__init__()
        self._answer = answer
        self._patience = patience
        self._bytes = self._wire()
        self._left = memoryview(b"")
        backoff.note(answer.outcome)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._left:
            piece = next(self._bytes, None)
            if piece is None:
                return 0
            self._left = memoryview(piece)
        count = min(len(buffer), len(self._left))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        return count

    def _wire(self) -> Iterator[bytes]:
        self._answer.heed(self._patience())
        outcome = self._answer.outcome
        if isinstance(outcome, Failure):
            yield from self._break(outcome)
            return
        yield head_bytes(outcome)
        for wait_ms, piece in self._answer.pieces():
            self._answer.wait(wait_ms)
            if isinstance(piece, Ending):
                yield from self._break(piece.failure)
                return
            yield piece_bytes(outcome, piece)
        yield trailing_bytes(outcome)

    def _break(self, failure: Failure | None) -> Iterator[bytes]:
        """Hang up where the peer did, which is to give nothing more; else raise what the socket raised."""
        error = error_of(self._answer, failure, os_error)
        if failure is None or failure.kind != "RemoteProtocolError":
            raise error
        yield from ()
