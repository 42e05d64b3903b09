from __future__ import annotations

import sys
from types import ModuleType

import httpx
import pytest

from replay_agent.recording.clients import installed, intercept
from replay_agent.recording.clients.installed import Client, installed_clients


def test_clients_are_hooked_and_let_go_again():
    former = httpx.HTTPTransport.handle_request
    found = {client.name: client for client in installed_clients()}
    assert {name for name, client in found.items() if client.hooked} >= {"httpx", "httpx2", "aiohttp", "urllib3"}
    assert all(client.version for client in found.values())
    assert httpx.HTTPTransport.handle_request is former


def test_what_is_not_installed_is_not_there():
    assert installed_clients(lambda name: None) == []


@pytest.mark.parametrize("version", ["0.27.0", "0.9", "0.28.0"])
def test_an_old_version_is_told(version):
    (client,) = installed_clients({"httpx": version}.get)
    assert client.hooked
    assert client.why.startswith("older than 0.28")


@pytest.mark.parametrize("version", ["0.28.1", "1.0", "0.30rc1"])
def test_a_new_version_is_fine(version):
    assert installed_clients({"httpx": version}.get) == [Client("httpx", version, True)]


def test_a_version_without_the_class_that_is_hooked(monkeypatch):
    monkeypatch.setitem(sys.modules, "httpx", ModuleType("httpx"))
    assert installed._what_fails("httpx") == "httpx has no AsyncHTTPTransport in this version"


@pytest.mark.parametrize("error", [ImportError("gone"), AttributeError("moved"), RuntimeError("odd")])
def test_a_version_that_cannot_be_hooked(monkeypatch, error):
    def fails():
        raise error

    monkeypatch.setattr(intercept, "install", fails)
    monkeypatch.setattr(intercept, "uninstall", lambda: None)
    assert installed._what_fails("httpx") == f"httpx cannot be hooked: {type(error).__name__}: {error}"


def test_clients_with_connections_of_their_own_are_named():
    assert installed_clients({"grpcio": "1.0"}.get) == [Client("grpcio", "1.0", False, "gRPC is not recorded")]
