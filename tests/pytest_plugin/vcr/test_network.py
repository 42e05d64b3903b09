from __future__ import annotations

import asyncio
import socket

import pytest

from replay_agent.exceptions import NetworkBlocked
from replay_agent.pytest_plugin.vcr.network import BlockedNetwork
from replay_agent.recording.process import network

FAR = "192.0.2.1"  # TEST-NET-1, RFC 5737: nobody is there


@pytest.fixture
def block():
    guards = []

    def start(*patterns, **options):
        guards.append(network.shut_with(BlockedNetwork(patterns, **options)))
        return guards[-1]

    yield start
    for guard in guards:
        network.open_network(guard)


@pytest.fixture
def port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def connect(address, family=socket.AF_INET):
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.connect(address)


def test_this_machine_is_refused_too(block, port):
    block()
    with pytest.raises(RuntimeError, match=r"^Network is disabled for host '127\.0\.0\.1'$"):
        connect(("127.0.0.1", port))


@pytest.mark.parametrize("pattern", [r"127\.0\.0\.1", "127.0.0.*", "127", "localhost|127"])
def test_what_a_pattern_begins_with_is_let_through(block, port, pattern):
    block("nowhere", pattern)
    connect(("127.0.0.1", port))


@pytest.mark.parametrize("host", ["127.0.0.1", b"127.0.0.1", bytearray(b"127.0.0.1")])
def test_every_spelling_of_an_address_is_refused(block, host):
    block("127.0.0.2")
    with pytest.raises(NetworkBlocked, match="disabled"):
        connect((host, 80))


def test_this_machine_can_be_left_open(block, port, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # whose path may be longer than one of a socket
    block(loopback=True)
    connect(("127.0.0.1", port))
    with pytest.raises(FileNotFoundError):
        connect("./socket", socket.AF_UNIX)
    with pytest.raises(NetworkBlocked, match=f"--allowed-hosts={FAR}"):
        connect((FAR, 80))


def test_paths_of_sockets_are_patterns_too(block):
    block("./allowed")
    with pytest.raises(FileNotFoundError):
        connect("./allowed_socket", socket.AF_UNIX)
    with pytest.raises(NetworkBlocked, match=r"'\./blocked_socket'"):
        connect("./blocked_socket", socket.AF_UNIX)


@pytest.mark.skipif(not hasattr(socket, "AF_NETLINK"), reason="no netlink on this system")
def test_other_kinds_of_sockets_are_refused(block):
    block("0", "127.0.0.1")
    with pytest.raises(NetworkBlocked), socket.socket(socket.AF_NETLINK, socket.SOCK_RAW) as sock:
        sock.connect((0, 0))


def test_names_are_not_looked_up_when_nothing_is_allowed(block):
    guard = block()
    with pytest.raises(NetworkBlocked, match=r"example\.org"):
        socket.getaddrinfo("example.org", 80)
    assert guard.refused == ["example.org"]


def test_an_allowed_name_allows_its_addresses(block, port):
    block("localhost")
    socket.create_connection(("localhost", port)).close()


def test_event_loops_start(block):
    async def nothing():
        """Only the loop itself opens sockets."""

    block()
    asyncio.run(nothing())


def test_afterwards_this_machine_is_reachable_again(block, port):
    network.open_network(block())
    connect(("127.0.0.1", port))
    assert not network.is_shut()
