"""Streams: handed on as they come, kept piece by piece, and what follows the last piece of a partial one."""

from __future__ import annotations

import asyncio
import threading

import aiohttp
import anyio
import httpx
import httpx2
import pytest
import requests
import trio

from replay_agent.exceptions import CassetteMiss
from replay_agent.traffic import StreamEnd
from tests.integration.recordings import recording, replaying
from tests.integration.rough_provider import EVENTS, SHAPES, rough_provider

MODULES = pytest.mark.parametrize("module", [httpx, httpx2])
LOOPS = pytest.mark.parametrize("loop", [asyncio.run, trio.run], ids=["asyncio", "trio"])


def run(loop, main):
    return loop(main()) if loop is asyncio.run else loop(main)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "c.yaml"


@pytest.fixture
def provider():
    with rough_provider() as provider:
        yield provider


@pytest.fixture
def turns():
    """A provider's shape that sends the next piece only when the client has got the one before."""
    got = threading.Semaphore(1)

    def taking_turns(peer):
        peer.begin_stream("Content-Type: text/event-stream")
        for event in EVENTS:
            if not got.acquire(timeout=10):
                peer.close()
            peer.chunk(event)
        peer.send(b"0\r\n\r\n")

    SHAPES["/turns"] = taking_turns
    yield got
    del SHAPES["/turns"]


# Handed on as they come: otherwise these never end


@MODULES
def test_pieces_are_handed_on_at_once(path, provider, turns, module):
    with recording(path, "once"), module.stream("GET", f"{provider.url}/turns") as response:
        pieces = [(piece, turns.release())[0] for piece in response.iter_raw()]
    assert pieces == EVENTS


@MODULES
@LOOPS
def test_pieces_are_handed_on_at_once_to_tasks(path, provider, turns, module, loop):
    async def main():
        async with module.AsyncClient() as client, client.stream("GET", f"{provider.url}/turns") as response:
            return [(piece, turns.release())[0] async for piece in response.aiter_raw()]

    with recording(path, "once"):
        assert run(loop, main) == EVENTS


def test_pieces_are_handed_on_at_once_by_requests(path, provider, turns):
    with recording(path, "once"), requests.get(f"{provider.url}/turns", stream=True, timeout=9) as response:
        assert [(piece, turns.release())[0] for piece in response.iter_content(None)] == EVENTS


def test_pieces_are_handed_on_at_once_by_aiohttp(path, provider, turns):
    async def main():
        async with aiohttp.ClientSession() as session, session.get(f"{provider.url}/turns") as response:
            return [(piece, turns.release())[0] async for piece in response.content.iter_any()]

    with recording(path, "once"):
        assert asyncio.run(main()) == EVENTS


# Kept piece by piece


@MODULES
def test_pieces_come_back_as_they_came(path, provider, module):
    def pieces():
        with module.stream("GET", f"{provider.url}/split-utf8") as response:
            return list(response.iter_raw())

    with recording(path, "once"):
        live = pieces()
    provider.stop()
    with replaying(path):
        assert pieces() == live
    assert len(live) > len(EVENTS)


def test_pieces_have_their_times(path, provider, turns):
    with recording(path, "once") as recorded, httpx.stream("GET", f"{provider.url}/turns") as response:
        for _ in response.iter_raw():
            turns.release()
    offsets = [chunk.offset_ms for chunk in recorded.interactions[0].outcome.chunks]
    assert offsets == sorted(offsets)
    assert offsets[-1] > 0


def test_requests_reads_the_recorded_pieces(path, provider):
    def pieces():
        with requests.get(f"{provider.url}/stream", stream=True, timeout=9) as response:
            return list(response.iter_content(None))

    with recording(path, "once"):
        assert pieces() == EVENTS
    provider.stop()
    with replaying(path):
        assert pieces() == EVENTS


def test_aiohttp_reads_the_recorded_pieces_and_lines(path, provider):
    async def main():
        async with aiohttp.ClientSession() as session:
            async with session.get(f"{provider.url}/stream") as response:
                pieces = [piece async for piece in response.content.iter_any()]
            async with session.get(f"{provider.url}/split-utf8") as response:
                lines = [line async for line in response.content]
            async with session.get(f"{provider.url}/gzip-stream") as response:
                return pieces, lines, await response.text()

    with recording(path, "once"):
        live, *others_live = asyncio.run(main())
    provider.stop()
    with replaying(path) as opened:
        pieces, *others = asyncio.run(main())
    # Live, two that have come by the time that the client looks are one to it.
    assert pieces == list(opened.interactions[0].outcome.pieces)
    assert others == others_live
    lines, text = others
    assert b"".join(pieces) == b"".join(live) == b"".join(EVENTS)
    assert b"".join(lines) == b"".join(EVENTS) == text.encode()


def test_recorded_pace_is_kept_on_demand(path, provider, turns):
    with recording(path, "once") as recorded, httpx.stream("GET", f"{provider.url}/turns") as response:
        for _ in response.iter_raw():
            turns.release()
    provider.stop()
    last = recorded.interactions[0].outcome.chunks[-1].offset_ms
    with replaying(path, paced=True):
        assert httpx.get(f"{provider.url}/turns").elapsed.total_seconds() * 1000 >= last


