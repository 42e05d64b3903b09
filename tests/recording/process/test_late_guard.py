"""A process that was forked before anything shut the network, or knew how to."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from replay_agent.recording.process import late_guard, network

NETWORK = "replay_agent.recording.process.network"

LATE = f"""
import os, socket, sys
from replay_agent.recording.process import late_guard

def reach(address):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect(address)
        except Exception as error:
            return type(error).__name__
    return "reached"

late_guard.watch()
late_guard.watch()
(there, order), (answers, back) = os.pipe(), os.pipe()
if os.fork() == 0:
    os.close(order)
    said = [reach(("192.0.2.1", 53)), {NETWORK!r} in sys.modules]
    os.write(back, b".")
    while os.read(there, 1):
        said += [reach(("192.0.2.1", 53)), reach(("127.0.0.1", 53))]
        os.write(back, b".")
    said.append({NETWORK!r} in sys.modules)
    os.write(back, repr(said).encode())
    os._exit(0)
os.close(back)
os.read(answers, 1)
from replay_agent.recording.process import network
for shut in (True, False):
    guard = network.shut("a test") if shut else None
    os.write(order, b".")
    os.read(answers, 1)
    if guard:
        network.open_network(guard)
os.close(order)
print(os.read(answers, 1000).decode())
os.wait()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_child_that_never_heard_of_the_guard_is_shut_in_while_its_parent_says_so():
    ran = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", LATE], capture_output=True, text=True, check=True
    )
    refused, reached = "NetworkBlocked", "reached"
    assert ran.stdout.strip() == str([reached, False, refused, reached, reached, reached, True])


def test_the_events_are_those_that_are_checked():
    assert set(network._EVENTS) == late_guard.OUTWARD
