from __future__ import annotations

import _socket
import asyncio
import os
import socket
import threading
from contextlib import suppress

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_agent.exceptions import NetworkBlocked
from replay_agent.recording.process import network
from replay_agent.recording.process.network import NetworkGuard

FAR = "192.0.2.1"  # TEST-NET-1, RFC 5737: nobody is there
FAR_6 = "2001:db8::1"


@pytest.fixture
def guard():
    guard = network.shut("tests/test_x.py::test_y")
    yield guard
    network.open_network(guard)


@pytest.fixture
def server():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def allowing(*hosts):
    return network.shut("t", hosts)


def on_socket(use, family=socket.AF_INET, type=socket.SOCK_STREAM, kind=socket.socket):
    sock = kind(family, type)
    try:
        use(sock)
    finally:
        sock.close()


def connect():
    on_socket(lambda s: s.connect((FAR, 80)))


def connect_by_event_loop():
    asyncio.run(asyncio.open_connection(FAR, 80))


def in_a_thread():
    caught = []

    def run():
        try:
            connect()
        except NetworkBlocked as error:
            caught.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    raise caught[0]


class Datagrams(asyncio.DatagramProtocol):
    """What an event loop tells: what came, and what kept a datagram from going out, which ends the endpoint."""

    def __init__(self):
        self.heard = asyncio.get_running_loop().create_future()

    def connection_lost(self, exc):
        if exc is not None:
            self.heard.set_exception(exc)

    def datagram_received(self, data, addr):
        self.heard.set_result(data)


def datagram_by_event_loop(to, **endpoint):
    """Send a datagram from an endpoint of a loop, and return what it hears."""

    async def main():
        loop = asyncio.get_running_loop()
        transport, told = await loop.create_datagram_endpoint(Datagrams, **endpoint)
        try:
            transport.sendto(b"x", to or transport.get_extra_info("sockname"))
            return await told.heard
        finally:
            transport.close()

    return asyncio.run(main())


V6 = socket.AF_INET6
UDP = socket.SOCK_DGRAM
ROADS = {
    "connect": connect,
    "connect_ex": lambda: on_socket(lambda s: s.connect_ex((FAR, 80))),
    "create_connection": lambda: socket.create_connection((FAR, 80)),
    "socket made in C": lambda: on_socket(lambda s: s.connect((FAR, 80)), kind=_socket.socket),
    "connect to IPv6": lambda: on_socket(lambda s: s.connect((FAR_6, 80)), V6),
    "IPv4 inside IPv6": lambda: on_socket(lambda s: s.connect((f"::ffff:{FAR}", 80)), V6),
    "connect to a name": lambda: on_socket(lambda s: s.connect(("example.org", 80))),
    "datagram": lambda: on_socket(lambda s: s.sendto(b"x", (FAR, 53)), type=UDP),
    "datagram with flags": lambda: on_socket(lambda s: s.sendto(b"x", 0, (FAR, 53)), type=UDP),
    "datagram by sendmsg": lambda: on_socket(lambda s: s.sendmsg([b"x"], [], 0, (FAR, 53)), type=UDP),
    "datagram made in C": lambda: on_socket(lambda s: s.sendto(b"x", (FAR, 53)), type=UDP, kind=_socket.socket),
    "datagram to a name": lambda: on_socket(lambda s: s.sendto(b"x", ("example.org", 53)), type=UDP),
    "datagram to a name, with flags": lambda: on_socket(lambda s: s.sendto(b"x", 0, (b"example.org", 53)), type=UDP),
    "datagram to a name by sendmsg": lambda: on_socket(
        lambda s: s.sendmsg([b"x"], [], 0, ("no.invalid", 53)), type=UDP
    ),
    "datagram over IPv6 by sendmsg": lambda: on_socket(lambda s: s.sendmsg([b"x"], [], 0, ("b.invalid", 53)), V6, UDP),
    "connect_ex to a name": lambda: on_socket(lambda s: s.connect_ex((b"no.invalid", 80))),
    "getaddrinfo": lambda: socket.getaddrinfo("example.org", 443),
    "gethostbyname": lambda: socket.gethostbyname("example.org"),
    "gethostbyname_ex": lambda: socket.gethostbyname_ex("example.org"),
    "gethostbyaddr": lambda: socket.gethostbyaddr(FAR),
    "getnameinfo": lambda: socket.getnameinfo((FAR, 80), 0),
    "asyncio": connect_by_event_loop,
    "asyncio datagram": lambda: datagram_by_event_loop((FAR, 53), local_addr=("127.0.0.1", 0)),
    "asyncio datagram to a peer": lambda: datagram_by_event_loop(None, remote_addr=(FAR, 53)),
    "asyncio datagram over IPv6": lambda: datagram_by_event_loop((FAR_6, 53), local_addr=("::1", 0)),
    "thread": in_a_thread,
}