# Iterated again, as clients do that drain a stream after its last word


@MODULES
def test_stream_iterated_again_goes_on(path, provider, module):
    def pieces():
        with module.stream("GET", f"{provider.url}/stream") as response:
            begun = iter(response.stream)
            return [next(begun), *response.stream]

    with recording(path, "once") as recorded:
        assert pieces() == EVENTS
    provider.stop()
    assert recorded.interactions[0].outcome.end is StreamEnd.COMPLETE
    with replaying(path):
        assert pieces() == EVENTS


@MODULES
@LOOPS
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # httpx leaves its generators to trio
def test_stream_iterated_again_by_a_task_goes_on(path, provider, module, loop):
    async def main():
        async with module.AsyncClient() as client, client.stream("GET", f"{provider.url}/stream") as response:
            begun = aiter(response.stream)
            return [await anext(begun), *[piece async for piece in response.stream]]

    with recording(path, "once") as recorded:
        assert run(loop, main) == EVENTS
    provider.stop()
    assert recorded.interactions[0].outcome.end is StreamEnd.COMPLETE
    with replaying(path):
        assert run(loop, main) == EVENTS


# Ended by the client


def first_pieces(module, url, count):
    with module.stream("GET", url) as response:
        pieces = response.iter_raw()
        return [next(pieces) for _ in range(count)]


@MODULES
def test_early_break_is_recorded_as_far_as_it_was_read(path, provider, module):
    with recording(path, "once") as recorded:
        live = first_pieces(module, f"{provider.url}/endless", 3)
    provider.stop()
    assert recorded.interactions[0].outcome.end is StreamEnd.CLOSED
    assert recorded.interactions[0].outcome.body == b"".join(live)
    with replaying(path):
        assert first_pieces(module, f"{provider.url}/endless", 3) == live


@MODULES
def test_reading_on_past_an_early_break_is_a_miss(path, provider, module):
    with recording(path, "once"):
        live = first_pieces(module, f"{provider.url}/endless", 2)
    provider.stop()
    with recording(path) as replayed, pytest.raises(CassetteMiss, match="read on"):
        first_pieces(module, f"{provider.url}/endless", 3)
    assert len(replayed.misses) == 1
    assert len(live) == 2


@MODULES
@LOOPS
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # httpx leaves its generators to trio
def test_early_close_of_a_task_is_recorded(path, provider, module, loop):
    async def main():
        async with module.AsyncClient() as client, client.stream("GET", f"{provider.url}/endless") as response:
            pieces = response.aiter_raw()
            got = [await anext(pieces) for _ in range(3)]
            await pieces.aclose()
            return got

    with recording(path, "once") as recorded:
        live = run(loop, main)
    provider.stop()
    assert recorded.interactions[0].outcome.end is StreamEnd.CLOSED
    with replaying(path):
        assert run(loop, main) == live


@MODULES
def test_stream_that_is_left_to_the_loop_is_a_partial_one(path, provider, module, caplog):
    """At its end the loop closes all generators at once: those within the client's may be closed before it."""
    forgotten = []

    async def pieces(client):
        response = await client.send(client.build_request("GET", f"{provider.url}/stalled-stream"), stream=True)
        try:
            async for piece in response.aiter_raw():
                yield piece
        finally:
            await response.aclose()

    async def main():
        forgotten.append(pieces(module.AsyncClient()))
        return await anext(forgotten[-1])

    with recording(path, "once") as recorded:
        live = asyncio.run(main())
    provider.stop()
    assert recorded.interactions[0].outcome.end is StreamEnd.CLOSED
    assert "replay_agent" not in caplog.text  # httpx2 has complaints of its own
    with replaying(path):
        assert asyncio.run(main()) == live


@MODULES
def test_close_after_the_last_word_is_a_whole_stream(path, provider, module):
    def last_word():
        with module.stream("GET", f"{provider.url}/stream") as response:
            for piece in response.iter_raw():
                if piece == EVENTS[-1]:
                    break

    with recording(path, "once") as recorded:
        last_word()
    assert recorded.interactions[0].outcome.end is StreamEnd.COMPLETE


@MODULES
@LOOPS
def test_cancelled_stream_is_recorded_and_can_be_cancelled_again(path, provider, module, loop):
    async def main():
        got = []
        async with module.AsyncClient() as client:
            with anyio.CancelScope() as scope:
                async with client.stream("GET", f"{provider.url}/stalled-stream") as response:
                    async for piece in response.aiter_raw():
                        got.append(piece)
                        scope.deadline = anyio.current_time() + 0.1
            return got, (await client.get(f"{provider.url}/json")).text

    with recording(path, "once") as recorded:
        live = run(loop, main)
    provider.stop()
    assert live == ([EVENTS[0]], '{"a": 1}\n')
    assert recorded.interactions[0].outcome.end is StreamEnd.ABANDONED
    with replaying(path):
        assert run(loop, main) == live


