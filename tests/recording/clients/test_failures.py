from __future__ import annotations

import errno
import os
import socket
import ssl

import httpcore
import httpcore2
import httpx
import httpx2
import pytest

from replay_agent.recording.clients.failures import httpx_error, httpx_phase, os_error
from replay_agent.traffic import Failure, Phase

KINDS = [
    "ConnectError",
    "ConnectTimeout",
    "ReadError",
    "ReadTimeout",
    "WriteError",
    "WriteTimeout",
    "PoolTimeout",
    "RemoteProtocolError",
    "ProxyError",
]


@pytest.mark.parametrize("module", [httpx, httpx2])
@pytest.mark.parametrize("kind", KINDS)
def test_httpx_errors_come_back_as_themselves(module, kind):
    error = httpx_error(module, Failure(kind, Phase.HEAD, "why"))
    assert type(error) is getattr(module, kind)
    assert str(error) == "why"


@pytest.mark.parametrize(("module", "below"), [(httpx, httpcore), (httpx2, httpcore2)])
@pytest.mark.parametrize("kind", KINDS)
def test_httpx_errors_have_the_cause_of_live_ones(module, below, kind):
    cause = httpx_error(module, Failure(kind, Phase.HEAD, "why")).__cause__
    assert type(cause) is getattr(below, kind)
    assert str(cause) == "why"


@pytest.mark.parametrize("kind", ["SomethingNew", "Client", "HTTPStatusError", "InvalidURL"])
def test_other_kinds_become_the_nearest_of_their_phase(kind):
    assert type(httpx_error(httpx, Failure(kind, Phase.CONNECT))) is httpx.ConnectError
    assert type(httpx_error(httpx, Failure(kind, Phase.BODY))) is httpx.ReadError


@pytest.mark.parametrize(
    ("kind", "phase"),
    [("ConnectError", Phase.CONNECT), ("WriteTimeout", Phase.SEND), ("ReadError", Phase.HEAD), ("New", Phase.HEAD)],
)
def test_phase_of_an_error_before_the_response(kind, phase):
    assert httpx_phase(kind) is phase


@pytest.mark.parametrize(
    ("message", "phase", "kind", "number"),
    [
        ("[Errno 111] Connection refused", Phase.CONNECT, ConnectionRefusedError, errno.ECONNREFUSED),
        ("[Errno 104] Connection reset by peer", Phase.BODY, ConnectionResetError, errno.ECONNRESET),
        ("[Errno -2] Name or service not known", Phase.CONNECT, socket.gaierror, -2),
        ("All connection attempts failed", Phase.CONNECT, ConnectionRefusedError, errno.ECONNREFUSED),
        ("", Phase.HEAD, ConnectionResetError, errno.ECONNRESET),
        (f"[Errno {errno.ENETUNREACH}] {os.strerror(errno.ENETUNREACH)}", Phase.CONNECT, OSError, errno.ENETUNREACH),
    ],
)
def test_socket_errors_by_number(message, phase, kind, number):
    error = os_error(Failure("ConnectError", phase, message))
    assert type(error) is kind
    assert error.errno == number


def test_socket_error_keeps_the_address_in_its_words():
    error = os_error(Failure("ConnectError", Phase.CONNECT, "[Errno 111] Connect call failed ('127.0.0.1', 9)"))
    assert str(error) == "[Errno 111] Connect call failed ('127.0.0.1', 9)"


def test_timeouts_are_timeouts():
    assert type(os_error(Failure("ReadTimeout", Phase.HEAD, "timed out"))) is TimeoutError


def test_certificates_are_certificates():
    message = "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate (_ssl.c:1006)"
    error = os_error(Failure("ConnectError", Phase.CONNECT, message))
    assert type(error) is ssl.SSLCertVerificationError


def test_other_tls_errors_are_tls_errors():
    error = os_error(Failure("ConnectError", Phase.CONNECT, "[SSL: WRONG_VERSION_NUMBER] wrong version number"))
    assert type(error) is ssl.SSLError
