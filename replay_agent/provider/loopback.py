"""A server on loopback that answers as it is told, failures included: with real sockets, for clients that no hook reaches.

Beside `replay_agent.provider.server`, which is a regular server of HTTP: it keeps connections, and serves processes that
fork while it runs. This one breaks connections off, resets and stalls them, as no such server lets its application do.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeAlias

from replay_agent.framing.http1 import CONTINUE, RequestReader, head_bytes, piece_bytes, trailing_bytes
from replay_agent.recording.answers import STALLED
from replay_agent.traffic import Chunk, Failure, Outcome, Request, Response

__all__ = "OutcomeFunction", "serving"

OutcomeFunction: TypeAlias = Callable[[Request], Outcome]

_HANG_UP_AT_ONCE = struct.pack("ii", 1, 0)
"""SO_LINGER on, for no time: closing then sends a reset instead of a regular end."""
_RESETS = "ReadError", "WriteError", "ConnectError", "ConnectTimeout"
"""Failures that a server can only show as a reset: connecting has succeeded by the time it knows what is asked."""


@contextmanager
def serving(outcome: OutcomeFunction, *, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve what a function says becomes of each request, and yield the server's address (``http://127.0.0.1:PORT``).

    Each connection takes one request. Delays are real: a stalled answer stays so until the client hangs up, or the block
    is left, with which the server is down and its port closed. A function that raises is an answer of status 500, saying so.
    Raises `OSError` if the port is taken; 0 is one that is free.
    """
    listener = socket.create_server((host, port), backlog=128)
    server = _Server(listener, outcome)
    thread = threading.Thread(target=server.run, name="replay-agent loopback", daemon=True)
    thread.start()
    try:
        yield server.url
    finally:
        server.stop()
        thread.join()


class _Server:
    """Accepts connections until it is stopped; each is served by a thread of its own."""

    def __init__(self, listener: socket.socket, outcome: OutcomeFunction) -> None:
        self._listener = listener
        self._outcome = outcome
        self._ended = threading.Event()
        self._connections: set[socket.socket] = set()
        self.url = "http://{}:{}".format(*listener.getsockname()[:2])

    def run(self) -> None:
        workers = []
        while not self._ended.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                break
            self._connections.add(connection)
            worker = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            workers.append(worker)
            worker.start()
        for worker in workers:
            worker.join()

    def stop(self) -> None:
        self._ended.set()
        with suppress(OSError), socket.create_connection(self._listener.getsockname()[:2]):
            pass  # so that the thread which waits for one takes a look
        self._listener.close()
        for connection in list(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            request = self._request(connection)
            if request is not None:
                self._answer(connection, self._outcome_of(request))
        self._connections.discard(connection)

    def _outcome_of(self, request: Request) -> Outcome:
        try:
            return self._outcome(request)
        except OSError:
            raise  # which breaks the connection off, as it is meant to
        except Exception as error:  # noqa: BLE001 - of the function that answers: who asked is to see it
            text = f"{type(error).__name__}: {error}".encode()
            headers = ("content-type", "text/plain; charset=utf-8"), ("content-length", str(len(text)))
            return Response(500, headers, (Chunk(text),))

    def _request(self, connection: socket.socket) -> Request | None:
        reader, continued = RequestReader(), False
        while not reader.complete:
            data = connection.recv(65536)
            if not data:
                return None
            reader.feed(data)
            if reader.waits_for_continue and not continued:
                continued = True
                connection.sendall(CONTINUE)
        return reader.request(self.url)

    def _answer(self, connection: socket.socket, outcome: Outcome) -> None:
        if isinstance(outcome, Failure):
            self._fail(connection, outcome)
            return
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(head_bytes(_closing(outcome)))
        passed = 0
        for chunk in outcome.chunks:
            self._ended.wait((chunk.offset_ms - passed) / 1000)
            passed = chunk.offset_ms
            connection.sendall(piece_bytes(outcome, chunk.data))
        if outcome.failure is not None:
            self._fail(connection, outcome.failure)
        else:
            connection.sendall(trailing_bytes(outcome))

    def _fail(self, connection: socket.socket, failure: Failure) -> None:
        if failure.kind in _RESETS:
            self._ended.wait(0.02)  # what was sent is to be read before a reset wipes it out
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _HANG_UP_AT_ONCE)
        elif failure.kind == STALLED or failure.kind.endswith("Timeout"):
            connection.recv(1)  # until the client has had enough


def _closing(response: Response) -> Response:
    kept = tuple(pair for pair in response.headers if pair[0].lower() != "connection")
    return Response(response.status, (*kept, ("connection", "close")), reason=response.reason)
