"""The errors of aiohttp: what a client would have got for a failure that was recorded, and how a live one is named."""

from __future__ import annotations

import socket
import ssl
from typing import Any

from replay_agent.recording.clients.failures import os_error
from replay_agent.traffic import Failure

__all__ = "AiohttpErrors", "connect_kind"

_CONNECT_ERRORS: dict[type[OSError], str] = {
    socket.gaierror: "ClientConnectorDNSError",
    ssl.SSLCertVerificationError: "ClientConnectorCertificateError",
    ssl.SSLError: "ClientConnectorSSLError",
}


class AiohttpErrors:
    """Makes the errors that one request would have had. Older releases lack some classes: then the base stands for them."""

    def __init__(self, module: Any, req: Any) -> None:
        """``module`` is aiohttp, ``req`` its request."""
        self._module = module
        self._req = req

    @property
    def read_timeouts(self) -> tuple[type[BaseException], ...]:
        """The errors of a read that took too long, as opposed to those of a whole request."""
        return (self._module.ServerTimeoutError,)

    def of_connecting(self, failure: Failure) -> Exception:
        """Return the error that aiohttp's connector would have raised."""
        error = os_error(failure)
        if isinstance(error, TimeoutError):
            return self.connect_timeout()
        module, name = self._module, _CONNECT_ERRORS.get(type(error), "ClientConnectorError")
        made: Exception = getattr(module, name, module.ClientConnectorError)(self._req.connection_key, error)
        made.__cause__ = error
        return made

    def connect_timeout(self) -> Exception:
        """Return the error of a connect that took too long."""
        return self._timeout("ConnectionTimeoutError", f"Connection timeout to host {self._req.url}")

    def read_timeout(self) -> Exception:
        """Return the error of a read that took too long."""
        return self._timeout("SocketTimeoutError", "Timeout on reading data from socket")

    def _timeout(self, name: str, message: str) -> Exception:
        error: Exception = getattr(self._module, name, self._module.ServerTimeoutError)(message)
        return error


def connect_kind(error: Exception) -> str | None:
    """Name an error of connecting as httpx would; None if it is none of the transport."""
    if isinstance(error, TimeoutError):
        return "ConnectTimeout"
    if "Proxy" in type(error).__name__:
        return "ProxyError"
    return "ConnectError" if isinstance(error, OSError) else None
