from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_agent.recording.cassettes.usual.memory import _MOST_KNOWN, _MOST_RUNS, Memory


class List:
    """Lists of words between commas, ended by a point; each word becomes itself in capitals."""

    def __init__(self, memory):
        self.memory = memory
        self.read = 0

    def entries(self, *words):
        text = f"{','.join(words)}."

        def read(begin):
            self.read += 1
            word = text[begin:].replace(".", ",").split(",")[0]
            known = self.memory.get(word)
            if known is None:
                self.memory.keep(word, known := word.upper())
            return word, known

        found, end = self.memory.entries(text, 0, read, lambda end: end + 1 if text[end] == "," else None)
        assert text[end:] == "."
        return found


WORDS = st.lists(st.text("ab", min_size=1, max_size=3), min_size=1, max_size=8)


@given(st.lists(WORDS, max_size=8))
def test_every_entry_becomes_what_it_becomes(lists):
    memory = Memory()
    for words in lists:
        assert List(memory).entries(*words) == [word.upper() for word in words]


@pytest.mark.parametrize(
    ("before", "now", "read"),
    [
        (["a", "b", "c"], ["a", "b", "c", "d"], 3),  # the first, the last one of before, what is new
        (["a", "b", "c"], ["a", "b", "cc"], 2),
        (["a", "b", "c"], ["a", "bb", "c"], 3),
        (["a", "b", "c"], ["a", "b"], 2),
        (["a", "b", "c"], ["b", "c"], 2),
        (["a"], ["a"], 1),
    ],
)
def test_what_a_list_begins_with_as_before_is_not_read(before, now, read):
    lists = List(Memory())
    lists.entries(*before)
    lists.read = 0
    assert lists.entries(*now) == [word.upper() for word in now]
    assert lists.read == read


def test_lists_are_told_apart_by_their_first_entries():
    lists = List(Memory())
    for _ in range(2):
        lists.read = 0
        for number in range(_MOST_RUNS):
            lists.entries(f"system {number}", "b", "c", "d")
    assert lists.read == 2 * _MOST_RUNS
    for number in range(_MOST_RUNS + 1):
        assert lists.entries(f"other {number}", "b") == [f"OTHER {number}", "B"]


def test_it_forgets_what_there_is_no_room_for():
    memory = Memory()
    memory.keep("a", "A" * (_MOST_KNOWN // 2))
    memory.keep("b", "B" * (_MOST_KNOWN // 2))
    assert (memory.get("a"), memory.size) == (None, _MOST_KNOWN // 2 + 1)
    memory.keep("c", "C" * _MOST_KNOWN)
    assert (memory.get("b"), memory.get("c"), memory.size) == (None, None, 0)
