"""Two numbers for each of many values."""

from __future__ import annotations

import tracemalloc

from replay_agent.recording.redaction.digests import Digests


def test_what_was_put_is_found_and_nothing_else():
    digests = Digests()
    values = [f"value-{number}".encode() for number in range(5000)]
    for number, value in enumerate(values):
        digests.put(value, number, number * 3)
    assert len(digests) == 5000
    assert [digests.get(value) for value in values] == [(number, number * 3) for number in range(5000)]
    assert digests.get(b"another") is None
    assert b"value-17" in digests
    assert b"" not in digests


def test_what_is_put_again_takes_the_place_of_what_was_there():
    digests = Digests()
    digests.put(b"x", 1, 2)
    digests.put(b"x", 3, 4)
    assert digests.get(b"x") == (3, 4)
    assert len(digests) == 1


def test_an_entry_takes_few_bytes():
    digests = Digests()
    tracemalloc.start()
    for number in range(100_000):
        digests.put(b"%d" % number, number)
    taken = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert taken < 45 * 100_000
