from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from replay_agent.recording.process.listening import listeners, serves

CHILD = """
import socket, sys
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows tells of no sockets")
@pytest.mark.parametrize("address", [("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)])
def test_a_port_of_this_process_is_known(address):
    host, family = address
    before = listeners()
    try:
        listener = socket.create_server((host, 0), family=family)
    except OSError:
        pytest.skip(f"no {host} here")
    with listener:
        port = listener.getsockname()[1]
        assert serves(port, before)
        assert serves(port, before, host)
        assert serves(port, before, "localhost")
        assert not serves(port, listeners())
        with socket.create_connection((host, port)):
            assert serves(port, before)
    assert not serves(port, before)


def test_a_socket_that_does_not_listen_serves_nothing():
    before = listeners()
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        assert not serves(bound.getsockname()[1], before)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="children are known on Linux")
def test_a_port_of_a_child_is_known():
    before = listeners()
    with subprocess.Popen([sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        port = int(child.stdout.readline())
        assert serves(port, before)
        child.stdin.close()
    assert not serves(port, before)


def test_nobody_serves_a_free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert not serves(port, frozenset())
    assert not serves(port, frozenset(), "localhost")
