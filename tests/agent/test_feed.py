from __future__ import annotations

from contextvars import ContextVar

import anyio
import pytest

from replay_agent.agent.feed import Feed

pytestmark = pytest.mark.anyio

colour = ContextVar("colour", default="none")


async def test_items_come_in_order_and_end():
    async def produce(hand_over):
        for item in range(3):
            await hand_over(item)

    feed = Feed(produce)
    assert [item async for item in feed] == [0, 1, 2]
    with pytest.raises(StopAsyncIteration):
        await anext(feed)
    await feed.aclose()


async def test_the_producer_is_one_item_ahead_at_most():
    made = []

    async def produce(hand_over):
        for item in range(3):
            made.append(item)
            await hand_over(item)

    feed = Feed(produce)
    await anyio.wait_all_tasks_blocked()
    assert made == [0]
    assert await anext(feed) == 0
    await anyio.wait_all_tasks_blocked()
    assert made == [0, 1]
    await feed.aclose()


@pytest.mark.parametrize("failure", [ValueError("mine"), SystemExit(3)])
async def test_a_failure_comes_out_as_itself(failure):
    async def produce(hand_over):
        await hand_over(1)
        raise failure from KeyError("cause")

    feed = Feed(produce)
    assert await anext(feed) == 1
    with pytest.raises(type(failure)) as caught:
        await anext(feed)
    assert caught.value is failure
    assert isinstance(caught.value.__cause__, KeyError)
    with pytest.raises(StopAsyncIteration):
        await anext(feed)
    await feed.aclose()


async def test_closing_cancels_the_producer_and_waits():
    ended = []

    async def produce(hand_over):
        try:
            await anyio.sleep_forever()
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.wait_all_tasks_blocked()
            ended.append("produce")

    feed = Feed(produce)
    await anyio.wait_all_tasks_blocked()
    await feed.aclose()
    assert ended == ["produce"]
    await feed.aclose()


async def test_cancelling_the_reader_loses_nothing():
    go_on = anyio.Event()

    async def produce(hand_over):
        await go_on.wait()
        await hand_over("kept")

    feed = Feed(produce)
    with anyio.CancelScope() as scope:
        scope.cancel()
        await anext(feed)
    go_on.set()
    assert await anext(feed) == "kept"
    await feed.aclose()


async def test_the_producer_sees_the_context_of_its_maker():
    async def produce(hand_over):
        await hand_over(colour.get())

    token = colour.set("red")
    feed = Feed(produce)
    colour.reset(token)
    assert await anext(feed) == "red"
    await feed.aclose()
