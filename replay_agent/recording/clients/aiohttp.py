"""Hooks for aiohttp: its connectors hand out connections whose transport takes requests and gives responses.

As with sockets, only connecting is replaced; aiohttp's own parser sees the bytes, from the recording or from the real
connection that is made when the request is known. What stands between them goes through these states::

    written to    _Transport without a source: aiohttp writes the request, until RequestReader finds it whole
      |-> replaying  _Replayed: gives the head, then a piece, and holds aiohttp's reader;
      |     |          resumed by it when the piece has been read: the next one, and so on
      |     |-> ended       the last piece was read and the body was whole: the connection is closed or kept
      |     |-> broken      the recorded failure is raised, or the connection hung up
      |     '-> watching    the recorded client read no further: a close is the end, reading on is a miss
      |-> relaying   _Relay: connects, sends what was written, passes bytes on and has LiveResponse note them
      |     |-> settled     the response is whole, has failed, or was given up
      |     '-> in grace    the client closed before the end: GRACE seconds for the end to come, noted, not passed on
      '-> refused    a miss: raised to whoever waits for the response
    closing is final in each of them
"""

# ruff: noqa: SLF001 - a connector is left through a private method, a response's reader is reached through another
from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterable
from functools import partial, wraps
from typing import Any, TypeAlias

from replay_agent.framing.http1 import CONTINUE, RequestReader, head_bytes, piece_bytes, trailing_bytes
from replay_agent.recording import dispatch
from replay_agent.recording.answers import CANCELLED, Ending, Live, Replay
from replay_agent.recording.clients.aiohttp_errors import AiohttpErrors, connect_kind
from replay_agent.recording.clients.failures import error_of, os_error
from replay_agent.recording.clients.live_response import LiveResponse
from replay_agent.recording.clients.tee import GRACE
from replay_agent.recording.process import backoff
from replay_agent.recording.process.loop_clock import pass_time
from replay_agent.recording.process.patching import Patch
from replay_agent.traffic import Failure, Outcome, Phase, Response

__all__ = ("aiohttp_patches",)

_POLL = 0.01
"""Seconds between looks at whether a client reads on past the end of what was recorded: aiohttp's reader tells nobody that
somebody waits at it. Short beside what people notice, long beside what a look costs (a microsecond)."""


Connect: TypeAlias = Callable[[], Awaitable[Any]]


def aiohttp_patches(module: Any) -> list[Patch]:
    """Return the patches for aiohttp."""

    def connecting(original: Any) -> Any:
        @wraps(original)
        async def connect(connector: Any, req: Any, *args: Any, **kwargs: Any) -> Any:
            recording = dispatch.claimant(str(req.url))
            if recording is None or "upgrade" in req.headers:
                return await original(connector, req, *args, **kwargs)

            async def really_connect() -> Any:
                return await original(connector, req, *args, **kwargs)

            limits = kwargs.get("timeout", args[-1] if args else None)
            return _stand_in(module, connector, req, recording, really_connect, limits)

        return connect

    return [Patch(module.BaseConnector, "connect", connecting)]


def _stand_in(
    module: Any, connector: Any, req: Any, recording: dispatch.Claimant, connect: Connect, limits: Any
) -> Any:
    """Return a connection that looks like one of this connector, and never goes into its pool."""
    loop = asyncio.get_running_loop()
    protocol = module.client_proto.ResponseHandler(loop)
    protocol.connection_made(_Transport(module, connector, req, protocol, recording, connect, limits))
    return module.connector.Connection(_Owner(connector), req.connection_key, protocol, loop)


class _Owner:
    """The connector that a stand-in connection is given back to."""

    def __init__(self, connector: Any) -> None:
        self.force_close = connector.force_close

    def _release(self, _key: Any, protocol: Any, **_how: bool) -> None:
        protocol.close()


