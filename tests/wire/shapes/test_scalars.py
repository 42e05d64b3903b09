from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_agent.wire.shapes.scalars import (
    count_of,
    counter,
    is_number,
    read_timestamp,
    sum_of,
    text_of,
    total_of,
    write_timestamp,
)


@pytest.mark.parametrize(
    ("value", "count"),
    [(3, 3), (3.0, 3), (0, 0), (3.5, 0), (True, 0), (None, 0), ("3", 0), ([], 0), (float("inf"), 0), (float("nan"), 0)],
)
def test_counters(value, count):
    assert counter(value) == count


@given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)))
def test_times_come_back(time):
    assert read_timestamp(write_timestamp(time)) == time


@pytest.mark.parametrize(
    "text", ["2026-05-27T16:53:45.443719Z", "2026-05-27T16:53:45.443719999Z", "2026-05-27T18:53:45.443719123+02:00"]
)
def test_more_digits_than_python_keeps(text):
    assert read_timestamp(text) == datetime(2026, 5, 27, 16, 53, 45, 443719, tzinfo=UTC)


@pytest.mark.parametrize("text", [None, 1, "", "yesterday", "2026-05-27T16:53:45", "2026-13-01T00:00:00Z"])
def test_anything_else_is_no_time(text):
    assert read_timestamp(text) is None


def test_times_are_written_in_utc():
    time = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=2)))
    assert write_timestamp(time) == "2026-01-02T01:04:05.000000Z"


@pytest.mark.parametrize(("value", "expected"), [(1, True), (0.5, True), (True, False), ("1", False), (None, False)])
def test_truth_is_no_number(value, expected):
    assert is_number(value) is expected


@pytest.mark.parametrize(("fields", "text"), [({"a": "x"}, "x"), ({"a": ""}, ""), ({"a": 1}, None), ({}, None)])
def test_only_texts_are_texts(fields, text):
    assert text_of(fields, "a") == text


@pytest.mark.parametrize(("value", "count"), [(3, 3), (3.0, 3), (0, 0), (True, None), (None, None), ("3", None)])
def test_not_counted_is_not_zero(value, count):
    assert count_of(value) == count


def test_sums_of_what_was_counted():
    assert (sum_of(1, None, 2), sum_of(None, 0), sum_of(None, None), sum_of()) == (3, 0, None, None)
    assert (total_of(1, 2), total_of(None, 2), total_of(1, None), total_of(0, 0)) == (3, None, None, 0)
