"""Faults of the connection: it does not come about, it breaks, nothing comes. Said in the words that sockets have for it."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable

from replay_agent.faults.fault import Answered, Lay, breaking_off
from replay_agent.faults.pieces import first_of, pieces_of
from replay_agent.framing.http1 import NO_ANSWER, SHORT_BODY
from replay_agent.recording.answers import ENDLESS, STALLED
from replay_agent.traffic import Chunk, Failure, Outcome, Phase, Response

__all__ = "CONNECTION", "cut", "reset_in_body", "slow_first_token", "stall"

_RESET = f"[Errno {errno.ECONNRESET}] {os.strerror(errno.ECONNRESET)}"


def _failing(kind: str, phase: Phase, message: str = "") -> Callable[[], Lay]:
    return lambda: lambda _answered: Failure(kind, phase, message)


CONNECTION: dict[str, Callable[[], Lay]] = {
    "refused": _failing(
        "ConnectError", Phase.CONNECT, f"[Errno {errno.ECONNREFUSED}] {os.strerror(errno.ECONNREFUSED)}"
    ),
    "dns": _failing("ConnectError", Phase.CONNECT, f"[Errno {int(socket.EAI_NONAME)}] Name or service not known"),
    "tls": _failing(
        "ConnectError",
        Phase.CONNECT,
        "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate (_ssl.c:1000)",
    ),
    "connect_timeout": _failing("ConnectTimeout", Phase.CONNECT, "timed out"),
    "reset": _failing("ReadError", Phase.HEAD, _RESET),
    "disconnected": _failing("RemoteProtocolError", Phase.HEAD, NO_ANSWER),
}
"""No answer at all."""


def read_timeout(seconds: float | None = None) -> Lay:
    """Let nothing come for so many seconds, for ever if None: an answer that the client does not wait for, or does."""

    def lay(answered: Answered) -> Outcome:
        if seconds is None:
            return Failure(STALLED, Phase.HEAD, "", ENDLESS)
        return _delayed(answered.response, round(seconds * 1000))

    return lay


def slow_first_token(seconds: float = 30) -> Lay:
    """Send the head at once, the first piece of the body so many seconds later."""
    return lambda answered: _delayed(answered.response, round(seconds * 1000))


def _delayed(response: Response, late_ms: int) -> Response:
    chunks = tuple(Chunk(chunk.data, chunk.offset_ms + late_ms) for chunk in response.chunks)
    return Response(response.status, response.headers, chunks, response.reason, response.http_version)


def stall(after: int | None = None, seconds: float | None = None) -> Lay:
    """Send nothing for so many seconds, for ever if None, after this many events (half of them if None)."""

    def lay(answered: Answered) -> Outcome | None:
        pieces = first_of(pieces_of(answered), after)
        if pieces is None:
            return None
        if seconds is None:
            return breaking_off(answered.response, pieces, STALLED, after_ms=ENDLESS)
        late = round(seconds * 1000)
        whole = pieces_of(answered)
        chunks = tuple(Chunk(piece, 0 if index < len(pieces) else late) for index, piece in enumerate(whole))
        return Response(answered.response.status, answered.response.headers, chunks)

    return lay


def cut(after: int | None = None) -> Lay:
    """Close the connection after this many events, half of them if None, more having been promised."""
    return _broken(after, "RemoteProtocolError", f"{SHORT_BODY} (incomplete chunked read)")


def reset_in_body(after: int | None = None) -> Lay:
    """Reset the connection after this many events, half of them if None."""
    return _broken(after, "ReadError", _RESET)


def _broken(after: int | None, kind: str, message: str) -> Lay:
    def lay(answered: Answered) -> Outcome | None:
        pieces = first_of(pieces_of(answered), after)
        return None if pieces is None else breaking_off(answered.response, pieces, kind, message)

    return lay