@pytest.mark.parametrize("road", ROADS)
def test_road_is_shut(guard, road):
    with pytest.raises(NetworkBlocked):
        ROADS[road]()
    assert guard.refused


@pytest.mark.parametrize("host", ["169.254.169.254", "2852039166", "169.254.170.2", "169.254.170.23", "fd00:ec2::254"])
def test_where_clouds_tell_their_machines_of_themselves_nobody_is_found(guard, host):
    with pytest.raises(ConnectionRefusedError, match="while tests/test_x"):
        socket.create_connection((host, 80), timeout=5)
    assert guard.refused


@pytest.mark.parametrize("host", ["metadata.google.internal", "Metadata.Google.Internal."])
def test_their_name_is_unknown(guard, host):
    with pytest.raises(socket.gaierror):
        socket.create_connection((host, 80), timeout=5)
    assert guard.refused


def test_an_sdk_that_tries_there_goes_on_without(guard):
    from botocore.utils import InstanceMetadataFetcher

    fetcher = InstanceMetadataFetcher(timeout=1, num_attempts=1)
    assert fetcher.retrieve_iam_role_credentials() == {}


@pytest.mark.parametrize("host", ["169.254.169.25", "169.254.1.1", "metadata.google.internal.example.org"])
def test_what_only_looks_like_it_is_refused_as_all_else(guard, host):
    with pytest.raises(NetworkBlocked):
        socket.create_connection((host, 80), timeout=5)


def test_refusal_names_test_host_and_remedy(guard):
    with pytest.raises(NetworkBlocked) as caught:
        connect()
    text = str(caught.value)
    assert "tests/test_x.py::test_y" in text
    assert FAR in text
    assert f"--allowed-hosts={FAR}" in text


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_forked_child_is_shut_in(guard):
    child = os.fork()
    if child == 0:
        try:
            connect()
        except NetworkBlocked:
            os._exit(7)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_loopback_stays_open(guard, server):
    with socket.create_connection(server.getsockname()) as client:
        peer, _ = server.accept()
        with peer:
            client.sendall(b"x")
            assert peer.recv(1) == b"x"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "app.localhost", "::1", "", None, FAR])
def test_names_of_this_machine_and_literals_are_looked_up(guard, host):
    guard.check_lookup(host)


@pytest.mark.parametrize("address", ["203.0.113.9", "2001:db8::9", "127.0.0.1"])
@pytest.mark.parametrize("flags", [socket.NI_NUMERICHOST, socket.NI_NUMERICHOST | socket.NI_NUMERICSERV])
def test_an_address_in_digits_is_asked_of_nobody(guard, address, flags):
    assert socket.getnameinfo((address, 80), flags)[0] == address
    with pytest.raises(NetworkBlocked):
        socket.getnameinfo(("203.0.113.9", 80), 0)


@pytest.mark.parametrize("host", ["127.8.9.1", "0.0.0.0", "::", "::1", "::ffff:127.0.0.1", "localhost"])
def test_addresses_of_this_machine_are_open(guard, host):
    guard.check_address(host, 80)


def test_datagrams_within_this_machine_stay_open(guard):
    assert datagram_by_event_loop(None, local_addr=("127.0.0.1", 0)) == b"x"


def test_unix_sockets_and_pairs_stay_open(guard):
    one, other = socket.socketpair()
    with one, other:
        one.sendall(b"x")
        assert other.recv(1) == b"x"


def test_asyncio_starts_and_serves(guard):
    async def echo(reader, writer):
        writer.write(await reader.read(1))
        writer.close()

    async def main():
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"x")
        answer = await reader.read(1)
        writer.close()
        server.close()
        return answer

    assert asyncio.run(main()) == b"x"


class Connected(socket.socket):
    """A socket that says it has been connected to somebody far away."""

    def getpeername(self):
        return (FAR, 443)


@pytest.mark.parametrize(
    "use",
    [
        lambda s: s.send(b"x"),
        lambda s: s.sendall(b"x"),
        lambda s: s.recv(1),
        lambda s: s.recv_into(bytearray(1)),
        lambda s: s.sendmsg([b"x"]),
        lambda s: s.recvfrom(1),
    ],
)
def test_sockets_connected_before_are_shut(guard, use):
    with Connected() as sock, pytest.raises(NetworkBlocked):
        use(sock)


def test_allowed_address_is_open():
    guard = allowing(FAR)
    try:
        guard.check_address(FAR, 80)
        with pytest.raises(NetworkBlocked):
            guard.check_address("192.0.2.2", 80)
    finally:
        network.open_network(guard)


def test_allowed_host_is_no_prefix():
    guard = allowing("example.org")
    try:
        guard.check_lookup("example.org")
        with pytest.raises(NetworkBlocked):
            guard.check_lookup("example.org.evil.test")
        with pytest.raises(NetworkBlocked):
            guard.check_lookup("not-example.org")
    finally:
        network.open_network(guard)


