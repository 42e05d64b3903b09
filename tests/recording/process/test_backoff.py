"""Sleeps are asked for in a way that is an error if anybody really sleeps, so that no test waits."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import anyio
import pytest
import trio

from replay_agent.recording.process import backoff
from replay_agent.traffic import Failure, Phase, Response

REFUSED = Response(429, (("retry-after", "20"),))
SOUND = Response(200)
NEVER = "never"
LOOPS = pytest.mark.parametrize("loop", [asyncio.run, trio.run], ids=["asyncio", "trio"])

SOURCE = """
import time, asyncio, anyio, trio
def back_off(): time.sleep("never")
async def back_off_asyncio(): await asyncio.sleep("never")
async def back_off_anyio(): await anyio.sleep("never")
async def back_off_trio(): await trio.sleep("never")
def call(function): return function()
"""


class Library:
    """A module, installed or not, whose functions sleep."""

    def __init__(self, name, folder="/usr/lib/python3/site-packages"):
        self.__dict__["__name__"] = name
        exec(compile(SOURCE, f"{folder}/{name.replace('.', '/')}.py", "exec"), self.__dict__)


SDK = Library("openai._base_client")
MINE = Library("tests_of_mine", "/home/me")


@pytest.fixture(autouse=True)
def disarmed():
    sleeps = time.sleep, asyncio.sleep, anyio.sleep, trio.sleep
    yield
    backoff.disarm()
    assert (time.sleep, asyncio.sleep, anyio.sleep, trio.sleep) == sleeps


def sleeps(function):
    """Tell whether a function really sleeps."""
    try:
        function()
    except TypeError:
        return True
    return False


def run(loop, function):
    return loop(function()) if loop is asyncio.run else loop(function)


@pytest.mark.parametrize(
    "outcome",
    [REFUSED, Response(500), Response(529), Response(202, (("Retry-After", "3"),)), Failure("ReadTimeout", Phase.HEAD)],
)
def test_back_off_is_skipped(outcome):
    backoff.note(outcome)
    assert not sleeps(SDK.back_off)


@pytest.mark.parametrize(
    "name",
    ["anthropic._base_client", "groq", "mistralai.utils.retries", "tenacity.nap", "botocore.endpoint", "urllib3.util",
     "google.genai._api_client", "google.api_core.retry", "litellm.main", "backoff._sync", "stamina._core"],
)  # fmt: skip
def test_libraries_of_the_table(name):
    backoff.note(REFUSED)
    assert not sleeps(Library(name).back_off)


def test_only_one_sleep_is_skipped():
    backoff.note(REFUSED)
    assert not sleeps(SDK.back_off)
    assert sleeps(SDK.back_off)


def test_nothing_is_skipped_without_a_refusal():
    backoff.note(SOUND)
    assert sleeps(SDK.back_off)


def test_sound_answer_leaves_no_sleep_to_skip():
    backoff.note(REFUSED)
    backoff.note(SOUND)
    assert sleeps(SDK.back_off)


def test_own_sleep_is_left_alone():
    backoff.note(REFUSED)
    assert sleeps(MINE.back_off)
    assert not sleeps(SDK.back_off)


def test_own_sleep_called_by_a_library_is_left_alone():
    backoff.note(REFUSED)
    assert sleeps(lambda: SDK.call(MINE.back_off))


@pytest.mark.parametrize(("name", "folder"), [("retry.mine", "/home/me/project"), ("google.drive", "/x/site-packages")])
def test_namesakes_are_left_alone(name, folder):
    backoff.note(REFUSED)
    assert sleeps(Library(name, folder).back_off)


@LOOPS
def test_anyio_sleep_is_skipped(loop):
    async def main():
        backoff.note(REFUSED)
        await SDK.back_off_anyio()
        with pytest.raises(TypeError):
            await MINE.back_off_anyio()

    run(loop, main)


def test_asyncio_sleep_is_skipped():
    async def main():
        backoff.note(REFUSED)
        await SDK.back_off_asyncio()

    asyncio.run(main())


def test_trio_sleep_is_skipped():
    async def main():
        backoff.note(REFUSED)
        await SDK.back_off_trio()

    trio.run(main)


def test_skipped_sleep_lets_other_tasks_run():
    async def main():
        turns = []
        backoff.note(REFUSED)
        other = asyncio.create_task(asyncio.sleep(0, turns.append("other")))
        await SDK.back_off_asyncio()
        await other
        return turns

    assert asyncio.run(main()) == ["other"]


def test_another_task_sleeps_on():
    async def refused():
        backoff.note(REFUSED)
        await asyncio.sleep(0)
        await SDK.back_off_asyncio()

    async def polling():
        with pytest.raises(TypeError):
            await SDK.back_off_asyncio()

    async def main():
        await asyncio.gather(refused(), polling())

    asyncio.run(main())


def test_request_in_a_task_of_its_own_is_backed_off_from():
    async def request():
        backoff.note(REFUSED)

    async def main():
        await asyncio.create_task(request())
        await SDK.back_off_asyncio()

    asyncio.run(main())


def test_another_thread_sleeps_on():
    backoff.note(REFUSED)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(sleeps, SDK.back_off).result()


def test_outcome_may_be_noted_in_another_context():
    async def main():
        sleep = backoff.pending_sleep()
        asyncio.get_running_loop().call_soon(sleep.note, REFUSED)
        await asyncio.sleep(0)
        await SDK.back_off_asyncio()

    asyncio.run(main())


def test_stand_in_for_sleep_stays_in_place(monkeypatch):
    slept = []
    monkeypatch.setattr(time, "sleep", slept.append)
    backoff.note(REFUSED)
    SDK.back_off()
    assert slept == [NEVER]
