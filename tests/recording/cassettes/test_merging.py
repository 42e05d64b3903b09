"""What one recording changed and what others wrote meanwhile, in one file."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from replay_agent.recording.cassettes.document import read_cassette, render
from replay_agent.recording.cassettes.merging import merge
from replay_agent.recording.cassettes.parts.header import Header
from replay_agent.recording.cassettes.parts.item import Item, new_item


@pytest.fixture
def items(chat, keying):
    def make(names):
        interactions = [chat(name, test=name) for name in names]
        return [new_item(each, keying(each.request)) for each in interactions]

    return make


@pytest.fixture
def cassette(items, keying):
    def make(names, **header):
        data = render(Header(keying=header.pop("keying", keying.scheme), **header), items(names))
        return read_cassette(data, Path("a.yaml"))

    return make


# base, what this recording wants, what is in the file now -> what shall be in it
CASES = [
    ("abc", "abc", "abc", "abc"),
    ("abc", "axbc", "abc", "axbc"),
    ("abc", "xabc", "abc", "xabc"),
    ("abc", "abcx", "abc", "abcx"),
    ("abc", "ac", "abc", "ac"),
    ("abc", "axc", "abc", "axc"),
    ("abc", "xyz", "abc", "xyz"),
    ("", "xy", "", "xy"),
    ("", "xy", "ab", "abxy"),
    ("abc", "abcx", "abcy", "abcxy"),
    ("abc", "axbc", "aybc", "axybc"),
    ("abc", "ab", "abcy", "aby"),
    ("abc", "abcx", "ab", "abx"),
    ("abc", "abcx", "", "x"),
    ("abc", "x", "abcy", "yx"),
    ("aa", "aax", "aa", "aax"),
    ("aa", "ax", "aay", "ayx"),
    ("ab", "ab", "ba", "ba"),
]


@pytest.mark.parametrize(("base", "wanted", "now", "expected"), CASES)
def test_both_changes_are_in_the_file(items, cassette, base, wanted, now, expected):
    _, merged = merge(Header(keying="bytes-1"), items(wanted), cassette(base) if base else None, cassette(now))
    assert sorted(item.test for item in merged) == sorted(expected)
    if set(now) <= set(base) or not base:
        assert "".join(item.test for item in merged) == expected


def test_others_items_forget_the_key_of_another_scheme(items, cassette):
    _, merged = merge(Header(keying="bytes-2"), items("x"), None, cassette("a"))
    assert [item.source[:6] == b"- # ?/" for item in merged] == [True, False]


def test_header_keeps_its_beginnings(items, cassette):
    now = cassette("a", recorded_at="2020", library="pytest-replay-agent 0.0.1", frozen={"clock": 1})
    header, _ = merge(Header(keying="bytes-1", recorded_at="2026", frozen={"uuid": 2}), items("x"), None, now)
    assert header.recorded_at == "2020"
    assert header.library == "pytest-replay-agent 0.0.1"
    assert header.frozen == {"clock": 1, "uuid": 2}


def test_header_of_a_file_of_which_nothing_stays_goes(items, cassette):
    base = cassette("a", recorded_at="2020")
    header, _ = merge(Header(keying="bytes-1", recorded_at="2026"), items("x"), base, base)
    assert header.recorded_at == "2026"


def test_one_test_recorded_by_two_processes_is_kept_once(chat, keying):
    def recorded(*talk):
        asked = [chat(request, answer, test="test_a") for request, answer in talk]
        return [new_item(each, keying(each.request)) for each in asked]

    now = read_cassette(
        render(Header(keying=keying.scheme), recorded(("x", "1"), ("x", "2"), ("y", "3"))), Path("a.yaml")
    )
    ours = recorded(("x", "4"), ("z", "5"))
    _, merged = merge(Header(keying=keying.scheme), ours, None, now)
    assert [item.content for item in merged] == [item.content for item in [*recorded(("x", "2"), ("y", "3")), *ours]]


class Unknown:
    """A cassette of which nobody knows from what bytes it was read."""

    def __init__(self, cassette):
        self._cassette = cassette

    def is_same_file(self, _other):
        return False

    def __getattr__(self, name):
        return getattr(self._cassette, name)

    def __len__(self):
        return len(self._cassette)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
@given(st.lists(st.sampled_from("abcdef"), min_size=1, unique=True), st.data())
def test_where_nobody_else_wrote_the_outcome_is_the_same(items, cassette, base, data):
    kept = [name for name in base if data.draw(st.booleans())]
    wanted = [each for name in ["", *kept] for each in (name, *data.draw(st.text("xyz", max_size=2))) if each]
    header, there = Header(keying="other-1", frozen={"uuid": "1"}), cassette(base, library="old")
    short = merge(header, items(wanted), there, cassette(base, library="old"))
    long = merge(header, items(wanted), Unknown(there), cassette(base, library="old"))
    assert render(*short) == render(*long)


def test_what_is_in_the_file_already_is_looked_at_once(items, cassette, monkeypatch):
    there, wanted = cassette("abcdefgh"), items("abcdefghx")
    read = []
    content = Item.content.fget
    monkeypatch.setattr(Item, "content", property(lambda item: read.append(item) or content(item)))
    merge(Header(keying="bytes-1"), wanted, there, cassette("abcdefgh"))
    assert len(read) <= len(there) + 1