class _Transport(asyncio.Transport):
    """In place of a connection's transport: knows what aiohttp writes, and answers when the request is whole."""

    def __init__(
        self,
        module: Any,
        connector: Any,
        req: Any,
        protocol: Any,
        recording: dispatch.Claimant,
        connect: Connect,
        limits: Any,
    ) -> None:
        super().__init__()
        self._connector = connector
        self._req = req
        self._protocol = protocol
        self._recording = recording
        self._connect = connect
        self._limits = limits
        self.errors = AiohttpErrors(module, req)
        """What the client gets for a failure."""
        self._loop = asyncio.get_running_loop()
        self._sleep = backoff.pending_sleep()
        self._written = RequestReader()
        self._source: _Replayed | _Relay | None = None
        self._closing = False

    # What aiohttp asks of a transport

    def write(self, data: Any) -> None:
        self._written.feed(bytes(data))
        if self._source is not None:
            return
        if self._written.complete:
            self._answer()
        elif self._written.waits_for_continue:
            self._loop.call_soon(self.receive, CONTINUE)

    def writelines(self, list_of_data: Iterable[Any]) -> None:
        for data in list_of_data:
            self.write(data)

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return self._closing

    def pause_reading(self) -> None:
        if self._source is not None:
            self._source.pause()

    def resume_reading(self) -> None:
        if self._source is not None:
            self._source.resume()

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            if self._source is not None:
                self._source.close()
            self._loop.call_soon(self._protocol.connection_lost, None)

    def abort(self) -> None:
        self.close()

    # What a source of the response calls

    def receive(self, data: bytes) -> None:
        if not self._closing:
            self._protocol.data_received(data)

    def hang_up(self, error: Exception | None) -> None:
        if not self._closing:
            self._closing = True
            self._protocol.connection_lost(error)

    def fail(self, error: BaseException) -> None:
        """Raise an error to whoever waits for the response or reads its body."""
        if self._closing:
            return
        reader = self.reader
        self._protocol.set_exception(error)
        if reader is not None:
            reader.set_exception(error)

    @property
    def reader(self) -> Any:
        """The stream that the body goes into, None before there is one."""
        return getattr(self._protocol, "_payload", None)

    def hold(self) -> None:
        """Have the reader say when it has been read."""
        self._protocol.pause_reading()

    @property
    def is_whole(self) -> bool:
        """Whether the response has come to its end."""
        return self.reader is None or bool(self.reader.is_eof())

    @property
    def is_read(self) -> bool:
        """Whether somebody waits for more of the body."""
        return self.reader is not None and self.reader._waiter is not None

    @property
    def session_is_closed(self) -> bool:
        """Whether the session was closed, and with it every real connection, whoever still holds a response."""
        return bool(self._connector.closed)

    @property
    def patience(self) -> float | None:
        """How many seconds the client waits for anything to come, None for ever, or as long as for all of it."""
        patience: float | None = getattr(self._protocol, "read_timeout", None)
        return patience

    @property
    def time_in_all_ms(self) -> float:
        """How long the client waits for the whole request, where it has no other limit for connecting; else 0."""
        limits = self._limits
        if getattr(limits, "sock_connect", None) or getattr(limits, "connect", None):
            return 0
        return (getattr(limits, "total", None) or 0) * 1000

    def why_closed(self) -> BaseException | None:
        """Return what made the client close: an error it is handling, or one that broke its reading."""
        error = sys.exc_info()[1]
        return self.reader.exception() if error is None and self.reader is not None else error

    def _answer(self) -> None:
        request, sent = self._written.request(_base_url(self._req)), bytes(self._written.sent)
        try:
            recording = self._recording if self._recording.is_open else dispatch.claimant(request.url)
            answer = dispatch.begin(recording, request) if recording is not None else None
        except BaseException as error:  # noqa: BLE001 - a miss, or what a hook raised: for whoever waits for the answer
            self._loop.call_soon(self.fail, error)
            return
        if isinstance(answer, Replay):
            self._source = _Replayed(self, answer, self._sleep)
        else:
            self._source = _Relay(self, answer, request.method, self._connect, sent)


