from __future__ import annotations

import asyncio
import gc
import threading

import pytest

from replay_agent import Agent, UserError
from replay_agent.agent.blocking import run_to_end


async def running_loop():
    return asyncio.get_running_loop()


@pytest.fixture
def no_current_loop():
    asyncio.set_event_loop(None)
    yield
    asyncio.set_event_loop(None)


@pytest.fixture
def current_loop(no_current_loop):
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield loop
    loop.close()


def test_the_current_loop_is_used(current_loop):
    assert run_to_end(running_loop) is current_loop
    assert run_to_end(running_loop) is current_loop


@pytest.mark.usefixtures("no_current_loop")
def test_without_one_a_loop_is_made_and_installed():
    loop = run_to_end(running_loop)
    assert asyncio.get_event_loop() is loop
    assert not loop.is_closed()
    assert run_to_end(running_loop) is loop


@pytest.mark.usefixtures("no_current_loop")
def test_the_loop_survives_that_another_was_used_between():
    loop = run_to_end(running_loop)
    asyncio.run(running_loop())
    gc.collect()
    assert run_to_end(running_loop) is loop


def test_a_closed_loop_is_replaced(current_loop):
    current_loop.close()
    assert run_to_end(running_loop) is not current_loop


def test_a_thread_leaves_no_open_loop_behind():
    loops = []
    thread = threading.Thread(target=lambda: loops.append(run_to_end(running_loop)))
    thread.start()
    thread.join()
    gc.collect()
    assert loops[0].is_closed()


def test_a_running_loop_is_refused(current_loop):
    async def call_inside():
        Agent("test").run_sync("Hello")

    with pytest.raises(UserError, match=r"This event loop is already running: await `Agent.run`"):
        current_loop.run_until_complete(call_inside())


def test_an_error_carries_no_context():
    async def fail():
        raise LookupError

    with pytest.raises(LookupError) as caught:
        run_to_end(fail)
    assert caught.value.__context__ is None


def test_a_tool_in_a_worker_thread_may_run_another_agent():
    agent, delegate = Agent("test"), Agent("test")

    @agent.tool_plain
    def ask() -> str:
        return delegate.run_sync("inner").data

    assert agent.run_sync("outer").data == '{"ask":"success (no tool calls)"}'
