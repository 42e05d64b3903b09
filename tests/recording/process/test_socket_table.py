from __future__ import annotations

import os
import socket

import pytest

from replay_agent.recording.process import socket_table
from replay_agent.recording.process.network import open_network, shut
from replay_agent.recording.process.socket_table import HAS_TABLE, listening_sockets

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
