"""Turns recorded failures into errors: a `Failure`, named as httpx names them, into that of each client library."""

from __future__ import annotations

import errno
import os
import re
import socket
import ssl
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

from replay_agent.recording.answers import CANCELLED, Replay
from replay_agent.recording.process import backoff
from replay_agent.traffic import Failure, Outcome, Phase

__all__ = "error_kind", "error_of", "httpx_error", "httpx_phase", "os_error"

_ENDED = Failure("ReadError", Phase.BODY, "The recording that was replayed has ended")

_PHASES = {
    "ConnectError": Phase.CONNECT,
    "ConnectTimeout": Phase.CONNECT,
    "PoolTimeout": Phase.CONNECT,
    "ProxyError": Phase.CONNECT,
    "UnsupportedProtocol": Phase.CONNECT,
    "LocalProtocolError": Phase.SEND,
    "WriteError": Phase.SEND,
    "WriteTimeout": Phase.SEND,
}
_NEAREST = {
    Phase.CONNECT: "ConnectError",
    Phase.SEND: "WriteError",
    Phase.HEAD: "ReadError",
    Phase.BODY: "ReadError",
}


def error_of(
    answer: Replay,
    failure: Failure | None,
    own: Callable[[Failure], BaseException],
    note: Callable[[Outcome], None] = backoff.note,
) -> BaseException:
    """Return what a client gets where the recorded answer ends in no regular way.

    That is its library's ``own`` error for a failure of the transport, and a miss where the recorded client had given up
    or closed, so that nothing more is known. ``note`` is told of a failure, for the client may back off from it.
    """
    if failure is not None and failure.kind != CANCELLED:
        note(failure)
        return own(failure)
    return answer.missed() or own(_ENDED)


def httpx_phase(kind: str) -> Phase:
    """Return how far a request had come when its transport raised an error of this name before any response."""
    return _PHASES.get(kind, Phase.HEAD)


def error_kind(module: ModuleType, failure: Failure) -> Any:
    """Return the class of a library's transport errors that a failure is, or is nearest to; they are named as httpx's."""
    kind: Any = getattr(module, failure.kind, None)
    if isinstance(kind, type) and issubclass(kind, module.TransportError):
        return kind
    return getattr(module, _NEAREST[failure.phase])


def httpx_error(module: ModuleType, failure: Failure) -> Exception:
    """Return the failure as an exception of httpx or httpx2 (``module``), caused by that of the transport below."""
    kind = error_kind(module, failure)
    error: Exception = kind(failure.message)
    error.__cause__ = _httpcore_error(module, kind.__name__, failure.message)
    return error


def _httpcore_error(module: ModuleType, name: str, message: str) -> Exception | None:
    """Return what httpx translates into its error of this name; None for a release on another transport."""
    try:
        core = import_module(module.__name__.replace("httpx", "httpcore"))
    except ImportError:
        return None
    kind = getattr(core, name, None)
    return None if kind is None else kind(message)


def os_error(failure: Failure) -> OSError:
    """Return the failure as what a socket would have raised."""
    message = failure.message
    if failure.kind.endswith("Timeout"):
        return TimeoutError(message or "timed out")
    if "[SSL" in message or "certificate verify failed" in message:
        return _tls_error(message)
    # ``[Errno 111] Connection refused``, ``[Errno -2] Name or service not known``, also within words of a library.
    found = re.search(r"\[?Errno (-?\d+)\]? ?([^\[\]()]*(?:\([^()]*\))?)", message)
    if found is None:
        return _by_phase(failure)
    number, text = int(found[1]), found[2].strip()
    # Numbers of name lookups are negative or, on some systems, small; their words tell them apart.
    if number < 0 or (number in _LOOKUP_ERRORS and text != os.strerror(number)):
        return socket.gaierror(number, text)
    # Numbers differ between systems, their words do not.
    number = _NUMBERS.get(text, number)
    return OSError(number, text or os.strerror(number))


_NUMBERS = {os.strerror(number): number for number in errno.errorcode}
_LOOKUP_ERRORS = {value for name in dir(socket) if name.startswith("EAI_") and (value := getattr(socket, name)) > 0}


def _tls_error(message: str) -> OSError:
    kind = ssl.SSLCertVerificationError if "CERTIFICATE_VERIFY_FAILED" in message else ssl.SSLError
    return kind(1, message)


def _by_phase(failure: Failure) -> OSError:
    if failure.phase is Phase.CONNECT:
        return ConnectionRefusedError(errno.ECONNREFUSED, failure.message or os.strerror(errno.ECONNREFUSED))
    return ConnectionResetError(errno.ECONNRESET, failure.message or os.strerror(errno.ECONNRESET))
