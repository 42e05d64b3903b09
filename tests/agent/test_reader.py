from __future__ import annotations

import anyio
import pytest

from replay_agent.agent.reader import Reader

pytestmark = pytest.mark.anyio

LONG = 3600
"""Seconds that no test lasts: what comes at once is one group."""


async def numbers(count, gate=None):
    for number in range(count):
        if gate is not None and number == gate[0]:
            await gate[1].wait()
        yield number


async def collected(groups):
    return [group async for group in groups]


@pytest.fixture
async def reader():
    reader = Reader(numbers(4))
    yield reader
    await reader.aclose()


async def test_without_an_interval_every_item_is_a_group(reader):
    assert await collected(reader.groups(None, ahead=[-1])) == [[-1], [0], [1], [2], [3]]


async def test_what_comes_in_time_is_one_group(reader):
    assert await collected(reader.groups(LONG, ahead=[-1])) == [[-1, 0, 1, 2, 3]]


async def test_a_pause_ends_a_group():
    gate = anyio.Event()
    reader = Reader(numbers(4, (2, gate)))
    groups = reader.groups(0.001)
    seen = []
    while sum(map(len, seen)) < 2:
        seen.append(await anext(groups))
    gate.set()
    seen += await collected(groups)
    assert [number for group in seen for number in group] == [0, 1, 2, 3]
    assert len(seen) > 1
    await reader.aclose()


async def test_what_is_ahead_does_not_wait_for_the_source():
    gate = anyio.Event()
    reader = Reader(numbers(1, (0, gate)))
    groups = reader.groups(0.001, ahead=["first"])
    assert await anext(groups) == ["first"]
    gate.set()
    assert await collected(groups) == [[0]]
    await reader.aclose()


async def test_nothing_is_no_group():
    reader = Reader(numbers(0))
    assert await collected(reader.groups(LONG)) == []
    assert await collected(reader.groups(None)) == []
    await reader.aclose()


@pytest.mark.parametrize("interval", [None, 0.001])
async def test_a_later_reader_goes_on(reader, interval):
    groups = reader.groups(interval)
    first = await anext(groups)
    await groups.aclose()
    rest = [number async for number in reader]
    assert [*first, *rest] == [0, 1, 2, 3]


async def test_every_item_is_noted_once():
    noted = []
    reader = Reader(numbers(3), noted.append)
    assert await anext(reader) == 0
    await collected(reader.groups(LONG))
    await reader.drain()
    assert noted == [0, 1, 2]
    await reader.aclose()


async def test_a_failure_of_the_source_comes_through():
    async def failing():
        yield 1
        raise LookupError("broken")

    reader = Reader(failing())
    with pytest.raises(LookupError, match="broken"):
        await collected(reader.groups(LONG))
    await reader.aclose()


async def test_a_reader_that_is_cancelled_leaves_cleanly():
    ended = []

    async def endless():
        try:
            yield 1
            await anyio.sleep_forever()
        finally:
            ended.append("source")

    reader = Reader(endless())
    with anyio.CancelScope() as scope:
        async for _ in reader.groups(0.001):
            scope.cancel()
    await reader.aclose()
    assert ended == ["source"]
