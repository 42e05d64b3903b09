from __future__ import annotations

import threading
from functools import partial

import anyio
import pytest

from replay_agent import CassetteMiss
from replay_agent.agent.calling import call, gather, is_async
from replay_agent.traffic import Request


class AsyncObject:
    async def __call__(self):
        return threading.current_thread()


async def thread_of_coroutine():
    return threading.current_thread()


def thread_of_function(*args, **kwargs):
    return threading.current_thread(), args, kwargs


@pytest.mark.parametrize("function", [thread_of_coroutine, partial(thread_of_coroutine), AsyncObject()])
@pytest.mark.anyio
async def test_coroutine_functions_stay_on_the_loop(function):
    assert is_async(function)
    assert await call(function) is threading.current_thread()


@pytest.mark.anyio
async def test_plain_functions_run_in_a_worker_thread():
    thread, args, kwargs = await call(thread_of_function, 1, a=2)
    assert thread is not threading.current_thread()
    assert (args, kwargs) == ((1,), {"a": 2})


@pytest.mark.anyio
async def test_gather_keeps_the_order_of_its_functions():
    first_may_end = anyio.Event()

    async def first():
        await first_may_end.wait()
        return 1

    async def second():
        first_may_end.set()
        return 2

    assert await gather([first, second]) == [1, 2]
    assert await gather([second]) == [2]
    assert await gather([]) == []


@pytest.mark.anyio
async def test_gather_raises_the_first_failure_as_itself():
    cause, others = ValueError("mine"), []

    async def fail():
        raise cause

    async def wait():
        try:
            await anyio.sleep_forever()
        finally:
            others.append("cancelled")

    with pytest.raises(ValueError, match="mine") as caught:
        await gather([wait, fail, wait])
    assert caught.value is cause
    assert others == ["cancelled"] * 2


@pytest.mark.anyio
async def test_gather_lets_base_exceptions_through():
    async def miss():
        raise CassetteMiss("no answer", Request("GET", "https://example.org/", (), b""))

    async def fine():
        return 1

    with pytest.raises(CassetteMiss):
        await gather([fine, miss])


@pytest.mark.anyio
async def test_gather_is_cancelled_from_outside():
    with anyio.CancelScope() as scope:

        async def cancel():
            scope.cancel()
            await anyio.sleep_forever()

        await gather([cancel, anyio.sleep_forever])
        pytest.fail("went on after it was cancelled")
    assert scope.cancelled_caught