def _base_url(req: Any) -> str:
    return str(req.url.origin())


class _Replayed:
    """Feeds a recorded response, each piece when the one before has been read, so that none are joined."""

    def __init__(self, transport: _Transport, answer: Replay, sleep: backoff.PendingSleep) -> None:
        self._transport = transport
        self._answer = answer
        self._sleep = sleep
        self._loop = asyncio.get_running_loop()
        self._waits_for_reader = False
        answer.heed(transport.patience)
        if isinstance(answer.outcome, Response):
            sleep.note(answer.outcome)
        self._loop.call_soon(self._start, answer.outcome)

    def pause(self) -> None:
        """The reader has enough: `_give` knows already, as it says so itself."""

    def resume(self) -> None:
        if self._waits_for_reader:
            self._waits_for_reader = False
            self._loop.call_soon(self._go_on)

    def close(self) -> None:
        """Nothing is held; the transport takes no more."""

    def _start(self, outcome: Outcome) -> None:
        if isinstance(outcome, Failure):
            self._break(outcome)
            return
        self._response = outcome
        self._left = self._answer.pieces()
        self._transport.receive(head_bytes(outcome))
        self._loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        if self._transport.is_closing():
            return
        wait_ms, piece = next(self._left, (0, None))
        if piece is None:
            self._end(self._response)
        elif isinstance(piece, Ending):
            self._break_off(piece.failure, wait_ms)
        elif wait_ms > 0 and self._answer.virtual:
            self._after_time_passed(partial(self._give, piece), wait_ms)
        elif wait_ms > 0:
            self._loop.call_later(wait_ms / 1000, self._give, piece)
        else:
            self._give(piece)

    def _give(self, data: bytes) -> None:
        reader = self._transport.reader
        before = reader.total_bytes if reader is not None else 0
        self._transport.receive(piece_bytes(self._response, data))
        # Where nothing has reached the reader (compressed data that makes no byte yet) nobody will say that it was
        # read.
        if reader is None or reader.is_eof() or reader.total_bytes == before:
            self._loop.call_soon(self._go_on)
        else:
            self._waits_for_reader = True
            self._transport.hold()

    def _end(self, response: Response) -> None:
        """Do what follows the last piece of a body that is whole."""
        self._transport.receive(trailing_bytes(response))
        if not self._transport.is_whole:
            self._transport.hang_up(None)  # a body that ends with its connection

    def _break_off(self, failure: Failure | None, wait_ms: int) -> None:
        """Do what follows the last piece of a body that was not received whole."""
        if failure is not None:
            self._break(failure)
        elif self._answer.hangs:
            self._after_time_passed(self._miss, self._answer.skipped_ms)
        elif wait_ms:
            self._loop.call_later(wait_ms / 1000, self._miss)
        else:
            self._watch()

    def _break(self, failure: Failure) -> None:
        if self._answer.hangs:
            self._after_time_passed(self._miss, self._answer.skipped_ms)
            return
        if failure.kind == CANCELLED:
            self._loop.call_later(self._answer.patience_ms / 1000, self._miss)
            return
        self._sleep.note(failure)
        if failure.phase in (Phase.CONNECT, Phase.SEND):
            passed_ms = self._transport.time_in_all_ms if failure.kind == "ConnectTimeout" else 0
            self._after_time_passed(partial(self._not_connected, failure), passed_ms)
        elif failure.kind.endswith("Timeout"):
            self._after_time_passed(self._time_out, self._answer.skipped_ms)
        else:
            self._transport.hang_up(None if failure.kind == "RemoteProtocolError" else os_error(failure))

    def _not_connected(self, failure: Failure) -> None:
        self._transport.fail(self._transport.errors.of_connecting(failure))

    def _after_time_passed(self, then: Callable[[], None], passed_ms: float) -> None:
        """Do something when as much time has passed on the clock of the loop; at once if none has to."""
        if not passed_ms:
            then()
            return

        async def passing() -> None:
            await pass_time(passed_ms)
            then()

        self._passing = self._loop.create_task(passing())

    def _time_out(self) -> None:
        if not self._transport.is_closing():
            self._transport.fail(self._transport.errors.read_timeout())

    def _watch(self) -> None:
        """Wait until the client closes, as it did when it was recorded, or reads on, which is a miss."""
        if self._transport.is_closing():
            return
        if self._transport.is_read:
            self._miss()
        else:
            self._loop.call_later(_POLL, self._watch)

    def _miss(self) -> None:
        if not self._transport.is_closing():
            self._transport.fail(error_of(self._answer, None, os_error))