def test_wildcard_allows_names_below():
    guard = allowing("*.example.org")
    try:
        guard.check_lookup("api.example.org")
        with pytest.raises(NetworkBlocked):
            guard.check_lookup("example.org")
    finally:
        network.open_network(guard)


def test_allowed_host_with_port_allows_that_port():
    guard = allowing("example.org:443")
    try:
        guard.check_lookup("example.org")
        guard.check_address("example.org", 443)
    finally:
        network.open_network(guard)


def test_addresses_of_an_allowed_name_are_open(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args: [(0, 0, 0, "", (FAR, 0))])
    guard = allowing("example.org")
    try:
        guard.check_address(FAR, 443)
        with pytest.raises(NetworkBlocked):
            guard.check_address("192.0.2.2", 443)
    finally:
        network.open_network(guard)


def test_open_again_nothing_is_refused():
    guard = network.shut("t")
    network.open_network(guard)
    assert not network.is_shut()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect((FAR, 53))  # sends nothing
    assert guard.refused == []


def test_methods_are_put_back_exactly():
    before = dict(vars(socket.socket))
    network.open_network(network.shut("t"))
    assert dict(vars(socket.socket)) == before


def test_inner_guard_gives_back_to_the_outer():
    outer = network.shut("outer")
    inner = network.shut("inner", ["example.org"])
    network.open_network(inner)
    try:
        with pytest.raises(NetworkBlocked, match="outer"):
            socket.getaddrinfo("example.org", 80)
    finally:
        network.open_network(outer)
    assert not network.is_shut()


def test_what_is_held_stays_replaced_until_it_is_released():
    original = socket.socket.sendall
    network.keep_installed()
    try:
        assert socket.socket.sendall is original
        network.open_network(network.shut())
        replaced = socket.socket.sendall
        assert not network.is_shut()
        network.open_network(network.shut())
        assert socket.socket.sendall is replaced
    finally:
        network.allow_removal()
    assert socket.socket.sendall is original


LOOPBACK_SPELLINGS = [
    b"127.0.0.1",
    bytearray(b"127.0.0.1"),
    b"localhost",
    "LOCALHOST.",
    "\uff4c\uff4f\uff43\uff41\uff4c\uff48\uff4f\uff53\uff54",
    "127.1",
    "0x7f.1",
    "0x7f000001",
    "2130706433",
    "017700000001",
    "0",
    "::1%lo",
    "::ffff:127.0.0.1",
    b"::1",
    "",
    None,
]
FAR_SPELLINGS = [
    "127.evil.example",
    "127.0.0.1.evil.example",
    "127.0.0.1.",
    "127.0.0.1%lo",
    "localhost.evil.example",
    "notlocalhost",
    "0x08.8.8.8",
    "134744072",
    "999999999999",
    b"8.8.8.8",
    bytearray(b"example.org"),
    b"\xff\xfe",
    b"m\xc3\xbcller.example",
    "m\u00fcller.example",
    "\ud800",
    "a" * 300 + "\u00fc",
    "::ffff:8.8.8.8",
    "64:ff9b::7f00:1",
    "fe80::1%eth0",
    "224.0.0.1",
    "255.255.255.255",
    "<broadcast>",
]


@pytest.mark.parametrize("host", LOOPBACK_SPELLINGS)
def test_this_machine_is_open_in_every_spelling(guard, host):
    guard.check_lookup(host)
    guard.check_address(host, 80)


@pytest.mark.parametrize("host", FAR_SPELLINGS)
def test_what_only_looks_like_this_machine_is_shut(guard, host):
    with pytest.raises(NetworkBlocked):
        guard.check_address(host, 80)


@given(st.one_of(st.text(max_size=40), st.binary(max_size=40)))
def test_any_host_is_judged(host):
    guard = NetworkGuard("t")
    for check in (guard.check_lookup, guard.check_address):
        with suppress(NetworkBlocked):
            check(host)


@pytest.mark.parametrize("host", ["localhost", b"localhost", bytearray(b"localhost"), b"127.0.0.1"])
def test_hosts_as_bytes_reach_loopback(guard, server, host):
    assert socket.getaddrinfo(host if isinstance(host, str) else bytes(host), server.getsockname()[1])
    with socket.socket() as sock:
        sock.connect((host, server.getsockname()[1]))


@pytest.mark.parametrize("host", [5, object(), memoryview(b"127.0.0.1")])
def test_what_is_no_host_is_left_to_the_system(guard, host):
    with pytest.raises(TypeError):
        on_socket(lambda s: s.connect((host, 80)))


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_anyio_reaches_loopback(guard, server, backend):
    async def main():
        async with await anyio.connect_tcp("localhost", server.getsockname()[1]):
            pass

    anyio.run(main, backend=backend)


def test_an_allowed_name_with_other_letters_is_open():
    guard = allowing("m\u00fcller.example")
    try:
        guard.check_lookup("m\u00fcller.example")
        guard.check_lookup(b"xn--mller-kva.example")
    finally:
        network.open_network(guard)
