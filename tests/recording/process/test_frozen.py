from __future__ import annotations

import asyncio
import random
import time
import uuid
from datetime import UTC, date, datetime
from uuid import uuid4

import pytest

from replay_agent.exceptions import UserError
from replay_agent.recording.process.frozen import SOURCES, check, frozen, seeds


def drawn(**sources):
    with frozen(sources):
        return uuid.uuid4(), uuid4(), random.random(), random.choice("abcdef"), random.sample(range(99), 3)


def test_the_same_seeds_give_the_same_values():
    assert drawn(uuid=1, random=2) == drawn(uuid=1, random=2)


def test_other_seeds_give_other_values():
    assert not set(drawn(uuid=1, random=2)[:3]) & set(drawn(uuid=2, random=3)[:3])


def test_uuids_are_still_uuids_and_differ_from_each_other():
    first, second, *_ = drawn(uuid=1)
    assert (first.version, second.version) == (4, 4)
    assert first != second


def test_afterwards_everything_is_as_random_as_before():
    state = random.getstate()
    inside = drawn(uuid=1, random=1)
    assert random.getstate() == state
    assert uuid.os is __import__("os")
    assert uuid4() not in inside


def test_the_clock_stands():
    with frozen({"clock": "2026-01-02T03:04:05Z"}):
        assert datetime.now(UTC) == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
        assert date.today() in (date(2026, 1, 1), date(2026, 1, 2))
        first = time.time()
        assert time.time() == first == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC).timestamp()


def test_event_loops_go_on_while_the_clock_stands():
    async def waits():
        await asyncio.wait_for(asyncio.sleep(0.001), 5)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 0.001)

    with frozen({"clock": "2026-01-02T03:04:05Z"}):
        asyncio.run(waits())


def test_nested_freezing_gives_back_the_outer_one():
    with frozen({"uuid": 1}):
        uuid4()
        with frozen({"uuid": 5}):
            uuid4()
        after = uuid4()
    with frozen({"uuid": 1}):
        assert [uuid4(), uuid4()][1] == after


def test_recorded_seeds_are_taken():
    recorded = {"clock": "2026-01-02T03:04:05Z", "uuid": 4, "random": 5, "other": 6}
    assert seeds(("random", "clock"), recorded) == {"random": 5, "clock": "2026-01-02T03:04:05Z"}


def test_clock_that_was_not_recorded_is_that_of_the_recording():
    assert seeds(("clock",), {}, "2026-01-02T03:04:05Z") == {"clock": "2026-01-02T03:04:05Z"}
    assert seeds(("clock",), {"clock": "odd"}, "2026-01-02T03:04:05Z") == {"clock": "2026-01-02T03:04:05Z"}
    assert seeds(("clock",), {"clock": "2025-01-01T00:00:00Z"}, "2026-01-02T03:04:05Z")["clock"] < "2026"


@pytest.mark.parametrize("odd", [None, "soon", 12.5, [1], "2026-01-02T03:04:05"])
def test_odd_seeds_are_made_anew(odd):
    found = seeds(tuple(SOURCES), dict.fromkeys(SOURCES, odd))
    with frozen(found):
        assert datetime.now(UTC) == datetime.fromisoformat(found["clock"])
    assert isinstance(found["uuid"], int)


def test_new_seeds_differ():
    assert seeds(("uuid",), {}) != seeds(("uuid",), {})


def test_unknown_sources_are_refused_by_name():
    with pytest.raises(UserError, match="'weather': what can be frozen is clock, uuid, random"):
        check(("clock", "weather"))
