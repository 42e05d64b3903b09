"""What other processes ask, however they are started: recorded, replayed, and never lost, nor a miss of theirs."""

from __future__ import annotations

import pytest

from replay_agent.provider.server import serve
from replay_agent.wire.codec import EncodedAnswer

pytestmark = [
    pytest.mark.skipif("not hasattr(__import__('os'), 'fork')", reason="nothing is forked here"),
    pytest.mark.usefixtures("without_anyio"),
]

ASK = """
import os, httpx

def ask(text):
    return httpx.post(os.environ["PROVIDER"] + "/echo", content=(os.environ.get("Q", "") + text).encode()).text

def ask_and_swallow(text):
    try:
        ask(text)
    except BaseException:
        pass
"""
TESTS = """
import contextlib, multiprocessing, os, threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.pool import ThreadPool
import pytest
from ask import ask, ask_and_swallow
from replay_agent import use_cassette

def started_by(*methods):
    return pytest.mark.parametrize("method", methods)

@pytest.mark.replay
def test_fork():
    pid = os.fork()
    if not pid:
        try:
            ask_and_swallow("fork")
        finally:
            os._exit(0)
    os.waitpid(pid, 0)

@started_by("fork", "spawn", "forkserver")
@pytest.mark.replay
def test_process(method):
    process = multiprocessing.get_context(method).Process(target=ask_and_swallow, args=(f"process {method}",))
    process.start()
    process.join()

@started_by("fork", "spawn")
@pytest.mark.replay
def test_executor(method):
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(method)) as pool:
        assert sorted(pool.map(ask, ["same", "same", f"executor {method}"]))[-1] == "SAME"

@started_by("fork", "forkserver")
@pytest.mark.replay
def test_pool(method):
    with multiprocessing.get_context(method).Pool(1) as pool:
        assert pool.map(ask, [f"pool {method}"]) == [f"POOL {method.upper()}"]

@pytest.mark.replay
def test_pool_of_threads():
    with ThreadPool(2) as pool:
        assert pool.map(ask, ["threads"]) == ["THREADS"]

@started_by("fork", "spawn")
def test_block(method):
    mode = os.environ["MODE"]
    with use_cassette(f"block_{method}.yaml", mode):
        process = multiprocessing.get_context(method).Process(target=ask_and_swallow, args=("block",))
        process.start()
        process.join()
"""
COUNT = 11


@pytest.fixture
def provider(monkeypatch):
    asked = []

    def answer(request):
        asked.append(request.body.decode())
        return EncodedAnswer(200, (("content-type", "text/plain"),), (request.body.upper(),))

    with serve(answer) as base:
        monkeypatch.setenv("PROVIDER", base)
        yield asked


@pytest.fixture
def processes(project, monkeypatch):
    project.makeini(
        "[pytest]\naddopts = -p no:cacheprovider -p no:hypothesispytest -p no:xdist\npythonpath = .\nfilterwarnings = default\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(project.path))
    project.makepyfile(ask=ASK)
    return project


def test_every_process_is_recorded_and_replayed_and_its_misses_are_told(processes, provider, monkeypatch):
    processes.makepyfile(test_it=TESTS)
    monkeypatch.setenv("MODE", "once")
    processes.runpytest_subprocess("--record-mode=once").assert_outcomes(passed=COUNT)
    heard = len(provider)
    assert heard == 1 + 3 + 6 + 2 + 1 + 2
    monkeypatch.setenv("MODE", "none")
    processes.runpytest_subprocess().assert_outcomes(passed=COUNT)
    monkeypatch.setenv("Q", "something else: ")
    result = processes.runpytest_subprocess()
    outcomes = result.parseoutcomes()
    assert outcomes["failed"] == COUNT
    text = result.stdout.str()
    assert "missing 1 required positional argument" not in text
    assert text.count("changed since") >= COUNT
    assert len(provider) == heard


def test_a_pool_that_outlives_its_test_is_refused(processes, provider):
    processes.makepyfile(
        test_it="""
        import multiprocessing
        from concurrent.futures import ProcessPoolExecutor
        import pytest
        from ask import ask, ask_and_swallow

        @pytest.fixture(scope="module")
        def pool():
            with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork")) as pool:
                yield pool

        @pytest.mark.replay
        def test_one(pool): assert pool.submit(ask, "one").result() == "ONE"

        @pytest.mark.replay
        def test_two(pool): assert pool.submit(ask, "two").result() == "TWO"

        @pytest.mark.replay
        def test_three(pool): pool.submit(ask_and_swallow, "three").result()
        """
    )
    result = processes.runpytest_subprocess("--record-mode=once")
    result.assert_outcomes(passed=2, failed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert provider == ["one"]
    text = result.stdout.str()
    assert "Start the process, or the pool of processes, anew in each test" in text
    assert "2 requests after the end of their tests" in text


def test_a_recording_that_cannot_travel_is_refused_in_the_process(processes, provider):
    processes.makepyfile(
        conftest="""
        import dataclasses

        def pytest_replay_options(item, options):
            return dataclasses.replace(options, before_record_request=lambda request: request)
        """,
        test_it="""
        import multiprocessing
        import pytest
        from ask import ask_and_swallow

        @pytest.mark.replay
        def test_one():
            process = multiprocessing.get_context("spawn").Process(target=ask_and_swallow, args=("one",))
            process.start()
            process.join()

        @pytest.mark.replay
        def test_two():
            process = multiprocessing.get_context("spawn").Process(target=print, args=("nothing asked",))
            process.start()
            process.join()
            assert process.exitcode == 0
        """,
    )
    result = processes.runpytest_subprocess("--record-mode=once")
    result.assert_outcomes(passed=1, failed=1)
    assert "takes no part in the recording" in result.stdout.str()
    assert provider == []
