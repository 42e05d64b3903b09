"""No fault waits: nothing sleeps, no event is waited for, and no event loop is ever idle, on a script or on a recording.

Counted, not timed: what a busy machine takes for it says nothing. ``python -m benchmarks --only faults`` prints the times.
"""

from __future__ import annotations

import pytest

from tests.integration.fault_table import NAMES, OF_TOOLS
from tests.integration.faulty import Tape, hooks_held, on_loop, scripted
from tests.integration.waits_asked import COUNTING, counted
from tests.provider.plain_clients import PLAIN
from tests.provider.sdks import SDKS

PATIENCE = 30


@pytest.fixture(autouse=True, scope="module")
def _hooks():
    with hooks_held():
        yield


QUIET = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning", "ignore::DeprecationWarning"
)


def waits_of(ask, folder, **how):
    """Return by fault what was waited for, on a script and on a recording."""
    tape, found = Tape(ask, folder), {}
    for name in NAMES:
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
    assert waits_of(getattr(SDKS[name], way), tmp_path) == {}


@QUIET
@pytest.mark.parametrize("way", ["ask", "stream"])
@pytest.mark.parametrize("name", [name for name in PLAIN if " on " not in name and name not in ("tornado", "aiohttp")])
def test_no_client_waits(name, way, tmp_path):
    if name == "aiohttp, all in":
        pytest.skip("has an event loop of its own: see below")
    assert waits_of(PLAIN[name][way], tmp_path) == {}


@QUIET
@pytest.mark.parametrize("loop", COUNTING)
@pytest.mark.parametrize("way", ["async_ask", "async_stream"])
@pytest.mark.parametrize("name", [name for name, sdk in SDKS.items() if sdk.async_ask])
def test_no_event_loop_is_idle(name, way, loop, tmp_path):
    if loop == "trio" and not SDKS[name].trio:
        pytest.skip("its async client needs asyncio")
    waits = []
    ask = on_loop(getattr(SDKS[name], way), loop, **COUNTING[loop](waits))
    assert waits_of(ask, tmp_path) == {}
    assert waits == []
