from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_agent.recording.cassettes.parts.item import Item
from replay_agent.recording.keeping.saving import arranged, outdone

CASES = [
    # count, own, kept, run, order
    (0, set(), set(), ["a", "b"], ["a", "b"]),
    (3, {0, 1, 2}, {0, 2}, [0, "new 1", 2], [0, "new 1", 2]),
    (3, {0, 1, 2}, {1, 2}, ["new 0", 1, 2], ["new 0", 1, 2]),
    (3, {0, 1, 2}, {0, 1, 2}, [0, 1, 2, "more"], [0, 1, 2, "more"]),
    (3, {0, 1, 2}, {0, 1, 2}, [2, 0, 1], [0, 1, 2]),
    (3, {0, 1, 2}, set(), ["a", "b"], ["a", "b"]),
    (4, {2, 3}, {0, 1}, ["a", "b"], [0, 1, "a", "b"]),
    (4, {1, 2}, {0, 3}, ["a"], [0, "a", 3]),
    (2, set(), {0, 1}, ["a"], [0, 1, "a"]),
]


@pytest.mark.parametrize(("count", "own", "kept", "run", "order"), CASES)
def test_new_ones_stand_where_they_came_up(count, own, kept, run, order):
    assert arranged(count, own, kept, run) == order


NEW = Item(b"- # new\n")


@pytest.mark.parametrize(
    ("own", "run", "replaced"),
    [
        ({0, 1, 2}, [NEW], {0}),
        ({0, 1, 2}, [0, NEW], {0, 1}),
        ({0, 1, 2}, [0, 2], {0, 2}),
        ({0, 1, 2}, [NEW, NEW, NEW, NEW], {0, 1, 2}),
        ({2, 3}, [NEW], {2}),
        (set(), [NEW], set()),
    ],
)
def test_a_run_that_broke_off_replaces_no_more_than_it_has(own, run, replaced):
    assert outdone(own, run) == replaced


@given(st.data(), st.integers(0, 6))
def test_nothing_is_lost_and_nothing_kept_moves(data, count):
    indexes = st.sets(st.integers(0, count - 1)) if count else st.just(set())
    own, kept = data.draw(indexes), data.draw(indexes)
    run = data.draw(st.lists(st.sampled_from(sorted(kept)) | st.text(max_size=2) if kept else st.text(max_size=2)))
    order = arranged(count, own, kept, run)
    assert [one for one in order if isinstance(one, int)] == sorted(kept)
    assert sorted(one for one in order if isinstance(one, str)) == sorted(one for one in run if isinstance(one, str))
