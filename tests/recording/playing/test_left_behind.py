from __future__ import annotations

import pytest

from replay_agent.recording.cassettes.parts.header import Header
from replay_agent.recording.cassettes.parts.item import new_item
from replay_agent.recording.cassettes.store import load, save
from replay_agent.recording.playing.left_behind import source_of
from replay_agent.recording.playing.source import Source


@pytest.fixture
def journal(tmp_path, chat, keying):
    path = tmp_path / "journal.yaml"
    save(
        path,
        Header(keying=keying.scheme),
        [new_item(each, keying(each.request)) for each in [chat("one"), chat("new")]],
    )
    return Source(load(path), keying)


class Left:
    unwanted = frozenset()

    def __init__(self, cassette):
        self.cassette = cassette


def test_what_was_refused_in_a_run_that_failed_is_asked_again(journal, chat, keying):
    left = Left(journal.cassette)
    source = source_of(left, keying, lambda interaction: interaction == chat("one"))
    assert left.unwanted == {0}
    assert source.leftovers() == [1]


def test_a_journal_that_was_not_read_is_no_source(keying):
    assert source_of(Left(None), keying, lambda _: False) is None