@MODULES
@LOOPS
def test_request_cancelled_before_its_answer_can_be_cancelled_again(path, provider, module, loop):
    async def main():
        async with module.AsyncClient() as client:
            with anyio.move_on_after(0.2) as scope:
                await client.get(f"{provider.url}/stall")
            return scope.cancelled_caught, (await client.get(f"{provider.url}/json")).text

    with recording(path, "once"):
        live = run(loop, main)
    provider.stop()
    assert live == (True, '{"a": 1}\n')
    with replaying(path):
        assert run(loop, main) == live


@LOOPS
def test_client_that_outwaits_the_recorded_one_gets_a_miss(path, provider, loop):
    async def main(seconds):
        async with httpx.AsyncClient() as client:
            with anyio.move_on_after(seconds):
                await client.get(f"{provider.url}/stall")

    with recording(path, "once"):
        run(loop, lambda: main(0.05))
    provider.stop()
    with recording(path), pytest.raises(CassetteMiss, match="read on"):
        run(loop, lambda: main(30))


def test_aiohttp_early_break_and_reading_on(path, provider):
    async def main(count):
        got = []
        async with aiohttp.ClientSession() as session, session.get(f"{provider.url}/endless") as response:
            async for piece in response.content.iter_any():
                got.append(piece)
                if len(got) == count:
                    break
        return got

    with recording(path, "once") as recorded:
        live = asyncio.run(main(3))
    provider.stop()
    assert recorded.interactions[0].outcome.end is StreamEnd.CLOSED
    with replaying(path):
        assert asyncio.run(main(3)) == live
    with recording(path), pytest.raises(CassetteMiss, match="read on"):
        asyncio.run(main(9))


def test_aiohttp_stream_that_its_session_closes_is_a_partial_one(path, provider):
    async def main():
        async with aiohttp.ClientSession() as session:
            response = await session.get(f"{provider.url}/endless")
            got = await response.content.readany()
        await asyncio.sleep(0)  # the connections of a session are closed when it says that it is
        response.close()
        return got

    with recording(path, "once") as recorded:
        live = asyncio.run(main())
    provider.stop()
    assert recorded.interactions[0].outcome.end is StreamEnd.CLOSED
    with replaying(path):
        assert asyncio.run(main()) == live


def test_aiohttp_cancelled_while_waiting(path, provider):
    async def main():
        async with aiohttp.ClientSession() as session:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2), session.get(f"{provider.url}/stall"):
                    pass
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2), session.get(f"{provider.url}/stalled-stream") as response:
                    await response.read()
            async with session.get(f"{provider.url}/json") as response:
                return await response.text()

    with recording(path, "once"):
        live = asyncio.run(main())
    provider.stop()
    with replaying(path):
        assert asyncio.run(main()) == live


def test_requests_early_break_and_reading_on(path, provider):
    def main(count):
        with requests.get(f"{provider.url}/endless", stream=True, timeout=5) as response:
            pieces = response.iter_content(None)
            return [next(pieces) for _ in range(count)]

    with recording(path, "once") as recorded:
        live = main(3)
    provider.stop()
    assert recorded.interactions[0].outcome.end is StreamEnd.CLOSED
    with replaying(path):
        assert main(3) == live
    with recording(path), pytest.raises(CassetteMiss, match="read on"):
        main(1000)


@MODULES
def test_stream_that_is_open_at_the_end_does_not_hang_the_recorder(path, provider, module):
    client = module.Client()
    with recording(path, "once") as recorded:
        response = client.send(client.build_request("GET", f"{provider.url}/endless"), stream=True)
        pieces = response.iter_raw()
        live = next(pieces)
    response.close()
    client.close()
    assert recorded.interactions[0].outcome.body == live
    provider.stop()
    with replaying(path):
        assert first_pieces(module, f"{provider.url}/endless", 1) == [live]


@MODULES
def test_response_that_is_never_read_is_recorded_by_its_head(path, provider, module):
    def status():
        with module.stream("GET", f"{provider.url}/endless") as response:
            return response.status_code

    with recording(path, "once"):
        assert status() == 200
    provider.stop()
    with replaying(path):
        assert status() == 200


@MODULES
def test_thread_that_waits_for_nothing_is_let_go_at_the_end(path, provider, module):
    """A background thread's long poll is under way when the recording ends."""
    ended = []

    def poll():
        try:
            module.get(f"{provider.url}/stall", timeout=60)
        except module.HTTPError as error:
            ended.append(type(error))

    def main(in_flight):
        thread = threading.Thread(target=poll)
        thread.start()
        in_flight()
        return thread

    with recording(path, "once"):
        thread = main(lambda: wait_for(lambda: provider.hits))
    provider.stop()
    thread.join()
    with recording(path) as replayed:
        thread = main(lambda: wait_for(lambda: replayed.play_count))
    thread.join()
    assert ended[-1] is module.ReadError
    assert replayed.misses == []


def wait_for(condition):
    while not condition():
        threading.Event().wait(0.01)