class _Relay(asyncio.Protocol):
    """Passes a live response on as it comes, and notes it."""

    def __init__(self, transport: _Transport, live: Live | None, method: str, connect: Connect, sent: bytes) -> None:
        self._transport = transport
        self._live = live
        self._noted = LiveResponse(live, method)
        self._connection: Any = None
        self._own_protocol: Any = None
        self._in_grace = False
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(self._run(connect, sent))

    async def _run(self, connect: Connect, sent: bytes) -> None:
        try:
            with dispatch.unhooked():
                self._connection = await connect()
        except asyncio.CancelledError:
            self._noted.abandoned()
            raise
        except Exception as error:  # noqa: BLE001 - it goes to the client, who waits for the response
            self._transport.fail(self._not_connected(error))
            return
        self._own_protocol = self._connection.protocol
        self._connection.transport.set_protocol(self)
        self._connection.transport.write(sent)

    # The real transport's side

    def data_received(self, data: bytes) -> None:
        if self._in_grace:
            self._after_grace(self._noted.ends_with(data))
            return
        self._noted.feed(data)
        self._noted.waits()
        self._transport.receive(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._in_grace:
            self._after_grace(False)
        else:
            self._note_end(exc)
        self._transport.hang_up(exc)
        self._own_protocol.connection_lost(exc)
        self._connection.close()

    # The client's side

    def pause(self) -> None:
        if self._connection is not None and self._connection.transport is not None:
            self._connection.transport.pause_reading()

    def resume(self) -> None:
        if self._connection is not None and self._connection.transport is not None:
            self._connection.transport.resume_reading()

    def close(self) -> None:
        """The client is through with the response, or has given up on it."""
        if self._connection is None:
            self._task.cancel()
        elif self._noted.is_settled:
            self._connection.close()
        else:
            self._close_early(self._transport.why_closed())

    def _close_early(self, error: BaseException | None) -> None:
        if isinstance(error, self._transport.errors.read_timeouts):
            self._noted.failed("ReadTimeout", str(error))
        elif isinstance(error, (asyncio.CancelledError, TimeoutError)) or not self._noted.has_head:
            self._noted.abandoned()
        else:
            self._in_grace = True
            self._loop.call_later(GRACE, self._after_grace, False)
            return
        self._connection.close()

    def _after_grace(self, ended: bool) -> None:
        if self._in_grace:
            self._in_grace = False
            self._noted.complete() if ended else self._noted.closed()
            self._connection.close()

    def _note_end(self, error: Exception | None) -> None:
        if error is not None:
            self._noted.failed("ReadError", str(error))
        elif self._transport.session_is_closed and not self._noted.is_settled:
            self._noted.closed()
        else:
            self._noted.hung_up()

    def _not_connected(self, error: Exception) -> Exception:
        """Record that connecting failed, and return the error that the client gets."""
        kind = connect_kind(error)
        if self._live is not None and kind is None:
            self._live.drop()
        elif self._live is not None and kind is not None:
            message = str(getattr(error, "os_error", error))
            self._live.fail(kind, Phase.CONNECT, message)
        return self._transport.errors.connect_timeout() if type(error) is TimeoutError else error
