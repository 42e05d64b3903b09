"""No fault waits: nothing sleeps, no event is waited for, and no event loop is ever idle, on a script or on a recording.

Counted, not timed: what a busy machine takes for it says nothing. ``python -m benchmarks --only faults`` prints the times.
"""

from __future__ import annotations

import pytest

from tests.integration.fault_table import OF_TOOLS, in_turn
from tests.integration.faulty import QUIET, Tape, hooks_held, on_loop, scripted  # noqa: F401 - one is a fixture
from tests.integration.waits_asked import COUNTING, counted
from tests.provider.plain_clients import ASYNC, BLOCKING, LOOPS
from tests.provider.sdks import SDKS

PATIENCE = 30


def waits_of(ask, folder, names, **how):
    """Return by fault, out of these, what was waited for, on a script and on a recording."""
    tape, found = Tape(ask, folder), {}
    for name in names:
        asked = {"tools": name in OF_TOOLS, "timeout": PATIENCE, **how}
        tape.recorded(name)
        for run in (scripted, lambda _ask, each, **more: tape.replayed(each, **more)):
            with counted() as waits:
                run(ask, name, **asked)
            if waits:
                found.setdefault(name, []).append(waits)
    return found


@QUIET
@pytest.mark.parametrize("way", ["ask", "stream"])
@pytest.mark.parametrize("name", SDKS)
def test_no_sdk_waits(name, way, tmp_path):
    assert waits_of(getattr(SDKS[name], way), tmp_path, in_turn(way == "stream", 2)) == {}


@QUIET
@pytest.mark.parametrize("way", ["ask", "stream"])
@pytest.mark.parametrize("name", BLOCKING)
def test_no_client_waits(name, way, tmp_path):
    assert waits_of(BLOCKING[name][way], tmp_path, in_turn(way == "stream", 2)) == {}


def assert_no_loop_is_idle(ask, loop, folder, names):
    waits = []
    assert waits_of(on_loop(ask, loop, **COUNTING[loop](waits)), folder, names) == {}
    assert waits == []


@QUIET
@pytest.mark.parametrize("way", ["ask", "stream"])
@pytest.mark.parametrize(("name", "loop"), [(name, loop) for name, loops in LOOPS.items() for loop in loops])
def test_no_loop_of_a_client_is_idle(name, way, loop, tmp_path):
    names = in_turn(2 * (loop == "trio") + (way == "stream"), 2 * len(LOOPS[name]))
    assert_no_loop_is_idle(ASYNC[name][way], loop, tmp_path, names)


@QUIET
@pytest.mark.parametrize("loop", COUNTING)
@pytest.mark.parametrize("way", ["async_ask", "async_stream"])
@pytest.mark.parametrize("name", [name for name, sdk in SDKS.items() if sdk.async_ask])
def test_no_loop_of_an_sdk_is_idle(name, way, loop, tmp_path):
    if loop == "trio" and not SDKS[name].trio:
        pytest.skip("its async client needs asyncio")
    names = in_turn(2 * (loop == "trio") + (way == "async_stream"), 4 if SDKS[name].trio else 2)
    assert_no_loop_is_idle(getattr(SDKS[name], way), loop, tmp_path, names)
