"""The journal: what was paid for survives, and goes when it is no longer needed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from replay_agent.exceptions import CassetteUnreadable, CassetteUnwritable, CassetteVersionError
from replay_agent.recording.cassettes.journal import Journal, journals_of, load_journal, new_journal_path, take_up
from replay_agent.recording.cassettes.parts.header import Header
from replay_agent.recording.cassettes.parts.item import new_item

HEADER = Header(keying="bytes-1")


TEST = "tests/test_geo.py::test_a"


@pytest.fixture
def cassette(tmp_path):
    return tmp_path / "cassettes" / "geo.yaml"


@pytest.fixture
def path(cassette):
    return new_journal_path(cassette, TEST)


@pytest.fixture
def left(cassette, path, items):
    """A journal of two interactions that was left behind."""
    journal = Journal(path, HEADER)
    journal.append(items[0])
    journal.append(items[1])
    journal.close()
    return path


@pytest.fixture
def items(chat, keying):
    return [new_item(each, keying(each.request)) for each in (chat("one"), chat("two"), chat("three\n"))]


def test_nothing_recorded_leaves_nothing(path):
    journal = Journal(path, HEADER)
    journal.close()
    assert load_journal(path) is None
    assert not path.parent.exists()
    journal.discard()


def test_finished_interactions_are_on_disk_at_once(path, items, keying):
    journal = Journal(path, HEADER)
    for number, item in enumerate(items, 1):
        journal.append(item)
        found = load_journal(path)
        assert len(found) == number
    assert [found.item(n) for n in range(3)] == items
    assert found.keys(keying) == [item.key for item in items]
    journal.close()


def test_torn_tail_is_left_out(path, items):
    journal = Journal(path, HEADER)
    for item in items:
        journal.append(item)
    journal.close()
    data = path.read_bytes()
    for cut in (1, 20, len(items[2].source) - 1):
        path.write_bytes(data[:-cut])
        assert len(load_journal(path)) == 2


def test_next_recording_takes_over_what_is_whole(cassette, left, items):
    left.write_bytes(left.read_bytes()[:-7])
    journal = Journal(new_journal_path(cassette, TEST), HEADER, take_up(cassette, TEST, read=True))
    assert left.exists()
    journal.append(items[2])
    assert not left.exists()
    journal.close()
    found = load_journal(journal.path)
    assert [found.item(n).content for n in range(2)] == [items[0].content, items[2].content]


def test_other_keying_forgets_the_keys(cassette, left, items, make_keying):
    journal = Journal(new_journal_path(cassette, TEST), Header(keying="bytes-2"), take_up(cassette, TEST, read=True))
    journal.append(items[2])
    journal.close()
    asked = make_keying("bytes-2")
    load_journal(journal.path).keys(asked)
    assert asked.asked == 2


def test_journal_that_is_written_is_not_taken_up(cassette, path, items):
    journal = Journal(path, HEADER)
    journal.append(items[0])
    assert take_up(cassette, TEST, read=True) == []
    journal.close()
    [left] = take_up(cassette, TEST, read=True)
    assert len(left.cassette) == 1
    assert take_up(cassette, TEST, read=True) == []
    left.release()


def test_journal_that_was_taken_up_can_be_left_again(cassette, left):
    Journal(new_journal_path(cassette, TEST), HEADER, take_up(cassette, TEST, read=True)).close()
    assert journals_of(cassette, TEST) == [left]
    [again] = take_up(cassette, TEST, read=True)
    again.release()


def test_success_discards_what_was_left_behind(cassette, left):
    Journal(new_journal_path(cassette, TEST), HEADER, take_up(cassette, TEST, read=True)).discard()
    assert list(cassette.parent.iterdir()) == []


def test_what_was_not_read_is_not_taken_over_but_discarded(cassette, left, items):
    journal = Journal(new_journal_path(cassette, TEST), HEADER, take_up(cassette, TEST, read=False))
    journal.append(items[2])
    assert left.exists()
    assert len(load_journal(journal.path)) == 1
    journal.discard()
    assert list(cassette.parent.iterdir()) == []


def test_journals_of_other_tests_stay(cassette, left):
    for other in ("tests/test_geo.py::test_b", None):
        assert journals_of(cassette, other) == []
        assert take_up(cassette, other, read=True) == []


def test_oldest_is_taken_up_first(cassette, items):
    paths = []
    for number, item in enumerate(items):
        journal = Journal(new_journal_path(cassette, TEST), HEADER)
        journal.append(item)
        journal.close()
        os.utime(journal.path, (1000 - number, 1000 - number))
        paths.insert(0, journal.path)
    left = take_up(cassette, TEST, read=True)
    assert [each.path for each in left] == paths
    for each in left:
        each.release()


def test_one_damaged_journal_leaves_all_to_the_next(cassette, left):
    new_journal_path(cassette, TEST).mkdir()
    for _ in range(2):
        with pytest.raises(CassetteUnreadable, match="is a directory"):
            take_up(cassette, TEST, read=True)


def test_journal_of_an_older_release_has_a_name_without_a_number(cassette, left):
    left.rename(left.with_name(".".join([*left.name.split(".")[:2], "journal"])))
    [found] = take_up(cassette, TEST, read=True)
    assert len(found.cassette) == 2
    found.release()


def test_discarded_journal_is_gone(path, items):
    journal = Journal(path, HEADER)
    journal.append(items[0])
    journal.discard()
    assert not path.parent.parent.exists()
    journal.discard()


@pytest.mark.parametrize("content", [b"", b"version: 1\nkey", b"version: 1\nkeying: x\ninteractions:\n", b"garbage"])
def test_journal_without_a_whole_interaction_is_none(path, content):
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    assert load_journal(path) is None


def test_journal_of_another_release_is_said(path, items):
    journal = Journal(path, HEADER)
    journal.append(items[0])
    journal.close()
    path.write_bytes(path.read_bytes().replace(b"version: 1", b"version: 7"))
    with pytest.raises(CassetteVersionError, match="journal"):
        load_journal(path)


def test_folder_in_its_place_is_said(path, items):
    path.mkdir(parents=True)
    with pytest.raises(CassetteUnreadable, match="is a directory"):
        load_journal(path)
    with pytest.raises(CassetteUnwritable, match=r"\.journal"):
        Journal(path, HEADER).append(items[0])


@pytest.mark.parametrize("root", [".git", "pyproject.toml", "tox.ini", ""])
def test_path_is_in_the_projects_folder_and_one_a_recording(tmp_path, root):
    cassette = tmp_path / "cassettes" / "deep" / "geo.yaml"
    if root:
        (tmp_path / root).touch()
    paths = {new_journal_path(cassette, test) for test in ("a", "a", "b", None)}
    assert len(paths) == 4
    home = tmp_path if root else cassette.parent
    assert {path.parent for path in paths} == {home / ".replay-agent" / "journals"}
    assert all(path.name.startswith("geo.") and path.suffix == ".journal" for path in paths)


def test_tests_and_cassettes_of_like_names_have_their_own(tmp_path):
    whose = [(tmp_path / name, test) for name in ("geo.yaml", "geo.yml", "geo.x.yaml") for test in ("a", "b", None)]
    for cassette, test in whose:
        path = new_journal_path(cassette, test)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert all(len(journals_of(cassette, test)) == 1 for cassette, test in whose)


def test_long_names_fit(tmp_path):
    path = new_journal_path(tmp_path / ("ü" * 120 + ".yaml"), "t" * 1000)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"")
    assert len(os.fsencode(path.name)) < 200


def test_git_is_told_to_look_away_as_long_as_there_is_a_journal(cassette, path, items):
    journal = Journal(path, HEADER)
    journal.append(items[0])
    ignored = path.parent.parent / ".gitignore"
    assert ignored.read_text().splitlines()[-1] == "*"
    other = Journal(new_journal_path(cassette, "other"), HEADER)
    other.append(items[1])
    journal.discard()
    assert ignored.exists()
    other.discard()
    assert not ignored.parent.exists()


def test_what_is_not_wanted_goes_with_its_journal(cassette, left, items):
    [taken] = take_up(cassette, TEST, read=True)
    taken.unwanted = frozenset({0})
    journal = Journal(new_journal_path(cassette, TEST), HEADER, [taken])
    journal.append(items[2])
    journal.close()
    found = load_journal(journal.path)
    assert [found.item(n).content for n in range(len(found))] == [items[1].content, items[2].content]


KILLED = """
import os, signal, sys
from pathlib import Path
from replay_agent.recording.cassettes.parts.header import Header
from replay_agent.recording.cassettes.parts.item import new_item
from replay_agent.recording.cassettes.journal import Journal
from replay_agent.traffic import Interaction, Request, Response
journal = Journal(Path(sys.argv[1]), Header(keying="bytes-1"))
for number in range(3):
    journal.append(new_item(Interaction(Request("GET", f"https://a.example/{number}"), Response(200)), None))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signal here")
def test_killed_run_loses_nothing(cassette, path):
    run = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False, cwd=Path(__file__).parents[2])
    assert run.returncode == -signal.SIGKILL
    [left] = take_up(cassette, TEST, read=True)
    left.release()
    assert [each.request.url[-1] for each in load_journal(path).interactions()] == ["0", "1", "2"]
