"""The errors of aiohttp: of the classes that a client catches, whatever the release has."""

from __future__ import annotations

import socket
import ssl
from types import SimpleNamespace

import aiohttp
import pytest

from replay_agent.recording.clients.aiohttp_errors import AiohttpErrors, connect_kind
from replay_agent.traffic import Failure, Phase

ADDRESS = "https://api.example.org/v1"
KEY = SimpleNamespace(host="api.example.org", port=443, ssl=True, is_ssl=True)
"""What aiohttp knows a connection by, as far as its errors look at it."""


@pytest.fixture
def errors():
    return AiohttpErrors(aiohttp, SimpleNamespace(connection_key=KEY, url=ADDRESS))


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [("ConnectError", aiohttp.ClientConnectorError), ("ConnectTimeout", aiohttp.ServerTimeoutError)],
)
def test_a_failure_of_connecting_is_what_clients_catch(errors, kind, wanted):
    error = errors.of_connecting(Failure(kind, Phase.CONNECT, "refused"))
    assert isinstance(error, wanted)
    assert isinstance(error, aiohttp.ClientError)


def test_a_read_that_took_too_long_is_told_from_a_connect(errors):
    assert isinstance(errors.read_timeout(), errors.read_timeouts)
    assert type(errors.read_timeout()) is not type(errors.connect_timeout())
    assert "api.example.org" in str(errors.connect_timeout())


def test_a_release_without_the_finer_classes_gives_the_coarser():
    older = SimpleNamespace(ServerTimeoutError=aiohttp.ServerTimeoutError)
    errors = AiohttpErrors(older, SimpleNamespace(connection_key=KEY, url=ADDRESS))
    assert type(errors.read_timeout()) is type(errors.connect_timeout()) is aiohttp.ServerTimeoutError


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (TimeoutError(), "ConnectTimeout"),
        (ConnectionRefusedError(), "ConnectError"),
        (socket.gaierror(), "ConnectError"),
        (ssl.SSLError(), "ConnectError"),
        (type("ProxyConnectionError", (OSError,), {})(), "ProxyError"),
        (ValueError(), None),
    ],
)
def test_a_live_failure_of_connecting_is_named(error, kind):
    assert connect_kind(error) == kind
