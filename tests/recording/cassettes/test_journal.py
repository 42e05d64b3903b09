"""The journal: what was paid for survives, and goes when it is no longer needed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from replay_agent.exceptions import CassetteUnreadable, CassetteUnwritable, CassetteVersionError
from replay_agent.recording.cassettes.document import Header, new_item
from replay_agent.recording.cassettes.journal import Journal, journal_path, load_journal

HEADER = Header(keying="bytes-1")


@pytest.fixture
def path(tmp_path):
    return journal_path(tmp_path / "cassettes" / "geo.yaml", "tests/test_geo.py::test_a")


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


def test_next_recording_goes_on_behind_what_is_whole(path, items):
    journal = Journal(path, HEADER)
    journal.append(items[0])
    journal.append(items[1])
    journal.close()
    path.write_bytes(path.read_bytes()[:-7])
    again = Journal(path, HEADER)
    again.append(items[2])
    again.close()
    found = load_journal(path)
    assert [found.item(n).content for n in range(2)] == [items[0].content, items[2].content]


def test_other_keying_forgets_the_keys(path, items, make_keying):
    journal = Journal(path, HEADER)
    journal.append(items[0])
    journal.close()
    again = Journal(path, Header(keying="bytes-2"))
    again.append(items[1])
    again.close()
    asked = make_keying("bytes-2")
    load_journal(path).keys(asked)
    assert asked.asked == 1


def test_discarded_journal_is_gone(path, items):
    journal = Journal(path, HEADER)
    journal.append(items[0])
    journal.discard()
    assert list(path.parent.iterdir()) == []
    journal.discard()


@pytest.mark.parametrize("content", [b"", b"version: 1\nkey", b"version: 1\nkeying: x\ninteractions:\n", b"garbage"])
def test_journal_without_a_whole_interaction_is_none(path, content):
    path.parent.mkdir()
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


def test_path_is_beside_the_cassette_and_one_a_test(tmp_path):
    cassette = tmp_path / "geo.yaml"
    paths = {journal_path(cassette, test) for test in ("a", "b", None)} | {journal_path(tmp_path / "geo.yml", "a")}
    assert len(paths) == 4
    assert {path.parent for path in paths} == {tmp_path}
    assert all(path.name.startswith("geo.") and path.suffix == ".journal" for path in paths)


def test_long_names_fit(tmp_path):
    path = journal_path(tmp_path / ("ü" * 120 + ".yaml"), "t" * 1000)
    path.write_bytes(b"")
    assert len(os.fsencode(path.name)) < 200


KILLED = """
import os, signal, sys
from pathlib import Path
from replay_agent.recording.cassettes.document import Header, new_item
from replay_agent.recording.cassettes.journal import Journal
from replay_agent.traffic import Interaction, Request, Response
journal = Journal(Path(sys.argv[1]), Header(keying="bytes-1"))
for number in range(3):
    journal.append(new_item(Interaction(Request("GET", f"https://a.example/{number}"), Response(200)), None))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signal here")
def test_killed_run_loses_nothing(path):
    run = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False, cwd=Path(__file__).parents[2])
    assert run.returncode == -signal.SIGKILL
    assert [each.request.url[-1] for each in load_journal(path).interactions()] == ["0", "1", "2"]
