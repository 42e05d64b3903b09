"""What a process that was forked earlier is told of its parent's network."""

from __future__ import annotations

import json
import os
import socket
from contextlib import contextmanager, suppress

import pytest

from replay_agent.exceptions import NetworkBlocked
from replay_agent.recording.process import forked, network

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system"),
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),
]

FAR = "192.0.2.1"  # TEST-NET-1, RFC 5737: nobody is there


def reached(address):
    """Connect a datagram socket, which sends nothing, and say how that went."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect(address)
        except NetworkBlocked as error:
            return f"refused: {error}"
    return "reached"


def work(orders, answers):
    with os.fdopen(orders) as lines, os.fdopen(answers, "w") as out:
        for line in lines:
            order = json.loads(line)
            if order == "close files":
                for number in set(range(3, 256)) - {out.fileno(), lines.fileno()}:
                    with suppress(OSError):
                        os.close(number)
                said = "closed"
            elif order == "shut":
                network.shut("the child's")
                said = "shut"
            else:
                said = reached(tuple(order))
            out.write(json.dumps(said) + "\n")
            out.flush()


class Worker:
    """A forked process that connects where it is told to."""

    def __init__(self):
        (there, self.orders), (self.answers, back) = os.pipe(), os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self.orders)
            os.close(self.answers)
            try:
                work(there, back)
            finally:
                os._exit(0)
        os.close(there)
        os.close(back)
        self.lines = os.fdopen(self.answers)

    def __call__(self, order):
        os.write(self.orders, json.dumps(order).encode() + b"\n")
        return json.loads(self.lines.readline())

    def end(self):
        os.close(self.orders)
        self.lines.close()
        os.waitpid(self.pid, 0)


@pytest.fixture
def worker():
    forked.watch()
    worker = Worker()
    yield worker
    worker.end()


@contextmanager
def shut(test="tests/test_x.py::test_y", hosts=()):
    guard = network.shut(test, hosts)
    try:
        yield
    finally:
        network.open_network(guard)


def test_a_worker_forked_before_is_shut_in(worker):
    assert worker((FAR, 53)) == "reached"
    with shut():
        assert "test_y" in worker((FAR, 53))
    assert worker((FAR, 53)) == "reached"


def test_loopback_stays_open_to_it(worker):
    with shut():
        assert worker(("127.0.0.1", 53)) == "reached"


def test_it_knows_the_hosts_that_are_allowed_now(worker):
    with shut(hosts=[FAR]):
        assert worker((FAR, 53)) == "reached"
        with shut("inner"):
            assert "inner" in worker((FAR, 53))
        assert worker((FAR, 53)) == "reached"


def test_a_worker_forked_while_it_was_shut_is_free_afterwards():
    with shut():
        worker = Worker()
        assert "refused" in worker((FAR, 53))
    assert worker((FAR, 53)) == "reached"
    with shut("again"):
        assert "again" in worker((FAR, 53))
    worker.end()


def test_what_it_shuts_itself_is_its_own(worker):
    assert worker("shut") == "shut"
    assert "the child's" in worker((FAR, 53))
    assert reached((FAR, 53)) == "reached"


def test_a_worker_that_closes_all_files_is_left_alone(worker):
    worker("close files")
    with shut():
        assert worker((FAR, 53)) == "reached"


def test_nobody_is_told_when_nobody_watches():
    forked.unwatch()
    try:
        worker = Worker()
    finally:
        forked.watch()
    with shut():
        assert worker((FAR, 53)) == "reached"
    worker.end()
