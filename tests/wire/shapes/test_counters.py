from __future__ import annotations

import pytest

from replay_agent.wire.shapes.counters import counter


@pytest.mark.parametrize(
    ("value", "count"),
    [(3, 3), (3.0, 3), (0, 0), (3.5, 0), (True, 0), (None, 0), ("3", 0), ([], 0), (float("inf"), 0), (float("nan"), 0)],
)
def test_counters(value, count):
    assert counter(value) == count
