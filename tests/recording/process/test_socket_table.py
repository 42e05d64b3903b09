from __future__ import annotations

import os
import socket

import pytest

from replay_agent.recording.process import socket_table
from replay_agent.recording.process.network import open_network, shut
from replay_agent.recording.process.socket_table import HAS_TABLE, is_free, listening_sockets

pytestmark = pytest.mark.skipif(not HAS_TABLE, reason="a table of sockets is Linux's")


def _refused(*_args):
    raise OSError("no such kind of socket here")


@pytest.fixture(params=["the kernel", "/proc"])
def told_by(request, monkeypatch):
    if request.param == "/proc":
        monkeypatch.setattr(socket, "SocketType", _refused)


def _listener(host, family):
    try:
        return socket.create_server((host, 0), family=family)
    except OSError:
        pytest.skip(f"no {host} here")


@pytest.mark.usefixtures("told_by")
@pytest.mark.parametrize(
    "address", [("127.0.0.1", socket.AF_INET), ("0.0.0.0", socket.AF_INET), ("::1", socket.AF_INET6)]
)
def test_a_socket_that_listens_is_told_with_its_inode(address):
    with _listener(*address) as listener:
        told = listener.getsockname()[1], os.fstat(listener.fileno()).st_ino
        assert told in set(listening_sockets())
    assert told not in set(listening_sockets())


@pytest.mark.usefixtures("told_by")
def test_bound_and_connected_sockets_are_not_told():
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        with socket.create_connection(listener.getsockname()) as client:
            accepted, _ = listener.accept()
            with accepted:
                others = {os.fstat(each.fileno()).st_ino for each in (bound, client, accepted)}
                assert others.isdisjoint(inode for _, inode in listening_sockets())


def test_the_kernel_tells_the_same_as_its_tables():
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        own = {os.fstat(each.fileno()).st_ino for each in (one, other)}
        asked = {told for told in listening_sockets() if told[1] in own}
        read = {told for told in socket_table._read_from_the_tables() if told[1] in own}
    assert asked == read
    assert len(asked) == 2


def test_more_sockets_than_one_message_holds():
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(150)]
    try:
        own = {os.fstat(each.fileno()).st_ino for each in listeners}
        assert own <= {inode for _, inode in listening_sockets()}
    finally:
        for each in listeners:
            each.close()


def test_a_shut_network_does_not_keep_it_from_being_told():
    guard = shut("a test")
    try:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            assert listener.getsockname()[1] in {port for port, _ in listening_sockets()}
    finally:
        open_network(guard)
    assert not guard.refused


def test_a_machine_that_tells_nothing_has_no_listeners(monkeypatch, tmp_path):
    monkeypatch.setattr(socket, "SocketType", _refused)
    monkeypatch.setattr(socket_table, "_TABLES", (tmp_path / "tcp",))
    assert not list(listening_sockets())


@pytest.fixture
def asked_anew():
    socket_table._tells.cache_clear()
    yield
    socket_table._tells.cache_clear()


@pytest.mark.usefixtures("asked_anew", "told_by")
@pytest.mark.parametrize(
    "address",
    [("127.0.0.1", socket.AF_INET), ("", socket.AF_INET), ("::1", socket.AF_INET6), ("::", socket.AF_INET6)],
)
def test_a_port_where_somebody_listens_is_not_free(address):
    with _listener(*address) as listener:
        assert not is_free(listener.getsockname()[1])


def test_a_server_for_both_kinds_of_address_is_seen():
    if not socket.has_dualstack_ipv6():
        pytest.skip("no socket for both here")
    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as listener:
        assert not is_free(listener.getsockname()[1])


@pytest.mark.usefixtures("asked_anew")
def test_a_port_is_free_before_and_after():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection(listener.getsockname()) as client:
            assert not is_free(port)
            assert is_free(client.getsockname()[1]) is socket_table._tells()  # which is connected, and does not listen
    assert is_free(port) is socket_table._tells()


@pytest.mark.usefixtures("asked_anew")
@pytest.mark.parametrize("port", [-1, 1 << 16])
def test_of_no_port_the_kernel_is_not_sure(port):
    assert not is_free(port)


@pytest.mark.usefixtures("asked_anew")
def test_a_kernel_that_is_silent_is_sure_of_nothing(monkeypatch):
    monkeypatch.setattr(socket, "SocketType", _refused)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert not is_free(port)


@pytest.mark.usefixtures("asked_anew")
def test_a_kernel_that_falls_silent_is_sure_of_nothing(monkeypatch):
    assert socket_table._tells() in (True, False)
    monkeypatch.setattr(socket, "SocketType", _refused)
    assert not is_free(1)
