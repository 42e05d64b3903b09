from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from multiprocessing.pool import ThreadPool

import pytest

from replay_agent.exceptions import CassetteMiss, CassetteMissError
from replay_agent.recording.miss_type import miss_type, raise_misses_as
from replay_agent.traffic import Request


class Own(CassetteMiss):
    pass


@pytest.fixture
def own():
    before = raise_misses_as(Own)
    yield
    assert raise_misses_as(before) is Own


def raising(_=None):
    raise miss_type()("text", Request("GET", "https://example.org"))


def test_who_runs_the_tests_says_what_a_miss_is(own):
    with pytest.raises(Own):
        raising()


@pytest.mark.parametrize("method", ["map", "apply", "imap"])
def test_a_pool_that_dies_of_other_errors_is_given_an_exception(own, method):
    calls = {
        "map": lambda pool: pool.map(raising, [1, 2]),
        "apply": lambda pool: pool.apply(raising),
        "imap": lambda pool: list(pool.imap_unordered(raising, [1, 2])),
    }
    with ThreadPool(1) as pool, pytest.raises(CassetteMissError):
        calls[method](pool)


def test_any_other_pool_hands_on_what_is_raised(own):
    with ThreadPoolExecutor(1) as pool, pytest.raises(Own):
        pool.submit(raising).result()
