from __future__ import annotations

import time

import anyio
import anyio.lowlevel
import pytest

from replay_agent.recording.process.loop_clock import pass_time

pytestmark = pytest.mark.anyio


async def test_timers_that_come_due_go_off_at_once():
    begun = time.perf_counter()
    with anyio.move_on_after(20) as scope:
        await pass_time(30_000)
        await anyio.sleep_forever()
    assert scope.cancelled_caught
    assert time.perf_counter() - begun < 2


async def test_timers_that_are_further_off_do_not():
    with anyio.fail_after(60):
        await pass_time(30_000)
        await anyio.lowlevel.checkpoint()


async def test_no_time_is_none():
    before = anyio.current_time()
    await pass_time(0)
    assert anyio.current_time() - before < 5
