from __future__ import annotations

import asyncio
import contextvars
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from replay_agent.exceptions import CassetteMiss, RecordingConflict
from replay_agent.recording import dispatch
from replay_agent.traffic import Request
from tests.integration.recordings import make

URL = "https://api.example.org/"


@pytest.fixture
def one(tmp_path):
    return make(tmp_path / "one.yaml", test="test_one").open()


@pytest.fixture
def two(tmp_path):
    return make(tmp_path / "two.yaml", test="test_two").open()


@pytest.fixture
def opened():
    """Open recordings for tests, and close what is still open in the end."""
    still_open = []

    def open_for_test(recording):
        still_open.append(recording)
        dispatch.open_for_test(recording)

    yield open_for_test
    for recording in still_open:
        dispatch.close_for_test(recording)
    dispatch.late_misses.clear()


def elsewhere(function):
    """Call a function in a plain thread, which knows nothing of this context."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function).result()


def claimant():
    return dispatch.claimant(URL)


def test_nothing_open_claims_nothing():
    assert claimant() is None


def test_block_claims_its_context(one):
    with dispatch.in_context(one):
        assert claimant() is one
    assert claimant() is None


def test_innermost_block_claims(one, two):
    with dispatch.in_context(one):
        with dispatch.in_context(two):
            assert claimant() is two
        assert claimant() is one


def test_closed_inner_recording_gives_way_to_the_outer(one, two):
    with dispatch.in_context(one), dispatch.in_context(two):
        two.close()
        assert claimant() is one


def test_block_beats_the_test(one, two, opened):
    opened(one)
    with dispatch.in_context(two):
        assert claimant() is two
    assert claimant() is one


def test_test_claims_every_context_and_thread(one, opened):
    opened(one)
    assert contextvars.Context().run(claimant) is one
    assert elsewhere(claimant) is one


def test_plain_thread_uses_the_test_even_inside_a_block(one, two, opened):
    opened(one)
    with dispatch.in_context(two):
        assert elsewhere(claimant) is one


def test_plain_thread_uses_the_only_block(one):
    with dispatch.in_context(one):
        assert elsewhere(claimant) is one
    assert elsewhere(claimant) is None


def test_tasks_keep_their_own(one, two):
    async def use(recording, mine, other):
        with dispatch.in_context(recording):
            mine.set()
            await other.wait()
            return claimant()

    async def main():
        first, second = asyncio.Event(), asyncio.Event()
        return await asyncio.gather(use(one, first, second), use(two, second, first))

    assert asyncio.run(main()) == [one, two]


def test_thread_with_its_own_block_keeps_it(one, two):
    def use():
        with dispatch.in_context(two):
            return claimant()

    with dispatch.in_context(one):
        assert elsewhere(use) is two


def test_thread_with_an_open_block_takes_nobody_elses(one, two):
    """Out of its context (a callback, an executor's initializer) such a thread has a choice; it is not made for it."""

    def use():
        with dispatch.in_context(two):
            return contextvars.Context().run(claimant)

    with dispatch.in_context(one):
        assert elsewhere(use) is None


def test_two_tests_at_once_are_a_conflict_naming_both(one, two, opened):
    opened(one)
    opened(two)
    with pytest.raises(RecordingConflict, match=r"test_one.*one\.yaml.*test_two.*two\.yaml"):
        claimant()
    assert len(one.misses) == len(two.misses) == 1


def test_two_blocks_of_other_threads_are_a_conflict(one, two):
    def use():
        with dispatch.in_context(two):
            return elsewhere(claimant)

    with dispatch.in_context(one), pytest.raises(RecordingConflict):
        elsewhere(use)


def test_ignored_host_passes(tmp_path, opened):
    opened(make(tmp_path / "c.yaml", ignore_hosts=("api.example.org",)).open())
    assert claimant() is None


def test_unhooked_requests_pass(one, opened):
    opened(one)
    with dispatch.unhooked():
        assert claimant() is None
    assert claimant() is one


def test_context_closed_elsewhere_is_left_behind(one):
    """An async generator's block may be left in another context than it was entered in."""
    block = dispatch.in_context(one)
    contextvars.copy_context().run(block.__enter__)
    contextvars.copy_context().run(block.__exit__, None, None, None)
    assert claimant() is None
    assert not dispatch.replaying()


class Leftover:
    """A thread that a test starts and leaves running."""

    def __init__(self):
        self._pool = ThreadPoolExecutor(1)
        self._pool.submit(lambda: None).result()

    def ask(self, url=URL, body=b""):
        def begin():
            recording = dispatch.claimant(url)
            return recording and dispatch.begin(recording, Request("POST" if body else "GET", url, (), body))

        return self._pool.submit(begin).result()

    def claim(self, url, **how):
        return self._pool.submit(dispatch.claimant, url, **how).result()

    def stop(self):
        self._pool.shutdown()


@pytest.fixture
def leftover(one):
    dispatch.open_for_test(one)
    thread = Leftover()
    dispatch.close_for_test(one)
    one.close()
    yield thread
    thread.stop()
    dispatch.late_misses.clear()


def test_miss_after_the_tests_end_is_the_sessions(leftover, one):
    with pytest.raises(CassetteMiss, match=r"test_one left running.*api\.example\.org"):
        leftover.ask()
    assert len(dispatch.late_misses) == 1
    assert one.misses == []


def test_leftover_thread_may_send_telemetry_to_nowhere(leftover):
    assert leftover.ask("https://us.i.posthog.com/batch/").outcome.status == 200
    assert dispatch.late_misses == []


def test_leftover_thread_is_judged_by_the_whole_address(leftover, one):
    assert leftover.claim("https://api.smith.langchain.com", whole=False) is one
    with pytest.raises(CassetteMiss, match=r"left running asked for https://api\.smith\.langchain\.com/other"):
        leftover.ask("https://api.smith.langchain.com/other")
    assert leftover.ask("https://api.smith.langchain.com/runs/batch").outcome.status == 200


TRACES = [b'{"data": [{"object": "trace", "id": "trace_1"}]}', b'{"data": [{"object": "trace.span"}]}']


@pytest.mark.parametrize("body", TRACES)
@pytest.mark.parametrize(
    "url", ["https://proxy.example/v1/traces/ingest", "http://10.0.0.1/openai/v1/traces/ingest?a=1"]
)
def test_leftover_thread_may_upload_traces_wherever_they_go(leftover, url, body):
    assert leftover.ask(url, body).outcome.status == 200
    assert dispatch.late_misses == []


@pytest.mark.parametrize("body", [b"", b"{}", b'{"data": [{"object": "order"}]}', b"[" * 5000])
def test_leftover_thread_is_judged_by_the_body_where_the_address_leaves_it_open(leftover, one, body):
    with pytest.raises(CassetteMiss, match="test_one left running"):
        leftover.ask("https://shop.example/v1/traces/ingest", body)
    assert len(dispatch.late_misses) == 1
    assert one.misses == []


def test_leftover_thread_may_talk_to_its_own_machine(leftover, one):
    assert leftover.ask("http://127.0.0.1:9/") is None
    assert dispatch.late_misses == []


def test_miss_of_a_leftover_thread_is_not_the_next_tests(leftover, two, opened):
    opened(two)
    with pytest.raises(CassetteMiss):
        leftover.ask()
    assert two.misses == []
    (late,) = dispatch.late_misses
    assert "began in test_one" in str(late)
    assert "while test_two was running" in str(late)


def test_miss_of_an_own_thread_is_the_tests(two, opened):
    opened(two)
    thread = Leftover()
    with pytest.raises(CassetteMiss):
        thread.ask()
    thread.stop()
    assert len(two.misses) == 1
    assert dispatch.late_misses == []


def test_thread_from_before_the_tests_passes_between_them(one):
    thread = Leftover()
    dispatch.open_for_test(one)
    dispatch.close_for_test(one)
    one.close()
    try:
        assert thread.ask() is None
    finally:
        thread.stop()


def test_main_thread_passes_between_tests(one):
    dispatch.open_for_test(one)
    dispatch.close_for_test(one)
    assert threading.current_thread() is threading.main_thread()
    assert claimant() is None


class Answering:
    """A responder for one host."""

    is_open = True

    def __init__(self, host):
        self.host = host
        self.heard = []

    def wants(self, url):
        return self.host in url

    def begin(self, raw):
        self.heard.append(raw.url)

    overhear = begin


def test_a_responder_claims_what_no_recording_does(one):
    responder, other = Answering("api.example.org"), Answering("elsewhere.example")
    with dispatch.responding(responder), dispatch.responding(other):
        assert claimant() is responder
        assert dispatch.begin(responder, Request("GET", URL)) is None
        assert dispatch.only_replaying()
        with dispatch.in_context(one):
            assert claimant() is one
    assert claimant() is None
    assert responder.heard == [URL]


def test_a_miss_of_a_recording_is_not_for_a_responder(one):
    responder = Answering("api.example.org")
    with dispatch.responding(responder), dispatch.in_context(one), pytest.raises(CassetteMiss):
        dispatch.begin(one, Request("GET", URL))
    assert responder.heard == []
